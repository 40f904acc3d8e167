import type { Command } from "commander";
import type { HeldRequest } from "../schema/message-request.ts";
import { actAs } from "./act-as.ts";
import { formatExamples, readAor } from "./arguments.ts";
import { addConnectionFlags, type ConnectionFlags } from "./connection.ts";
import { type CommandContext, formatInstant, writeJson } from "./context.ts";
import { type Column, writeTable } from "./table.ts";

export const name = "requests";
export const summary = "see and decide whose first messages reach a hosted user";

interface Flags extends ConnectionFlags {
	readonly json?: boolean;
}

const columns: readonly Column<HeldRequest>[] = [
	{ title: "FROM", value: (row) => row.aor },
	{ title: "VERIFICATION", value: (row) => row.verification },
	{ title: "REQUESTED", value: (row) => formatInstant(row.requested_at) },
	{ title: "MESSAGES", value: (row) => row.messages },
];

const DECISIONS = [
	["accept", "let somebody's messages in", "Makes what FROM wrote to the hosted user USER ordinary messages."],
	[
		"decline",
		"delete what somebody wrote",
		"Deletes what FROM wrote to the hosted user USER; a next message asks again.",
	],
	["block", "delete it and block the sender", "Deletes what FROM wrote to the hosted user USER, and blocks FROM."],
] as const;

export function register(program: Command, context: CommandContext): void {
	const requests = program
		.command(name)
		.summary(summary)
		.description(
			"Messages of people whom a hosted user has not let in wait for the user's word. Who waits to see the user's presence\n" +
				"is listed by `causeway rule requests`.",
		);
	addConnectionFlags(requests.command("list").summary("list who has written to a hosted user and waits"))
		.description("Lists who has written to the hosted user USER without being let in.")
		.argument("<user>", "hosted user, user@domain", readAor)
		.option("--json", "print JSON")
		.addHelpText("after", formatExamples("causeway requests list alice@contoso.example"))
		.action(async (aor: string, flags: Flags) => {
			const { requests: waiting } = await (await actAs(await context.connect(flags), aor)).call("listMessageRequests");
			if (flags.json === true) writeJson(context, waiting);
			else if (waiting.length === 0) context.stdout.write("no requests\n");
			else writeTable(context, columns, waiting);
		});
	for (const [decision, does, description] of DECISIONS) {
		addConnectionFlags(requests.command(decision).summary(does))
			.description(description)
			.argument("<user>", "hosted user, user@domain", readAor)
			.argument("<from>", "who wrote, user@domain", readAor)
			.addHelpText("after", formatExamples(`causeway requests ${decision} alice@contoso.example bob@fabrikam.example`))
			.action(async (aor: string, from: string, flags: Flags) => {
				const user = await actAs(await context.connect(flags), aor);
				await user.call("decideMessageRequest", { params: { aor: from }, body: { decision } });
				context.stdout.write(`${aor}: ${decision} ${from}\n`);
			});
	}
}
