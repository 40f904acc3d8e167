import assert from "node:assert/strict";
import { test } from "node:test";
import type { OctetFrame } from "@causeway/sip";
import { frameOf } from "@causeway/sip/testing";
import { createBranchBase } from "../federation/signature/branch-signature.ts";
import { createTestLink, createTestPeer, presentTestCertificate } from "../federation/testing.ts";
import { type Passage, PassageMemory } from "./passage-memory.ts";
import { scanShortRequest } from "./short-request.ts";
import { readShortRequest } from "./testing.ts";

const OWN = "sip.contoso.example";
const VIA = "SIP/2.0/TLS sip.fabrikam.example:5061;branch=BRANCH;alias";

function head(parts: {
	readonly uri?: string;
	readonly from?: string;
	readonly routes?: readonly string[];
	readonly callId?: string;
	readonly cseq?: number;
	readonly via?: string;
}): OctetFrame {
	const {
		uri = "sip:ines@198.51.100.4:5061",
		from = "<sip:lena@fabrikam.example>;tag=a",
		routes = ["<sip:one;lr>", "<sip:two;lr>"],
	} = parts;
	const text = [
		`MESSAGE ${uri} SIP/2.0`,
		`Via: ${parts.via ?? VIA}`.replace("BRANCH", `z9hG4bK${parts.cseq ?? 1}`),
		"Max-Forwards: 70",
		...routes.map((route) => `Route: ${route}`),
		`From: ${from}`,
		"To: <sip:ines@corp.contoso.example>;tag=b",
		`Call-ID: ${parts.callId ?? "call"}`,
		`CSeq: ${parts.cseq ?? 1} MESSAGE`,
		"Content-Length: 0",
		"",
		"",
	].join("\r\n");
	return frameOf(text);
}

const partner = createTestPeer({ domains: ["fabrikam.example"] });
const inside = createTestPeer({ domains: ["corp.contoso.example"] });
const arrival = createTestLink(presentTestCertificate("public", "sip.fabrikam.example"));
const departure = createTestLink(presentTestCertificate("public", "home.corp.contoso.example"));

function remember(memory: PassageMemory, request: OctetFrame, times = 4): Passage {
	const parts = readShortRequest(request, `${OWN}:5061`, OWN);
	const found = scanShortRequest(request, `${OWN}:5061`);
	assert.ok(parts !== undefined && found !== undefined);
	const route = {
		initiatorTag: "a",
		initiatorSide: "<sip:one;lr>",
		otherSide: "<sip:two;lr>",
		kid: "k",
		issuedAt: 0,
	};
	const dialog = {
		usage: "invite",
		callId: "call",
		initiator: "lena@fabrikam.example",
		other: "ines@corp.contoso.example",
		route,
		connections: [arrival.connection.id, departure.connection.id],
		startedAt: 0,
		expiresAt: 0,
		key: "call\na",
		isOver: false,
	} as const;
	const crossing = { sender: partner, senderDomain: "fabrikam.example", receiver: inside, markOutgoing: true };
	const back = { sender: inside, senderDomain: "corp.contoso.example", receiver: partner, markOutgoing: true };
	const policy = { find: () => ({ kind: "peer", peer: inside }) as const };
	const passage: Passage = {
		parts,
		dialog,
		route,
		arrival,
		departure,
		crossing,
		back,
		statements: { silent: undefined, verified: undefined, unverified: undefined },
		noted: "",
		branches: createBranchBase("", { sentBy: OWN, ...parts }),
		policy,
		octets: undefined,
	};
	for (let time = 0; time < times; time++) memory.keep(passage, request, found, parts.branch);
	return passage;
}

function recall(memory: PassageMemory, request: OctetFrame, link = arrival): Passage | undefined {
	const found = scanShortRequest(request, `${OWN}:5061`);
	assert.ok(found !== undefined);
	return memory.find(link, request, found);
}

test("a passage is found again by a request whose standing parts are the same octets", () => {
	const memory = new PassageMemory(7);
	const kept = remember(memory, head({}));
	const recalled = recall(memory, head({ cseq: 2 }));
	assert.equal(recalled?.dialog, kept.dialog);
	assert.equal(recalled?.departure, departure);
	assert.equal(recalled?.parts.fromTag, "a");
});

test("a passage is remembered with the fourth request of its side", () => {
	const memory = new PassageMemory(7);
	remember(memory, head({}), 3);
	assert.equal(recall(memory, head({})), undefined);
	// Another Call-ID has another place, or begins the count anew.
	remember(memory, head({ callId: "call of another dialog" }), 3);
	assert.equal(recall(memory, head({ callId: "call of another dialog" })), undefined);
	remember(memory, head({}), 4);
	assert.ok(recall(memory, head({})) !== undefined);
});

const others: readonly (readonly [string, Parameters<typeof head>[0]])[] = [
	["another Request-URI", { uri: "sip:ines@198.51.100.5:5061" }],
	["a longer Request-URI", { uri: "sip:ines@198.51.100.4:50611" }],
	["another From", { from: "<sip:lena@fabrikam.example>;tag=c" }],
	["From written otherwise", { from: "sip:lena@fabrikam.example;tag=a" }],
	["another first route", { routes: ["<sip:one;lr;x>", "<sip:two;lr>"] }],
	["another second route", { routes: ["<sip:one;lr>", "<sip:twi;lr>"] }],
	["another Call-ID", { callId: "cali" }],
	["another sent-by", { via: VIA.replace("sip.", "sib.") }],
	["another port", { via: VIA.replace("5061", "5062") }],
	["something else behind the branch", { via: VIA.replace("alias", "alibi") }],
	["more behind the branch", { via: `${VIA};rport` }],
	["less behind the branch", { via: VIA.replace(";alias", "") }],
	["something before the branch", { via: VIA.replace(";branch", ";rport;branch") }],
	["a branch in quotes", { via: VIA.replace("BRANCH", '"z9hG4bK1"') }],
	["a branch with something odd in it", { via: VIA.replace("BRANCH", "z9hG4bK1/2") }],
	["another cookie", { via: VIA.replace("BRANCH", "z9hG4bk1") }],
	["the cookie alone", { via: VIA.replace("BRANCH", "z9hG4bK") }],
];
for (const [name, parts] of others) {
	test(`a passage is not found by a request with ${name}`, () => {
		const memory = new PassageMemory(7);
		remember(memory, head({}));
		assert.equal(recall(memory, head(parts)), undefined);
	});
}

test("a Via whose branch cannot be told by its place is for the parser each time", () => {
	for (const via of [
		VIA.replace("=BRANCH", "= BRANCH"),
		`${VIA};x=z9hG4bK1`,
		VIA.replace(";branch", ";x=z9hG4bK1;branch"),
	]) {
		const memory = new PassageMemory(7);
		remember(memory, head({ via }));
		assert.equal(recall(memory, head({ via })), undefined, via);
	}
});

test("two sides whose hashes name one place are both remembered, and of three the two that came last", () => {
	// Which Call-IDs those are hangs on the hash: sought here, not known.
	const memory = new PassageMemory(7);
	const recalled = (callId: string): boolean => recall(memory, head({ callId })) !== undefined;
	const callIds = Array.from({ length: 30_000 }, (_, number) => `call-${number}`);
	for (const callId of callIds) remember(memory, head({ callId }));
	const kept = callIds.filter(recalled);
	assert.ok(kept.length > 8_000 && kept.length <= 8_192, `${kept.length} of 8,192 places are taken`);
	assert.equal(recalled(callIds.at(-1) ?? ""), true);
	remember(memory, head({ callId: kept[0] ?? "" }));
	assert.deepEqual(
		kept.filter((callId) => !recalled(callId)),
		[],
		"what is remembered again takes no other place",
	);
});

test("REQ-48: a passage belongs to its connection, and is forgotten with either of its two", () => {
	for (const lost of [arrival, departure]) {
		const memory = new PassageMemory(7);
		remember(memory, head({}));
		assert.equal(recall(memory, head({}), departure), undefined);
		assert.ok(recall(memory, head({})) !== undefined);
		memory.forget(lost);
		assert.equal(recall(memory, head({})), undefined);
	}
});

test("REQ-48: what took the place of another is forgotten like it, each time", () => {
	const memory = new PassageMemory(7);
	for (const lost of [arrival, departure, arrival]) {
		remember(memory, head({}));
		remember(memory, head({}));
		memory.forget(lost);
		assert.equal(recall(memory, head({})), undefined);
	}
});
