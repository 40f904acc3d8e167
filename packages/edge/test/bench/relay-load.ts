/** Both sides of a relay under load: callers of a partner on some connections, callees behind the relay on others. */
import type { ByteStream } from "@causeway/sip";
import { compareRelayed } from "./compare-relayed.ts";
import { MessageReader, statusOf } from "./message-reader.ts";
import {
	answered,
	confirmDialog,
	createDialog,
	formatAck,
	formatBye,
	formatInstantMessage,
	formatInvite,
	formatNotify,
	formatOk,
	formatSubscribe,
	type RelayDialog,
} from "./relay-text.ts";

/** One operation: a MESSAGE in an open dialog; a new subscription with its NOTIFY; a whole short dialog. */
export type RelayFlow = "message" | "subscribe" | "dialog";

/** Shared by all connections of a run. */
export interface RelayTally {
	remaining: number;
	outstanding: number;
	succeeded: number;
	errors: number;
	firstError: string | undefined;
	/** Messages whose octets were compared behind the relay. */
	compared: number;
	/** Milliseconds, one for each operation; undefined where they are not asked for. */
	latencies: number[] | undefined;
}

export function createRelayTally(operations: number, withLatencies: boolean): RelayTally {
	return {
		remaining: operations,
		outstanding: 0,
		succeeded: 0,
		errors: 0,
		firstError: undefined,
		compared: 0,
		latencies: withLatencies ? [] : undefined,
	};
}

export function failed(tally: RelayTally, reason: string): void {
	tally.errors += 1;
	tally.firstError ??= reason;
}

/** Every so many requests one is compared octet by octet, and its response. */
const SAMPLE_EVERY = 499;

/** The request whose way is compared now. */
export class Sample {
	#mark: string | undefined;
	#request = "";
	#response: string | undefined;
	#countdown = 1;

	sent(request: string): void {
		this.#countdown -= 1;
		if (this.#countdown > 0 || this.#mark !== undefined) return;
		this.#countdown = SAMPLE_EVERY;
		const at = request.indexOf("branch=");
		this.#mark = request.slice(at, request.indexOf(";", at));
		this.#request = request;
		this.#response = undefined;
	}

	/** The callee got a request and answers it. */
	relayed(request: string, response: string, tally: RelayTally): void {
		if (this.#mark === undefined || this.#response !== undefined || !request.includes(this.#mark)) return;
		this.#judge(this.#request, request, tally);
		this.#response = response;
	}

	/** The caller got the response. */
	answered(response: string, tally: RelayTally): void {
		if (this.#mark === undefined || !response.includes(this.#mark) || response.startsWith("SIP/2.0 1")) return;
		if (this.#response !== undefined) this.#judge(this.#response, response, tally);
		this.#mark = undefined;
	}

	#judge(sent: string, received: string, tally: RelayTally): void {
		tally.compared += 1;
		// The byte copier owns no field at all.
		const difference = sent === received ? undefined : compareRelayed(sent, received);
		if (difference !== undefined) failed(tally, difference);
	}
}

/** What an operation still waits for. */
interface Operation {
	readonly dialog: RelayDialog;
	readonly startedAt: number;
	/** Subscriptions: both the 2xx and the answer to the NOTIFY. */
	missing: number;
}

export class CallerConnection {
	readonly #stream: ByteStream;
	readonly #domain: string;
	readonly #contact: string;
	readonly #nextNumber: () => number;
	readonly #sample: Sample;
	readonly #operations = new Map<number, Operation>();
	#idle: RelayDialog[] = [];
	#flow: RelayFlow | "open" = "open";
	#tally: RelayTally = createRelayTally(0, false);
	#settled: () => void = () => {};
	#refill = true;

	constructor(stream: ByteStream, domain: string, nextNumber: () => number, sample: Sample) {
		this.#stream = stream;
		this.#domain = domain;
		this.#contact = `${stream.local.address}:${stream.local.port}`;
		this.#nextNumber = nextNumber;
		this.#sample = sample;
		const reader = new MessageReader((_head, whole) => this.#arrived(whole));
		stream.start({
			data: (chunk) => reader.read(chunk),
			closed: ({ by, reason }) => {
				failed(this.#tally, `connection closed by ${by}: ${reason}`);
				this.#settled();
			},
		});
	}

	get dialogs(): number {
		return this.#idle.length;
	}

	/** Sends an operation each time one ends; a run with a fixed rate calls {@link next} itself. */
	begin(flow: RelayFlow | "open", tally: RelayTally, window: number, settled: () => void): void {
		this.#flow = flow;
		this.#tally = tally;
		this.#settled = settled;
		this.#refill = window > 0;
		for (let count = 0; count < window; count += 1) this.next();
	}

	/** One more operation; false where nothing is left to do or no dialog is idle. */
	next(): boolean {
		const tally = this.#tally;
		if (tally.remaining === 0) return false;
		const dialog =
			this.#flow === "message" ? this.#idle.shift() : createDialog(this.#nextNumber(), this.#domain, this.#contact);
		if (dialog === undefined) return false;
		tally.remaining -= 1;
		tally.outstanding += 1;
		const startedAt = tally.latencies === undefined ? 0 : performance.now();
		this.#operations.set(dialog.number, { dialog, startedAt, missing: this.#flow === "subscribe" ? 2 : 1 });
		if (this.#flow === "message") this.#send(formatInstantMessage(dialog));
		else if (this.#flow === "subscribe") this.#send(formatSubscribe(dialog));
		else this.#send(formatInvite(dialog));
		return true;
	}

	/** The callee's NOTIFY for this subscription was answered. */
	notified(number: number): void {
		const operation = this.#operations.get(number);
		if (operation !== undefined) this.#progress(operation);
	}

	#send(request: string): void {
		this.#sample.sent(request);
		this.#stream.write(request);
	}

	#arrived(message: string): void {
		const status = statusOf(message);
		if (status === undefined) {
			this.#stream.write(formatOk(message, undefined));
			return;
		}
		if (status < 200) return;
		this.#sample.answered(message, this.#tally);
		const { number, sequence } = answered(message);
		const operation = this.#operations.get(number);
		if (operation === undefined || operation.dialog.sequence !== sequence) {
			failed(this.#tally, `answer to nothing asked: ${message.slice(0, message.indexOf("\r\n"))}`);
			return;
		}
		if (status !== 200) {
			failed(this.#tally, `${message.slice(0, message.indexOf("\r\n"))} for ${number}.${sequence} (${this.#flow})`);
			this.#end(operation, false);
			return;
		}
		const { dialog } = operation;
		if (this.#flow === "open" || (this.#flow === "dialog" && sequence === 1)) {
			confirmDialog(dialog, message);
			this.#stream.write(formatAck(dialog));
			if (this.#flow === "dialog") {
				this.#send(formatInstantMessage(dialog));
				return;
			}
		} else if (this.#flow === "dialog" && sequence === 2) {
			this.#send(formatBye(dialog));
			return;
		}
		this.#progress(operation);
	}

	#progress(operation: Operation): void {
		operation.missing -= 1;
		if (operation.missing > 0) return;
		this.#tally.latencies?.push(performance.now() - operation.startedAt);
		this.#end(operation, true);
	}

	#end(operation: Operation, succeeded: boolean): void {
		const tally = this.#tally;
		this.#operations.delete(operation.dialog.number);
		tally.outstanding -= 1;
		if (succeeded) tally.succeeded += 1;
		if (succeeded && (this.#flow === "open" || this.#flow === "message")) this.#idle.push(operation.dialog);
		if (this.#refill) this.next();
		this.#settled();
	}
}

/** One connection of the relay to an inside server. */
export class CalleeConnection {
	readonly #stream: ByteStream;
	readonly #contact: string;
	readonly #sample: Sample;
	readonly #tally: () => RelayTally;
	readonly #notified: (number: number) => void;

	constructor(stream: ByteStream, sample: Sample, tally: () => RelayTally, notified: (number: number) => void) {
		this.#stream = stream;
		this.#contact = `${stream.local.address}:${stream.local.port}`;
		this.#sample = sample;
		this.#tally = tally;
		this.#notified = notified;
		const reader = new MessageReader((_head, whole) => this.#arrived(whole));
		stream.start({ data: (chunk) => reader.read(chunk), closed: () => {} });
	}

	#arrived(message: string): void {
		const status = statusOf(message);
		if (status !== undefined) {
			if (status < 200) return;
			if (status !== 200) failed(this.#tally(), `NOTIFY: ${message.slice(0, message.indexOf("\r\n"))}`);
			this.#notified(answered(message).number);
			return;
		}
		const code = message.charCodeAt(0);
		// An ACK is not answered.
		if (code === 0x41 /* A */) return;
		const isSubscribe = code === 0x53; /* S */
		const response = formatOk(message, isSubscribe || code === 0x49 /* I */ ? this.#contact : undefined);
		this.#sample.relayed(message, response, this.#tally());
		this.#stream.write(response);
		if (isSubscribe) this.#stream.write(formatNotify(message, this.#contact, callerNumber(message)));
	}
}

function callerNumber(message: string): number {
	const at = message.indexOf(";tag=caller") + 11;
	return Number.parseInt(message.slice(at, at + 12), 10);
}
