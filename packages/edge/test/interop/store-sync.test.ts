// Promise 1, as the kernel sees it: what is acknowledged was synced to disk before.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { requirePackages } from "./harness/debian-packages.ts";
import { createLab } from "./harness/lab.ts";

const MESSAGES = 50;

interface Call {
	readonly name: string;
	/** The descriptor it works on; -1 where there is none. */
	readonly descriptor: number;
	readonly line: string;
}

/** The system calls that ended, in the order in which they did; `<unfinished ...>` halves are joined. */
function readTrace(file: string): readonly Call[] {
	const unfinished = new Map<string, string>();
	return readFileSync(file, "utf8")
		.split("\n")
		.flatMap((line) => {
			const [, thread = "", text = ""] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
			if (text.endsWith("<unfinished ...>")) {
				unfinished.set(thread, text.slice(0, -"<unfinished ...>".length));
				return [];
			}
			const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(text);
			const whole = resumed === null ? text : `${unfinished.get(thread) ?? ""}${resumed[1] ?? ""}`;
			const [, name = "", argument = ""] = /^(\w+)\(([^,)]*)/.exec(whole) ?? [];
			return name === "" ? [] : [{ name, descriptor: Number.parseInt(argument, 10), line: whole }];
		});
}

for (const operation of ["submit", "receive"] as const) {
	test(`promise 1, strace: the log is synced between the last octet written for a message and the word that ${operation} is done`, async (context) => {
		requirePackages(["strace"]);
		const lab = createLab(context);
		const source = (name: string): string => JSON.stringify(new URL(`../../src/store/${name}`, import.meta.url).href);
		const script = lab.path("child.mjs");
		writeFileSync(
			script,
			`import { writeSync } from "node:fs";
			import { Store } from ${source("store.ts")};
			import { testStoreOptions } from ${source("testing.ts")};
			const store = await Store.open(${JSON.stringify(lab.path("store.sqlite"))}, testStoreOptions());
			writeSync(1, "open\\n");
			for (let number = 0; number < ${MESSAGES}; number += 1) {
				const message = { owner: "alice@contoso.example", contentType: "text/plain", body: "x".repeat(number * 10) };
				if (${operation === "submit"}) await store.messages.submit({ ...message, to: "lena@fabrikam.example" });
				else await store.messages.receive({ ...message, from: "lena@fabrikam.example", callId: "c", fromTag: "f", sequence: number });
				writeSync(1, "acknowledged\\n");
			}
			await store.close();`,
		);
		const trace = lab.path("trace");
		const traced = ["-f", "-qq", "-o", trace, "-e", "trace=openat,pwrite64,fsync,fdatasync,write"];
		const { status, stderr } = spawnSync(
			"strace",
			[...traced, process.execPath, "--conditions=causeway-source", script],
			{ encoding: "utf8" },
		);
		assert.equal(status, 0, stderr);

		const calls = readTrace(trace);
		const opened = calls.find(({ name, line }) => name === "openat" && line.includes("store.sqlite-wal"));
		const log = Number(/= (\d+)/.exec(opened?.line ?? "")?.[1]);
		assert.ok(Number.isInteger(log), "the write-ahead log was opened");
		let isOpen = false;
		let acknowledged = 0;
		let written = 0;
		let unsynced = 0;
		for (const { name, descriptor, line } of calls) {
			if (name === "write" && line.includes('"open\\n"')) isOpen = true;
			if (!isOpen) continue;
			if (name === "pwrite64" && descriptor === log) {
				written += 1;
				unsynced += 1;
			} else if ((name === "fdatasync" || name === "fsync") && descriptor === log) {
				assert.match(line, /= 0$/);
				unsynced = 0;
			} else if (name === "write" && line.includes('"acknowledged\\n"')) {
				assert.ok(written > 0, `message ${acknowledged} was acknowledged with nothing written`);
				assert.equal(unsynced, 0, `message ${acknowledged} was acknowledged before it was synced`);
				acknowledged += 1;
				written = 0;
			}
		}
		assert.equal(acknowledged, MESSAGES);
	});
}
