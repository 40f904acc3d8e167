/** What a figure depends on: the machine, and which cores may be used. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, release, totalmem } from "node:os";
import type { BenchmarkSettings } from "./benchmark.ts";

/** One line for the report. */
export function describeMachine(): string {
	const memoryGiB = (totalmem() / 2 ** 30).toFixed(1);
	const { node, openssl } = process.versions;
	return [
		`${cpus()[0]?.model.trim() ?? "unknown processor"}, ${availableParallelism()} cores, ${memoryGiB} GiB`,
		`Linux ${release()}`,
		`Node.js ${node}`,
		`OpenSSL ${openssl}`,
		`load average before ${(loadavg()[0] ?? 0).toFixed(2)}`,
	].join("; ");
}

/** Two different cores this process may use; undefined where there are none, or no `taskset`. */
export function chooseCores(): BenchmarkSettings["cores"] {
	if (spawnSync("taskset", ["--version"]).status !== 0) return undefined;
	const allowed = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1];
	const [server, generator] = allowed === undefined ? [] : parseCpuList(allowed);
	return server === undefined || generator === undefined ? undefined : { server, generator };
}

/** `0-2,5` as the kernel writes it. */
export function parseCpuList(text: string): readonly number[] {
	return text.split(",").flatMap((range) => {
		const [first = Number.NaN, last = first] = range.split("-").map(Number);
		return Array.from({ length: last - first + 1 }, (_, index) => first + index);
	});
}
