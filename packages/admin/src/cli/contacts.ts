import type { Command } from "commander";
import type { Contact } from "../schema/presence.ts";
import { actAs } from "./act-as.ts";
import { formatExamples, readAor } from "./arguments.ts";
import { addConnectionFlags, type ConnectionFlags } from "./connection.ts";
import { type CommandContext, formatInstant, writeJson } from "./context.ts";
import { type Column, writeTable } from "./table.ts";

export const name = "contacts";
export const summary = "list a hosted user's contacts with what is known of each";

interface Flags extends ConnectionFlags {
	readonly json?: boolean;
}

const columns: readonly Column<Contact>[] = [
	{ title: "CONTACT", value: (row) => row.aor },
	{ title: "NAME", value: (row) => row.name },
	{
		title: "STATE",
		value: (row) => row.state,
		style: (row) => (row.state === "unknown" ? "magenta" : row.state === "available" ? "green" : undefined),
	},
	{ title: "VERIFICATION", value: (row) => row.verification },
	{ title: "SINCE", value: (row) => row.changed_at && formatInstant(row.changed_at) },
	{ title: "WHY UNKNOWN", value: (row) => row.reason },
];

export function register(program: Command, context: CommandContext): void {
	addConnectionFlags(program.command(name).summary(summary))
		.description(
			"Lists the contacts of the hosted user USER: state, name, verification level and, where the state is unknown, why.",
		)
		.argument("<user>", "hosted user, user@domain", readAor)
		.option("--json", "print JSON")
		.addHelpText(
			"after",
			formatExamples("causeway contacts alice@contoso.example", "causeway contacts alice@contoso.example --json"),
		)
		.action(async (aor: string, flags: Flags) => {
			const user = await actAs(await context.connect(flags), aor);
			const { contacts } = await user.call("listContacts");
			if (flags.json === true) writeJson(context, contacts);
			else if (contacts.length === 0) context.stdout.write("no contacts\n");
			else writeTable(context, columns, contacts);
		});
}
