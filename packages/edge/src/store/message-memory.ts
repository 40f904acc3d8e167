/** What the writer knows of messages without asking the database. A transaction that is rolled back takes it all along. */

/** Where messages of one user with one other side go. */
export interface Place {
	readonly mailbox: number;
	readonly conversation: number;
	/** Nothing of it is ordinary: its messages wait for the user's word. */
	isHeld: boolean;
	heldCount: number;
}

/** A dialog in which messages arrived. */
export interface ReceivedDialog {
	readonly number: number;
	readonly firstMessage: number;
	/** The greatest CSeq of a message that is stored: whatever is greater is new. */
	greatest: number;
}

/** Keys of the dialogs' table, and of places, that are known at the same time. */
const MOST_KNOWN = 50_000;

export class MessageMemory {
	readonly #places = new Map<string, Place>();
	readonly #dialogs = new Map<string, ReceivedDialog>();
	/** Of the next message; undefined: to be read. */
	nextNumber: number | undefined;
	/** Up to here the entries of mailboxes and conversations are written; undefined: to be read. */
	enteredTo: number | undefined;

	place(owner: string, peer: string, load: () => Place | undefined): Place | undefined {
		return remember(this.#places, `${owner}\n${peer}`, load);
	}

	dialog(
		conversation: number,
		callId: string,
		fromTag: string,
		load: () => ReceivedDialog | undefined,
	): ReceivedDialog | undefined {
		return remember(this.#dialogs, `${conversation}\n${callId}\n${fromTag}`, load);
	}

	forget(): void {
		this.#places.clear();
		this.#dialogs.clear();
		this.nextNumber = undefined;
		this.enteredTo = undefined;
	}
}

/** Only what is there is remembered. */
function remember<Value>(known: Map<string, Value>, key: string, load: () => Value | undefined): Value | undefined {
	const found = known.get(key);
	if (found !== undefined) return found;
	const loaded = load();
	if (loaded === undefined) return undefined;
	// All at once: whoever comes again is read again, and nobody is asked for what is oldest.
	if (known.size >= MOST_KNOWN) known.clear();
	known.set(key, loaded);
	return loaded;
}
