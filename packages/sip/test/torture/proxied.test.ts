/** What a proxy passes on is what it received, save the header fields that are its own: held over every torture message. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { HeaderId } from "../../src/header/names.ts";
import { applyEdits, countFields, type Edit, findField } from "../../src/message/edit.ts";
import { formatMessage } from "../../src/message/format.ts";
import { Framer } from "../../src/message/framer.ts";
import { DEFAULT_FRAMER_LIMITS } from "../../src/message/limits.ts";
import {
	FIELD_STRIDE,
	type MessageHead,
	type SipMessage,
	type SipRequest,
	type SipResponse,
} from "../../src/message/message.ts";
import { parseMessage } from "../../src/message/parse.ts";
import { SAMPLES } from "../bench/samples.ts";

const OWN_VIA = "SIP/2.0/TLS edge.example:5061;branch=z9hG4bKours;alias";
const OWN_ROUTE = "<sip:edge.example:5061;transport=tls;lr;fs=1.token>";
/** RFC 3261 §16.6: the fields that a proxy may add, take off or change. */
const OWNED: readonly number[] = [HeaderId.via, HeaderId.route, HeaderId.recordRoute, HeaderId.maxForwards];

/** The messages of one stream that are messages. */
function readAll(octets: Uint8Array): SipMessage[] {
	const messages: SipMessage[] = [];
	new Framer(DEFAULT_FRAMER_LIMITS).push(octets, {
		frame(frame) {
			const outcome = parseMessage(frame.decode());
			if (outcome.ok) messages.push(outcome.message);
		},
		ping() {},
		pong() {},
		fault() {},
	});
	return messages;
}

/** The lines of the fields, octet for octet with names, folds and line ends; `isWanted` by header and place among its kind. */
function lines(head: MessageHead, isWanted: (id: number, value: string) => boolean): string[] {
	const { text, fields } = head;
	const found: string[] = [];
	for (let at = 0; at + FIELD_STRIDE < fields.length; at += FIELD_STRIDE) {
		const next = fields[at + FIELD_STRIDE + 1] ?? fields[at + FIELD_STRIDE];
		const value = text.slice(fields[at + 2], fields[at + 3]);
		if (isWanted(fields[at] ?? 0, value)) found.push(text.slice(fields[at + 1], next));
	}
	return found;
}

function proxyRequest(request: SipRequest): SipRequest {
	const { head } = request;
	const via = findField(head, HeaderId.via) ?? 0;
	const route = findField(head, HeaderId.route);
	const hops = findField(head, HeaderId.maxForwards);
	const edits: Edit[] = [
		{ kind: "insert", field: via, id: HeaderId.via, value: OWN_VIA },
		{ kind: "insert", field: via, id: HeaderId.recordRoute, value: OWN_ROUTE },
	];
	if (route !== undefined) edits.push({ kind: "remove", field: route });
	if (hops === undefined)
		edits.push({ kind: "insert", field: countFields(head), id: HeaderId.maxForwards, value: "70" });
	else {
		const [start = 0, end = 0] = head.fields.slice(hops * FIELD_STRIDE + 2, hops * FIELD_STRIDE + 4);
		edits.push({ kind: "replace", field: hops, start, end, value: "42" });
	}
	return applyEdits(request, edits);
}

/** A response comes with the proxy's own Via on top, and leaves without it (RFC 3261 §16.7). */
function proxyResponse(response: SipResponse): SipResponse {
	const field = findField(response.head, HeaderId.via) ?? 0;
	const arrived = applyEdits(response, [{ kind: "insert", field, id: HeaderId.via, value: OWN_VIA }]);
	return applyEdits(arrived, [{ kind: "remove", field }]);
}

const directory = new URL(".", import.meta.url);
const received = [
	...readdirSync(directory)
		.filter((name) => name.endsWith(".sip"))
		.map((name) => ({ name, octets: readFileSync(new URL(name, directory)) as Uint8Array })),
	...SAMPLES,
];

let count = 0;
for (const { name, octets } of received) {
	for (const before of readAll(octets)) {
		count += 1;
		test(`RFC 3261 §16.6: ${name} leaves a proxy as it came, save the fields that are the proxy's (${count})`, () => {
			const after = before.kind === "request" ? proxyRequest(before) : proxyResponse(before);
			const [again, ...more] = readAll(formatMessage(after));
			assert.ok(again !== undefined && more.length === 0, "what leaves is one message");
			assert.deepEqual(Buffer.from(again.body), Buffer.from(before.body));
			const startLine = ({ text }: MessageHead) => text.slice(0, text.indexOf("\r\n"));
			assert.equal(startLine(again.head), startLine(before.head));
			const foreign = (id: number) => !OWNED.includes(id);
			assert.deepEqual(lines(again.head, foreign), lines(before.head, foreign));
			// Of its own headers, what others wrote stays too: all but the first Route.
			for (const id of [HeaderId.via, HeaderId.recordRoute, HeaderId.route]) {
				const theirs = lines(before.head, (other) => other === id);
				if (id === HeaderId.route && before.kind === "request") theirs.shift();
				const kept = lines(again.head, (other, value) => other === id && value !== OWN_VIA && value !== OWN_ROUTE);
				assert.deepEqual(kept, theirs);
			}
		});
	}
}

test("RFC 3261 §16.6: the messages that pass a proxy are most of the torture messages and all samples", () => {
	assert.ok(count > 40, `${count} messages`);
});
