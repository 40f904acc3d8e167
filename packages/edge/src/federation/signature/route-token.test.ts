import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import {
	FLAG_EXTERNAL,
	FLAG_FROM_PEER,
	FLAG_PRESENCE,
	formatRouteToken,
	LONGEST_TOKEN,
	parseRouteToken,
	type RouteClaims,
	type TokenVerdict,
	verifyRouteToken,
} from "./route-token.ts";
import { createTestKey, createTestLookup, TEST_CLAIMS, TEST_FIELDS } from "./testing.ts";

const HOUR = 3_600_000;
const key = createTestKey("q7zk");
const keys = createTestLookup(key);
const now = TEST_FIELDS.issuedAtMs;
const token = formatRouteToken(key, TEST_FIELDS);

function outcome(verdict: TokenVerdict): string {
	return verdict.ok ? "ok" : `${verdict.status} ${verdict.code}`;
}

function verify(text: string, claims: Partial<RouteClaims> = {}, atMs = now): string {
	return outcome(verifyRouteToken(keys, text, { ...TEST_CLAIMS, ...claims }, atMs));
}

test("protocol 4.4: a token has its grammar, its MAC input and its size", () => {
	const fields = [
		"fed-route/1",
		"q7zk",
		"1vsf0",
		"b",
		"k3x9-15",
		"sip.contoso.example",
		"5061",
		"tls",
		"9f0c1@sip.fabrikam.example",
		"bobs-tag",
		"bob@fabrikam.example",
		"alice@contoso.example",
		"fabrikam.example",
	];
	const input = fields
		.map((field) => `${String.fromCharCode(field.length >> 8, field.length & 0xff)}${field}`)
		.join("");
	const mac = createHmac("sha256", Buffer.alloc(32, 7)).update(input, "latin1").digest("base64url").slice(0, 22);
	assert.equal(token, `1.q7zk.1vsf0.b.k3x9-15.${mac}`);
	// Protocol sheet 4.3: at most 90 octets in a Record-Route.
	assert.ok(`;fs=${token}`.length <= 60);
	assert.deepEqual(parseRouteToken(token), {
		kid: "q7zk",
		issuedAtMs: TEST_FIELDS.issuedAtMs,
		flags: 11,
		connection: { node: "k3x9", serial: 41 },
	});
});

test("REQ-62: a token that comes back is verified, whatever became of the case of names", () => {
	assert.equal(verify(token), "ok");
	assert.equal(verify(token, { fromAor: "BOB@FABRIKAM.EXAMPLE", peer: "Fabrikam.Example" }), "ok");
});

test("direction: who sends and who began say whose tag is whose", () => {
	const toPeer = { fromTag: "alices-tag", toTag: "bobs-tag", fromAor: TEST_CLAIMS.toAor, toAor: TEST_CLAIMS.fromAor };
	const inside = formatRouteToken(key, { ...TEST_FIELDS, flags: FLAG_FROM_PEER, peer: "" });
	const byUs = formatRouteToken(key, {
		...TEST_FIELDS,
		flags: FLAG_EXTERNAL + FLAG_PRESENCE,
		initiatorTag: "alices-tag",
		initiatorAor: "alice@contoso.example",
		otherAor: "bob@fabrikam.example",
	});
	const table: readonly (readonly [string, string, Partial<RouteClaims>, string])[] = [
		["the peer began, the peer sends", token, {}, "ok"],
		["the peer began, the inside sends", inside, { ...toPeer, leg: "internal", sender: "us", peer: "" }, "ok"],
		["the peer began, the peer sends, second route", inside, { leg: "internal", peer: "" }, "ok"],
		["we began, the peer sends", byUs, {}, "ok"],
		["we began, we send, second route", byUs, { ...toPeer, sender: "us" }, "ok"],
		["the peer sends with the tags of the inside", token, toPeer, "403 token-forged"],
		["the inside sends what the peer may", token, { sender: "us" }, "403 token-forged"],
		["the token of the other side", token, { leg: "internal" }, "403 token-direction"],
		[
			"the token of the other side, sent by the inside",
			token,
			{ ...toPeer, leg: "internal", sender: "us" },
			"403 token-direction",
		],
		["the inside's token from the peer", inside, { peer: "" }, "403 token-direction"],
	];
	for (const [name, text, claims, expected] of table) assert.equal(verify(text, claims), expected, name);
});

test("protocol 4.4, verification: each row has its status", () => {
	const stranger = formatRouteToken(createTestKey("0000"), TEST_FIELDS);
	const wrongSecret = formatRouteToken(createTestKey("q7zk", 8), TEST_FIELDS);
	const table: readonly (readonly [string, string, Partial<RouteClaims>, number, string])[] = [
		["absent", "", {}, now, "481 token-unreadable"],
		["not a token", "1.q7zk", {}, now, "481 token-unreadable"],
		["another version", `2${token.slice(1)}`, {}, now, "481 token-unreadable"],
		["unknown key", stranger, {}, now, "481 token-key-unknown"],
		["as old as may be", token, {}, now + 24 * HOUR + 120_000, "ok"],
		["too old", token, {}, now + 24 * HOUR + 120_001, "481 token-expired"],
		["a clock behind", token, {}, now - 120_000, "ok"],
		["from the future", token, {}, now - 120_001, "481 token-expired"],
		["forged", wrongSecret, {}, now, "403 token-forged"],
		["forged and too old", wrongSecret, {}, now + 25 * HOUR, "481 token-expired"],
		["another dialog by Call-ID", token, { callId: "other" }, now, "403 token-forged"],
		["another dialog by tag", token, { fromTag: "other" }, now, "403 token-forged"],
		["another sender", token, { fromAor: "carol@fabrikam.example" }, now, "403 token-forged"],
		["another addressee", token, { toAor: "carol@contoso.example" }, now, "403 token-forged"],
		["another peer", token, { peer: "northwind.example" }, now, "403 token-forged"],
		[
			"another name of ours",
			token,
			{ uri: { ...TEST_CLAIMS.uri, host: "b.contoso.example" } },
			now,
			"403 token-forged",
		],
		["another port", token, { uri: { ...TEST_CLAIMS.uri, port: 5062 } }, now, "403 token-forged"],
		["another transport", token, { uri: { ...TEST_CLAIMS.uri, transport: "tcp" } }, now, "403 token-forged"],
		["the To tag is not bound", token, { toTag: "other" }, now, "ok"],
	];
	for (const [name, text, claims, atMs, expected] of table) assert.equal(verify(text, claims, atMs), expected, name);
});

test("an expired token says whether it was ours: a forged one ends nothing", () => {
	const genuine = (text: string, claims: Partial<RouteClaims> = {}, atMs = now + 25 * HOUR): boolean | undefined => {
		const verdict = verifyRouteToken(keys, text, { ...TEST_CLAIMS, ...claims }, atMs);
		return verdict.ok ? undefined : verdict.isGenuine;
	};
	assert.equal(genuine(token), true);
	assert.equal(genuine(token, { callId: "other" }), false);
	assert.equal(genuine(token, { leg: "internal" }), false);
	assert.equal(genuine(token, { callId: "other" }, now), false);
});

test("each single bit of a token flipped: key, time and the rest 481 or 403, the MAC 403", () => {
	const macAt = token.lastIndexOf(".") + 1;
	for (let index = 0; index < token.length; index++) {
		for (let bit = 0; bit < 8; bit++) {
			const flipped =
				token.slice(0, index) + String.fromCharCode(token.charCodeAt(index) ^ (1 << bit)) + token.slice(index + 1);
			const verdict = verifyRouteToken(keys, flipped, TEST_CLAIMS, now);
			assert.equal(verdict.ok, false, `bit ${bit} of octet ${index}`);
			if (verdict.ok) continue;
			if (index >= macAt) assert.equal(verdict.status, 403, `bit ${bit} of octet ${index}`);
			assert.equal(verdict.isGenuine, false);
		}
	}
});

test("a token cut anywhere, doubled, or with something added is none", () => {
	for (let length = 0; length < token.length; length++) {
		assert.equal(verify(token.slice(0, length)), "481 token-unreadable", `cut to ${length}`);
		assert.notEqual(verify(token.slice(length + 1)), "ok");
	}
	for (const text of [token + token, `${token},${token}`, `${token}.`, `${token}A`, ` ${token}`, token.toUpperCase()]) {
		assert.equal(verify(text), "481 token-unreadable", text);
	}
});

test("no part is longer than its limit, empty, or of other characters", () => {
	const mac = "A".repeat(22);
	const table = [
		`1..2.b.n-1.${mac}`,
		`1.abcde.2.b.n-1.${mac}`,
		`1.a..b.n-1.${mac}`,
		`1.a.12345678.b.n-1.${mac}`,
		`1.a.-2.b.n-1.${mac}`,
		`1.a.2..n-1.${mac}`,
		`1.a.2.123.n-1.${mac}`,
		`1.a.2.b.-1.${mac}`,
		`1.a.2.b.123456789-1.${mac}`,
		`1.a.2.b.n-.${mac}`,
		`1.a.2.b.n-12345678901.${mac}`,
		`1.a.2.b.n-1.${mac}A`,
		`1.a.2.b.n-1${mac}`,
		`1.a.2.b.n1.${mac}`,
		`1.a.2-b.n.1.${mac}`,
		`1.a.2`,
		`1.a`,
		`1.`,
		`1.A.2.b.n-1.${mac}`,
		`1.a.2.b.n_-1.${mac}`,
		`1.\u00e4.2.b.n-1.${mac}`,
	];
	for (const text of table) assert.equal(parseRouteToken(text), undefined, text);
	const longest = `1.abcd.1234567.12.12345678-1234567890.${mac}`;
	assert.ok(longest.length <= LONGEST_TOKEN);
	assert.notEqual(parseRouteToken(longest), undefined);
});

test("any text is refused with a value; what is read is written again the same", () => {
	fc.assert(
		fc.property(fc.oneof(fc.string({ maxLength: 80 }), fc.stringMatching(/^1\.[0-9a-z.-]{0,70}$/)), (text) => {
			assert.equal(verifyRouteToken(keys, text, TEST_CLAIMS, now).ok, false);
		}),
	);
	const nodes = fc.stringMatching(/^[0-9a-z]{1,8}$/);
	fc.assert(
		fc.property(fc.nat(35 * 36), nodes, fc.nat(), fc.nat(20_000_000), (flags, node, serial, minutes) => {
			const connection = { node, serial };
			const issuedAtMs = Date.UTC(2020, 0, 1) + minutes * 60_000;
			const text = formatRouteToken(key, { ...TEST_FIELDS, flags, connection, issuedAtMs });
			assert.deepEqual(parseRouteToken(text), { kid: "q7zk", issuedAtMs, flags, connection });
		}),
	);
});
