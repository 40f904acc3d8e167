/** Structured logs: pino behind the library's {@link Logger} port. */
import type { LogFields, Logger } from "@causeway/sip";
import { destination, type Logger as PinoLogger, pino } from "pino";

export type LogLevel = "debug" | "info" | "warn" | "error";

/** A logger that writes JSON lines, one an event, to the standard error stream: `{"level":"info","time":…,"event":"…", …}`. */
export function createLogger(level: LogLevel, base: LogFields = {}): Logger {
	const root = pino(
		{
			level,
			base,
			messageKey: "event",
			timestamp: () => `,"time":"${new Date().toISOString()}"`,
			formatters: { level: (label) => ({ level: label }) },
		},
		// Written at once: a line about a fault must not be lost with the process.
		destination({ fd: 2, sync: true }),
	);
	return adapt(root);
}

function adapt(target: PinoLogger): Logger {
	return {
		debug: (event, fields) => target.debug(fields ?? {}, event),
		info: (event, fields) => target.info(fields ?? {}, event),
		warn: (event, fields) => target.warn(fields ?? {}, event),
		error: (event, fields) => target.error(fields ?? {}, event),
	};
}
