import assert from "node:assert/strict";
import { test } from "node:test";
import { createResponse } from "../message/build.ts";
import { createSampleRequest, type SampleRequest, viaWithBranch } from "../testing/sample-messages.ts";
import { BrokenInvariant } from "../text/assert.ts";
import {
	acknowledges,
	cancelledTransactionKey,
	clientTransactionKey,
	mergeKey,
	ownBranch,
	serverTransactionKey,
} from "./key.ts";

const oldVia = "SIP/2.0/TLS sip.contoso.example:5061";

/** [rule, one request, another, whether they are of one server transaction]. */
const table: readonly (readonly [string, SampleRequest, SampleRequest, boolean])[] = [
	["§17.2.3: branch, sent-by and method make a transaction", { callId: "a" }, { callId: "b" }, true],
	["§17.2.3: another branch is another transaction", {}, { via: viaWithBranch("z9hG4bK-2") }, false],
	["§17.2.3: a branch counts octet by octet", {}, { via: viaWithBranch("z9hG4bK-1x") }, false],
	[
		"§17.2.3: the same branch of another element is another transaction",
		{},
		{ via: "SIP/2.0/TLS other.contoso.example:5061;branch=z9hG4bK-1" },
		false,
	],
	[
		"§17.2.3: the same branch of another port is another transaction",
		{},
		{ via: "SIP/2.0/TLS sip.contoso.example:5062;branch=z9hG4bK-1" },
		false,
	],
	[
		"§17.2.3: the host of sent-by has no case",
		{},
		{ via: "SIP/2.0/TLS SIP.Contoso.Example:5061;branch=z9hG4bK-1" },
		true,
	],
	["§17.2.3: another method is another transaction", { method: "MESSAGE" }, { method: "INFO" }, false],
	["§17.2.3: an ACK belongs to its INVITE", { method: "INVITE" }, { method: "ACK", toTag: "to-1" }, true],
	["§9.2: a CANCEL is a transaction of its own", { method: "INVITE" }, { method: "CANCEL" }, false],
	["§17.2.3, RFC 2543: the same request without a branch", { via: oldVia }, { via: oldVia }, true],
	["§17.2.3, RFC 2543: a branch without cookie", { via: `${oldVia};branch=1` }, { via: `${oldVia};branch=1` }, true],
	["§17.2.3, RFC 2543: another Via", { via: `${oldVia};branch=1` }, { via: `${oldVia};branch=2` }, false],
	[
		"§17.2.3, RFC 2543: another Request-URI",
		{ via: oldVia },
		{ via: oldVia, requestUri: "sip:carol@fabrikam.example" },
		false,
	],
	["§17.2.3, RFC 2543: another Call-ID", { via: oldVia }, { via: oldVia, callId: "b" }, false],
	["§17.2.3, RFC 2543: another CSeq", { via: oldVia }, { via: oldVia, cseq: 2 }, false],
	["§17.2.3, RFC 2543: another From tag", { via: oldVia }, { via: oldVia, fromTag: "b" }, false],
	["§17.2.3, RFC 2543: another To tag", { via: oldVia }, { via: oldVia, toTag: "b" }, false],
	[
		"§17.2.3, RFC 2543: an ACK belongs to its INVITE whatever its To tag",
		{ method: "INVITE", via: oldVia },
		{ method: "ACK", via: oldVia, toTag: "to-1" },
		true,
	],
	[
		"RFC 4475 §3.2.1: a cookie alone names no transaction",
		{ via: viaWithBranch("z9hG4bK"), callId: "a" },
		{ via: viaWithBranch("z9hG4bK"), callId: "b" },
		false,
	],
];

for (const [rule, one, other, same] of table) {
	test(rule, () => {
		const keys = [serverTransactionKey(createSampleRequest(one)), serverTransactionKey(createSampleRequest(other))];
		assert.equal(keys[0] === keys[1], same);
	});
}

for (const [rule, via] of [
	["§9.2: a CANCEL finds its INVITE by branch", viaWithBranch("z9hG4bK-1")],
	["§9.2, RFC 2543: a CANCEL finds its INVITE by its fields", oldVia],
] as const) {
	test(rule, () => {
		const invite = createSampleRequest({ method: "INVITE", via });
		assert.equal(cancelledTransactionKey(createSampleRequest({ method: "CANCEL", via })), serverTransactionKey(invite));
	});
}

test("§17.1.3: a response has the key of its request, and CANCEL one apart from its INVITE", () => {
	const invite = createSampleRequest({ method: "INVITE" });
	const cancel = createSampleRequest({ method: "CANCEL" });
	assert.equal(clientTransactionKey(invite), "z9hG4bK-1");
	assert.equal(clientTransactionKey(createResponse(invite, 100)), "z9hG4bK-1");
	assert.equal(clientTransactionKey(createResponse(cancel, 200, { toTag: "x" })), clientTransactionKey(cancel));
	assert.notEqual(clientTransactionKey(cancel), clientTransactionKey(invite));
});

test("§17.1.3: a response without a branch has no transaction of ours", () => {
	assert.equal(clientTransactionKey(createSampleRequest({ via: oldVia })), undefined);
});

/** [rule, one request, another, whether the second is a merged copy of the first]. */
const mergeTable: readonly (readonly [string, SampleRequest, SampleRequest, boolean])[] = [
	["§8.2.2.2: the same request with another branch", {}, { via: viaWithBranch("z9hG4bK-2") }, true],
	["§8.2.2.2: another From tag", {}, { fromTag: "b" }, false],
	["§8.2.2.2: another Call-ID", {}, { callId: "b" }, false],
	["§8.2.2.2: another CSeq number", {}, { cseq: 2 }, false],
	["§8.2.2.2: another CSeq method", {}, { method: "OPTIONS" }, false],
	["§16.3 step 4: a spiral has another Request-URI", {}, { requestUri: "sip:carol@fabrikam.example" }, false],
];

for (const [rule, one, other, same] of mergeTable) {
	test(rule, () => {
		const keys = [mergeKey(createSampleRequest(one)), mergeKey(createSampleRequest(other))];
		assert.ok(keys[0] !== undefined);
		assert.equal(keys[0] === keys[1], same);
	});
}

test("§8.2.2.2: a request inside a dialog or without a From tag is never merged", () => {
	assert.equal(mergeKey(createSampleRequest({ toTag: "to-1" })), undefined);
	assert.equal(mergeKey(createSampleRequest({ fromTag: null })), undefined);
});

for (const [rule, via, toTag, expected] of [
	["§17.2.3: an ACK with its own branch needs no tag", viaWithBranch("z9hG4bK-1"), "other", true],
	["§17.2.3, RFC 2543: the To tag of the ACK is that of the response", oldVia, "to-1", true],
	["§17.2.3, RFC 2543: an ACK with another To tag is for another response", oldVia, "other", false],
] as const) {
	test(rule, () => {
		const response = createResponse(createSampleRequest({ method: "INVITE", via }), 486, { toTag: "to-1" });
		assert.equal(acknowledges(createSampleRequest({ method: "ACK", via, toTag }), response), expected);
	});
}

for (const via of [oldVia, `${oldVia};branch=abc`, viaWithBranch("z9hG4bK")]) {
	test(`§8.1.1.7: our own requests must have a branch with cookie: ${via}`, () => {
		assert.throws(() => ownBranch(createSampleRequest({ via })), BrokenInvariant);
	});
}

test("§8.1.1.7: the branch of our own request", () => {
	assert.equal(ownBranch(createSampleRequest()), "z9hG4bK-1");
});
