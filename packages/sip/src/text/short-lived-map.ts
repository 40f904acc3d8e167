/** A map for values that live for milliseconds, of which there are many. */

const LEAST_CAPACITY = 16;
const NONE = -1;
/** Where keys are looked at; longer ones make it longer. */
let room = new Uint8Array(1024);

/**
 * Values by text, like a `Map` whose order means nothing. A `Map` makes a new table each time so and so many entries came and went, and
 * the old one, dead but old to the garbage collector, goes on holding what was in it then: each value is carried along and copied twice
 * though it was of use for a moment. This one forgets a value at the moment it is deleted (docs/benchmarks.md). Keys come from peers: the
 * hash begins with a number that they do not know.
 */
export class ShortLivedMap<Value> {
	readonly #seed: number;
	#size = 0;
	/** First entry of each chain; their number is a power of two. */
	#heads = new Int32Array(LEAST_CAPACITY).fill(NONE);
	/** Next entry of the same chain, or of the free ones. */
	#next: number[] = [];
	#keys: (string | undefined)[] = [];
	#values: (Value | undefined)[] = [];
	#free = NONE;

	/** `seed`: a whole number that nobody can guess. */
	constructor(seed: number) {
		this.#seed = seed | 0;
	}

	get size(): number {
		return this.#size;
	}

	get(key: string): Value | undefined {
		const entry = this.#find(key, this.#chainOf(key));
		return entry === NONE ? undefined : this.#values[entry];
	}

	has(key: string): boolean {
		return this.#find(key, this.#chainOf(key)) !== NONE;
	}

	/** Puts a value under a key, in the place of the one that is there. */
	set(key: string, value: Value): void {
		const chain = this.#chainOf(key);
		const known = this.#find(key, chain);
		if (known !== NONE) this.#values[known] = value;
		else this.#insert(key, value, chain);
	}

	/** False, and nothing put, where there is a value under the key. */
	add(key: string, value: Value): boolean {
		const chain = this.#chainOf(key);
		if (this.#find(key, chain) !== NONE) return false;
		this.#insert(key, value, chain);
		return true;
	}

	/** False where nothing is under the key. */
	delete(key: string): boolean {
		const chain = this.#chainOf(key);
		let before = NONE;
		let entry = this.#heads[chain] as number;
		while (entry !== NONE && this.#keys[entry] !== key) {
			before = entry;
			entry = this.#next[entry] as number;
		}
		if (entry === NONE) return false;
		const behind = this.#next[entry] as number;
		if (before === NONE) this.#heads[chain] = behind;
		else this.#next[before] = behind;
		this.#keys[entry] = undefined;
		this.#values[entry] = undefined;
		this.#next[entry] = this.#free;
		this.#free = entry;
		this.#size -= 1;
		if (this.#size === 0 && this.#heads.length > LEAST_CAPACITY * 64) this.clear();
		return true;
	}

	clear(): void {
		this.#size = 0;
		this.#heads = new Int32Array(LEAST_CAPACITY).fill(NONE);
		this.#next = [];
		this.#keys = [];
		this.#values = [];
		this.#free = NONE;
	}

	/** The values at this moment; the map may change while they are looked at. */
	values(): Value[] {
		const found: Value[] = [];
		for (let entry = 0; entry < this.#keys.length; entry++) {
			if (this.#keys[entry] !== undefined) found.push(this.#values[entry] as Value);
		}
		return found;
	}

	#find(key: string, chain: number): number {
		let entry = this.#heads[chain] as number;
		while (entry !== NONE && this.#keys[entry] !== key) entry = this.#next[entry] as number;
		return entry;
	}

	#insert(key: string, value: Value, chain: number): void {
		let entry = this.#free;
		if (entry === NONE) {
			entry = this.#keys.length;
			this.#keys.push(key);
			this.#values.push(value);
			this.#next.push(this.#heads[chain] as number);
		} else {
			this.#free = this.#next[entry] as number;
			this.#keys[entry] = key;
			this.#values[entry] = value;
			this.#next[entry] = this.#heads[chain] as number;
		}
		this.#heads[chain] = entry;
		this.#size += 1;
		if (this.#size > this.#heads.length) this.#grow();
	}

	#chainOf(key: string): number {
		const { length } = key;
		if (length > room.length) room = new Uint8Array(length * 2);
		// Keys are joined from slices: a loop over their characters would find its way through the pieces with each of them.
		Buffer.prototype.latin1Write.call(room, key, 0, length);
		const octets = room;
		let hash = this.#seed;
		for (let at = 0; at < length; at++) hash = Math.imul(hash ^ (octets[at] as number), 0x5bd1_e995) ^ (hash >>> 15);
		return (hash ^ (hash >>> 13)) & (this.#heads.length - 1);
	}

	#grow(): void {
		this.#heads = new Int32Array(this.#heads.length * 2).fill(NONE);
		for (let entry = 0; entry < this.#keys.length; entry++) {
			const key = this.#keys[entry];
			if (key === undefined) continue;
			const chain = this.#chainOf(key);
			this.#next[entry] = this.#heads[chain] as number;
			this.#heads[chain] = entry;
		}
	}
}
