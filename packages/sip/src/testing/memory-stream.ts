/** Two ends of a stream in memory: what one writes the other reads, in the pieces and at the times a test chooses. */
import { invariant } from "../text/assert.ts";
import type { ByteStream, ByteStreamUser, CloseCause, Endpoint } from "../transport/byte-stream.ts";

/** When and in which pieces octets arrive at the other end. */
export interface MemoryPairOptions {
	/** Runs each delivery: at once, from a queue, on a simulated clock. Deliveries of one direction keep their order. */
	readonly schedule: (run: () => void) => void;
	/** Cuts what is delivered at one time into pieces; all of it in one piece where absent. */
	readonly chunk?: (octets: Uint8Array) => readonly Uint8Array[];
	/** Endpoints of the two ends; addresses of documentation where absent. */
	readonly endpoints?: readonly [Endpoint, Endpoint];
}

/** A connected pair. */
export function createMemoryPair(options: MemoryPairOptions): readonly [MemoryStream, MemoryStream] {
	const [left, right] = options.endpoints ?? [
		{ address: "192.0.2.1", port: 5061 },
		{ address: "192.0.2.2", port: 50_000 },
	];
	const first = new MemoryStream(options, left, right);
	const second = new MemoryStream(options, right, left);
	first.connect(second);
	second.connect(first);
	return [first, second];
}

/** One end of a pair of byte streams in memory. */
export class MemoryStream implements ByteStream {
	readonly local: Endpoint;
	readonly remote: Endpoint;
	readonly #schedule: (run: () => void) => void;
	readonly #chunk: (octets: Uint8Array) => readonly Uint8Array[];
	#other: MemoryStream | undefined;
	#user: ByteStreamUser | undefined;
	/** Written by us, not yet with the other end. */
	#outgoing: Uint8Array[] = [];
	#queuedBytes = 0;
	/** Arrived, not yet told: not started, or paused. */
	#incoming: Uint8Array[] = [];
	#cause: CloseCause | undefined;
	#isOpen = true;
	#isPaused = false;
	#isTold = false;
	#isFinishing = false;

	constructor(options: MemoryPairOptions, local: Endpoint, remote: Endpoint) {
		this.#schedule = options.schedule;
		this.#chunk = options.chunk ?? ((octets) => [octets]);
		this.local = local;
		this.remote = remote;
	}

	/** Names the other end; done once by {@link createMemoryPair}. */
	connect(peer: MemoryStream): void {
		this.#other = peer;
	}

	get #peer(): MemoryStream {
		invariant(this.#other !== undefined, "an end of a memory stream has no other end");
		return this.#other;
	}

	get isOpen(): boolean {
		return this.#isOpen;
	}

	get queuedBytes(): number {
		return this.#queuedBytes;
	}

	start(user: ByteStreamUser): void {
		this.#user = user;
		this.#tell();
	}

	write(head: string, body: Uint8Array = new Uint8Array(0)): boolean {
		const room = this.claim(head.length + body.length);
		if (room === undefined) return false;
		room.octets.write(head, "latin1");
		room.octets.set(body, head.length);
		this.commit();
		return true;
	}

	claim(bytes: number): { readonly octets: Buffer; readonly start: number } | undefined {
		if (!this.#isOpen) return undefined;
		const octets = Buffer.alloc(bytes);
		if (bytes > 0) this.#outgoing.push(octets);
		this.#queuedBytes += bytes;
		return { octets, start: 0 };
	}

	commit(): void {
		if (this.#outgoing.length === 1) this.#schedule(() => this.#flush());
	}

	pause(): void {
		this.#isPaused = true;
	}

	resume(): void {
		this.#isPaused = false;
		this.#tell();
		const peer = this.#peer;
		this.#schedule(() => peer.#flush());
	}

	close(reason: string): void {
		if (!this.#isOpen) return;
		this.#isOpen = false;
		this.#isFinishing = true;
		this.#schedule(() => this.#finish(reason));
	}

	destroy(reason: string): void {
		if (this.#isTold || this.#cause !== undefined) return;
		this.#isOpen = false;
		this.#outgoing = [];
		this.#queuedBytes = 0;
		this.#incoming = [];
		this.#schedule(() => {
			this.#end({ by: "us", reason });
			this.#peer.#arrive(undefined, { by: "peer", reason: "connection reset" });
		});
	}

	/** Breaks the stream as a failing network does: what is queued is lost at both ends, and both are told. */
	breakOff(reason: string): void {
		for (const end of [this, this.#peer]) {
			end.#isOpen = false;
			end.#outgoing = [];
			end.#queuedBytes = 0;
			end.#end({ by: "network", reason });
		}
	}

	#flush(): void {
		if (this.#outgoing.length === 0) return;
		// A reader that does not read leaves the octets with the writer, as a full window does.
		if (this.#peer.#isPaused === true && !this.#isFinishing) return;
		const octets = Buffer.concat(this.#outgoing);
		this.#outgoing = [];
		this.#queuedBytes = 0;
		for (const piece of this.#chunk(octets)) this.#peer.#arrive(piece, undefined);
	}

	#finish(reason: string): void {
		this.#flush();
		this.#end({ by: "us", reason });
		this.#peer.#arrive(undefined, { by: "peer", reason: "closed by the peer" });
	}

	#arrive(octets: Uint8Array | undefined, cause: CloseCause | undefined): void {
		if (this.#cause !== undefined) return;
		if (octets !== undefined) this.#incoming.push(octets);
		if (cause !== undefined) {
			this.#cause = cause;
			this.#isOpen = false;
		}
		this.#tell();
	}

	#end(cause: CloseCause): void {
		this.#isOpen = false;
		this.#incoming = [];
		this.#cause ??= cause;
		this.#tell();
	}

	#tell(): void {
		const user = this.#user;
		if (user === undefined || this.#isTold) return;
		while (!this.#isPaused) {
			const octets = this.#incoming.shift();
			if (octets === undefined) break;
			user.data(octets);
		}
		if (this.#cause === undefined || this.#incoming.length > 0 || this.#isTold) return;
		this.#isTold = true;
		user.closed(this.#cause);
	}
}
