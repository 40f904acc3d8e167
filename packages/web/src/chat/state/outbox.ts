import type { Message } from "@causeway/admin";
import type { Shelf } from "../env.ts";
import type { OutboxEntry } from "./chat-state.ts";

/** A message event that is probably one of ours whose answer has not come: it then is not shown twice. */
export function bindEvent(outbox: readonly OutboxEntry[], message: Message): readonly OutboxEntry[] {
	if (message.direction !== "out") return outbox;
	const found = outbox.find(
		(entry) =>
			entry.seenAs === undefined &&
			entry.to === message.with &&
			entry.text === message.text &&
			(entry.state.kind === "submitting" || entry.state.kind === "retrying"),
	);
	return found === undefined
		? outbox
		: outbox.map((entry) => (entry === found ? { ...entry, seenAs: message.id } : entry));
}

/** The first entry of each recipient that may be handed in now: one at a time, in the order they were written. */
export function nextSubmissions(outbox: readonly OutboxEntry[]): readonly OutboxEntry[] {
	const first = new Map<string, OutboxEntry>();
	for (const entry of outbox) {
		if (entry.state.kind !== "refused" && !first.has(entry.to)) first.set(entry.to, entry);
	}
	return [...first.values()].filter(({ state }) => state.kind === "waiting");
}

/** What of the outbox is shown in a conversation: those that no message stands for yet. */
export function shownEntries(outbox: readonly OutboxEntry[], withAor: string): readonly OutboxEntry[] {
	return outbox.filter(({ to, seenAs }) => to === withAor && seenAs === undefined);
}

const shelfName = (me: string): string => `causeway.outbox.${me}`;

/** Keeps the outbox over a reload of the page, with its keys: what was handed in then and not answered is asked again. */
export function storeOutbox(shelf: Shelf, me: string, outbox: readonly OutboxEntry[]): void {
	const kept = outbox.map(({ key, to, text, at, state }) => ({ key, to, text, at, refused: refusalOf(state) }));
	shelf.write(shelfName(me), kept.length === 0 ? undefined : JSON.stringify(kept));
}

export function loadOutbox(shelf: Shelf, me: string): readonly OutboxEntry[] {
	const text = shelf.read(shelfName(me));
	if (text === undefined) return [];
	let read: unknown;
	try {
		read = JSON.parse(text);
	} catch {
		return [];
	}
	return Array.isArray(read) ? read.flatMap(readEntry) : [];
}

function refusalOf(state: OutboxEntry["state"]): string | undefined {
	return state.kind === "refused" ? state.reason : undefined;
}

function readEntry(value: unknown): readonly OutboxEntry[] {
	if (typeof value !== "object" || value === null) return [];
	const { key, to, text, at, refused } = value as Readonly<Record<string, unknown>>;
	if (typeof key !== "string" || typeof to !== "string" || typeof text !== "string" || typeof at !== "number")
		return [];
	const state: OutboxEntry["state"] =
		typeof refused === "string" ? { kind: "refused", reason: refused } : { kind: "waiting" };
	return [{ key, to, text, at, state, seenAs: undefined }];
}
