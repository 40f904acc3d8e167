import type { Shelf } from "./env.ts";

/** The last message of each conversation that was looked at in this browser; the server keeps no such thing. */
export class ReadMarks {
	readonly #shelf: Shelf;
	readonly #name: string;
	readonly #marks: Map<string, string>;

	constructor(shelf: Shelf, me: string) {
		this.#shelf = shelf;
		this.#name = `causeway.read.${me}`;
		this.#marks = new Map(parseMarks(shelf.read(this.#name)));
	}

	get(withAor: string): string | undefined {
		return this.#marks.get(withAor);
	}

	/** Marks never go back. */
	set(withAor: string, id: string): void {
		if ((this.#marks.get(withAor) ?? "") >= id) return;
		this.#marks.set(withAor, id);
		this.#shelf.write(this.#name, JSON.stringify([...this.#marks]));
	}
}

function parseMarks(text: string | undefined): readonly (readonly [string, string])[] {
	if (text === undefined) return [];
	try {
		const read: unknown = JSON.parse(text);
		return Array.isArray(read) ? read.filter(isMark) : [];
	} catch {
		return [];
	}
}

function isMark(value: unknown): value is readonly [string, string] {
	return Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === "string");
}
