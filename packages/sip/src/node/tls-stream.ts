/** {@link ByteStream} over a TLS socket. */
import assert from "node:assert/strict";
import type { TLSSocket } from "node:tls";
import type { ByteStream, ByteStreamUser, CloseCause, Endpoint } from "../transport/byte-stream.ts";
import type { Flusher } from "./tls-flusher.ts";
import { describeTlsError } from "./tls-reason.ts";

/** TCP keep-alive: the operating system probes a silent connection after a minute. */
export const keepAliveMs = 60_000;
/** How long `close` waits for the peer to take what is queued and to close its side. */
const closeGraceMs = 5_000;
const firstBufferBytes = 4_096;
/** A buffer that grew past this in a burst is given back when it has left. */
const keptBufferBytes = 65_536;

const noBytes = Buffer.alloc(0);

interface TlsRoom {
	octets: Buffer;
	start: number;
}

/**
 * Octets to send gather in one buffer while another is on its way: whatever is written in one turn of the event loop, or
 * while an earlier write is pending, leaves in one `socket.write`. The two buffers swap; nothing is allocated per message.
 */
export class TlsStream implements ByteStream {
	readonly remote: Endpoint;
	readonly local: Endpoint;
	readonly #socket: TLSSocket;
	readonly #flusher: Flusher;
	readonly #written: () => void;
	#user: ByteStreamUser | undefined;
	#started = false;
	#cause: CloseCause | undefined;
	#open = true;
	#gone = false;
	#gathering = noBytes;
	#gathered = 0;
	readonly #room: TlsRoom = { octets: noBytes, start: 0 };
	#leaving = noBytes;
	#leavingBytes = 0;
	#waiting = false;
	#ending = false;
	#heard = false;
	#grace: NodeJS.Timeout | undefined;

	/** The socket has finished its handshake, nobody has read from it, and its options are set: no delay, keep-alive. */
	constructor(socket: TLSSocket, flusher: Flusher, ends: { readonly remote: Endpoint; readonly local: Endpoint }) {
		this.#socket = socket;
		this.#flusher = flusher;
		this.remote = ends.remote;
		this.local = ends.local;
		this.#written = () => this.#afterWrite();
		// The peer's FIN must not end our side before what is queued has left.
		socket.allowHalfOpen = true;
		socket.on("error", (error) => this.#failed(error));
		socket.on("close", () => this.#closed());
	}

	get isOpen(): boolean {
		return this.#open;
	}

	get queuedBytes(): number {
		return this.#gathered + this.#leavingBytes;
	}

	start(user: ByteStreamUser): void {
		assert(!this.#started, "a stream is started once");
		this.#started = true;
		this.#user = user;
		if (this.#gone) {
			queueMicrotask(() => this.#tellClosed());
			return;
		}
		this.#socket.on("end", () => this.#peerEnded());
		// Not `user` itself: Node's socket outlives its end by a while, and would keep all that hangs on the user.
		this.#socket.on("data", (chunk: Buffer) => {
			this.#heard = true;
			// What arrives after our own close is of no use to anybody, but must be read for the peer's end to be seen.
			if (this.#open) this.#user?.data(chunk);
		});
	}

	write(head: string, body?: Uint8Array): boolean {
		const room = this.claim(head.length + (body === undefined ? 0 : body.length));
		if (room === undefined) return false;
		room.octets.write(head, room.start, head.length, "latin1");
		if (body !== undefined) room.octets.set(body, room.start + head.length);
		this.commit();
		return true;
	}

	claim(bytes: number): TlsRoom | undefined {
		if (!this.#open) return undefined;
		this.#reserve(bytes);
		const room = this.#room;
		room.octets = this.#gathering;
		room.start = this.#gathered;
		this.#gathered += bytes;
		return room;
	}

	commit(): void {
		if (this.#leavingBytes > 0 || this.#waiting) return;
		this.#waiting = true;
		this.#flusher.add(this);
	}

	/** Hands what has gathered to the socket; for the flusher. */
	flush(): void {
		this.#waiting = false;
		if (this.#gone || this.#leavingBytes > 0 || this.#gathered === 0) return;
		const chunk = this.#gathering.subarray(0, this.#gathered);
		const spare = this.#leaving;
		this.#leaving = this.#gathering;
		this.#leavingBytes = this.#gathered;
		this.#gathering = spare;
		this.#gathered = 0;
		this.#room.octets = noBytes;
		this.#socket.write(chunk, this.#written);
	}

	pause(): void {
		this.#socket.pause();
	}

	resume(): void {
		this.#socket.resume();
	}

	close(reason: string): void {
		this.#finish({ by: "us", reason });
	}

	destroy(reason: string): void {
		if (this.#gone) return;
		this.#open = false;
		this.#cause ??= { by: "us", reason };
		this.#socket.destroy();
	}

	#reserve(bytes: number): void {
		const needed = this.#gathered + bytes;
		if (needed <= this.#gathering.length) return;
		let size = Math.max(firstBufferBytes, this.#gathering.length);
		while (size < needed) size *= 2;
		const larger = Buffer.allocUnsafeSlow(size);
		this.#gathering.copy(larger, 0, 0, this.#gathered);
		this.#gathering = larger;
	}

	#afterWrite(): void {
		this.#leavingBytes = 0;
		if (this.#leaving.length > keptBufferBytes) this.#leaving = noBytes;
		if (this.#gathered > 0) this.flush();
		else this.#endWhenEmpty();
	}

	#finish(cause: CloseCause): void {
		if (!this.#open) return;
		this.#open = false;
		this.#cause ??= cause;
		this.#ending = true;
		this.#grace = setTimeout(() => this.#socket.destroy(), closeGraceMs);
		// Without this the peer's end would stay unread behind data that nobody takes any more.
		if (cause.by !== "peer") this.#socket.resume();
		this.flush();
		this.#endWhenEmpty();
	}

	#endWhenEmpty(): void {
		if (this.#ending && this.queuedBytes === 0) this.#socket.end();
	}

	#peerEnded(): void {
		const reason = this.#heard
			? "the peer closed the connection"
			: "the peer closed the connection without sending anything; with TLS 1.3 this may mean that it refused our certificate";
		if (this.#open) this.#finish({ by: "peer", reason });
	}

	#failed(error: Error): void {
		this.#open = false;
		const { words, by } = describeTlsError(error);
		this.#cause ??= { by, reason: words };
	}

	#closed(): void {
		this.#gone = true;
		this.#open = false;
		clearTimeout(this.#grace);
		if (this.#started) this.#tellClosed();
	}

	#tellClosed(): void {
		const { by, reason } = this.#cause ?? { by: "network", reason: "the connection was lost" };
		const unsent = this.queuedBytes;
		const user = this.#user;
		this.#user = undefined;
		user?.closed({ by, reason: unsent === 0 ? reason : `${reason}; ${unsent} octets were not sent` });
	}
}
