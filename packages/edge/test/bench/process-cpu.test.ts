import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { parseCpuList } from "./machine.ts";
import { cpuBetween, parseStat, processTree } from "./process-cpu.ts";

test("proc(5): user and system time are found behind any thread name", () => {
	const rest = "S 1 2 3 0 -1 4194560 100 0 0 0 250 31 7 9 20 0 11 0 1234 1000 200 18446744073709551615";
	for (const name of ["node-MainThread", "store-writer", "a) b (c"]) {
		assert.deepEqual(parseStat(`4711 (${name}) ${rest}`), { name, parent: 1, cpuMs: 2_810 });
	}
	assert.throws(() => parseStat("4711 (node) S 1 2"), /not a line/);
});

test("CPU time of a round is the difference of two readings, thread by thread", () => {
	assert.deepEqual(
		cpuBetween({ totalMs: 100, mainMs: 60, writerMs: 10 }, { totalMs: 350, mainMs: 200, writerMs: 90 }),
		{ totalMs: 250, mainMs: 140, writerMs: 80 },
	);
});

test("the kernel's lists of cores: single ones and ranges", () => {
	assert.deepEqual(parseCpuList("0-2,5"), [0, 1, 2, 5]);
	assert.deepEqual(parseCpuList("3"), [3]);
});

test("the processes of a server are the one that was started and all that descend from it", async () => {
	const child = spawn("sh", ["-c", "sleep 60 & wait"], { stdio: "ignore" });
	const { pid } = child;
	assert.ok(pid !== undefined);
	try {
		while (processTree(pid).length < 2) await new Promise((resolve) => setImmediate(resolve));
		assert.ok(processTree(process.pid).includes(pid));
		assert.ok(!processTree(pid).includes(process.pid));
	} finally {
		for (const one of processTree(pid).toReversed()) process.kill(one);
	}
});
