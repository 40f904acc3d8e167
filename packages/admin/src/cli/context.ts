import { styleText } from "node:util";
import type { Client } from "../client.ts";
import type { ConnectionFlags } from "./connection.ts";

/** Something that takes text: the process's stdout or stderr. */
export interface Output {
	write(text: string): unknown;
}

/** Where passwords come from: the process's stdin. */
export type Input = NodeJS.ReadableStream & { readonly isTTY?: boolean };

/** What a command meets of the world. */
export interface CommandContext {
	/** A client with the administrator's token; see {@link createConnect}. */
	connect(flags: ConnectionFlags): Promise<Client>;
	readonly stdin: Input;
	readonly stdout: Output;
	readonly stderr: Output;
	/** Whether stdout is a terminal. */
	readonly isTty: boolean;
	readonly env: Readonly<Record<string, string | undefined>>;
	/** Aborted when the user presses Ctrl-C. */
	readonly interrupted: AbortSignal;
}

/** A style of `util.styleText`. */
export type Style = Parameters<typeof styleText>[0];

/** Colours text, on a terminal alone and never against `NO_COLOR` (no-color.org: any value but the empty one). */
export function paint(context: Pick<CommandContext, "isTty" | "env">, style: Style, text: string): string {
	const colours = context.isTty && (context.env["NO_COLOR"] ?? "") === "";
	return colours ? styleText(style, text, { validateStream: false }) : text;
}

/** One line of JSON, for programs. */
export function writeJson(context: Pick<CommandContext, "stdout">, value: unknown): void {
	context.stdout.write(`${JSON.stringify(value)}\n`);
}

/**
 * Text of others as a terminal may show it: control characters (escape sequences, line ends, directions of writing)
 * become visible, so that a partner's display name draws nothing on our screen.
 */
export function printable(text: string): string {
	return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, (character) => {
		return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
	});
}

/** A moment of the API to the second: `2026-11-23T10:00:00Z`. */
export function formatInstant(instant: string): string {
	return `${instant.slice(0, 19)}Z`;
}
