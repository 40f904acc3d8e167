/** A framed message through its parser, every field reader, and what is made from it: answers and forwarded forms. */
import assert from "node:assert/strict";
import { HeaderId } from "../../../src/header/names.ts";
import { createErrorResponse, createResponse } from "../../../src/message/build.ts";
import { applyEdits, findField } from "../../../src/message/edit.ts";
import * as read from "../../../src/message/fields.ts";
import { formatMessage } from "../../../src/message/format.ts";
import { Framer } from "../../../src/message/framer.ts";
import { DEFAULT_FRAMER_LIMITS } from "../../../src/message/limits.ts";
import type { SipMessage } from "../../../src/message/message.ts";
import type { Frame } from "../../../src/message/octet-frame.ts";
import { parseMessage } from "../../../src/message/parse.ts";
import { findSips } from "../../../src/message/sips-check.ts";
import { findParam } from "../../../src/uri/params.ts";
import { readCorpusFiles, TORTURE_FOLDER } from "../corpus.ts";
import type { FuzzTarget } from "../fuzz-target.ts";
import { assertReadersAgree } from "../readers-agree.ts";
import { MESSAGE_TOKENS, repairLength } from "../sip-text.ts";

/** Headers of which two readers are asked. */
const ADDRESS_HEADERS = [
	HeaderId.via,
	HeaderId.from,
	HeaderId.to,
	HeaderId.contact,
	HeaderId.route,
	HeaderId.recordRoute,
	HeaderId.contentType,
] as const;

const LIST_READERS = [
	read.vias,
	read.contacts,
	read.routes,
	read.recordRoutes,
	read.tokens,
	read.contentType,
	read.accept,
	read.expires,
	read.minExpires,
	read.retryAfter,
	read.event,
	read.subscriptionState,
	read.warnings,
] as const;

export function createMessageTarget(): FuzzTarget {
	return {
		name: "message",
		summary: "a framed message: parser, field readers, answers to it, edits of it",
		sources: [
			"/sip/src/message/parse.ts",
			"/sip/src/message/fields.ts",
			"/sip/src/message/field-places.ts",
			"/sip/src/message/build.ts",
			"/sip/src/message/edit.ts",
			"/sip/src/message/sips-check.ts",
			"/sip/src/header/cseq.ts",
			"/sip/src/header/diagnostics.ts",
			"/sip/src/header/event.ts",
			"/sip/src/header/media-type.ts",
			"/sip/src/header/methods.ts",
			"/sip/src/header/number.ts",
			"/sip/src/header/params.ts",
			"/sip/src/header/subscription-state.ts",
			"/sip/src/header/token-list.ts",
			"/sip/src/header/verification-level.ts",
			"/sip/src/header/warning.ts",
			"/sip/src/text/quoting.ts",
			"/sip/src/text/scan.ts",
		],
		seeds: readCorpusFiles(TORTURE_FOLDER, ".sip"),
		tokens: MESSAGE_TOKENS,
		mutations: [repairLength],
		run: (input) => readAll(input),
	};
}

function readAll(input: Uint8Array): string {
	let kind = "nothing";
	const framer = new Framer(DEFAULT_FRAMER_LIMITS);
	framer.push(input, {
		frame: (frame) => {
			kind = readFrame(frame.decode());
		},
		ping: () => {},
		pong: () => {},
		fault: (fault, head) => {
			kind = fault.code;
			if (head !== undefined) createErrorResponse(head, fault, "fuzz");
		},
	});
	return kind;
}

function readFrame(frame: Frame): string {
	const outcome = parseMessage(frame);
	if (!outcome.ok) {
		createErrorResponse(outcome.head, outcome.fault, "fuzz");
		return `${outcome.kind} ${outcome.fault.code} ${outcome.fault.detail}`;
	}
	const { message } = outcome;
	for (const id of ADDRESS_HEADERS) for (const value of read.headerValues(message, id)) assertReadersAgree(value, 80);
	const again = frameOne(formatMessage(message));
	assert.deepEqual(again, frame, "a message that was read and written is another one");
	const kinds = LIST_READERS.map((reader, index) => {
		const result = index === 4 ? read.tokens(message, HeaderId.require) : (reader as typeof read.vias)(message);
		return result.ok ? "." : result.fault.code;
	});
	read.diagnostics(message);
	const level = read.verificationLevel(message);
	const sips = findSips(message);
	checkAnswer(message);
	checkEdits(message);
	return `${message.kind} ${kinds.join("")} ${level} ${sips === undefined ? "" : "sips"}`;
}

/** An answer of ours to whatever we could read can be read by us. */
function checkAnswer(message: SipMessage): void {
	if (message.kind !== "request") return;
	const answer = createResponse(message, 200, { toTag: "fuzz", recordRoute: true });
	const frame = frameOne(formatMessage(answer));
	assert.ok(frame !== undefined, "our own answer cannot be framed");
	const outcome = parseMessage(frame);
	assert.ok(outcome.ok, outcome.ok ? "" : `our own answer is malformed: ${outcome.fault.detail}`);
	assert.deepEqual([outcome.message.callId, outcome.message.cseq], [message.callId, message.cseq]);
	assert.equal(outcome.message.from.tag, message.from.tag);
	// A To whose tag has no value stays as it came, ours behind it.
	if (findParam(message.to.params, "tag") === undefined) assert.equal(outcome.message.to.tag, "fuzz");
	else assert.equal(outcome.message.to.tag, message.to.tag);
	assert.equal(outcome.message.topVia.branch, message.topVia.branch);
}

/** What a relay does to it: a Via more, another Request-URI, one field less. */
function checkEdits(message: SipMessage): void {
	const { head } = message;
	const via = findField(head, HeaderId.via);
	assert.ok(via !== undefined);
	const value = "SIP/2.0/TLS sip.contoso.example:5061;branch=z9hG4bK-fuzz";
	const insert = { kind: "insert", field: via, id: HeaderId.via, value } as const;
	if (message.kind === "response") {
		assert.equal(applyEdits(message, [insert]).topVia.branch, "z9hG4bK-fuzz");
		return;
	}
	const forwarded = applyEdits(message, [insert, { kind: "request-uri", uri: "sip:bob@fabrikam.example" }]);
	assert.equal(forwarded.topVia.branch, "z9hG4bK-fuzz");
	assert.equal(forwarded.requestUri.scheme, "sip");
	const back = applyEdits(forwarded, [{ kind: "remove", field: via }]);
	assert.deepEqual(back.topVia, message.topVia);
}

function frameOne(octets: Uint8Array): Frame | undefined {
	let found: Frame | undefined;
	const ignore = (): void => {};
	const user = { ping: ignore, pong: ignore, fault: ignore };
	new Framer({ ...DEFAULT_FRAMER_LIMITS, headBytes: 2 * DEFAULT_FRAMER_LIMITS.headBytes }).push(octets, {
		...user,
		frame: (frame) => {
			found = frame.decode();
		},
	});
	return found;
}
