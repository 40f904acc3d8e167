import type { Shelf } from "./env.ts";

/** A log-in that lasts as long as its tab. */
export interface Login {
	readonly aor: string;
	readonly token: string;
}

const name = "causeway.login";

export function readLogin(shelf: Shelf): Login | undefined {
	const text = shelf.read(name);
	if (text === undefined) return undefined;
	try {
		const { aor, token } = JSON.parse(text) as Readonly<Record<string, unknown>>;
		return typeof aor === "string" && typeof token === "string" ? { aor, token } : undefined;
	} catch {
		return undefined;
	}
}

export function writeLogin(shelf: Shelf, login: Login | undefined): void {
	shelf.write(name, login === undefined ? undefined : JSON.stringify(login));
}
