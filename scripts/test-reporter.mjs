// Reporter for node:test: one line per file, every failure whole, totals written for the summing runner.
import { appendFileSync } from "node:fs";
import { relative } from "node:path";
import { inspect } from "node:util";

/** An error with what it holds: the errors of an aggregate, and the cause behind it. */
function describe(error) {
	const parts = [error?.stack ?? error?.message ?? inspect(error)];
	for (const part of error?.errors ?? []) parts.push(`  [of it] ${describe(part)}`);
	if (error?.cause !== undefined) parts.push(`  [cause] ${describe(error.cause)}`);
	return parts.join("\n");
}

export default async function* report(source) {
	const files = new Map();
	const failures = [];
	const names = [];
	let passed = 0;
	let failed = 0;
	const fileOf = (data) => (data.file === undefined ? "(unknown file)" : relative(process.cwd(), data.file));
	const tally = (data) => {
		const name = fileOf(data);
		let entry = files.get(name);
		if (entry === undefined) {
			entry = { passed: 0, failed: 0 };
			files.set(name, entry);
		}
		return entry;
	};
	for await (const { type, data } of source) {
		const isSuite = data?.details?.type === "suite";
		// A file that ends well is reported as a test of its own name where it holds none: that is not a test.
		const isFile = data?.name !== undefined && data.file?.endsWith(data.name) === true && data.nesting === 0;
		if (type === "test:pass" && !isSuite && !isFile) {
			if (data.skip !== undefined || data.todo !== undefined) {
				failed += 1;
				tally(data).failed += 1;
				failures.push(`${fileOf(data)}: ${data.name}\n  skipped or todo: a test either runs or is removed`);
			} else {
				passed += 1;
				tally(data).passed += 1;
				names.push(JSON.stringify({ path: fileOf(data).replaceAll("\\", "/"), name: data.name }));
			}
		} else if (type === "test:fail") {
			const kind = data.details?.error?.failureType;
			if (kind === "subtestsFailed") continue;
			failed += 1;
			tally(data).failed += 1;
			const error = data.details?.error;
			failures.push(`${fileOf(data)}:${data.line ?? 0}: ${data.name}\n${describe(error?.cause ?? error)}`);
		} else if (type === "test:stderr" || type === "test:stdout") {
			if (process.env.TEST_OUTPUT === "1") yield data.message;
		}
	}
	for (const [name, entry] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
		yield `${entry.failed === 0 ? "ok  " : "FAIL"} ${name} (${entry.passed} passed${entry.failed === 0 ? "" : `, ${entry.failed} failed`})\n`;
	}
	for (const failure of failures) yield `\n--- ${failure}\n`;
	if (process.env.TEST_NAMES !== undefined) appendFileSync(process.env.TEST_NAMES, `${names.join("\n")}\n`);
	if (process.env.TEST_TOTALS !== undefined) appendFileSync(process.env.TEST_TOTALS, `${passed} ${failed}\n`);
}
