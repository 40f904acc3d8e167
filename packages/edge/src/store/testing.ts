import type { Clock, Logger, Random } from "@causeway/sip";
import type { ScryptCost } from "./passwords.ts";
import { IN_MEMORY, Store, type StoreOptions } from "./store.ts";

/** A calendar that stands still until a test moves it. */
export interface TestCalendar extends Pick<Clock, "wall"> {
	advance(milliseconds: number): void;
}

export function createTestCalendar(startMs = Date.UTC(2026, 0, 5, 9)): TestCalendar {
	let nowMs = startMs;
	return {
		wall: () => nowMs,
		advance(milliseconds) {
			nowMs += milliseconds;
		},
	};
}

/** Counts where others draw: tokens and numbers differ from call to call and are the same in each run. */
export function createCountingRandom(): Random {
	let drawn = 0;
	return {
		token() {
			drawn += 1;
			return `token${String(drawn).padStart(24, "0")}`;
		},
		below(bound) {
			drawn += 1;
			return drawn % bound;
		},
	};
}

const SILENT: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Password hashes that take no time; for tests only. */
export const TEST_SCRYPT_COST: ScryptCost = { cost: 16, blockSize: 1, parallelization: 1 };

/** What a store in a test needs, with some of it replaced. */
export function testStoreOptions(options: Partial<StoreOptions> = {}): StoreOptions {
	return {
		clock: createTestCalendar(),
		random: createCountingRandom(),
		log: SILENT,
		scryptCost: TEST_SCRYPT_COST,
		...options,
	};
}

/** A store in memory, with the same SQL as one on disk and no thread. */
export function openTestStore(options: Partial<StoreOptions> = {}): Promise<Store> {
	return Store.open(IN_MEMORY, testStoreOptions(options));
}
