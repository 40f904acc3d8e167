import type { Command } from "commander";
import type { Subscription } from "../schema/live.ts";
import { type CommandContext, formatInstant } from "./context.ts";
import { registerListing } from "./listing.ts";
import type { Column } from "./table.ts";

export const name = "subscriptions";
export const summary = "list the presence subscriptions, both ways";

const columns: readonly Column<Subscription>[] = [
	{ title: "WATCHER", value: (row) => row.watcher },
	{ title: "PRESENTITY", value: (row) => row.presentity },
	{ title: "DIRECTION", value: (row) => row.direction },
	{ title: "STATE", value: (row) => row.state, style: (row) => (row.state === "active" ? "green" : "yellow") },
	{ title: "PEER", value: (row) => row.peer },
	{ title: "LAST NOTIFY", value: (row) => row.last_notify_at && formatInstant(row.last_notify_at) },
	{ title: "EXPIRES", value: (row) => row.expires_at && formatInstant(row.expires_at) },
	{ title: "REASON", value: (row) => row.reason },
];

export function register(program: Command, context: CommandContext): void {
	registerListing(program, context, {
		name,
		summary,
		none: "no subscriptions",
		columns,
		read: async (client) => (await client.call("listSubscriptions")).subscriptions,
	});
}
