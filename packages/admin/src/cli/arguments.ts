import { InvalidArgumentError } from "commander";
import { aorSchema, whoSchema } from "../schema/common.ts";

/** An address, `user@domain`, in lower case; a leading `sip:` is taken off. */
export function readAor(text: string): string {
	const read = aorSchema.safeParse(text.replace(/^sip:/i, ""));
	if (!read.success) throw new InvalidArgumentError("It must be an address such as alice@contoso.example.");
	return read.data;
}

/** An address, or `@domain`, in lower case. */
export function readWho(text: string): string {
	const read = whoSchema.safeParse(text.replace(/^sip:/i, ""));
	if (!read.success) throw new InvalidArgumentError("It must be an address such as alice@contoso.example, or @domain.");
	return read.data;
}

/** A number of seconds above 0, at most a day. */
export function readSeconds(text: string): number {
	const seconds = Number(/^[0-9]{1,5}(?:\.[0-9]{1,3})?$/.test(text) ? text : Number.NaN);
	if (!(seconds > 0 && seconds <= 86_400)) throw new InvalidArgumentError("It must be a number of seconds.");
	return seconds;
}

/** Examples at the end of a command's help. */
export function formatExamples(...lines: readonly string[]): string {
	return `\nExamples:\n${lines.map((line) => `  ${line}\n`).join("")}`;
}
