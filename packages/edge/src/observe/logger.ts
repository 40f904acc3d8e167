/** Structured logs behind the library's {@link Logger} port: one line of JSON for an event. */
import { writeSync } from "node:fs";
import type { LogFields, Logger } from "@causeway/sip";
import { LineWriter } from "./line-writer.ts";

const LEVELS = ["debug", "info", "warn", "error"] as const;

export type LogLevel = (typeof LEVELS)[number];

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
	process.on("exit", () => lines.flushAtEnd());
	return createLineLogger(lines, level, base);
}

/** The logger of lines that somebody takes; a line is whole and ends with a line feed. */
export function createLineLogger(lines: Pick<LineWriter, "write" | "flush">, level: LogLevel, base: LogFields): Logger {
	const formatTime = createTimeFormat();
	const common = membersOf(base);
	const makeWriter = (own: LogLevel): Logger[LogLevel] => {
		if (LEVELS.indexOf(own) < LEVELS.indexOf(level)) return () => {};
		const isUrgent = own === "warn" || own === "error";
		return (event, fields) => {
			const particular = fields === undefined ? "" : membersOf(fields);
			const line = `{"level":"${own}","time":"${formatTime(Date.now())}"${common},"event":${JSON.stringify(event)}${particular}}\n`;
			lines.write(controls.test(line) ? line.replaceAll(allControls, escapeControl) : line);
			if (isUrgent) lines.flush();
		};
	};
	return { debug: makeWriter("debug"), info: makeWriter("info"), warn: makeWriter("warn"), error: makeWriter("error") };
}

/** Controls that JSON leaves as they are and terminals may obey, and the line ends of Unicode. */
const controls = /[\u007f-\u009f\u2028\u2029]/;
const allControls = new RegExp(controls, "g");

function escapeControl(character: string): string {
	return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** Members of an object that stand behind others: `,"peer":"…"`; what is undefined is left out. */
function membersOf(fields: LogFields): string {
	const text = JSON.stringify(fields);
	return text === "{}" ? "" : `,${text.slice(1, -1)}`;
}

/** `Date.toISOString` for moments that follow each other: what stands before the milliseconds is made once a second. */
function createTimeFormat(): (now: number) => string {
	let second = Number.NaN;
	let text = "";
	return (now) => {
		const own = Math.floor(now / 1000);
		if (own !== second) {
			second = own;
			text = new Date(now).toISOString().slice(0, -"000Z".length);
		}
		return `${text}${String(now - own * 1000).padStart(3, "0")}Z`;
	};
}
