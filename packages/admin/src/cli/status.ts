import type { Command } from "commander";
import { formatExamples } from "./arguments.ts";
import { addConnectionFlags, type ConnectionFlags } from "./connection.ts";
import { type CommandContext, formatInstant, writeJson } from "./context.ts";
import { writeFields } from "./table.ts";

export const name = "status";
export const summary = "show what runs, and how much of it";

interface Flags extends ConnectionFlags {
	readonly json?: boolean;
}

export function register(program: Command, context: CommandContext): void {
	addConnectionFlags(program.command(name).summary(summary))
		.description("Shows the running edge: whether it is ready, its domains and listeners, and what is live.")
		.option("--json", "print JSON")
		.addHelpText("after", formatExamples("causeway status", "causeway status --json"))
		.action(async (flags: Flags) => {
			const status = await (await context.connect(flags)).call("getStatus");
			if (flags.json === true) {
				writeJson(context, status);
				return;
			}
			writeFields(context, [
				["edge", status.fqdn],
				["version", status.version],
				["ready", status.ready ? "yes" : `no: ${status.not_ready.join("; ")}`],
				["started", formatInstant(status.started_at)],
				["domains", status.domains.map((domain) => `${domain.name} (${domain.kind})`).join(", ") || "-"],
				...status.domains.flatMap(({ name, icon }) =>
					icon === undefined
						? []
						: [[`icon of ${name}`, [icon.state, icon.reason].filter((text) => text !== undefined).join(": ")] as const],
				),
				["listeners", status.listeners.join(", ") || "-"],
				["users", status.users],
				["connections", status.connections],
				["dialogs", status.dialogs],
				["subscriptions", status.subscriptions],
				["messages waiting", status.messages_waiting],
			]);
		});
}
