import type { Command } from "commander";
import type { SigningKey } from "../schema/key.ts";
import { formatExamples } from "./arguments.ts";
import { addConnectionFlags, type ConnectionFlags } from "./connection.ts";
import { type CommandContext, formatInstant, printable, type Style, writeJson } from "./context.ts";
import { type Column, writeTable } from "./table.ts";

export const name = "key";
export const summary = "list and rotate the keys that sign the routes of dialogs";

const styles: Readonly<Record<SigningKey["state"], Style | undefined>> = {
	next: "yellow",
	active: "green",
	"verify-only": undefined,
	destroyed: "dim",
};

const columns: readonly Column<SigningKey>[] = [
	{ title: "KEY", value: (row) => row.kid },
	{ title: "STATE", value: (row) => row.state, style: (row) => styles[row.state] },
	{ title: "CREATED", value: (row) => formatInstant(row.created_at) },
	{ title: "SIGNS FROM", value: (row) => row.activated_at && formatInstant(row.activated_at) },
	{ title: "SIGNS UNTIL", value: (row) => signsUntil(row) },
	{ title: "VERIFIES UNTIL", value: (row) => row.ends_at && formatInstant(row.ends_at) },
];

interface Flags extends ConnectionFlags {
	readonly json?: boolean;
}

export function register(program: Command, context: CommandContext): void {
	const key = program
		.command(name)
		.summary(summary)
		.description("Shows and rotates the keys that sign the routes of dialogs. Their secrets are never shown.");
	registerList(key, context);
	registerRotate(key, context);
}

function registerList(parent: Command, context: CommandContext): void {
	addConnectionFlags(parent.command("list").summary("list the signing keys"))
		.description("Lists the signing keys with their states, and what has to be looked at.")
		.option("--json", "print JSON")
		.addHelpText("after", formatExamples("causeway key list", "causeway key list --json"))
		.action(async (flags: Flags) => {
			const list = await (await context.connect(flags)).call("listKeys");
			if (flags.json === true) {
				writeJson(context, list.keys);
				return;
			}
			writeTable(context, columns, list.keys);
			for (const alarm of list.alarms) context.stderr.write(`warning: ${printable(alarm)}\n`);
		});
}

function registerRotate(parent: Command, context: CommandContext): void {
	addConnectionFlags(parent.command("rotate").summary("let a new key sign from now on"))
		.description(
			"Lets a new key sign from now on. Dialogs that older keys signed go on: those keys verify until their time is over.",
		)
		.option("--json", "print the new key as JSON")
		.addHelpText("after", formatExamples("causeway key rotate"))
		.action(async (flags: Flags) => {
			const key = await (await context.connect(flags)).call("rotateKeys");
			if (flags.json === true) writeJson(context, key);
			else context.stdout.write(`key ${printable(key.kid)} signs from now on\n`);
		});
}

/** A key that signs does so until it is replaced; one that did ceased then. */
function signsUntil({ retired_at, rotates_at }: SigningKey): string | undefined {
	const until = retired_at ?? rotates_at;
	return until && formatInstant(until);
}
