/**
 * Torture messages: RFC 4475, RFC 5118, and what the LCS family writes. Each `name.sip` holds the octets of one stream,
 * `name.json` beside it what is expected. They are named for the messages of the RFCs and have what each of those is
 * about, in octets of ours where the RFC's wording does not matter, and adapted to a stream: each has a Content-Length
 * unless its absence or wrongness is the point.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { findBodyPart } from "../../src/body/multipart.ts";
import { formatSdp, parseSdp } from "../../src/body/sdp.ts";
import * as read from "../../src/message/fields.ts";
import { Framer } from "../../src/message/framer.ts";
import { DEFAULT_FRAMER_LIMITS } from "../../src/message/limits.ts";
import type { SipMessage } from "../../src/message/message.ts";
import { type ParseOutcome, parseMessage } from "../../src/message/parse.ts";
import { octetsToText } from "../../src/text/octets.ts";
import { isSipUri } from "../../src/uri/uri.ts";

interface Expectation {
	readonly section: string;
	readonly note?: string;
	readonly outcome: "message" | "fault" | "incomplete";
	/** Who refuses: the framer, the parser, or the reader of a header that is looked at later. */
	readonly stage?: "framer" | "parser" | "contacts";
	readonly code?: string;
	readonly status?: number;
	readonly progress?: string;
	/** Messages behind the first one. */
	readonly following?: number;
	readonly method?: string;
	readonly requestUri?: string;
	readonly scheme?: string;
	readonly user?: string;
	readonly host?: string;
	readonly port?: number;
	readonly statusCode?: number;
	readonly reasonPhrase?: string;
	readonly fromTag?: string;
	readonly toTag?: string;
	readonly displayName?: string;
	readonly callId?: string;
	readonly cseq?: number;
	readonly maxForwards?: number;
	readonly branch?: string;
	readonly vias?: number;
	readonly contacts?: readonly string[];
	readonly routes?: readonly string[];
	readonly recordRoutes?: readonly string[];
	readonly values?: Readonly<Record<string, readonly string[]>>;
	readonly diagnostics?: readonly number[];
	readonly bodyBytes?: number;
}

interface Seen {
	readonly outcomes: readonly ParseOutcome[];
	readonly framerFault: { readonly code: string; readonly status: number } | undefined;
	readonly progress: string;
}

function feed(pieces: Iterable<Uint8Array>): Seen {
	const framer = new Framer(DEFAULT_FRAMER_LIMITS);
	const outcomes: ParseOutcome[] = [];
	let framerFault: Seen["framerFault"];
	for (const piece of pieces) {
		framer.push(piece, {
			frame: (frame) => outcomes.push(parseMessage(frame.decode())),
			ping: () => {},
			pong: () => {},
			fault: ({ code, status }) => {
				framerFault = { code, status };
			},
		});
	}
	return { outcomes, framerFault, progress: framer.progress };
}

/** What a message shows of the fields that an expectation may name, in the words of the expectation. */
function describe(message: SipMessage): Record<string, unknown> {
	const uris = (outcome: ReturnType<typeof read.routes>) => {
		assert.ok(outcome.ok);
		return outcome.value.map(({ uri }) => uri.text);
	};
	const contacts = read.contacts(message);
	const vias = read.vias(message);
	const uri = message.kind === "request" ? message.requestUri : undefined;
	const sipUri = uri !== undefined && isSipUri(uri) ? uri : undefined;
	return {
		method: message.kind === "request" ? message.method : undefined,
		requestUri: uri?.text,
		scheme: uri?.scheme,
		user: sipUri?.user,
		host: sipUri?.host,
		port: sipUri?.port,
		statusCode: message.kind === "response" ? message.statusCode : undefined,
		reasonPhrase: message.kind === "response" ? octetsToText(message.reasonPhrase) : undefined,
		fromTag: message.from.tag,
		toTag: message.to.tag,
		displayName: octetsToText(message.from.displayName ?? ""),
		callId: message.callId,
		cseq: message.cseq.number,
		maxForwards: message.kind === "request" ? message.maxForwards : undefined,
		branch: message.topVia.branch,
		vias: vias.ok ? vias.value.length : undefined,
		contacts: contacts.ok && contacts.value !== "*" ? contacts.value.map((contact) => contact.uri.text) : undefined,
		routes: uris(read.routes(message)),
		recordRoutes: uris(read.recordRoutes(message)),
		diagnostics: read.diagnostics(message).map(({ id }) => id),
		bodyBytes: message.body.length,
	};
}

const notFields = ["section", "note", "outcome", "following", "values"];

function checkMessage(outcome: ParseOutcome | undefined, expected: Expectation): void {
	assert.ok(outcome !== undefined, "no message was framed");
	assert.ok(outcome.ok, outcome.ok ? "" : outcome.fault.detail);
	const seen = describe(outcome.message);
	for (const [name, value] of Object.entries(expected)) {
		if (!notFields.includes(name)) assert.deepEqual(seen[name], value, name);
	}
	for (const [name, values] of Object.entries(expected.values ?? {})) {
		assert.deepEqual(read.headerValuesByName(outcome.message, name), values, name);
	}
}

function checkFault(seen: Seen, expected: Expectation): void {
	const { code, status } = expected;
	if (expected.stage === "framer") {
		assert.deepEqual(seen.framerFault, { code, status });
		assert.equal(seen.outcomes.length, 0);
		return;
	}
	const outcome = seen.outcomes[0];
	assert.ok(outcome !== undefined);
	if (expected.stage === "contacts") {
		assert.ok(outcome.ok);
		const contacts = read.contacts(outcome.message);
		assert.ok(!contacts.ok);
		assert.deepEqual([contacts.fault.code, contacts.fault.status], [code, status]);
		return;
	}
	assert.ok(!outcome.ok);
	assert.deepEqual([outcome.fault.code, outcome.fault.status], [code, status]);
}

function check(seen: Seen, expected: Expectation, trailing: number): void {
	if (expected.outcome === "message") {
		checkMessage(seen.outcomes[0], expected);
		assert.equal(seen.framerFault, undefined);
		assert.equal(seen.outcomes.length, 1 + (expected.following ?? 0) + trailing);
	} else if (expected.outcome === "fault") checkFault(seen, expected);
	else assert.deepEqual([seen.outcomes.length, seen.progress], [0, expected.progress]);
}

const directory = new URL(".", import.meta.url);
const names = readdirSync(directory)
	.filter((name) => name.endsWith(".sip"))
	.map((name) => name.slice(0, -".sip".length));
const behind = readFileSync(new URL("lwsdisp.sip", directory));

for (const name of names) {
	const octets = readFileSync(new URL(`${name}.sip`, directory));
	const expected = JSON.parse(readFileSync(new URL(`${name}.json`, directory), "utf8")) as Expectation;
	const ways: readonly (readonly [string, Iterable<Uint8Array>, number])[] = [
		["whole", [octets], 0],
		["byte by byte", Array.from(octets, (octet) => new Uint8Array([octet])), 0],
		["with a message behind it", [Buffer.concat([octets, behind])], 1],
	];
	for (const [way, pieces, trailing] of ways) {
		test(`${expected.section}: ${name} ${way}`, () => check(feed(pieces), expected, trailing));
	}
}

test("G1: the 49 messages of RFC 4475 and the 12 messages of RFC 5118 are all here", () => {
	const sections = names.map((name) => {
		const expected = JSON.parse(readFileSync(new URL(`${name}.json`, directory), "utf8")) as Expectation;
		return expected.section.slice(0, "RFC 4475".length);
	});
	assert.equal(sections.filter((section) => section === "RFC 4475").length, 49);
	assert.equal(sections.filter((section) => section === "RFC 5118").length, 12);
});

function messageOf(name: string): SipMessage {
	const [outcome] = feed([readFileSync(new URL(`${name}.sip`, directory))]).outcomes;
	assert.ok(outcome?.ok);
	return outcome.message;
}

const parts: readonly (readonly [string, Uint8Array])[] = [
	["text/plain", Buffer.from("Hello")],
	["application/octet-stream", Buffer.from("30820152060900000d0a0d0afffe", "hex")],
];
for (const [wanted, octets] of parts) {
	test(`RFC 4475 §3.1.1.11: the ${wanted} part of mpart01 is found, octet for octet`, () => {
		const message = messageOf("mpart01");
		const type = read.contentType(message);
		assert.ok(type.ok && type.value !== undefined);
		const found = findBodyPart(type.value, message.body, (part) => `${part.type}/${part.subtype}` === wanted);
		assert.ok(found.ok && found.value !== undefined);
		assert.deepEqual(Buffer.from(found.value.body), octets);
	});
}

const descriptions: readonly (readonly [string, string, readonly string[]])[] = [
	["§4.6", "ipv6-in-sdp", ["c=IN IP6 2001:db8::20"]],
	["§4.8", "mult-ip-in-sdp", ["c=IN IP4 192.0.2.1", "c=IN IP6 2001:db8::1"]],
	["§4.9", "ipv4-mapped-ipv6", ["c=IN IP6 ::ffff:192.0.2.2"]],
];
for (const [section, name, connections] of descriptions) {
	test(`RFC 5118 ${section}: the session description of ${name} is read, and written back as it was`, () => {
		const { body } = messageOf(name);
		const description = parseSdp(body);
		assert.ok(description.ok);
		assert.deepEqual(
			description.value.media.map(({ media, port }) => [media, port]),
			[
				["audio", 6000],
				["video", 6024],
			],
		);
		const written = Buffer.from(formatSdp(description.value)).toString("latin1");
		assert.equal(written, Buffer.from(body).toString("latin1"));
		assert.deepEqual(
			written.split("\r\n").filter((line) => line.startsWith("c=")),
			connections,
		);
	});
}
