/** 10,000 messages in 500 sessions with SIPp behind stunnel, each way: 0 lost, 0 doubled, order kept. As root. */
import { test } from "node:test";
import { enterPrivateNamespace } from "../interop/harness/namespace.ts";
import { receiveVolume, sendVolume, type VolumeResult } from "../interop/sipp-volume.ts";

enterPrivateNamespace(import.meta.filename);

const VOLUME = { dialogs: 500, messagesPerDialog: 20, deadlineMs: 900_000 };

function print(what: string, { elapsedMs, messages }: VolumeResult): void {
	const rate = Math.round((messages * 1000) / elapsedMs);
	process.stdout.write(
		`${what}: ${messages} messages in ${VOLUME.dialogs} sessions in ${(elapsedMs / 1000).toFixed(1)} s (${rate}/s), 0 lost, 0 doubled, in order\n`,
	);
}

void test("promise 1: 10,000 messages from SIPp", async (context) => {
	print("from SIPp", await receiveVolume(context, VOLUME));
});
void test("promise 1: 10,000 messages to SIPp", async (context) => {
	print("to SIPp", await sendVolume(context, VOLUME));
});
