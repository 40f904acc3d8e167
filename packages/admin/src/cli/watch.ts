import { Argument, type Command, Option } from "commander";
import { ApiError } from "../api-error.ts";
import type { Client } from "../client.ts";
import { type Contact, type ContactState, contactStates } from "../schema/presence.ts";
import { actAs, createDeadline } from "./act-as.ts";
import { formatExamples, readAor, readSeconds } from "./arguments.ts";
import { CommandFailed } from "./command-failed.ts";
import { addConnectionFlags, type ConnectionFlags } from "./connection.ts";
import { type CommandContext, formatInstant, paint, printable, type Style, writeJson } from "./context.ts";
import { formatExplanation } from "./explanation.ts";
import { followEvents } from "./follow-events.ts";

export const name = "watch";
export const summary = "show a contact's presence as a hosted user sees it";

interface Flags extends ConnectionFlags {
	readonly once?: boolean;
	readonly until?: ContactState;
	readonly timeout?: number;
	readonly json?: boolean;
}

const styles: Readonly<Record<ContactState, Style>> = {
	available: "green",
	busy: "red",
	"on-the-phone": "red",
	away: "yellow",
	offline: "dim",
	pending: "cyan",
	unknown: "magenta",
};
const stateWidth = Math.max(...contactStates.map((state) => state.length));

export function register(program: Command, context: CommandContext): void {
	addConnectionFlags(program.command(name).summary(summary))
		.description(
			"Prints TO's presence as the hosted user FROM sees it, now and whenever it changes, until Ctrl-C. Makes TO a\n" +
				"contact of FROM where it is none.",
		)
		.addArgument(new Argument("<from>", "hosted user, user@domain").argParser(readAor))
		.addArgument(new Argument("<to>", "contact, user@domain").argParser(readAor))
		.option("--once", "print the state as it is now and end")
		.addOption(
			new Option("--until <state>", "end as soon as the state is this one").choices(contactStates).conflicts("once"),
		)
		.option("--timeout <seconds>", "end after so long; exit code 1 where --until has not come true", readSeconds)
		.option("--json", "print one JSON object a line")
		.addHelpText(
			"after",
			formatExamples(
				"causeway watch alice@contoso.example bob@fabrikam.example",
				"causeway watch --until available --timeout 60 alice@contoso.example bob@fabrikam.example",
			),
		)
		.action((from: string, to: string, flags: Flags) => run(context, from, to, flags));
}

async function run(context: CommandContext, from: string, to: string, flags: Flags): Promise<void> {
	const admin = await context.connect(flags);
	const user = await actAs(admin, from);
	if (flags.once === true) {
		print(context, await ensureContact(context, user, from, to), flags);
		return;
	}
	const deadline = createDeadline(context.interrupted, flags.timeout);
	try {
		if (!(await follow(context, admin, user, from, to, flags, deadline.signal)) && deadline.timedOut()) {
			if (flags.until !== undefined) throw new CommandFailed(`${to} was not ${flags.until} within ${flags.timeout} s`);
		}
	} finally {
		deadline.end();
	}
}

/** Prints what comes; true as soon as `--until` has come true, false when `signal` was aborted. */
async function follow(
	context: CommandContext,
	admin: Client,
	first: Client,
	from: string,
	to: string,
	flags: Flags,
	signal: AbortSignal,
): Promise<boolean> {
	let user: Client | undefined = first;
	let current = first;
	// A token that ended while we watched is replaced when the connection comes back.
	const nextClient = async (): Promise<Client> => {
		current = user ?? (await actAs(admin, from));
		user = undefined;
		return current;
	};
	let printed: string | undefined;
	const show = (contact: Contact): boolean => {
		const looks = JSON.stringify([contact.state, contact.note, contact.code, contact.reason]);
		if (looks !== printed) print(context, contact, flags);
		printed = looks;
		return contact.state === flags.until;
	};
	let begun = false;
	for await (const item of followEvents(nextClient, signal)) {
		if (item.kind === "lost") {
			context.stderr.write(`causeway: ${item.error.message}; trying again\n`);
			continue;
		}
		const { frame } = item;
		if (frame.kind === "reset" || (frame.kind === "welcome" && !begun)) {
			begun = true;
			if (show(await ensureContact(context, current, from, to))) return true;
		} else if (frame.kind === "presence" && frame.aor === to && show(frame)) return true;
	}
	return false;
}

async function ensureContact(context: CommandContext, user: Client, from: string, to: string): Promise<Contact> {
	try {
		return await user.call("getContact", { params: { aor: to } });
	} catch (error) {
		if (!(error instanceof ApiError) || error.code !== "unknown-contact") throw error;
	}
	const contact = await user.call("putContact", { params: { aor: to }, body: {} });
	context.stderr.write(`causeway: ${to} is now a contact of ${from}\n`);
	return contact;
}

function print(context: CommandContext, contact: Contact, flags: Flags): void {
	if (flags.json === true) {
		const { aor, state, name: shown, note, icon, verification, changed_at, code, reason, blame } = contact;
		writeJson(context, { aor, state, name: shown, note, icon, verification, changed_at, code, reason, blame });
		return;
	}
	const at = contact.changed_at === undefined ? "-" : formatInstant(contact.changed_at);
	const state = paint(context, styles[contact.state], contact.state) + " ".repeat(stateWidth - contact.state.length);
	const note = contact.note === undefined ? "" : `"${printable(contact.note)}"`;
	const parts = [at.padEnd(20), contact.aor, state, note, formatExplanation(contact)];
	context.stdout.write(
		`${parts
			.filter((part) => part !== "")
			.join("  ")
			.trimEnd()}\n`,
	);
}
