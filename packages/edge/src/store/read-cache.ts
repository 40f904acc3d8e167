/** What was read lately and has not been written since: look-ups on the path of a message that need not ask the database. */

export class ReadCache<Value> {
	readonly #limit: number;
	readonly #weigh: (value: Value) => number;
	/** In the order in which they were read first. */
	readonly #values = new Map<string, Value>();
	#weight = 0;

	/** `limit`: the sum of the weights of all values that are kept. */
	constructor(limit: number, weigh: (value: Value) => number = () => 1) {
		this.#limit = limit;
		this.#weigh = weigh;
	}

	get(key: string, load: () => Value): Value {
		const known = this.#values.get(key);
		if (known !== undefined) return known;
		const value = load();
		const weight = this.#weigh(value);
		if (weight > this.#limit) return value;
		this.#values.set(key, value);
		this.#weight += weight;
		for (const [oldest, old] of this.#values) {
			if (this.#weight <= this.#limit) break;
			this.#values.delete(oldest);
			this.#weight -= this.#weigh(old);
		}
		return value;
	}

	/** Something that the values were read from is written. */
	clear(): void {
		if (this.#values.size === 0) return;
		this.#values.clear();
		this.#weight = 0;
	}
}
