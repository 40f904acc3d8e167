/**
 * Keeps what of a dialog must outlive its connection, for peers with `affinity = "rebind"` (product contract 6, promise 5): a dialog
 * younger than its limit goes on over a new connection of the same peer, also after a restart. Other peers' dialogs are not kept.
 */
import type { Clock, Dialog, DialogId, Logger } from "@causeway/sip";
import type { Peer } from "../federation/peers.ts";
import type { KeptDialogs } from "../store/kept-dialogs.ts";

/** A dialog as it was kept, and what its usage said with it. */
export interface RevivedDialog<Details> {
	/** Its own numbers go on far above those that may have been used. */
	readonly dialog: Dialog;
	/** Milliseconds since 1970. */
	readonly createdAt: number;
	readonly details: Details;
}

export interface DialogKeeperOptions {
	readonly clock: Pick<Clock, "wall">;
	readonly log: Logger;
	readonly kept: KeptDialogs;
	/** Longest life of a dialog. */
	readonly dialogMs: number;
}

/** What was sent after the dialog was kept is not known: our next request takes a number that is higher in any case. */
const SEQUENCE_STEP = 1_000_000;

export class DialogKeeper {
	readonly #options: DialogKeeperOptions;
	/** Our tags, which are in no second dialog, of those that are over while the store still shows them. */
	readonly #dropping = new Set<string>();

	constructor(options: DialogKeeperOptions) {
		this.#options = options;
	}

	/** Whether dialogs with this peer are kept. */
	keeps(peer: Peer): boolean {
		return peer.affinity === "rebind";
	}

	/** Keeps a confirmed dialog; `details` is plain data. Does nothing for peers whose dialogs are not kept. */
	keep(peer: Peer, usage: "invite" | "subscribe", dialog: Dialog, createdAt: number, details: unknown): void {
		if (!this.keeps(peer)) return;
		const { dialogMs, kept } = this.#options;
		const value = JSON.stringify({ dialog, details });
		const endsAt = createdAt + dialogMs;
		this.#settle(kept.keep(dialog.id, { usage, peer: peer.name, createdAt, endsAt, value }));
	}

	/** The dialog is over, not merely its connection. */
	drop(peer: Peer, id: DialogId): void {
		if (!this.keeps(peer)) return;
		this.#dropping.add(id.localTag);
		this.#settle(this.#options.kept.drop(id).finally(() => this.#dropping.delete(id.localTag)));
	}

	/** Forgets what is over. */
	sweep(): void {
		this.#settle(this.#options.kept.dropOld());
	}

	/** The dialog of this peer that was kept; undefined where there is none. Throws `StoreFailed` where the store does not read. */
	find<Details>(peer: Peer, usage: "invite" | "subscribe", id: DialogId): RevivedDialog<Details> | undefined {
		if (!this.keeps(peer) || this.#dropping.has(id.localTag)) return undefined;
		const found = this.#options.kept.find(id);
		if (found === undefined || found.usage !== usage || found.peer !== peer.name) return undefined;
		const { dialog, details } = JSON.parse(found.value) as { readonly dialog: Dialog; readonly details: Details };
		const localCSeq = (dialog.localCSeq ?? 0) + SEQUENCE_STEP;
		return { dialog: { ...dialog, localCSeq }, createdAt: found.createdAt, details };
	}

	#settle(write: Promise<void>): void {
		write.catch((error: unknown) =>
			this.#options.log.error("a dialog could not be kept: it ends with its connection", { reason: String(error) }),
		);
	}
}
