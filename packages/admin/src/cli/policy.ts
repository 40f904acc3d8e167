import type { Command } from "commander";
import { formatExamples, readAor } from "./arguments.ts";
import { addConnectionFlags, type ConnectionFlags } from "./connection.ts";
import { type CommandContext, paint, printable, writeJson } from "./context.ts";
import { writeFields } from "./table.ts";

export const name = "policy";
export const summary = "try the policy";

const directionWords = {
	outbound: "from one of our users to a partner's",
	inbound: "from a partner's user to one of ours",
	local: "between two of our users",
	transit: "between two foreign domains",
} as const;

export function register(program: Command, context: CommandContext): void {
	const policy = program.command(name).summary(summary).description("Tries the policy that stands.");
	addConnectionFlags(policy.command("test").summary("say what would happen to a request, and which rule decides"))
		.description(
			"Says what would happen to a request from one address to another, and which rule decides. Nothing is sent to anybody;\nthe DNS is asked where the rule asks it.",
		)
		.argument("<from>", "user@domain", readAor)
		.argument("<to>", "user@domain", readAor)
		.option("--json", "print JSON")
		.addHelpText(
			"after",
			formatExamples(
				"causeway policy test alice@contoso.example lena@fabrikam.example",
				"causeway policy test lena@fabrikam.example alice@contoso.example --json",
			),
		)
		.action(async (from: string, to: string, flags: ConnectionFlags & { readonly json?: boolean }) => {
			const client = await context.connect(flags);
			const tested = await client.call("getPolicyTest", { query: { from, to } });
			if (flags.json === true) {
				writeJson(context, tested);
				return;
			}
			const { allowed, code, diagnostics, direction, facts, reason, rule, status } = tested;
			const word = allowed ? paint(context, "green", "allowed") : paint(context, "red", "refused");
			context.stdout.write(`${word}: ${printable(reason)} (${code})\n`);
			const told = diagnostics === undefined ? "" : `, ms-diagnostics-public ${diagnostics}`;
			writeFields(context, [
				["way", directionWords[direction]],
				["rule", rule],
				...(status === undefined ? [] : [["answer", `${status}${told}`] as const]),
				...facts.map((fact, index) => [index === 0 ? "also" : "", fact] as const),
			]);
		});
}
