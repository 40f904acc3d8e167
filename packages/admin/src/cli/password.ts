import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { CommandFailed } from "./command-failed.ts";
import type { CommandContext, Input, Output } from "./context.ts";

const maxPasswordLength = 4_096;

/**
 * A new password: the first line of a file (`-` is stdin), asked for twice without echo on a terminal, else the first
 * line of stdin. Never from the command line, where every user of the machine can read it.
 */
export async function readNewPassword(
	context: Pick<CommandContext, "stdin" | "stderr">,
	passwordFile: string | undefined,
): Promise<string> {
	const password = await readOnce(context, passwordFile);
	if (password === "") throw new CommandFailed("the password is empty", 2);
	return password;
}

async function readOnce(
	{ stdin, stderr }: Pick<CommandContext, "stdin" | "stderr">,
	passwordFile: string | undefined,
): Promise<string> {
	if (passwordFile !== undefined && passwordFile !== "-") return firstLine(await readPasswordFile(passwordFile));
	if (passwordFile === "-" || stdin.isTTY !== true) return firstLine(await readStart(stdin));
	const password = await ask("Password: ", stdin, stderr);
	if ((await ask("Again: ", stdin, stderr)) !== password) throw new CommandFailed("the passwords differ", 2);
	return password;
}

async function readPasswordFile(path: string): Promise<string> {
	try {
		return await readFile(path, "utf8");
	} catch (error) {
		throw new CommandFailed(error instanceof Error ? error.message : `${path} cannot be read`);
	}
}

/** Input up to its first line end, or its end. */
async function readStart(stdin: Input): Promise<string> {
	let text = "";
	for await (const chunk of stdin) {
		text += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("utf8");
		if (text.includes("\n") || text.length > maxPasswordLength) break;
	}
	return text;
}

function firstLine(text: string): string {
	const end = text.indexOf("\n");
	const line = end === -1 ? text : text.slice(0, end);
	return line.endsWith("\r") ? line.slice(0, -1) : line;
}

async function ask(prompt: string, stdin: Input, stderr: Output): Promise<string> {
	stderr.write(prompt);
	const gone = new AbortController();
	// What readline echoes goes nowhere.
	const mute = new Writable({ write: (_chunk, _encoding, done) => done() });
	const reader = createInterface({ input: stdin, output: mute, terminal: true });
	reader.on("SIGINT", () => gone.abort());
	reader.on("close", () => gone.abort());
	try {
		return await reader.question("", { signal: gone.signal });
	} catch {
		throw new CommandFailed("no password was given");
	} finally {
		reader.close();
		stderr.write("\n");
	}
}
