/** Commands of `causeway` run in this process against an edge. */
import { Readable } from "node:stream";
import type { Client } from "@causeway/admin";
import { Command, type CommandContext, prepareProgram, registerCommands, runProgram } from "@causeway/admin/cli";

export interface RunOutcome {
	readonly code: number;
	readonly stdout: string;
	readonly stderr: string;
}

/** Runs `causeway …`; with `answer` as on a terminal where that is typed. */
export async function runCommand(client: Client, args: readonly string[], answer?: string): Promise<RunOutcome> {
	let stdout = "";
	let stderr = "";
	const stdin = Object.assign(Readable.from(answer === undefined ? [] : [`${answer}\n`]), {
		isTTY: answer !== undefined,
	});
	const context: CommandContext = {
		connect: async () => client,
		stdin,
		stdout: { write: (text) => (stdout += text) },
		stderr: { write: (text) => (stderr += text) },
		isTty: answer !== undefined,
		env: { NO_COLOR: "1" },
		interrupted: new AbortController().signal,
	};
	const program = prepareProgram(new Command("causeway"), context);
	registerCommands(program, context);
	const code = await runProgram(program, args, context);
	return { code, stdout, stderr };
}
