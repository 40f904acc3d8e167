/** CPU time of other processes as the operating system counted it (Linux, proc(5)). */
import { readdirSync, readFileSync } from "node:fs";
import type { ServerCpu } from "./benchmark.ts";

/** `USER_HZ`: the unit of these counters is 1/100 s on every Linux that Node.js runs on. */
const TICK_MS = 10;
/** Fields of the line counted from the one after the name, which is the third: `ppid` is the 4th, `utime` the 14th, `stime` the 15th. */
const PARENT = 1;
const USER_TIME = 11;
const SYSTEM_TIME = 12;

/** Reads the counters of a running server: its process and all that descend from it. Throws where there is none. */
export function readServerCpu(pid: number): ServerCpu {
	let mainMs = 0;
	let writerMs = 0;
	for (const thread of readdirSync(`/proc/${pid}/task`)) {
		const stat = readStat(`/proc/${pid}/task/${thread}/stat`);
		if (stat === undefined) continue;
		if (Number(thread) === pid) mainMs = stat.cpuMs;
		else if (stat.name === "store-writer") writerMs = stat.cpuMs;
	}
	let totalMs = 0;
	for (const process of processTree(pid)) totalMs += readStat(`/proc/${process}/stat`)?.cpuMs ?? 0;
	return { totalMs, mainMs, writerMs };
}

/** A process and all that descend from it. */
export function processTree(pid: number): readonly number[] {
	const children = new Map<number, number[]>();
	for (const name of readdirSync("/proc")) {
		const process = Number(name);
		if (!Number.isInteger(process)) continue;
		const parent = readStat(`/proc/${name}/stat`)?.parent;
		if (parent === undefined) continue;
		const known = children.get(parent);
		if (known === undefined) children.set(parent, [process]);
		else known.push(process);
	}
	const tree = [pid];
	for (const process of tree) tree.push(...(children.get(process) ?? []));
	return tree;
}

/** What was used between two readings. */
export function cpuBetween(before: ServerCpu, after: ServerCpu): ServerCpu {
	return {
		totalMs: after.totalMs - before.totalMs,
		mainMs: after.mainMs - before.mainMs,
		writerMs: after.writerMs - before.writerMs,
	};
}

export interface ProcessStat {
	readonly name: string;
	readonly parent: number;
	readonly cpuMs: number;
}

/** One line of `/proc/PID/stat`. */
export function parseStat(line: string): ProcessStat {
	// The name stands in parentheses and may hold blanks and parentheses itself.
	const open = line.indexOf("(");
	const close = line.lastIndexOf(")");
	const fields = line.slice(close + 2).split(" ");
	const ticks = Number(fields[USER_TIME]) + Number(fields[SYSTEM_TIME]);
	if (open < 0 || !Number.isInteger(ticks)) throw new Error(`not a line of /proc/PID/stat: ${line}`);
	return { name: line.slice(open + 1, close), parent: Number(fields[PARENT]), cpuMs: ticks * TICK_MS };
}

/** Undefined where the process or thread has ended since its folder was listed. */
function readStat(path: string): ProcessStat | undefined {
	try {
		return parseStat(readFileSync(path, "latin1"));
	} catch (error) {
		if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ESRCH"))
			return undefined;
		throw error;
	}
}
