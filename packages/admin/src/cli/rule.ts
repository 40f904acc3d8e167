import { Argument, type Command } from "commander";
import type { Client } from "../client.ts";
import type { Rule, RuleDecision, Watcher, WatchRequest } from "../schema/presence.ts";
import { ruleDecisionSchema } from "../schema/presence.ts";
import { actAs } from "./act-as.ts";
import { formatExamples, readAor, readWho } from "./arguments.ts";
import { addConnectionFlags, type ConnectionFlags } from "./connection.ts";
import { type CommandContext, formatInstant, writeJson } from "./context.ts";
import { type Column, writeTable } from "./table.ts";

export const name = "rule";
export const summary = "see and decide who may watch a hosted user";

interface Flags extends ConnectionFlags {
	readonly json?: boolean;
}

const ruleColumns: readonly Column<Rule>[] = [
	{ title: "WHO", value: (row) => row.who },
	{ title: "DECISION", value: (row) => row.decision, style: (row) => (row.decision === "allow" ? "green" : "yellow") },
	{ title: "DECIDED", value: (row) => row.decided_at && formatInstant(row.decided_at) },
];

const requestColumns: readonly Column<WatchRequest>[] = [
	{ title: "WHO", value: (row) => row.aor },
	{ title: "VERIFICATION", value: (row) => row.verification },
	{ title: "STATE", value: (row) => row.state },
	{ title: "REQUESTED", value: (row) => formatInstant(row.requested_at) },
	{ title: "FORGOTTEN", value: (row) => row.expires_at && formatInstant(row.expires_at) },
];

const watcherColumns: readonly Column<Watcher>[] = [
	{ title: "WHO", value: (row) => row.aor },
	{ title: "STATE", value: (row) => row.state, style: (row) => (row.state === "active" ? "green" : "yellow") },
	{ title: "VERIFICATION", value: (row) => row.verification },
	{ title: "SINCE", value: (row) => formatInstant(row.since) },
];

export function register(program: Command, context: CommandContext): void {
	const rule = program
		.command(name)
		.summary(summary)
		.description(
			"Who may see a hosted user's presence and write to the user. WHO is an address, or @domain for everybody there;\n" +
				"a rule about an address goes before that about its domain, and without one the user is asked.",
		);
	registerTable(rule, context, {
		name: "list",
		summary: "list the rules of a hosted user",
		none: "no rules",
		columns: ruleColumns,
		read: async (user) => (await user.call("listRules")).rules,
	});
	registerTable(rule, context, {
		name: "requests",
		summary: "list who waits for the user's decision",
		none: "no requests",
		columns: requestColumns,
		read: async (user) => (await user.call("listRequests")).requests,
	});
	registerTable(rule, context, {
		name: "watchers",
		summary: "list who watches a hosted user",
		none: "nobody watches",
		columns: watcherColumns,
		read: async (user) => (await user.call("listWatchers")).watchers,
	});
	registerSet(rule, context);
	registerRemove(rule, context);
}

interface Table<Row> {
	readonly name: string;
	readonly summary: string;
	readonly none: string;
	readonly columns: readonly Column<Row>[];
	readonly read: (user: Client) => Promise<readonly Row[]>;
}

function registerTable<Row>(parent: Command, context: CommandContext, table: Table<Row>): void {
	const invocation = `causeway rule ${table.name} alice@contoso.example`;
	addConnectionFlags(parent.command(table.name).summary(table.summary))
		.description(`${table.summary.charAt(0).toUpperCase()}${table.summary.slice(1)}.`)
		.argument("<user>", "hosted user, user@domain", readAor)
		.option("--json", "print JSON")
		.addHelpText("after", formatExamples(invocation, `${invocation} --json`))
		.action(async (aor: string, flags: Flags) => {
			const rows = await table.read(await actAs(await context.connect(flags), aor));
			if (flags.json === true) writeJson(context, rows);
			else if (rows.length === 0) context.stdout.write(`${table.none}\n`);
			else writeTable(context, table.columns, rows);
		});
}

function registerSet(parent: Command, context: CommandContext): void {
	addConnectionFlags(parent.command("set").summary("decide about an address or a domain"))
		.description(
			"Decides as the hosted user USER about WHO: allow; deny (they are told); block (they see the user offline and\n" +
				"cannot write); ask (the user is asked, whatever holds for the domain).",
		)
		.argument("<user>", "hosted user, user@domain", readAor)
		.argument("<who>", "address, or @domain", readWho)
		.addArgument(new Argument("<decision>", "what shall hold").choices(ruleDecisionSchema.options))
		.option("--json", "print JSON")
		.addHelpText(
			"after",
			formatExamples(
				"causeway rule set alice@contoso.example bob@fabrikam.example allow",
				"causeway rule set alice@contoso.example @spim.example block",
			),
		)
		.action(async (aor: string, who: string, decision: RuleDecision, flags: Flags) => {
			const user = await actAs(await context.connect(flags), aor);
			const rule = await user.call("putRule", { params: { who }, body: { decision } });
			if (flags.json === true) writeJson(context, rule);
			else context.stdout.write(`${aor}: ${rule.decision} ${rule.who}\n`);
		});
}

function registerRemove(parent: Command, context: CommandContext): void {
	addConnectionFlags(parent.command("remove").summary("take a decision back"))
		.description("Takes back what the hosted user USER decided about WHO. Who still watches is asked about again.")
		.argument("<user>", "hosted user, user@domain", readAor)
		.argument("<who>", "address, or @domain", readWho)
		.addHelpText("after", formatExamples("causeway rule remove alice@contoso.example @spim.example"))
		.action(async (aor: string, who: string, flags: Flags) => {
			const user = await actAs(await context.connect(flags), aor);
			await user.call("deleteRule", { params: { who } });
			context.stdout.write(`${aor}: no rule about ${who} any more\n`);
		});
}
