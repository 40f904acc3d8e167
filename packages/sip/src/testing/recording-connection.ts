/** A connection that keeps what is sent on it. */
import type { HeadSplices } from "../message/head-splices.ts";
import type { SipMessage } from "../message/message.ts";
import type { MessagePlace } from "../message/octet-frame.ts";
import type { Endpoint } from "../transport/byte-stream.ts";
import type { Connection, MessageOctets } from "../transport/connection.ts";
import { readSent } from "./read-sent.ts";

/** A connection that keeps what was sent on it. */
export class RecordingConnection implements Connection {
	readonly id: number;
	readonly direction = "inbound";
	readonly remote: Endpoint = { address: "192.0.2.1", port: 40_000 };
	readonly local: Endpoint = { address: "192.0.2.2", port: 5061 };
	/** What was sent and not yet taken, the oldest first. */
	readonly sent: SipMessage[] = [];
	#isOpen = true;

	constructor(id: number) {
		this.id = id;
	}

	get isOpen(): boolean {
		return this.#isOpen;
	}

	send(message: MessageOctets): boolean {
		if (!this.#isOpen) return false;
		this.sent.push(readSent(message));
		return true;
	}

	sendSpliced(message: MessagePlace, splices: HeadSplices): boolean {
		const octets = Buffer.alloc(message.end - message.start + splices.growth);
		splices.write(message, octets, 0);
		const headEnd = message.headEnd - message.start + splices.growth;
		const text = octets.toString("latin1", 0, headEnd);
		return this.send({ head: { text }, body: octets.subarray(headEnd) });
	}

	/** Milliseconds for which nothing was to be read, in order. */
	readonly delays: number[] = [];

	delayReading(ms: number): void {
		this.delays.push(ms);
	}

	close(): void {
		this.#isOpen = false;
	}

	/** What was sent since the last call. */
	take(): readonly SipMessage[] {
		return this.sent.splice(0);
	}
}
