import { createInterface } from "node:readline";
import { CommandFailed } from "./command-failed.ts";
import type { CommandContext } from "./context.ts";

/** Asks on a terminal, `no` being the answer of an empty line; elsewhere nobody is asked, and the answer is yes. */
export async function confirm(context: CommandContext, question: string): Promise<void> {
	if (!context.isTty || context.stdin.isTTY !== true) return;
	context.stdout.write(`${question} [y/N] `);
	const lines = createInterface({ input: context.stdin, terminal: false });
	const answer = await new Promise<string>((resolve) => {
		lines.once("line", resolve);
		lines.once("close", () => resolve(""));
	});
	lines.close();
	const said = answer.trim().toLowerCase();
	if (said !== "y" && said !== "yes") throw new CommandFailed("nothing was changed");
}
