import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import {
	type BranchFields,
	createBranchBase,
	formatBranch,
	formatBranchOf,
	isLoop,
	verifyBranch,
} from "./branch-signature.ts";
import { createTestKey, createTestLookup } from "./testing.ts";

const key = createTestKey("q7zk");
const keys = createTestLookup(key);
const fields: BranchFields = {
	sentBy: "sip.contoso.example:5061",
	callId: "9f0c1@sip.fabrikam.example",
	cseqNumber: 3,
	cseqMethod: "MESSAGE",
	fromAor: "bob@fabrikam.example",
	fromTag: "bobs-tag",
	viaBelow: "SIP/2.0/TLS sip.fabrikam.example:5061;branch=z9hG4bKabc",
};
const random = "0123456789abcdefghijklmnop";
const routing = "sip:alice@contoso.example";
const branch = formatBranch(key, random, routing, fields);

test("protocol 4.5: a branch has the cookie, the key, its random part and the MAC over what responses repeat", () => {
	const [cookie, kid, rnd = "", mac] = branch.split(".");
	assert.deepEqual([cookie, kid], ["z9hG4bK1", "q7zk"]);
	assert.match(rnd, /^0123456789abc[0-9a-z]{8}$/);
	const input = [
		"fed-via/1",
		"q7zk",
		rnd,
		fields.sentBy,
		fields.callId,
		"3 MESSAGE",
		fields.fromAor,
		fields.fromTag,
		fields.viaBelow,
	]
		.map((field) => `\0${String.fromCharCode(field.length)}${field}`)
		.join("");
	const expected = createHmac("sha256", Buffer.alloc(32, 7)).update(input, "latin1").digest("base64url").slice(0, 22);
	assert.equal(mac, expected);
	assert.equal(verifyBranch(keys, branch, fields), "genuine");
});

test("ACK and CANCEL carry the branch of their INVITE", () => {
	const invite = formatBranch(key, random, routing, { ...fields, cseqMethod: "INVITE" });
	for (const cseqMethod of ["INVITE", "ACK", "CANCEL"]) {
		assert.equal(verifyBranch(keys, invite, { ...fields, cseqMethod }), "genuine", cseqMethod);
	}
	assert.equal(verifyBranch(keys, invite, { ...fields, cseqMethod: "BYE" }), "forged");
});

test("a branch is bound to its message", () => {
	const others: readonly Partial<BranchFields>[] = [
		{ sentBy: "sip.contoso.example:5062" },
		{ callId: "other" },
		{ cseqNumber: 4 },
		{ cseqMethod: "BYE" },
		{ fromAor: "carol@fabrikam.example" },
		{ fromTag: "other" },
		{ viaBelow: "" },
	];
	for (const other of others) {
		assert.equal(verifyBranch(keys, branch, { ...fields, ...other }), "forged", JSON.stringify(other));
	}
	assert.equal(verifyBranch(keys, branch, { ...fields, fromAor: "BOB@fabrikam.example" }), "genuine");
});

test("what is no branch of ours is foreign, what might have been is unknown, what pretends is forged", () => {
	const [, , rnd = "", mac = ""] = branch.split(".");
	const table: readonly (readonly [string, string])[] = [
		["", "foreign"],
		["z9hG4bK", "foreign"],
		["z9hG4bKabcdef", "foreign"],
		["z9hG4bK1.q7zk", "foreign"],
		[`z9hG4bK1..${rnd}.${mac}`, "foreign"],
		[`z9hG4bK1.Q7ZK.${rnd}.${mac}`, "foreign"],
		[`z9hG4bK1.q7zk.${rnd.toUpperCase()}.${mac}`, "foreign"],
		[`z9hG4bK1.q7zk.${rnd}${mac}.`, "foreign"],
		[branch.slice(0, -1), "foreign"],
		[`${branch}A`, "foreign"],
		[`z9hG4bK1.abcd.${rnd}.${mac}`, "key-unknown"],
		[`z9hG4bK1.q7zk.${rnd}.${"A".repeat(22)}`, "forged"],
		[`z9hG4bK1.q7zk.${"0".repeat(21)}.${mac}`, "forged"],
	];
	for (const [text, expected] of table) assert.equal(verifyBranch(keys, text, fields), expected, text);
});

test("each single bit of a branch flipped is not ours", () => {
	for (let index = 0; index < branch.length; index++) {
		for (let bit = 0; bit < 8; bit++) {
			const flipped =
				branch.slice(0, index) + String.fromCharCode(branch.charCodeAt(index) ^ (1 << bit)) + branch.slice(index + 1);
			assert.notEqual(verifyBranch(keys, flipped, fields), "genuine", `bit ${bit} of octet ${index}`);
		}
	}
});

test("§16.3: our branch on a request that is routed as before is a loop; routed otherwise it is a spiral", () => {
	assert.equal(isLoop(keys, branch, routing, fields), true);
	assert.equal(isLoop(keys, branch, "sip:alice@corp.contoso.example", fields), false);
	assert.equal(isLoop(keys, branch, routing, { ...fields, callId: "other" }), false);
	assert.equal(isLoop(keys, "z9hG4bKabc", routing, fields), false);
	const hashes = new Set<string>();
	for (let index = 0; index < 5_000; index++) {
		hashes.add(formatBranch(key, random, `sip:user${index}@contoso.example`, fields).split(".")[2] ?? "");
	}
	assert.equal(hashes.size, 5_000);
});

test("what is the same in all requests of a side of a dialog may be made ready once", () => {
	for (const parts of [
		fields,
		{ ...fields, fromAor: "Lena@FABRIKAM.example", sentBy: "EDGE:5061" },
		{ ...fields, cseqMethod: "ACK" },
	]) {
		const { cseqNumber, cseqMethod, viaBelow, ...standing } = parts;
		const base = createBranchBase(routing, standing);
		assert.equal(
			formatBranchOf(key, random, base, cseqNumber, cseqMethod, viaBelow),
			formatBranch(key, random, routing, parts),
		);
	}
});
