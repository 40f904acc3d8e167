import { randomUUID } from "node:crypto";
import type { Command } from "commander";
import type { Client } from "../client.ts";
import { isFinalFate, type Message } from "../schema/message.ts";
import { actAs, createDeadline } from "./act-as.ts";
import { formatExamples, readAor, readSeconds } from "./arguments.ts";
import { CommandFailed } from "./command-failed.ts";
import { addConnectionFlags, type ConnectionFlags } from "./connection.ts";
import { type CommandContext, paint, type Style, writeJson } from "./context.ts";
import { formatExplanation } from "./explanation.ts";
import { followEvents } from "./follow-events.ts";

export const name = "send";
export const summary = "send a message as a hosted user and wait for its fate";

interface Flags extends ConnectionFlags {
	readonly wait: boolean;
	readonly timeout: number;
	readonly json?: boolean;
}

/** What is known of a sent message. */
type Known = Pick<Message, "id" | "fate" | "code" | "reason" | "blame">;

const styles: Readonly<Record<string, Style>> = {
	delivered: "green",
	accepted: "green",
	failed: "red",
	unknown: "red",
};

export function register(program: Command, context: CommandContext): void {
	addConnectionFlags(program.command(name).summary(summary))
		.description(
			"Sends TEXT from the hosted user FROM to TO, waits until the message has its final fate, and prints it:\n" +
				"delivered, accepted, failed or unknown. Exit code 1 for failed and unknown.",
		)
		.argument("<from>", "hosted user, user@domain", readAor)
		.argument("<to>", "recipient, user@domain", readAor)
		.argument("<text>", "the message")
		.option("--no-wait", "print the message's id and do not wait for its fate")
		.option("--timeout <seconds>", "wait at most so long", readSeconds, 120)
		.option("--json", "print JSON")
		.addHelpText(
			"after",
			formatExamples(
				'causeway send alice@contoso.example bob@fabrikam.example "Lunch?"',
				"causeway send --no-wait --json alice@contoso.example bob@fabrikam.example hello",
			),
		)
		.action((from: string, to: string, text: string, flags: Flags) => run(context, from, to, text, flags));
}

async function run(context: CommandContext, from: string, to: string, text: string, flags: Flags): Promise<void> {
	const user = await actAs(await context.connect(flags), from);
	if (!flags.wait) {
		print(context, await submit(user, to, text), flags);
		return;
	}
	const deadline = createDeadline(context.interrupted, flags.timeout);
	try {
		const known = await submitAndWait(user, to, text, deadline.signal);
		print(context, known, flags);
		if (!isFinalFate(known.fate)) {
			const why = deadline.timedOut() ? `after ${flags.timeout} s` : "when it was interrupted";
			throw new CommandFailed(`message ${known.id} had no final fate ${why}; it goes on without this command`);
		}
		if (known.fate === "failed" || known.fate === "unknown") {
			throw new CommandFailed(
				known.fate === "failed"
					? "the message was not delivered"
					: "the message had left and no final answer came; it may have been delivered",
			);
		}
	} finally {
		deadline.end();
	}
}

/** With a key of its own, so that nothing on the way can send the message twice. */
async function submit(user: Client, to: string, text: string): Promise<Known> {
	return user.call("submitMessage", { body: { to, text }, headers: { "idempotency-key": randomUUID() } });
}

/** Listens before it submits, so that no fate goes by unseen. Gives the last known fate when `signal` is aborted. */
async function submitAndWait(user: Client, to: string, text: string, signal: AbortSignal): Promise<Known> {
	let known: Known | undefined;
	for await (const item of followEvents(async () => user, signal)) {
		if (item.kind === "lost") continue;
		const { frame } = item;
		if (frame.kind === "welcome" && known === undefined) known = await submit(user, to, text);
		else if (frame.kind === "reset" && known !== undefined) {
			known = await user.call("getMessage", { params: { id: known.id } });
		} else if (frame.kind === "fate" && frame.id === known?.id) known = frame;
		if (known !== undefined && isFinalFate(known.fate)) return known;
	}
	if (known === undefined) throw new CommandFailed("it was interrupted before the message was sent");
	return known;
}

function print(context: CommandContext, known: Known, flags: Flags): void {
	const { id, fate, code, reason, blame } = known;
	if (flags.json === true) {
		writeJson(context, { id, fate, code, reason, blame });
		return;
	}
	const explanation = formatExplanation(known);
	const style = styles[fate];
	const word = style === undefined ? fate : paint(context, style, fate);
	context.stdout.write(`${word} ${id}${explanation === "" ? "" : `: ${explanation}`}\n`);
}
