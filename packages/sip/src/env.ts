/** The ports through which the library meets the world: nothing outside `node/` and `testing/` implements them. */

/** A pending timer. */
export interface Timer {
	/** Stops the timer; stopping a timer that fired or was stopped does nothing. */
	stop(): void;
}

/** Time. Two clocks: one that never steps, for timers and ages, and the calendar, for what outlives the process. */
export interface Clock {
	/** Milliseconds on a clock that never goes back; its zero means nothing. */
	now(): number;
	/** Milliseconds since 1970-01-01T00:00Z; may step when an administrator sets the clock. */
	wall(): number;
	/** Calls `run` once, not before `delayMs` milliseconds have passed. */
	setTimer(delayMs: number, run: () => void): Timer;
}

/** Randomness. */
export interface Random {
	/** An unguessable token of at least 128 bits, in characters of RFC 3261 `token` that need no quoting (`[0-9a-z]`). */
	token(): string;
	/** A whole number, equally likely, `0 <= n < bound`. `bound` is a whole number from 1 to 2^31. */
	below(bound: number): number;
}

/** Values a log line may carry beside its event name. Message bodies and credentials are never among them. */
export type LogFields = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

/** Log events are lower-case sentences without variables ("peer refused"); what varies stands in the fields. */
export interface Logger {
	debug(event: string, fields?: LogFields): void;
	info(event: string, fields?: LogFields): void;
	warn(event: string, fields?: LogFields): void;
	error(event: string, fields?: LogFields): void;
}
