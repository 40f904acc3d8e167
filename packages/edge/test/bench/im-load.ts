/** Message sessions over one connection, and a saturated stream of MESSAGEs in them. */
import type { ByteStream } from "@causeway/sip";
import { answeredCaller, type Caller, formatAck, formatInstantMessage, formatInvite } from "./caller.ts";
import { headerOf, MessageReader, statusOf } from "./message-reader.ts";

/** Shared by the connections of one generator: what is left to send, and what came back. */
export interface Tally {
	/** Requests not sent yet. */
	remaining: number;
	outstanding: number;
	succeeded: number;
	errors: number;
	firstError: string | undefined;
	/** Round trips in milliseconds; undefined where they do not count. */
	readonly trips: number[] | undefined;
}

export class ImConnection {
	readonly #stream: ByteStream;
	readonly #callers: ReadonlyMap<number, Caller>;
	readonly #window: number;
	readonly #text: string;
	/** Callers without an outstanding request, the one that waits longest first. */
	#ready: Caller[] = [];
	#tally: Tally;
	#settled: () => void;
	#phase: "inviting" | "messaging" = "inviting";
	/** Requests outstanding at most in this phase; 0 where somebody else calls {@link next}. */
	#outstandingLimit = 0;
	readonly #sentAtMs = new Map<number, number>();

	/** `window`: requests outstanding at most, each in a dialog of its own. */
	constructor(stream: ByteStream, callers: readonly Caller[], window: number, text: string) {
		this.#stream = stream;
		this.#callers = new Map(callers.map((caller) => [caller.number, caller]));
		this.#window = window;
		this.#text = text;
		this.#tally = createTally(0);
		this.#settled = () => {};
	}

	start(): void {
		const reader = new MessageReader(
			(head) => this.#arrived(head),
			() => this.#stream.write("\r\n"),
		);
		this.#stream.start({
			data: (chunk) => reader.read(chunk),
			closed: ({ by, reason }) => {
				this.#failed(`connection closed by ${by}: ${reason}`);
				this.#settled();
			},
		});
	}

	/** Opens the dialogs of all callers; `tally.remaining` covers them all. */
	invite(tally: Tally, settled: () => void): void {
		this.#phase = "inviting";
		this.#begin(tally, settled, this.#window);
	}

	/** Sends MESSAGEs while the tally has some left; `settled` is called after each answer. Paced: only when {@link next} says so. */
	message(tally: Tally, settled: () => void, isPaced: boolean): void {
		this.#phase = "messaging";
		this.#begin(tally, settled, isPaced ? 0 : this.#window);
	}

	/** Sends one more; false where every dialog waits for its answer, or nothing is left to send. */
	next(): boolean {
		return this.#sendNext();
	}

	close(): void {
		this.#stream.destroy("the benchmark is over");
	}

	#begin(tally: Tally, settled: () => void, outstandingLimit: number): void {
		this.#outstandingLimit = outstandingLimit;
		this.#tally = tally;
		this.#settled = settled;
		this.#ready = [...this.#callers.values()];
		for (let sent = 0; sent < outstandingLimit; sent += 1) this.#sendNext();
	}

	#sendNext(): boolean {
		const tally = this.#tally;
		if (tally.remaining === 0) return false;
		const caller = this.#ready.shift();
		if (caller === undefined) return false;
		if (tally.trips !== undefined) this.#sentAtMs.set(caller.number, performance.now());
		tally.remaining -= 1;
		tally.outstanding += 1;
		this.#stream.write(this.#phase === "inviting" ? formatInvite(caller) : formatInstantMessage(caller, this.#text));
		return true;
	}

	#arrived(head: string): void {
		const status = statusOf(head);
		if (status === undefined) {
			this.#failed(`unexpected request: ${firstLine(head)}`);
			return;
		}
		if (status < 200) return;
		const { number, sequence } = answeredCaller(head);
		const caller = this.#callers.get(number);
		if (caller === undefined || caller.sequence !== sequence) {
			this.#failed(`answer to nothing asked: ${firstLine(head)}`);
			return;
		}
		const tally = this.#tally;
		tally.outstanding -= 1;
		tally.trips?.push(performance.now() - (this.#sentAtMs.get(number) ?? 0));
		if (status === 200) tally.succeeded += 1;
		else this.#failed(`${firstLine(head)} ${headerOf(head, "ms-diagnostics-public") ?? ""}`);
		if (this.#phase === "inviting") {
			if (status === 200) this.#confirm(caller, head);
		} else {
			this.#ready.push(caller);
		}
		if (this.#outstandingLimit > 0) this.#sendNext();
		this.#settled();
	}

	#confirm(caller: Caller, head: string): void {
		const contact = headerOf(head, "Contact") ?? "";
		caller.to = headerOf(head, "To") ?? "";
		caller.target = contact.slice(contact.indexOf("<") + 1, contact.indexOf(">"));
		this.#stream.write(formatAck(caller));
	}

	#failed(reason: string): void {
		this.#tally.errors += 1;
		this.#tally.firstError ??= reason;
	}
}

export function createTally(operations: number, isTimed = false): Tally {
	const trips = isTimed ? [] : undefined;
	return { remaining: operations, outstanding: 0, succeeded: 0, errors: 0, firstError: undefined, trips };
}

function firstLine(head: string): string {
	return head.slice(0, head.indexOf("\r\n"));
}
