import assert from "node:assert/strict";
import { test } from "node:test";
import type { LogFields } from "@causeway/sip";
import { createLineLogger, type LogLevel } from "./logger.ts";

function createCase(level: LogLevel, base: LogFields = {}) {
	const written: string[] = [];
	const lines = {
		write: (line: string) => written.push(line),
		flush: () => written.push("flushed"),
	};
	return { log: createLineLogger(lines, level, base), written };
}

test("a line is one JSON object with level, time, what all lines have, the event and its fields, in this order", () => {
	const { log, written } = createCase("info", { edge: "sip.contoso.example" });
	const before = Date.now();
	log.info("connection open", {
		peer: "sip.fabrikam.example",
		names: ["one", "two"],
		tls: undefined,
		count: 2,
		ok: true,
	});
	assert.equal(written.length, 1);
	const [line = ""] = written;
	const { time, ...rest } = JSON.parse(line);
	assert.ok(Date.parse(time) >= before && Date.parse(time) <= Date.now());
	assert.equal(line.endsWith("}\n"), true);
	assert.deepEqual(Object.entries(rest), [
		["level", "info"],
		["edge", "sip.contoso.example"],
		["event", "connection open"],
		["peer", "sip.fabrikam.example"],
		["names", ["one", "two"]],
		["count", 2],
		["ok", true],
	]);
});

test("a line without fields, and with none that is defined, is whole", () => {
	const { log, written } = createCase("debug");
	log.debug("idle");
	log.debug("idle", { peer: undefined });
	for (const line of written) assert.deepEqual(Object.keys(JSON.parse(line)), ["level", "time", "event"]);
	assert.equal(written.length, 2);
});

test("security.md 1: what a peer wrote forges no line and sends the terminal nothing", () => {
	const { log, written } = createCase("info");
	const reason = 'gone"}\n{"level":"error"}\u001b[31m\u0000\u007f\u009b31m\u2028é€';
	log.info("connection closed", { reason, peer: "\ud800" });
	const [line = ""] = written;
	assert.doesNotMatch(line.slice(0, -1), /[\p{Cc}\p{Zl}\p{Zp}]/u);
	assert.equal(JSON.parse(line).reason, reason);
});

test("levels below the one that is set write nothing; warnings and errors are written at once", () => {
	const levels = ["debug", "info", "warn", "error"] as const;
	for (const [index, level] of levels.entries()) {
		const { log, written } = createCase(level);
		for (const own of levels) log[own]("event");
		const seen = written.map((line) => (line === "flushed" ? line : String(JSON.parse(line).level)));
		const expected = levels
			.slice(index)
			.flatMap((own) => (own === "warn" || own === "error" ? [own, "flushed"] : [own]));
		assert.deepEqual(seen, expected);
	}
});
