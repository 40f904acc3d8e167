import type { Command } from "commander";
import type { Client } from "../client.ts";
import { formatExamples } from "./arguments.ts";
import { addConnectionFlags, type ConnectionFlags } from "./connection.ts";
import { type CommandContext, writeJson } from "./context.ts";
import { type Column, writeTable } from "./table.ts";

/** A command that reads a list and prints it. */
export interface Listing<Row> {
	readonly name: string;
	readonly summary: string;
	/** Printed where the list is empty. */
	readonly none: string;
	readonly columns: readonly Column<Row>[];
	readonly read: (client: Client) => Promise<readonly Row[]>;
}

interface Flags extends ConnectionFlags {
	readonly json?: boolean;
}

/** Registers it under `parent`; `--json` prints the list as one array. */
export function registerListing<Row>(
	parent: Command,
	context: CommandContext,
	listing: Listing<Row>,
	invocation = `causeway ${listing.name}`,
): void {
	addConnectionFlags(parent.command(listing.name).summary(listing.summary))
		.description(`${listing.summary.charAt(0).toUpperCase()}${listing.summary.slice(1)}.`)
		.option("--json", "print JSON")
		.addHelpText("after", formatExamples(invocation, `${invocation} --json`))
		.action(async (flags: Flags) => {
			const rows = await listing.read(await context.connect(flags));
			if (flags.json === true) writeJson(context, rows);
			else if (rows.length === 0) context.stdout.write(`${listing.none}\n`);
			else writeTable(context, listing.columns, rows);
		});
}
