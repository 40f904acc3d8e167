import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { Program, type ProgramOptions } from "./process.ts";

/** What one test owns: a work folder and everything it started, ended in reverse order after the test. */
export interface Lab {
	readonly folder: string;
	path(name: string): string;
	write(name: string, content: string): string;
	run(options: Omit<ProgramOptions, "cwd" | "logFile">): Promise<Program>;
	/** Work to be done when the test ends, before that of what was registered earlier. */
	atEnd(close: () => void | Promise<void>): void;
}

/** The folder of a failed test is kept, and its path printed. */
export function createLab(context: TestContext): Lab {
	const folder = mkdtempSync(join(tmpdir(), "causeway-interop-"));
	const closers: (() => void | Promise<void>)[] = [];
	const path = (name: string): string => join(folder, name);
	const atEnd = (close: () => void | Promise<void>): void => {
		closers.push(close);
	};

	context.after(async () => {
		const failures: unknown[] = [];
		for (const close of closers.reverse()) {
			try {
				await close();
			} catch (error) {
				failures.push(error);
			}
		}
		if (context.passed && failures.length === 0) {
			rmSync(folder, { recursive: true, force: true });
		} else {
			context.diagnostic(`logs and configuration kept in ${folder}`);
		}
		if (failures.length > 0) throw new AggregateError(failures, "clean-up failed");
	});

	return {
		folder,
		path,
		write(name, content) {
			writeFileSync(path(name), content);
			return path(name);
		},
		async run(options) {
			const program = new Program({ ...options, cwd: folder, logFile: path(`${options.name}.log`) });
			await program.start();
			atEnd(() => program.close());
			return program;
		},
		atEnd,
	};
}
