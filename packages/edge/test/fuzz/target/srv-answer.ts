/** Answers of name servers, over UDP and TCP, through the resolver. */
import assert from "node:assert/strict";
import type { Logger } from "@causeway/sip";
import { SimClock } from "@causeway/sip/testing";
import { type Answer, AUTHORITATIVE_ANSWER, encode, TRUNCATED_RESPONSE } from "dns-packet";
import type { FuzzTarget } from "../../../../sip/test/fuzz/fuzz-target.ts";
import type { Mutation } from "../../../../sip/test/fuzz/mutate.ts";
import { DnsClient } from "../../../src/federation/dns/dns-client.ts";
import { installFakeNameServer } from "../fake-name-server.ts";

const NAME = "_sipfederationtls._tcp.fabrikam.example";
const QUESTION = { type: "SRV", name: NAME, class: "IN" } as const;
const HEADER_BYTES = 12;
const LONGEST_DATAGRAM = 65_507;
const log: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** A datagram that ends every question: no such name. */
const LAST_WORD = answer([], 3);
/** Header and question as ours must be; the id comes from the query. */
const PREFIX_BYTES = LAST_WORD.length;

export function createSrvAnswerTarget(): FuzzTarget {
	return {
		name: "srv-answer",
		summary: "answers of name servers over UDP and TCP, through the resolver",
		sources: [
			"/edge/src/federation/dns/dns-client.ts",
			"/edge/src/federation/dns/dns-message.ts",
			"/dns-packet/index.js",
		],
		seeds: [
			answer([srv(NAME, "sip.fabrikam.example")]),
			answer([srv(NAME, "a.fabrikam.example"), srv(NAME, "b.fabrikam.example"), srv(NAME, ".")]),
			answer([
				alias(NAME, "x.fabrikam.example"),
				alias("x.fabrikam.example", NAME),
				srv("X.fabrikam.example", "y.example"),
			]),
			answer([]),
			answer([srv(NAME, "sip.fabrikam.example")], TRUNCATED_RESPONSE),
			answer([
				{ type: "TXT", name: NAME, data: "text" },
				{ type: "A", name: NAME, data: "192.0.2.1" },
				{ type: "AAAA", name: NAME, data: "2001:db8::1" },
				{ type: "NS", name: NAME, data: "ns.example.org" },
				{ type: "MX", name: NAME, data: { preference: 10, exchange: "mx.example.org" } },
				{ type: "CAA", name: NAME, data: { flags: 0, tag: "issue", value: "example.org" } },
			]),
		],
		tokens: [
			"\xc0\x0c",
			"\xc0\x00",
			"\xc0",
			"\xff\xff",
			"\0\0",
			"\0\x21\0\x01",
			"\0\x05\0\x01",
			"\0\x29",
			"\x3f",
			"\0\x2f",
			"\0\x40",
		],
		mutations: [restorePrefix],
		run: readAnswer,
	};
}

/** Puts header and question back, so that the reader looks at the rest. */
const restorePrefix: Mutation = (input, { random }) => {
	const changed = Uint8Array.from(input);
	changed.set(LAST_WORD.subarray(0, Math.min(PREFIX_BYTES, changed.length)));
	if (changed.length < HEADER_BYTES) return changed;
	changed[3] = random.below(8) === 0 ? 3 : 0;
	changed[2] = (changed[2] ?? 0) | (random.below(4) === 0 ? 2 : 0);
	changed[7] = random.below(6);
	changed[9] = random.below(3);
	changed[11] = random.below(3);
	return changed;
};

async function readAnswer(input: Uint8Array): Promise<string> {
	const client = new DnsClient({ servers: [{ address: "192.0.2.53", port: 53 }], clock: new SimClock(), log });
	using _server = installFakeNameServer({
		datagrams: (query) => [forQuery(input.subarray(0, LONGEST_DATAGRAM), query), forQuery(LAST_WORD, query)],
		stream: (query) => {
			const octets = forQuery(input.subarray(0, 0xffff), query.subarray(2));
			const length = Uint8Array.of(octets.length >> 8, octets.length & 0xff);
			const half = octets.length >> 1;
			return [length, octets.subarray(0, half), octets.subarray(half)];
		},
	});
	const srvAnswer = await client.srv(NAME);
	assert.deepEqual(Object.keys(client).length, 0);
	if (srvAnswer.kind !== "records") return srvAnswer.kind === "failed" ? `failed ${srvAnswer.reason}` : srvAnswer.kind;
	assert.ok(srvAnswer.records.length > 0 && srvAnswer.records.length <= 64, "records out of bounds");
	for (const { priority, weight, port, target } of srvAnswer.records) {
		for (const number of [priority, weight, port]) assert.ok(number >= 0 && number <= 0xffff, "a number out of range");
		assert.equal(typeof target, "string");
	}
	assert.ok(srvAnswer.ttlSeconds >= 0, "a TTL below zero");
	return `records ${srvAnswer.records.length}`;
}

/** The octets with the id of the query. */
function forQuery(octets: Uint8Array, query: Uint8Array): Buffer {
	const reply = Buffer.from(octets);
	reply.set(query.subarray(0, Math.min(2, reply.length)));
	return reply;
}

function answer(answers: readonly Answer[], flags = 0): Buffer {
	return encode({
		type: "response",
		id: 0,
		flags: AUTHORITATIVE_ANSWER | flags,
		questions: [QUESTION],
		answers: [...answers],
	});
}

function srv(name: string, target: string): Answer {
	return { type: "SRV", name, ttl: 300, data: { priority: 10, weight: 50, port: 5061, target } };
}

function alias(name: string, data: string): Answer {
	return { type: "CNAME", name, ttl: 300, data };
}
