import type { Command } from "commander";
import type { Connection } from "../schema/live.ts";
import { type CommandContext, formatInstant } from "./context.ts";
import { registerListing } from "./listing.ts";
import type { Column } from "./table.ts";

export const name = "connections";
export const summary = "list the TLS connections with partners";

const columns: readonly Column<Connection>[] = [
	{ title: "ID", value: (row) => row.id },
	{ title: "DIRECTION", value: (row) => row.direction },
	{ title: "STATE", value: (row) => row.state, style: (row) => (row.state === "open" ? "green" : "yellow") },
	{ title: "PEER", value: (row) => row.peer },
	{ title: "ADDRESS", value: (row) => row.remote_address },
	{ title: "TLS", value: (row) => row.tls_version },
	{ title: "DIALOGS", value: (row) => row.dialogs, align: "right" },
	{ title: "SINCE", value: (row) => formatInstant(row.opened_at) },
];

export function register(program: Command, context: CommandContext): void {
	registerListing(program, context, {
		name,
		summary,
		none: "no connections",
		columns,
		read: async (client) => (await client.call("listConnections")).connections,
	});
}
