import type { Command, CommanderError } from "commander";
import { ApiError } from "../api-error.ts";
import { CommandFailed } from "./command-failed.ts";
import type { CommandContext } from "./context.ts";

/** Lets help and usage errors go through the context and come back as values; call before any command is registered. */
export function prepareProgram(program: Command, context: Pick<CommandContext, "stdout" | "stderr">): Command {
	return program
		.exitOverride()
		.showHelpAfterError("(--help tells more)")
		.configureOutput({
			writeOut: (text) => context.stdout.write(text),
			writeErr: (text) => context.stderr.write(text),
			getOutHasColors: () => false,
			getErrHasColors: () => false,
		});
}

/**
 * Runs the program with the arguments behind its name, and gives the exit code: 0 done, 1 failed, 2 wrong usage. What
 * fails is told on stderr in one line; faults of our own are thrown on.
 */
export async function runProgram(
	program: Command,
	args: readonly string[],
	context: Pick<CommandContext, "stderr">,
): Promise<number> {
	try {
		await program.parseAsync([...args], { from: "user" });
		return 0;
	} catch (error) {
		// Help that was asked for ends with 0; help because something is missing, and every usage error, with 1.
		if (isCommanderError(error)) return error.exitCode === 0 ? 0 : 2;
		if (error instanceof CommandFailed) {
			context.stderr.write(`causeway: ${error.message}\n`);
			return error.exitCode;
		}
		if (error instanceof ApiError) {
			context.stderr.write(`causeway: ${explain(error)}\n`);
			return 1;
		}
		throw error;
	}
}

function explain(error: ApiError): string {
	if (error.status !== 401) return error.message;
	return "the admin token was refused; give the right one with --token, CAUSEWAY_TOKEN or --config";
}

/** By its code, not its class: the program may be made by another copy of commander than ours. */
function isCommanderError(error: unknown): error is CommanderError {
	return (
		error instanceof Error && "code" in error && typeof error.code === "string" && error.code.startsWith("commander.")
	);
}
