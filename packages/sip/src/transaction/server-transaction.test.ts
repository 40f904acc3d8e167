/** Server transactions as their users see them: runner, wheel and machines together. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createResponse } from "../message/build.ts";
import { RecordingConnection } from "../testing/recording-connection.ts";
import { createSampleRequest, type SampleRequest, viaWithBranch } from "../testing/sample-messages.ts";
import { createTransactionFixture, type TransactionFixture } from "../testing/transaction-fixture.ts";
import { defaultTransactionLimits, type ServerTransaction } from "./transaction-user.ts";

const toTag = "to-1";

/** A request that arrived, whose transaction is waiting. */
function arrive(fixture: TransactionFixture, sample: SampleRequest = {}): ServerTransaction {
	const transaction = fixture.arrive(sample);
	assert.ok(transaction);
	return transaction;
}

function respond(transaction: ServerTransaction, statusCode: number): boolean {
	return transaction.respond(createResponse(transaction.request, statusCode, { toTag }));
}

test("§17.2.2: a request goes up once, its final response leaves, and nothing is left on TLS", () => {
	const fixture = createTransactionFixture();
	const transaction = arrive(fixture);
	fixture.arrive();
	assert.deepEqual([fixture.told, fixture.layer.counters.repeatedRequests], [["request MESSAGE"], 1]);
	assert.equal(transaction.hasFinal, false);
	assert.equal(respond(transaction, 200), true);
	assert.equal(transaction.hasFinal, true);
	assert.equal(respond(transaction, 500), false);
	assert.deepEqual(fixture.takeSent(), ["200 MESSAGE"]);
	assert.deepEqual([fixture.layer.counters.activeServerTransactions, fixture.layer.wheel.size], [0, 0]);
});

test("§17.2.2: on UDP a repeated request gets the final response again until Timer J", () => {
	const fixture = createTransactionFixture({ reliable: false });
	const transaction = arrive(fixture);
	fixture.arrive();
	assert.deepEqual(fixture.takeSent(), []);
	respond(transaction, 183);
	fixture.arrive();
	respond(transaction, 200);
	fixture.arrive();
	assert.deepEqual(fixture.takeSent(), ["183 MESSAGE", "183 MESSAGE", "200 MESSAGE", "200 MESSAGE"]);
	fixture.clock.advance(32_000);
	assert.deepEqual([fixture.layer.counters.activeServerTransactions, fixture.layer.wheel.size], [0, 0]);
	fixture.arrive();
	assert.deepEqual(fixture.told, ["request MESSAGE", "request MESSAGE"]);
});

test("§17.2.1: a 100 leaves within 200 ms where the user is silent", () => {
	const fixture = createTransactionFixture();
	arrive(fixture, { method: "INVITE" });
	fixture.clock.advance(150);
	assert.deepEqual(fixture.takeSent(), []);
	fixture.clock.advance(50);
	assert.deepEqual(fixture.takeSent(), ["100 INVITE"]);
	fixture.arrive({ method: "INVITE" });
	assert.deepEqual(fixture.takeSent(), ["100 INVITE"]);
});

for (const statusCode of [100, 180, 200, 486]) {
	test(`§17.2.1: no 100 is added to the user's ${statusCode}`, () => {
		const fixture = createTransactionFixture();
		respond(arrive(fixture, { method: "INVITE" }), statusCode);
		fixture.clock.advance(10_000);
		assert.deepEqual(fixture.takeSent(), [`${statusCode} INVITE`]);
	});
}

test("RFC 6026 §7.1: after a 2xx a repeated INVITE is absorbed, the user repeats its 2xx, and Timer L ends it", () => {
	const fixture = createTransactionFixture();
	const transaction = arrive(fixture, { method: "INVITE" });
	assert.equal(respond(transaction, 200), true);
	fixture.arrive({ method: "INVITE" });
	assert.equal(respond(transaction, 200), true);
	assert.equal(respond(transaction, 486), false);
	assert.deepEqual(fixture.takeSent(), ["200 INVITE", "200 INVITE"]);
	assert.deepEqual(fixture.told, ["request INVITE"]);
	fixture.clock.advance(32_000);
	assert.equal(respond(transaction, 200), false);
	assert.deepEqual([fixture.layer.counters.activeServerTransactions, fixture.layer.wheel.size], [0, 0]);
	assert.equal(fixture.layer.counters.droppedResponses, 0);
});

test("§13.2.2.4: the ACK of a 2xx goes up, whichever branch it has, and is never answered", () => {
	const fixture = createTransactionFixture();
	respond(arrive(fixture, { method: "INVITE" }), 200);
	fixture.arrive({ method: "ACK", toTag, via: viaWithBranch("z9hG4bK-2") });
	fixture.arrive({ method: "ACK", toTag });
	assert.deepEqual(fixture.told, ["request INVITE", "ack 1", "ack 1"]);
	assert.deepEqual(fixture.takeSent(), ["200 INVITE"]);
});

test("§17.2.1: the ACK of a failure is absorbed and ends the transaction on TLS", () => {
	const fixture = createTransactionFixture();
	respond(arrive(fixture, { method: "INVITE" }), 486);
	assert.equal(fixture.layer.counters.activeServerTransactions, 1);
	fixture.arrive({ method: "ACK", toTag });
	assert.deepEqual(fixture.told, ["request INVITE"]);
	assert.deepEqual([fixture.layer.counters.activeServerTransactions, fixture.layer.wheel.size], [0, 0]);
});

test("§17.2.1: without an ACK Timer H ends it, and the failure was sent once on TLS", () => {
	const fixture = createTransactionFixture();
	respond(arrive(fixture, { method: "INVITE" }), 486);
	fixture.clock.advance(32_000);
	assert.deepEqual(fixture.takeSent(), ["486 INVITE"]);
	const { activeServerTransactions, unacknowledgedResponses } = fixture.layer.counters;
	assert.deepEqual([activeServerTransactions, unacknowledgedResponses, fixture.layer.wheel.size], [0, 1, 0]);
});

test("§17.2.1: on UDP a failure is repeated up to T2 apart until its ACK, whose copies are absorbed until Timer I", () => {
	const fixture = createTransactionFixture({ reliable: false });
	respond(arrive(fixture, { method: "INVITE" }), 486);
	fixture.takeSent();
	const timesMs: number[] = [];
	for (let count = 0; count < 600; count++) {
		fixture.clock.advance(20);
		for (const _ of fixture.takeSent()) timesMs.push(fixture.clock.now());
	}
	assert.deepEqual(timesMs, [500, 1_500, 3_500, 7_500, 11_500]);
	fixture.arrive({ method: "ACK", toTag });
	fixture.arrive({ method: "ACK", toTag });
	fixture.clock.advance(4_999);
	assert.equal(fixture.layer.counters.activeServerTransactions, 1);
	fixture.clock.advance(1);
	assert.deepEqual([fixture.takeSent(), fixture.told], [[], ["request INVITE"]]);
	assert.deepEqual([fixture.layer.counters.activeServerTransactions, fixture.layer.wheel.size], [0, 0]);
});

test("§17.2.3, RFC 2543: an ACK without branch is matched by its fields and the To tag of the response", () => {
	const fixture = createTransactionFixture();
	const via = "SIP/2.0/TLS sip.contoso.example:5061";
	respond(arrive(fixture, { method: "INVITE", via }), 486);
	fixture.arrive({ method: "ACK", via, toTag: "other" });
	assert.deepEqual(fixture.told, ["request INVITE", "ack 1"]);
	fixture.arrive({ method: "ACK", via, toTag });
	assert.equal(fixture.told.length, 2);
	assert.equal(fixture.layer.counters.activeServerTransactions, 0);
});

test("§9.2: a CANCEL is answered with 200 and told; the user's 487 ends the INVITE", () => {
	const fixture = createTransactionFixture();
	const transaction = arrive(fixture, { method: "INVITE" });
	respond(transaction, 180);
	fixture.takeSent();
	fixture.arrive({ method: "CANCEL" });
	const [ok] = fixture.connection.sent;
	assert.equal(ok?.to.tag, toTag, "§9.2: the To tag of the INVITE's responses");
	assert.deepEqual([fixture.takeSent(), transaction.isCancelled], [["200 CANCEL"], true]);
	fixture.arrive({ method: "CANCEL" });
	assert.deepEqual(fixture.told, ["request INVITE", "cancel INVITE"], "a second CANCEL is answered and not told");
	assert.equal(respond(transaction, 487), true);
	fixture.arrive({ method: "ACK", toTag });
	assert.deepEqual(
		[fixture.takeSent(), fixture.layer.counters.activeServerTransactions],
		[["200 CANCEL", "487 INVITE"], 0],
	);
});

test("§9.2: a CANCEL after the final response is answered with 200 and has no effect", () => {
	const fixture = createTransactionFixture();
	respond(arrive(fixture, { method: "INVITE" }), 200);
	fixture.arrive({ method: "CANCEL" });
	assert.deepEqual(fixture.takeSent(), ["200 INVITE", "200 CANCEL"]);
	assert.deepEqual(fixture.told, ["request INVITE"]);
});

for (const [rule, sample] of [
	["another branch", { via: viaWithBranch("z9hG4bK-2") }],
	["another sent-by", { via: "SIP/2.0/TLS other.contoso.example:5061;branch=z9hG4bK-1" }],
] as const) {
	test(`§9.2: a CANCEL with ${rule} matches nothing: 481`, () => {
		const fixture = createTransactionFixture();
		arrive(fixture, { method: "INVITE" });
		fixture.arrive({ method: "CANCEL", ...sample });
		assert.deepEqual(fixture.takeSent(), ["481 CANCEL"]);
		assert.deepEqual(fixture.told, ["request INVITE"]);
	});
}

test("§9.2: a CANCEL from another connection does not touch the INVITE", () => {
	const fixture = createTransactionFixture();
	const transaction = arrive(fixture, { method: "INVITE" });
	const other = new RecordingConnection(2);
	fixture.layer.receive(other, createSampleRequest({ method: "CANCEL" }));
	assert.equal(other.sent[0]?.kind === "response" && other.sent[0].statusCode, 481);
	assert.equal(transaction.isCancelled, false);
});

test("§17.2.3: the same branch on another connection is another transaction", () => {
	const fixture = createTransactionFixture();
	fixture.arrive({ toTag: "to-0" });
	fixture.layer.receive(new RecordingConnection(2), createSampleRequest({ toTag: "to-0" }));
	assert.deepEqual(fixture.told, ["request MESSAGE", "request MESSAGE"]);
});

for (const method of ["MESSAGE", "INVITE"]) {
	test(`§8.2.2.2: ${method} that comes again with another branch gets 482 while the first one goes on`, () => {
		const fixture = createTransactionFixture();
		const transaction = arrive(fixture, { method });
		const other = new RecordingConnection(2);
		const copy = createSampleRequest({ method, via: viaWithBranch("z9hG4bK-2") });
		fixture.layer.receive(other, copy);
		assert.equal(other.sent[0]?.kind === "response" && other.sent[0].statusCode, 482);
		assert.deepEqual([fixture.told, fixture.layer.counters.mergedRequests], [[`request ${method}`], 1]);
		fixture.layer.receive(other, createSampleRequest({ method: "ACK", via: viaWithBranch("z9hG4bK-2"), toTag }));
		fixture.layer.receive(other, createSampleRequest({ method, via: viaWithBranch("z9hG4bK-4") }));
		assert.equal(fixture.layer.counters.mergedRequests, 2, "a third copy too, when the second has its 482");
		fixture.layer.receive(other, createSampleRequest({ method: "ACK", via: viaWithBranch("z9hG4bK-4"), toTag }));
		assert.equal(respond(transaction, 486), true);
		fixture.arrive({ method: "ACK", toTag });
		assert.equal(fixture.layer.counters.activeServerTransactions, 0);
		fixture.layer.receive(other, createSampleRequest({ method, via: viaWithBranch("z9hG4bK-3") }));
		assert.equal(fixture.told.filter((event) => event.startsWith("request")).length, 2, "nothing is remembered");
	});
}

test("REQ-59, REQ-60: a response whose connection is closed is dropped and counted", () => {
	const fixture = createTransactionFixture();
	const message = arrive(fixture);
	const invite = arrive(fixture, { method: "INVITE", via: viaWithBranch("z9hG4bK-2"), callId: "call-2" });
	fixture.connection.close();
	fixture.layer.connectionClosed(fixture.connection);
	assert.equal(respond(message, 200), false);
	assert.equal(respond(invite, 180), false);
	assert.equal(respond(invite, 200), false);
	assert.deepEqual([fixture.takeSent(), fixture.layer.counters.droppedResponses], [[], 3]);
	assert.deepEqual([fixture.layer.counters.activeServerTransactions, fixture.layer.wheel.size], [0, 0]);
});

test("REQ-60: a response on a connection that closed this very moment is dropped and counted too", () => {
	const fixture = createTransactionFixture();
	const message = arrive(fixture);
	const invite = arrive(fixture, { method: "INVITE", via: viaWithBranch("z9hG4bK-2"), callId: "call-2" });
	fixture.connection.close();
	assert.equal(respond(message, 200), false);
	assert.equal(respond(invite, 200), false);
	assert.equal(fixture.layer.counters.droppedResponses, 2);
	fixture.layer.connectionClosed(fixture.connection);
	assert.deepEqual([fixture.layer.counters.activeServerTransactions, fixture.layer.wheel.size], [0, 0]);
});

test("every server transaction ends: a MESSAGE whose user is silent gets 500, and the log says so", () => {
	const fixture = createTransactionFixture();
	const transaction = arrive(fixture);
	fixture.clock.advance(36_999);
	assert.deepEqual(fixture.takeSent(), []);
	fixture.clock.advance(1);
	assert.deepEqual(fixture.takeSent(), ["500 MESSAGE"]);
	assert.deepEqual(fixture.logged, ["transaction user did not answer"]);
	assert.equal(respond(transaction, 200), false);
	const { activeServerTransactions, unansweredRequests } = fixture.layer.counters;
	assert.deepEqual([activeServerTransactions, unansweredRequests, fixture.layer.wheel.size], [0, 1, 0]);
});

test("every server transaction ends: an INVITE whose user is silent for five minutes gets 500", () => {
	const fixture = createTransactionFixture();
	const transaction = arrive(fixture, { method: "INVITE" });
	fixture.clock.advance(200_000);
	respond(transaction, 180);
	fixture.takeSent();
	fixture.clock.advance(299_999);
	assert.deepEqual(fixture.takeSent(), []);
	fixture.clock.advance(1);
	assert.equal(fixture.connection.sent[0]?.to.tag, toTag, "the To tag of the early dialog");
	assert.deepEqual(fixture.takeSent(), ["500 INVITE"]);
	fixture.clock.advance(32_000);
	assert.deepEqual([fixture.layer.counters.activeServerTransactions, fixture.layer.wheel.size], [0, 0]);
});

test("the 408 of a request forwarded in the same moment comes before the 500 of a silent user", () => {
	const fixture = createTransactionFixture();
	const transaction = arrive(fixture);
	const forwarded = createSampleRequest({ via: viaWithBranch("z9hG4bK-out") });
	fixture.layer.sendRequest(new RecordingConnection(2), forwarded, {
		response: () => undefined,
		failed: () => respond(transaction, 408),
	});
	fixture.clock.advance(100_000);
	assert.deepEqual([fixture.takeSent(), fixture.logged], [["408 MESSAGE"], []]);
});

test("limits: a request above the number of one connection gets 503 with Retry-After, the next after an end does not", () => {
	const fixture = createTransactionFixture({}, { ...defaultTransactionLimits, serverTransactionsPerConnection: 2 });
	const samples = ["1", "2", "3"].map((id) => ({ via: viaWithBranch(`z9hG4bK-${id}`), callId: `call-${id}` }));
	for (const sample of samples) fixture.arrive(sample);
	const [refusal] = fixture.connection.sent;
	assert.match(refusal?.head.text ?? "", /\r\nRetry-After: 10\r\n/);
	assert.deepEqual(
		[fixture.takeSent(), fixture.told.length, fixture.layer.counters.refusedRequests],
		[["503 MESSAGE"], 2, 1],
	);
	fixture.layer.receive(new RecordingConnection(2), createSampleRequest({ callId: "call-4" }));
	assert.equal(fixture.told.length, 3, "another connection has its own number");
	const [first] = fixture.servers;
	assert.ok(first);
	respond(first, 200);
	fixture.arrive(samples[2]);
	assert.equal(fixture.told.length, 4);
});

test("a request on a connection that is closed makes no transaction, nor does a connection leave anything behind", () => {
	const fixture = createTransactionFixture();
	fixture.connection.close();
	fixture.arrive();
	assert.deepEqual([fixture.told, fixture.layer.counters.activeServerTransactions], [[], 0]);
	const used = createTransactionFixture();
	used.arrive();
	used.connection.close();
	used.layer.connectionClosed(used.connection);
	used.arrive();
	assert.deepEqual([used.told, used.layer.counters.activeServerTransactions], [["request MESSAGE"], 0]);
});

test("close ends everything without a word and leaves no timer", () => {
	const fixture = createTransactionFixture();
	arrive(fixture, { method: "INVITE" });
	fixture.layer.sendRequest(
		fixture.connection,
		createSampleRequest({ via: viaWithBranch("z9hG4bK-2") }),
		fixture.client,
	);
	fixture.takeSent();
	fixture.layer.close();
	fixture.clock.advance(400_000);
	assert.deepEqual([fixture.told, fixture.takeSent()], [["request INVITE"], []]);
	const { activeClientTransactions, activeServerTransactions } = fixture.layer.counters;
	assert.deepEqual([activeClientTransactions, activeServerTransactions, fixture.clock.pendingTimers], [0, 0, 0]);
});
