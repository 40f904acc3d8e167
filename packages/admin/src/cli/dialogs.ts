import type { Command } from "commander";
import type { Dialog } from "../schema/live.ts";
import { type CommandContext, formatInstant } from "./context.ts";
import { registerListing } from "./listing.ts";
import type { Column } from "./table.ts";

export const name = "dialogs";
export const summary = "list the SIP dialogs";

const columns: readonly Column<Dialog>[] = [
	{ title: "LOCAL", value: (row) => row.local },
	{ title: "REMOTE", value: (row) => row.remote },
	{ title: "USAGE", value: (row) => row.usage },
	{ title: "STATE", value: (row) => row.state, style: (row) => (row.state === "confirmed" ? "green" : "yellow") },
	{ title: "ROLE", value: (row) => row.role },
	{ title: "PEER", value: (row) => row.peer },
	{ title: "SINCE", value: (row) => formatInstant(row.created_at) },
	{ title: "CALL-ID", value: (row) => row.call_id },
];

export function register(program: Command, context: CommandContext): void {
	registerListing(program, context, {
		name,
		summary,
		none: "no dialogs",
		columns,
		read: async (client) => (await client.call("listDialogs")).dialogs,
	});
}
