import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { readNewPassword } from "@causeway/admin/cli";

/** Types lines into a terminal, each when it is asked for; gives the password, or the refusal, and what was shown. */
async function type(lines: readonly string[]): Promise<{ readonly outcome: string; readonly shown: string }> {
	const stdin = Object.assign(new PassThrough(), { isTTY: true });
	const left = [...lines];
	let shown = "";
	const stderr = {
		write: (text: string) => {
			shown += text;
			if (text !== "\n") setImmediate(() => stdin.write(left.shift() ?? ""));
		},
	};
	const outcome = await readNewPassword({ stdin, stderr }, undefined).catch((error: Error) => error.message);
	return { outcome, shown };
}

const cases: readonly [name: string, lines: readonly string[], outcome: string, shown: string][] = [
	["twice the same", ["correct horse\r", "correct horse\r"], "correct horse", "Password: \nAgain: \n"],
	["with a letter corrected", ["corrext\u007f\u007fct\r", "correct\r"], "correct", "Password: \nAgain: \n"],
	["differently", ["correct horse\r", "correct house\r"], "the passwords differ", "Password: \nAgain: \n"],
	["empty", ["\r", "\r"], "the password is empty", "Password: \nAgain: \n"],
	["and ended by Ctrl-C", ["corr\u0003"], "no password was given", "Password: \n"],
	["and ended by Ctrl-D", ["\u0004"], "no password was given", "Password: \n"],
];
for (const [name, lines, outcome, shown] of cases) {
	test(`password prompt: typed ${name}: ${outcome}; nothing typed is shown`, async () => {
		assert.deepEqual(await type(lines), { outcome, shown });
	});
}
