/** The thread of `Watchdog`: where the run has not changed for too long, the main thread is stuck in it. */
import { writeSync } from "node:fs";
import { workerData } from "node:worker_threads";
import { writeFound } from "./found.ts";
import type { WatchdogData } from "./watchdog.ts";

const { counters, input, folder, targets, stallMs } = workerData as WatchdogData;
/** Never notified: only to wait. */
const alarm = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
const STDERR = 2;

/** Where the process got so little of the processor that nothing can be said, it is asked again so many times at most. */
const MOST_LOOKS = 60;

let seen = 0;
let looks = 0;
let usedBefore = usedMs();
for (;;) {
	Atomics.wait(alarm, 0, 0, stallMs);
	const run = Atomics.load(counters, 0);
	const used = usedMs();
	if (run === 0 || run !== seen) {
		seen = run;
		looks = 0;
		usedBefore = used;
		continue;
	}
	looks += 1;
	// Half: the main thread may have begun the run a moment before it was seen, and waiting takes nothing.
	if (used - usedBefore < stallMs / 2 && looks < MOST_LOOKS) continue;
	const target = targets[counters[1] ?? 0] ?? "unknown";
	const path = writeFound(folder, target, input.slice(0, counters[2]));
	writeSync(STDERR, `FAIL ${target}: run ${run} did not end within ${stallMs} ms\n  input: ${path}\n`);
	// The main thread is in an endless loop and hears nothing gentler.
	process.kill(process.pid, "SIGKILL");
}

/** Milliseconds of the processor that the process has used. */
function usedMs(): number {
	const { user, system } = process.cpuUsage();
	return (user + system) / 1_000;
}
