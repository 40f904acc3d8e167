/** Byte streams without sockets, for measuring one part of a server by itself. */
import type { ByteStream, ByteStreamUser } from "@causeway/sip";

const CHUNK_BYTES = 16_384;

/** One direction of a connection: gathers octets as a TLS stream does, and gives them in records. */
export class Pipe implements ByteStream {
	readonly remote = { address: "127.0.0.1", port: 5061 };
	readonly local = { address: "192.0.2.2", port: 5061 };
	readonly isOpen = true;
	readonly queuedBytes = 0;
	other: Pipe | undefined;
	#user: ByteStreamUser | undefined;
	#octets = Buffer.alloc(1_048_576);
	#used = 0;

	start(user: ByteStreamUser): void {
		this.#user = user;
	}

	write(head: string, body?: Uint8Array): boolean {
		this.#used += this.#octets.write(head, this.#used, "latin1");
		if (body !== undefined) {
			this.#octets.set(body, this.#used);
			this.#used += body.length;
		}
		return true;
	}

	claim(bytes: number): { readonly octets: Buffer; readonly start: number } {
		const room = { octets: this.#octets, start: this.#used };
		this.#used += bytes;
		return room;
	}

	commit(): void {}

	/** Gives what was written to the other end; milliseconds it took there. */
	flush(): number {
		const octets = new Uint8Array(this.#octets.subarray(0, this.#used));
		this.#used = 0;
		const started = performance.now();
		for (let at = 0; at < octets.length; at += CHUNK_BYTES) {
			this.other?.take(octets.subarray(at, at + CHUNK_BYTES));
		}
		return performance.now() - started;
	}

	take(octets: Uint8Array): void {
		this.#user?.data(octets);
	}

	get isEmpty(): boolean {
		return this.#used === 0;
	}

	pause(): void {}
	resume(): void {}
	close(): void {}
	destroy(): void {}
}

/** A connection: what is written at one end is read at the other. */
export function createPair(): readonly [near: Pipe, far: Pipe] {
	const near = new Pipe();
	const far = new Pipe();
	near.other = far;
	far.other = near;
	return [near, far];
}
