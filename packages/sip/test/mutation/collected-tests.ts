/** Stands in the place of `node:test` where tests run many times in one process: keeps them, and runs none by itself. */

interface CollectedTest {
	readonly name: string;
	readonly run: () => unknown;
	/** Of the first run; undefined before it. */
	tookMs?: number;
}

export const collected: CollectedTest[] = [];

export function test(name: string, run: () => unknown): Promise<void> {
	collected.push({ name, run });
	return Promise.resolve();
}
