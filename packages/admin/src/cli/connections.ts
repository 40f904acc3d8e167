import type { Command } from "commander";
import type { Connection, RefusedConnection } from "../schema/live.ts";
import { formatExamples } from "./arguments.ts";
import { addConnectionFlags, type ConnectionFlags } from "./connection.ts";
import { type CommandContext, formatInstant, writeJson } from "./context.ts";
import { type Column, writeTable } from "./table.ts";

export const name = "connections";
export const summary = "list the TLS connections with partners";

const columns: readonly Column<Connection>[] = [
	{ title: "ID", value: (row) => row.id },
	{ title: "DIRECTION", value: (row) => row.direction },
	{ title: "STATE", value: (row) => row.state, style: (row) => (row.state === "open" ? "green" : "yellow") },
	{ title: "PEER", value: (row) => row.peer },
	{ title: "ADDRESS", value: (row) => row.remote_address },
	{
		title: "TLS",
		value: (row) => row.tls_version,
		style: (row) => (row.legacy === true ? "yellow" : undefined),
	},
	{ title: "DIALOGS", value: (row) => row.dialogs, align: "right" },
	{ title: "SINCE", value: (row) => formatInstant(row.opened_at) },
];

interface Flags extends ConnectionFlags {
	readonly json?: boolean;
	readonly refused?: boolean;
}

export function register(program: Command, context: CommandContext): void {
	addConnectionFlags(program.command(name).summary(summary))
		.description("List the TLS connections with partners, or those that were refused, with the reason of each.")
		.option("--refused", "the latest connections that were refused or could not be made, and what would help")
		.option("--json", "print JSON")
		.addHelpText(
			"after",
			formatExamples("causeway connections", "causeway connections --refused", "causeway connections --json"),
		)
		.action(async (flags: Flags) => {
			const client = await context.connect(flags);
			if (flags.refused === true) {
				const { refused } = await client.call("listRefusedConnections");
				if (flags.json === true) writeJson(context, refused);
				else context.stdout.write(refused.length === 0 ? "no refused connections\n" : formatRefused(refused));
				return;
			}
			const { connections } = await client.call("listConnections");
			if (flags.json === true) writeJson(context, connections);
			else if (connections.length === 0) context.stdout.write("no connections\n");
			else writeTable(context, columns, connections);
		});
}

/** A block for each, the latest first: when, which way, with whom, then the explanation in lines. */
function formatRefused(refused: readonly RefusedConnection[]): string {
	return refused
		.map(({ at, direction, remote_address, dialled, lines }) => {
			const who = direction === "inbound" ? `from ${remote_address}` : `to ${dialled ?? ""} (${remote_address})`;
			return [`${formatInstant(at)} ${direction} ${who}`, ...lines.map((line) => `  ${line}`), ""].join("\n");
		})
		.join("\n");
}
