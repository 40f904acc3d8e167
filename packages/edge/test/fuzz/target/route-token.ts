/** Tokens of our URIs and branches of our Vias, as they come back. */
import assert from "node:assert/strict";
import type { FuzzTarget } from "../../../../sip/test/fuzz/fuzz-target.ts";
import {
	type BranchFields,
	formatBranch,
	isLoop,
	verifyBranch,
} from "../../../src/federation/signature/branch-signature.ts";
import {
	formatRouteToken,
	LONGEST_TOKEN,
	parseRouteToken,
	verifyRouteToken,
} from "../../../src/federation/signature/route-token.ts";
import {
	createTestKey,
	createTestLookup,
	TEST_CLAIMS,
	TEST_FIELDS,
} from "../../../src/federation/signature/testing.ts";

const key = createTestKey("q7zk");
const keys = createTestLookup(key, createTestKey("0a1b", 9));
const FIELDS: BranchFields = {
	sentBy: "sip.contoso.example:5061",
	callId: TEST_FIELDS.callId,
	cseqNumber: 1,
	cseqMethod: "INVITE",
	fromAor: TEST_FIELDS.initiatorAor,
	fromTag: TEST_FIELDS.initiatorTag,
	viaBelow: "",
};
const ROUTING = "sip:alice@contoso.example";
const token = formatRouteToken(key, TEST_FIELDS);
/** The same dialog over another connection: which one is not for the token to say whether it may. */
const otherConnection = formatRouteToken(key, { ...TEST_FIELDS, connection: { node: "z", serial: 0 } });
const branch = formatBranch(key, "0123456789abcdefghijklmnop", ROUTING, FIELDS);

export function createRouteTokenTarget(): FuzzTarget {
	return {
		name: "route-token",
		summary: "tokens of our URIs and branches of our Vias that come back",
		sources: [
			"/edge/src/federation/signature/route-token.ts",
			"/edge/src/federation/signature/branch-signature.ts",
			"/edge/src/federation/signature/base36.ts",
			"/edge/src/federation/signature/mac-key.ts",
		],
		seeds: [
			token,
			formatRouteToken(createTestKey("0a1b", 9), { ...TEST_FIELDS, flags: 1295, issuedAtMs: 0 }),
			otherConnection,
			branch,
			formatBranch(createTestKey("zzzz"), "0".repeat(26), "", FIELDS),
		].map((text) => Buffer.from(text, "latin1")),
		tokens: ["1.", "z9hG4bK1.", "z9hG4bK", ".", "-", "q7zk", "0a1b", "zzzzzzz", "0", "\0", "\xff", token, branch],
		run: read,
	};
}

function read(input: Uint8Array): string {
	const text = Buffer.from(input).toString("latin1");
	const verdict = verifyRouteToken(keys, text, TEST_CLAIMS, TEST_FIELDS.issuedAtMs);
	assert.equal(
		verdict.ok,
		text === token || text === otherConnection,
		"a token that was not made is taken, or one that was is not",
	);
	const parsed = parseRouteToken(text);
	assert.ok(parsed !== undefined || verdict.ok || verdict.status === 481);
	if (parsed !== undefined) {
		assert.ok(text.length <= LONGEST_TOKEN && Number.isSafeInteger(parsed.connection.serial));
		assert.ok(parsed.flags >= 0 && parsed.flags < 1296 && Number.isSafeInteger(parsed.issuedAtMs));
	}
	const branchVerdict = verifyBranch(keys, text, FIELDS);
	assert.equal(branchVerdict === "genuine", text === branch);
	assert.equal(isLoop(keys, text, ROUTING, FIELDS), text === branch);
	return `${verdict.ok ? "ok" : verdict.code} ${branchVerdict}`;
}
