/** The dialogs that are alive, each pinned to the connection that made it (REQ-48). */
import { invariant } from "../text/assert.ts";
import { type DialogId, equalDialogIds } from "./dialog-id.ts";

/** A dialog in the table. */
export interface DialogTableItem<Entry> {
	readonly id: DialogId;
	/** `Connection.id`. */
	readonly connectionId: number;
	readonly entry: Entry;
}

/** An item with its neighbours, which the table alone writes. What is held in great numbers is its own. */
export interface DialogTableSlot<Entry> extends DialogTableItem<Entry> {
	connectionId: number;
	/** Next dialog with the same local tag. */
	nextOfTag: DialogTableSlot<Entry> | undefined;
	previousOnConnection: DialogTableSlot<Entry> | undefined;
	nextOnConnection: DialogTableSlot<Entry> | undefined;
}

interface ConnectionSlots<Entry> {
	first: DialogTableSlot<Entry> | undefined;
	count: number;
}

/**
 * Finds dialogs by the tag that we chose. Our tags cannot be guessed, so a peer cannot gather dialogs under one of them;
 * only dialogs forked from one request of ours share it, as does the early dialog whose remote tag is not known yet.
 * Adding, finding and removing take constant time, and so does each dialog of a lost connection.
 */
export class DialogTable<Entry> {
	readonly #byLocalTag = new Map<string, DialogTableSlot<Entry>>();
	readonly #byConnection = new Map<number, ConnectionSlots<Entry>>();
	#size = 0;

	get size(): number {
		return this.#size;
	}

	/** False, and nothing added, where the dialog is in the table already. */
	add(id: DialogId, connectionId: number, entry: Entry): boolean {
		return this.addSlot({
			id,
			connectionId,
			entry,
			nextOfTag: undefined,
			previousOnConnection: undefined,
			nextOnConnection: undefined,
		});
	}

	/** The same for an entry that is its own slot; its connection is named in it. */
	addSlot(slot: DialogTableSlot<Entry>): boolean {
		const { id } = slot;
		const { localTag } = id;
		const first = this.#byLocalTag.get(localTag);
		if (findInChain(first, id) !== undefined) return false;
		slot.nextOfTag = first;
		this.#byLocalTag.set(localTag, slot);
		this.#link(slot);
		this.#size += 1;
		return true;
	}

	find(id: DialogId): DialogTableItem<Entry> | undefined {
		return findInChain(this.#byLocalTag.get(id.localTag), id);
	}

	/** Every dialog of one Call-ID and local tag, whatever its remote tag: where a NOTIFY may overtake the 2xx. */
	findByLocalTag(callId: string, localTag: string): readonly DialogTableItem<Entry>[] {
		const found: DialogTableItem<Entry>[] = [];
		for (let slot = this.#byLocalTag.get(localTag); slot !== undefined; slot = slot.nextOfTag) {
			if (slot.id.callId === callId) found.push(slot);
		}
		return found;
	}

	/** Removes one dialog; undefined where it is not in the table. */
	remove(id: DialogId): Entry | undefined {
		const slot = findInChain(this.#byLocalTag.get(id.localTag), id);
		if (slot === undefined) return undefined;
		this.#removeSlot(slot);
		return slot.entry;
	}

	/** REQ-49: removes every dialog pinned to a connection that is gone, the newest first. */
	removeConnection(connectionId: number): readonly DialogTableItem<Entry>[] {
		const removed: DialogTableItem<Entry>[] = [];
		let slot = this.#byConnection.get(connectionId)?.first;
		while (slot !== undefined) {
			const next: DialogTableSlot<Entry> | undefined = slot.nextOnConnection;
			this.#removeSlot(slot);
			removed.push(slot);
			slot = next;
		}
		return removed;
	}

	/** Pins a dialog to another connection (`affinity = "rebind"`). False where it is not in the table. */
	pin(id: DialogId, connectionId: number): boolean {
		const slot = findInChain(this.#byLocalTag.get(id.localTag), id);
		if (slot === undefined) return false;
		this.#unlink(slot);
		slot.connectionId = connectionId;
		this.#link(slot);
		return true;
	}

	countOnConnection(connectionId: number): number {
		return this.#byConnection.get(connectionId)?.count ?? 0;
	}

	/** All dialogs, in no particular order. Removing the one at hand while iterating is allowed. */
	*[Symbol.iterator](): IterableIterator<DialogTableItem<Entry>> {
		for (const first of this.#byLocalTag.values()) {
			let slot: DialogTableSlot<Entry> | undefined = first;
			while (slot !== undefined) {
				const next: DialogTableSlot<Entry> | undefined = slot.nextOfTag;
				yield slot;
				slot = next;
			}
		}
	}

	#removeSlot(slot: DialogTableSlot<Entry>): void {
		const first = this.#byLocalTag.get(slot.id.localTag);
		if (first === slot) {
			if (slot.nextOfTag === undefined) this.#byLocalTag.delete(slot.id.localTag);
			else this.#byLocalTag.set(slot.id.localTag, slot.nextOfTag);
		} else {
			let before = first;
			while (before !== undefined && before.nextOfTag !== slot) before = before.nextOfTag;
			invariant(before !== undefined, "a dialog in the table hangs under its local tag");
			before.nextOfTag = slot.nextOfTag;
		}
		this.#unlink(slot);
		this.#size -= 1;
	}

	#link(slot: DialogTableSlot<Entry>): void {
		const slots = this.#byConnection.get(slot.connectionId) ?? { first: undefined, count: 0 };
		slot.previousOnConnection = undefined;
		slot.nextOnConnection = slots.first;
		if (slots.first !== undefined) slots.first.previousOnConnection = slot;
		slots.first = slot;
		slots.count += 1;
		this.#byConnection.set(slot.connectionId, slots);
	}

	#unlink(slot: DialogTableSlot<Entry>): void {
		const slots = this.#byConnection.get(slot.connectionId);
		invariant(slots !== undefined, "a dialog in the table is pinned to a connection");
		if (slot.previousOnConnection === undefined) slots.first = slot.nextOnConnection;
		else slot.previousOnConnection.nextOnConnection = slot.nextOnConnection;
		if (slot.nextOnConnection !== undefined) slot.nextOnConnection.previousOnConnection = slot.previousOnConnection;
		slots.count -= 1;
		if (slots.count === 0) this.#byConnection.delete(slot.connectionId);
		slot.previousOnConnection = undefined;
		slot.nextOnConnection = undefined;
	}
}

function findInChain<Entry>(
	first: DialogTableSlot<Entry> | undefined,
	id: DialogId,
): DialogTableSlot<Entry> | undefined {
	let slot = first;
	while (slot !== undefined && !equalDialogIds(slot.id, id)) slot = slot.nextOfTag;
	return slot;
}
