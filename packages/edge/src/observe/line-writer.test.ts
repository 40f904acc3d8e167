import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { LineWriter } from "./line-writer.ts";

interface Sink {
	readonly lines: LineWriter;
	/** What was taken, a string for each write. */
	readonly taken: string[];
	/** How the next writes go: octets taken, or the code of an error; all is taken when the list is empty. */
	readonly next: (number | string)[];
	readonly slept: number[];
}

function createSink(): Sink {
	const taken: string[] = [];
	const next: (number | string)[] = [];
	const slept: number[] = [];
	const lines = new LineWriter({
		write(octets) {
			const step = next.shift();
			if (typeof step === "string") throw Object.assign(new Error(step), { code: step });
			const count = step ?? octets.length;
			taken.push(Buffer.from(octets.subarray(0, count)).toString("utf8"));
			return count;
		},
		sleep: (ms) => slept.push(ms),
	});
	return { lines, taken, next, slept };
}

test("lines wait for each other and leave in one write, in order", (context) => {
	context.mock.timers.enable({ apis: ["setTimeout"] });
	const { lines, taken } = createSink();
	lines.write("one\n");
	lines.write("zwei ☎\n");
	assert.deepEqual(taken, []);
	context.mock.timers.tick(25);
	assert.deepEqual(taken, ["one\nzwei ☎\n"]);
});

test("a flush writes what waits at once, and what waits long is written without one", () => {
	const { lines, taken } = createSink();
	lines.write("one\n");
	lines.flush();
	assert.deepEqual(taken, ["one\n"]);
	lines.write(`${"x".repeat(64 * 1024)}\n`);
	assert.equal(taken.length, 2);
});

test("what is taken in part, or not now, is written on, and no octet twice", (context) => {
	context.mock.timers.enable({ apis: ["setTimeout"] });
	const { lines, taken, next } = createSink();
	next.push(2, "EAGAIN", "ENOSPC");
	lines.write("one\n");
	lines.flush();
	lines.write("two\n");
	context.mock.timers.tick(20);
	context.mock.timers.tick(20);
	assert.equal(taken.join(""), "one\ntwo\n");
});

test("while nobody takes anything, what waits has a bound, and what was lost is told", (context) => {
	context.mock.timers.enable({ apis: ["setTimeout"] });
	const { lines, taken, next } = createSink();
	next.push(...Array<string>(100).fill("EAGAIN"));
	const line = `${"x".repeat(1023)}\n`;
	for (let count = 0; count < 5_000; count += 1) lines.write(line);
	next.length = 0;
	context.mock.timers.tick(100);
	const text = taken.join("");
	assert.ok(text.length < 1.2 * 1024 * 1024, String(text.length));
	const lost = Number(/"log lines lost","lines":(\d+)/.exec(text)?.[1]);
	assert.equal(text.split("\n").filter((one) => one.startsWith("x")).length + lost, 5_000);
});

test("at the end of the process a slow reader is waited for, and not for ever", () => {
	const { lines, taken, next, slept } = createSink();
	next.push("EAGAIN", "EAGAIN");
	lines.write("last\n");
	lines.flushAtEnd();
	assert.deepEqual({ taken, tries: slept.length }, { taken: ["last\n"], tries: 2 });
	next.push(...Array<string>(1_000).fill("EAGAIN"));
	lines.write("nobody reads this\n");
	lines.flushAtEnd();
	assert.equal(slept.length, 102);
});

test("a reader that is gone ends the writing and nothing else", () => {
	const { lines, taken, next } = createSink();
	next.push("EPIPE");
	lines.write("one\n");
	lines.flush();
	lines.write("two\n");
	lines.flush();
	assert.deepEqual(taken, []);
});

const LOGGER = new URL("./logger.ts", import.meta.url).href;

function program(ending: string): readonly string[] {
	const text = `import { createLogger } from ${JSON.stringify(LOGGER)};
const log = createLogger("info");
for (let count = 0; count < 1000; count += 1) log.info("line", { count });
${ending}`;
	return [...process.execArgv, "--input-type=module-typescript", "--eval", text];
}

for (const [name, ending, status] of [
	["exits", "process.exit(3);", 3],
	["throws", 'setImmediate(() => { throw new Error("a bug"); });', 1],
	["has nothing left to do", "", 0],
] as const) {
	test(`no line is lost where the process ${name}`, () => {
		const run = spawnSync(process.execPath, program(ending), { encoding: "utf8", env: cleanEnvironment() });
		assert.equal(run.status, status, run.stderr.slice(-2_000));
		assert.equal(run.stderr.split("\n").filter((line) => line.includes('"event":"line"')).length, 1_000);
	});
}

test("no line is lost where SIGTERM ends the process in order", async () => {
	const ending = `process.on("SIGTERM", () => { log.info("stopped"); process.exit(0); });
setInterval(() => log.info("tick"), 1);
log.warn("ready");`;
	const child = spawn(process.execPath, program(ending), {
		stdio: ["ignore", "ignore", "pipe"],
		env: cleanEnvironment(),
	});
	let text = "";
	for await (const chunk of child.stderr.setEncoding("utf8")) {
		text += String(chunk);
		if (text.includes('"event":"ready"') && !child.killed) child.kill("SIGTERM");
	}
	if (child.exitCode === null) await once(child, "exit");
	const events = text
		.trim()
		.split("\n")
		.map((line) => String(Reflect.get(JSON.parse(line) as object, "event")));
	assert.equal(events.at(-1), "stopped");
	assert.equal(events.filter((event) => event === "line").length, 1_000);
});

/** Without what the test runner tells its own children. */
function cleanEnvironment(): NodeJS.ProcessEnv {
	const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
	return env;
}
