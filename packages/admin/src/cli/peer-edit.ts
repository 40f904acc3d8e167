import type { Command } from "commander";
import type { EditEffect } from "../schema/policy.ts";
import { confirm } from "./confirm.ts";
import { addConnectionFlags, type ConnectionFlags } from "./connection.ts";
import { type CommandContext, printable, writeJson } from "./context.ts";

/** Flags of every command that edits the policy. */
export interface EditFlags extends ConnectionFlags {
	readonly dryRun?: boolean;
	readonly yes?: boolean;
	readonly json?: boolean;
}

/** Adds the flags of an edit. */
export function addEditFlags(command: Command): Command {
	return addConnectionFlags(command)
		.option("--dry-run", "say what this would end, and change nothing")
		.option("--yes", "do not ask")
		.option("--json", "print JSON, and do not ask");
}

/** What an edit of the policy answers with. */
interface Edited {
	readonly effect: EditEffect;
}

/** What an edit ends, in words: `3 dialogs, 2 connections`; empty where it ends nothing. */
export function formatEffect({ dialogs, subscriptions, connections }: EditEffect): string {
	const counted = [
		[dialogs, "dialog", "dialogs"],
		[subscriptions, "subscription", "subscriptions"],
		[connections, "connection", "connections"],
	] as const;
	return counted
		.filter(([count]) => count > 0)
		.map(([count, one, many]) => `${count} ${count === 1 ? one : many}`)
		.join(", ");
}

/** Previews an edit, asks on a terminal where it ends something or does more than was asked for, and makes it. */
export async function runEdit(
	context: CommandContext,
	flags: EditFlags,
	done: string,
	call: (preview: boolean) => Promise<Edited>,
): Promise<void> {
	const isAsked = flags.dryRun === true || flags.yes !== true;
	if (isAsked) {
		const { effect } = await call(true);
		const ends = formatEffect(effect);
		if (flags.dryRun === true) {
			if (flags.json === true) writeJson(context, effect);
			else writeEffect(context, effect, `this would end ${ends}`, "nothing live would end; nothing was changed");
			return;
		}
		if (flags.json !== true && (ends !== "" || effect.notes.length > 0)) {
			const words = [...effect.notes, ...(ends === "" ? [] : [`this would end ${ends}`])];
			await confirm(context, `${words.map(printable).join("; ")}. Go on?`);
		}
	}
	const { effect } = await call(false);
	if (flags.json === true) {
		writeJson(context, effect);
		return;
	}
	writeEffect(context, effect, `${done}; ended ${formatEffect(effect)}`, done);
}

function writeEffect(context: CommandContext, effect: EditEffect, ended: string, quiet: string): void {
	for (const note of effect.notes) context.stdout.write(`${printable(note)}\n`);
	context.stdout.write(`${printable(formatEffect(effect) === "" ? quiet : ended)}\n`);
}
