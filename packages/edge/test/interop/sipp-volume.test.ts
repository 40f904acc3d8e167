// The short form of 10,000 messages in 500 sessions each way; the whole is `npm run long -- sipp-volume`.
import { test } from "node:test";
import { enterPrivateNamespace } from "./harness/namespace.ts";
import { receiveVolume, sendVolume } from "./sipp-volume.ts";

enterPrivateNamespace(import.meta.filename);

const VOLUME = { dialogs: 50, messagesPerDialog: 20, deadlineMs: 120_000 };

test("promise 1: 1,000 messages from SIPp in 50 sessions: none lost, none doubled, each in its order", async (context) => {
	await receiveVolume(context, VOLUME);
});

test("promise 1: 1,000 messages to SIPp in 50 sessions: none lost, none doubled, each in its order", async (context) => {
	await sendVolume(context, VOLUME);
});
