/** The dialogs that go through the proxy, for listings and so that no connection is closed under them. What may be believed of them stands in their tokens. */
import { detach, type Random, ShortLivedMap } from "@causeway/sip";

/** Our routes of a dialog that this run of the edge saw begin, as they stand in the Record-Routes we wrote. */
export interface DialogRoute {
	readonly initiatorTag: string;
	/** Value of the route on the side of the one who began the dialog, and on the other. */
	readonly initiatorSide: string;
	readonly otherSide: string;
	/** The key of both tokens. */
	readonly kid: string;
	/** Milliseconds since 1970. */
	readonly issuedAt: number;
}

export interface RelayedDialog {
	readonly usage: "invite" | "subscribe";
	readonly callId: string;
	/** `user@domain`. */
	readonly initiator: string;
	readonly other: string;
	readonly route: DialogRoute | undefined;
	/** Connection ids of both sides: that of the one who began the dialog first. */
	readonly connections: readonly [number, number];
	/** Milliseconds since 1970. */
	readonly startedAt: number;
	/** A subscription's own end, or the 24 hours of a dialog. */
	expiresAt: number;
}

export interface KeptDialog extends RelayedDialog {
	readonly key: string;
	/** It is not here any more. */
	isOver: boolean;
}

/** Dialogs that may be listed; one more is relayed like the others and not listed. */
const MOST_DIALOGS = 1_000_000;

export class RelayDialogs {
	readonly #dialogs: ShortLivedMap<KeptDialog>;
	readonly #counts = new Map<number, number>();

	constructor(random: Random) {
		this.#dialogs = new ShortLivedMap(random.below(0x4000_0000));
	}

	get size(): number {
		return this.#dialogs.size;
	}

	[Symbol.iterator](): IterableIterator<RelayedDialog> {
		return this.#dialogs.values().values();
	}

	/** `tag`: that of the one who began the dialog. */
	add(tag: string, dialog: RelayedDialog): void {
		const key = detach(keyOf(dialog.callId, tag));
		const known = this.#dialogs.get(key);
		if (known !== undefined) {
			known.expiresAt = dialog.expiresAt;
			return;
		}
		if (this.#dialogs.size >= MOST_DIALOGS) return;
		const { usage, callId, initiator, other, route, connections, startedAt, expiresAt } = dialog;
		this.#dialogs.set(key, {
			usage,
			callId: detach(callId),
			initiator: detach(initiator),
			other: detach(other),
			route: route && {
				initiatorTag: detach(tag),
				initiatorSide: detach(route.initiatorSide),
				otherSide: detach(route.otherSide),
				kid: route.kid,
				issuedAt: route.issuedAt,
			},
			connections,
			startedAt,
			expiresAt,
			key,
			isOver: false,
		});
		for (const id of dialog.connections) this.#counts.set(id, this.load(id) + 1);
	}

	/** Either tag may be that of the one who began the dialog. */
	find(callId: string, tags: readonly (string | undefined)[]): KeptDialog | undefined {
		for (const tag of tags) {
			const found = tag === undefined ? undefined : this.#dialogs.get(keyOf(callId, tag));
			if (found !== undefined) return found;
		}
		return undefined;
	}

	end(callId: string, tags: readonly (string | undefined)[]): void {
		for (const tag of tags) if (tag !== undefined) this.#remove(keyOf(callId, tag));
	}

	/** Dialogs of a connection. */
	load(connectionId: number): number {
		return this.#counts.get(connectionId) ?? 0;
	}

	/** Connection affinity: the dialogs of a connection end with it. */
	connectionClosed(connectionId: number): void {
		for (const dialog of this.#dialogs.values())
			if (dialog.connections.includes(connectionId)) this.#remove(dialog.key);
		this.#counts.delete(connectionId);
	}

	expire(nowMs: number): void {
		for (const { key, expiresAt } of this.#dialogs.values()) if (expiresAt <= nowMs) this.#remove(key);
	}

	#remove(key: string): void {
		const dialog = this.#dialogs.get(key);
		if (dialog === undefined) return;
		this.#dialogs.delete(key);
		dialog.isOver = true;
		for (const id of dialog.connections) {
			const left = this.load(id) - 1;
			if (left > 0) this.#counts.set(id, left);
			else this.#counts.delete(id);
		}
	}
}

/** Neither part holds a line end. */
function keyOf(callId: string, tag: string): string {
	return `${callId}\n${tag}`;
}
