// What `causeway demo --script` says it did is what went over the wire, by the judgement of Wireshark.
import assert from "node:assert/strict";
import { test } from "node:test";
import { LAUNCHER } from "./harness/causeway.ts";
import { createLab } from "./harness/lab.ts";
import { enterPrivateNamespace } from "./harness/namespace.ts";
import { type CapturedMessage, startCapture } from "./harness/tshark.ts";

enterPrivateNamespace(import.meta.filename);

/** One line of `demo --script --json`. */
interface LadderLine {
	readonly from: string;
	readonly to: string;
	readonly method?: string;
	readonly status?: number;
	readonly cseq: string;
	readonly callId: string;
}

interface Rung {
	readonly sender: string;
	readonly callId: string;
	readonly text: string;
}

test("product contract 4: demo --script exits 0 and its ladder is the decrypted traffic, message by message", async (context) => {
	const lab = createLab(context);
	const keyLog = lab.path("tls-keys");
	const capture = await startCapture(lab);
	const demo = await lab.run({
		name: "demo",
		command: process.execPath,
		args: [LAUNCHER, "demo", "--script", "--json"],
		env: { CAUSEWAY_FROM: "source", NODE_OPTIONS: `--tls-keylog=${keyLog}` },
	});
	assert.deepEqual(await demo.exited(45_000), { code: 0, signal: null });
	const captured = await capture.decode(keyLog);
	const printed = demo.standardOutput.map((line) => JSON.parse(line) as LadderLine);

	assert.deepEqual(byDialog(printed.map(fromLadder)), byDialog(captured.map(fromCapture)));
	const methods = new Set(captured.map(({ method }) => method));
	for (const method of ["SUBSCRIBE", "NOTIFY", "INVITE", "ACK", "MESSAGE", "BYE"]) {
		assert.ok(methods.has(method), `no ${method} on the wire`);
	}
});

function fromLadder({ from, method, status, cseq, callId }: LadderLine): Rung {
	return { sender: from, callId, text: `${method ?? status} (${cseq})` };
}

function fromCapture({ source, method, status, cseq, callId }: CapturedMessage): Rung {
	return { sender: source, callId, text: `${method ?? status} (${cseq})` };
}

/**
 * For each Call-ID the messages of each sender, in order. The wire fixes the order in which one side sends; messages of
 * both sides that cross may be seen in either order by the two of them and by the capture.
 */
function byDialog(rungs: readonly Rung[]): Readonly<Record<string, readonly (readonly string[])[]>> {
	const dialogs = Map.groupBy(rungs, ({ callId }) => callId);
	const entries = [...dialogs].map(([callId, messages]) => {
		const sides = [...Map.groupBy(messages, ({ sender }) => sender).values()];
		return [callId, sides.map((side) => side.map(({ text }) => text)).sort(compareSides)] as const;
	});
	return Object.fromEntries(entries.sort(([left], [right]) => (left < right ? -1 : 1)));
}

function compareSides(left: readonly string[], right: readonly string[]): number {
	return left.join() < right.join() ? -1 : 1;
}
