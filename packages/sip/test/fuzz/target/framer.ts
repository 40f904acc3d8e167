/** The stream framer: what it tells must not depend on how the octets arrive, nor pass its limits. */
import assert from "node:assert/strict";
import { Framer } from "../../../src/message/framer.ts";
import { DEFAULT_FRAMER_LIMITS, type FramerLimits } from "../../../src/message/limits.ts";
import type { OctetFrame } from "../../../src/message/octet-frame.ts";
import { readCorpusFiles, TORTURE_FOLDER } from "../corpus.ts";
import type { FuzzTarget } from "../fuzz-target.ts";
import { MESSAGE_TOKENS, repairLength } from "../sip-text.ts";

/** Narrow ones, so that short inputs reach them. */
const NARROW_LIMITS: FramerLimits = {
	headBytes: 1024,
	bodyBytes: 300,
	head: { startLineBytes: 100, fieldBytes: 200, textFieldBytes: 400, fields: 20, vias: 4 },
};

export function createFramerTarget(): FuzzTarget {
	return {
		name: "framer",
		summary: "a stream of messages, whole and in pieces, with the usual limits and with narrow ones",
		sources: ["/sip/src/message/framer.ts", "/sip/src/message/octet-frame.ts", "/sip/src/message/head-index.ts"],
		seeds: [
			...readCorpusFiles(TORTURE_FOLDER, ".sip"),
			Buffer.from(
				"\r\n\r\n\r\nOPTIONS sip:a@b.example SIP/2.0\r\nContent-Length: 3\r\n\r\nabc\r\n\r\nSIP/2.0 200 OK\r\nl:0\r\n\r\n",
			),
		],
		tokens: [...MESSAGE_TOKENS, "\r\n\r\n", "\r\n\r\n\r\n", "\r", "\n", "Content-Length: 0", "l: 5\r\n"],
		mutations: [repairLength],
		run(input) {
			const usual = check(input, DEFAULT_FRAMER_LIMITS);
			return `${usual} | ${check(input, NARROW_LIMITS)}`;
		},
	};
}

/** Compares whole and cut; the places of the cuts come from the input itself. */
function check(input: Uint8Array, limits: FramerLimits): string {
	const whole = feed(input, [input.length], limits);
	let sum = input.length;
	for (let at = 0; at < Math.min(input.length, 64); at += 1) sum = (sum * 31 + (input[at] ?? 0)) & 0xffff;
	const sizes = [1 + (sum % 7), 1 + ((sum >> 3) % 40), 1 + ((sum >> 8) % 3)];
	const cut = feed(input, sizes, limits);
	assert.equal(cut.told, whole.told, "what the framer tells depends on how the octets were cut");
	return whole.kind;
}

/** Feeds pieces of these sizes, one after the other and over again. */
function feed(input: Uint8Array, sizes: readonly number[], limits: FramerLimits): { told: string; kind: string } {
	const framer = new Framer(limits);
	const told: string[] = [];
	let frames = 0;
	let ended = "";
	const user = {
		frame: (frame: OctetFrame) => {
			const { head, body } = frame.decode();
			frames += 1;
			assert.ok(head.text.length <= limits.headBytes && head.text.endsWith("\r\n\r\n"), "a head beyond the limit");
			assert.ok(body.length <= limits.bodyBytes, "a body beyond the limit");
			assert.equal(ended, "", "a frame behind a fault");
			told.push(`${head.text.length} ${head.text} ${Buffer.from(body).toString("latin1")}`);
		},
		ping: () => told.push("ping"),
		pong: () => told.push("pong"),
		fault: (fault: { code: string; offset: number; detail: string }, head: { text: string } | undefined) => {
			assert.equal(ended, "", "a second fault");
			ended = `${fault.code} ${fault.detail}`;
			told.push(`${ended} ${fault.offset} ${head?.text}`);
		},
	};
	let at = 0;
	for (let count = 0; at < input.length; count += 1) {
		const size = sizes[count % sizes.length] ?? 1;
		framer.push(input.subarray(at, at + size), user);
		at += size;
	}
	told.push(framer.progress);
	return { told: told.join("\n"), kind: `${Math.min(frames, 4)} ${framer.progress} ${ended}` };
}
