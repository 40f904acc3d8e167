const PROBE_INTERVAL_MS = 25;

export interface UntilOptions {
	/** What is awaited, for the failure: "alice sees lena as away". */
	readonly what: string;
	readonly deadlineMs?: number;
}

/** Probes something outside this process until it gives a value other than undefined; rejects with the last error at the deadline. */
export async function until<Value>(
	probe: () => Value | undefined | Promise<Value | undefined>,
	options: UntilOptions,
): Promise<Value> {
	const deadlineMs = options.deadlineMs ?? 10_000;
	const end = performance.now() + deadlineMs;
	let lastError: unknown;
	do {
		try {
			const value = await probe();
			if (value !== undefined) return value;
			lastError = undefined;
		} catch (error) {
			lastError = error;
		}
		await new Promise((resolve) => setTimeout(resolve, PROBE_INTERVAL_MS));
	} while (performance.now() < end);
	throw new Error(`not within ${deadlineMs} ms: ${options.what}`, { cause: lastError });
}
