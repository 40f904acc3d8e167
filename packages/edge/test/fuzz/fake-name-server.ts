/**
 * A name server without a socket: stands in for UDP and TCP, so that thousands of answers a second go through the whole
 * resolver and only through its public door.
 */
import dgram from "node:dgram";
import { EventEmitter } from "node:events";
import { syncBuiltinESMExports } from "node:module";
import net from "node:net";

/** What is answered to one query: datagrams in this order, or pieces of a stream. */
export interface Answers {
	datagrams(query: Uint8Array): readonly Uint8Array[];
	stream(query: Uint8Array): readonly Uint8Array[];
}

/** Until disposed of, every UDP socket and TCP connection of this thread speaks with `answers`. */
export function installFakeNameServer(answers: Answers): Disposable {
	const { createSocket } = dgram;
	const { connect } = net;
	Object.assign(dgram, { createSocket: () => new FakeSocket(answers) });
	Object.assign(net, { connect: () => new FakeConnection(answers) });
	syncBuiltinESMExports();
	return {
		[Symbol.dispose]() {
			Object.assign(dgram, { createSocket });
			Object.assign(net, { connect });
			syncBuiltinESMExports();
		},
	};
}

/** The part of `dgram.Socket` that the resolver uses. An emitter, because that is what a socket is. */
class FakeSocket extends EventEmitter {
	readonly #answers: Answers;
	#isClosed = false;

	constructor(answers: Answers) {
		super();
		this.#answers = answers;
	}

	connect(): void {
		this.emit("connect");
	}

	send(query: Uint8Array): void {
		for (const datagram of this.#answers.datagrams(query)) {
			if (!this.#isClosed) this.emit("message", datagram);
		}
	}

	close(): void {
		this.#isClosed = true;
	}
}

/** The part of `net.Socket` that the resolver uses. */
class FakeConnection extends EventEmitter {
	readonly #answers: Answers;
	#isDestroyed = false;

	constructor(answers: Answers) {
		super();
		this.#answers = answers;
		// Whoever connects listens first.
		queueMicrotask(() => this.emit("connect"));
	}

	write(query: Uint8Array): void {
		for (const piece of this.#answers.stream(query)) {
			if (!this.#isDestroyed) this.emit("data", piece);
		}
		if (!this.#isDestroyed) this.emit("close");
	}

	destroy(): void {
		this.#isDestroyed = true;
	}
}
