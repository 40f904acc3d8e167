/** Structured logs: pino behind the library's {@link Logger} port. */
import { writeSync } from "node:fs";
import type { LogFields, Logger } from "@causeway/sip";
import { type Logger as PinoLogger, pino } from "pino";
import { LineWriter } from "./line-writer.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";

const STANDARD_ERROR = 2;

/**
 * A logger that writes JSON lines, one an event, to the standard error stream: `{"level":"info","time":…,"event":"…", …}`.
 *
 * Warnings and errors are written at once, and what waits goes before them. Everyday lines wait a moment for each other. They are
 * written before the process ends, whether it exits or throws; only a process that is killed takes those of its last moment with it.
 */
export function createLogger(level: LogLevel, base: LogFields = {}): Logger {
	const lines = new LineWriter({
		write: (octets) => writeSync(STANDARD_ERROR, octets),
		sleep: (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms),
	});
	const root = pino(
		{
			level,
			base,
			messageKey: "event",
			timestamp: () => `,"time":"${new Date().toISOString()}"`,
			formatters: { level: (label) => ({ level: label }) },
		},
		lines,
	);
	process.on("exit", () => lines.flushAtEnd());
	return adapt(root, () => lines.flush());
}

function adapt(target: PinoLogger, flush: () => void): Logger {
	return {
		debug: (event, fields) => target.debug(fields ?? {}, event),
		info: (event, fields) => target.info(fields ?? {}, event),
		warn(event, fields) {
			target.warn(fields ?? {}, event);
			flush();
		},
		error(event, fields) {
			target.error(fields ?? {}, event);
			flush();
		},
	};
}
