/** Client transactions as their users see them: runner, wheel and machines together. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createResponse } from "../message/build.ts";
import { RecordingConnection } from "../testing/recording-connection.ts";
import { createSampleRequest, viaWithBranch } from "../testing/sample-messages.ts";
import { createTransactionFixture } from "../testing/transaction-fixture.ts";
import { BrokenInvariant } from "../text/assert.ts";

const message = createSampleRequest();
const invite = createSampleRequest({ method: "INVITE" });

test("§17.1.2: a request and its responses; nothing is left after the final one", () => {
	const { clock, connection, layer, client, told, answer, takeSent } = createTransactionFixture();
	const transaction = layer.sendRequest(connection, message, client);
	assert.deepEqual([transaction.method, transaction.branch], ["MESSAGE", "z9hG4bK-1"]);
	assert.deepEqual(takeSent(), ["MESSAGE"]);
	answer("MESSAGE", 100);
	answer("MESSAGE", 200);
	answer("MESSAGE", 200);
	assert.deepEqual(told, ["100 MESSAGE", "200 MESSAGE"]);
	assert.equal(transaction.isTerminated, true);
	assert.deepEqual([layer.counters.activeClientTransactions, layer.counters.strayResponses], [0, 1]);
	assert.equal(layer.wheel.size, 0);
	clock.advance(100_000);
	assert.deepEqual([told.length, takeSent()], [2, []]);
});

test("§17.1.2.2: without an answer the user hears of a timeout after 64·T1, and nothing was repeated on TLS", () => {
	const { clock, connection, layer, client, told, takeSent } = createTransactionFixture();
	layer.sendRequest(connection, message, client);
	clock.advance(31_999);
	assert.deepEqual(told, []);
	clock.advance(1);
	assert.deepEqual(told, ["MESSAGE failed: timeout"]);
	assert.deepEqual(takeSent(), ["MESSAGE"]);
	assert.deepEqual([layer.counters.activeClientTransactions, layer.counters.timeouts, layer.wheel.size], [0, 1, 0]);
});

test("§17.1.2.2: a provisional response does not prolong Timer F", () => {
	const { clock, connection, layer, client, told, answer } = createTransactionFixture();
	layer.sendRequest(connection, message, client);
	clock.advance(30_000);
	answer("MESSAGE", 183);
	clock.advance(2_000);
	assert.deepEqual(told, ["183 MESSAGE", "MESSAGE failed: timeout"]);
});

test("§17.1.2.2: on UDP the request is repeated at 0.5, 1, 2, then every 4 s", () => {
	const { clock, connection, layer, client, takeSent } = createTransactionFixture({ reliable: false });
	layer.sendRequest(connection, message, client);
	takeSent();
	const timesMs: number[] = [];
	for (let count = 0; count < 2_000; count++) {
		clock.advance(20);
		for (const _ of takeSent()) timesMs.push(clock.now());
	}
	assert.deepEqual(timesMs, [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
});

test("§17.1.2.2: on UDP a repeated final response is absorbed until Timer K", () => {
	const { clock, connection, layer, client, told, answer } = createTransactionFixture({ reliable: false });
	const transaction = layer.sendRequest(connection, message, client);
	answer("MESSAGE", 200);
	answer("MESSAGE", 200);
	assert.deepEqual([told, transaction.isTerminated], [["200 MESSAGE"], false]);
	clock.advance(5_000);
	assert.deepEqual([transaction.isTerminated, layer.counters.strayResponses, layer.wheel.size], [true, 0, 0]);
});

test("§17.1.1.2: on UDP an INVITE is repeated at 0.5, 1, 2, 4 … without a ceiling, until Timer B", () => {
	const { clock, connection, layer, client, told, takeSent } = createTransactionFixture({ reliable: false });
	layer.sendRequest(connection, invite, client);
	takeSent();
	const timesMs: number[] = [];
	for (let count = 0; count < 2_000; count++) {
		clock.advance(20);
		for (const _ of takeSent()) timesMs.push(clock.now());
	}
	assert.deepEqual(timesMs, [500, 1_500, 3_500, 7_500, 15_500, 31_500]);
	assert.deepEqual(told, ["INVITE failed: timeout"]);
});

test("§17.1.1.3: a failure is acknowledged by the transaction, which then ends on TLS", () => {
	const { connection, layer, client, told, answer, takeSent } = createTransactionFixture();
	const transaction = layer.sendRequest(connection, invite, client);
	answer("INVITE", 486);
	assert.deepEqual(takeSent(), ["INVITE", "ACK"]);
	assert.deepEqual([told, transaction.isTerminated, layer.wheel.size], [["486 INVITE"], true, 0]);
});

test("§17.1.1.2: on UDP each copy of a failure is acknowledged until Timer D, and told once", () => {
	const { clock, connection, layer, client, told, answer, takeSent } = createTransactionFixture({ reliable: false });
	layer.sendRequest(connection, invite, client);
	answer("INVITE", 486);
	answer("INVITE", 486);
	clock.advance(31_000);
	answer("INVITE", 486);
	assert.deepEqual(takeSent(), ["INVITE", "ACK", "ACK", "ACK"]);
	assert.deepEqual(told, ["486 INVITE"]);
	clock.advance(1_000);
	assert.equal(layer.counters.activeClientTransactions, 0);
});

test("RFC 6026 §7.2: every 2xx goes up until Timer M, later ones as strays, and the transaction acknowledges none", () => {
	const { clock, connection, layer, client, told, answer, takeSent } = createTransactionFixture();
	layer.sendRequest(connection, invite, client);
	answer("INVITE", 180);
	answer("INVITE", 200);
	clock.advance(500);
	answer("INVITE", 200, { toTag: "to-2" });
	clock.advance(31_500);
	answer("INVITE", 200);
	assert.deepEqual(told, ["180 INVITE", "200 INVITE", "200 INVITE", "stray 200 INVITE"]);
	assert.deepEqual(takeSent(), ["INVITE"]);
	assert.deepEqual([layer.counters.activeClientTransactions, layer.wheel.size], [0, 0]);
});

test("§9.1: a CANCEL waits for the first provisional response", () => {
	const { connection, layer, client, told, answer, takeSent } = createTransactionFixture();
	const transaction = layer.sendRequest(connection, invite, client);
	transaction.cancel();
	assert.deepEqual(takeSent(), ["INVITE"]);
	answer("INVITE", 100);
	assert.deepEqual(takeSent(), ["CANCEL"]);
	answer("INVITE", 180);
	transaction.cancel();
	answer("CANCEL", 200);
	answer("INVITE", 487);
	assert.deepEqual(takeSent(), ["ACK"]);
	assert.deepEqual(told, ["100 INVITE", "180 INVITE", "487 INVITE"]);
	assert.deepEqual([layer.counters.activeClientTransactions, layer.wheel.size], [0, 0]);
});

test("§9.1: after a provisional response a CANCEL leaves at once", () => {
	const { connection, layer, client, answer, takeSent } = createTransactionFixture();
	const transaction = layer.sendRequest(connection, invite, client);
	answer("INVITE", 180);
	transaction.cancel();
	assert.deepEqual(takeSent(), ["INVITE", "CANCEL"]);
});

for (const [rule, statusCode] of [
	["§9.1: no CANCEL where the first response is a 2xx", 200],
	["§9.1: no CANCEL where the first response is a failure", 486],
] as const) {
	test(rule, () => {
		const { connection, layer, client, answer, takeSent } = createTransactionFixture();
		const transaction = layer.sendRequest(connection, invite, client);
		transaction.cancel();
		answer("INVITE", statusCode);
		transaction.cancel();
		assert.equal(takeSent().includes("CANCEL"), false);
	});
}

test("§9.1: a request other than INVITE is not cancelled", () => {
	const { connection, layer, client, answer, takeSent } = createTransactionFixture();
	const transaction = layer.sendRequest(connection, message, client);
	answer("MESSAGE", 100);
	transaction.cancel();
	assert.deepEqual(takeSent(), ["MESSAGE"]);
});

test("§9.1: a cancelled INVITE that nobody answers ends 64·T1 after the CANCEL, whatever provisional responses come", () => {
	const { clock, connection, layer, client, told, answer } = createTransactionFixture();
	const transaction = layer.sendRequest(connection, invite, client);
	answer("INVITE", 180);
	transaction.cancel();
	answer("CANCEL", 200);
	clock.advance(20_000);
	answer("INVITE", 180);
	clock.advance(11_999);
	assert.equal(told.at(-1), "180 INVITE");
	clock.advance(1);
	assert.equal(told.at(-1), "INVITE failed: timeout");
	assert.deepEqual([layer.counters.activeClientTransactions, layer.wheel.size], [0, 0]);
});

test("§16.8: Timer C cancels an INVITE that rings for ever; a 101 to 199 starts it again, a 100 does not", () => {
	const { clock, connection, layer, client, told, answer, takeSent } = createTransactionFixture({ timerCMs: 60_000 });
	layer.sendRequest(connection, invite, client);
	answer("INVITE", 180);
	clock.advance(50_000);
	answer("INVITE", 180);
	clock.advance(50_000);
	answer("INVITE", 100);
	assert.deepEqual(takeSent(), ["INVITE"]);
	clock.advance(10_000);
	assert.deepEqual(takeSent(), ["CANCEL"]);
	clock.advance(32_000);
	assert.equal(told.at(-1), "INVITE failed: timeout");
	assert.equal(layer.counters.activeClientTransactions, 0);
});

for (const method of ["INVITE", "MESSAGE"]) {
	test(`§17.1.4: ${method} on a closed connection fails soon, but not inside sendRequest`, () => {
		const { clock, connection, layer, client, told } = createTransactionFixture();
		connection.close();
		const transaction = layer.sendRequest(connection, createSampleRequest({ method }), client);
		assert.deepEqual(told, []);
		clock.advance(0);
		assert.deepEqual(told, [`${method} failed: transport`]);
		assert.equal(transaction.isTerminated, true);
		clock.advance(100_000);
		assert.deepEqual([told.length, layer.counters.activeClientTransactions, layer.wheel.size], [1, 0, 0]);
	});

	test(`§17.1.4: ${method} fails when its connection closes`, () => {
		const { clock, connection, layer, client, told } = createTransactionFixture();
		layer.sendRequest(connection, createSampleRequest({ method }), client);
		connection.close();
		layer.connectionClosed(connection);
		assert.deepEqual(told, [`${method} failed: transport`]);
		clock.advance(100_000);
		assert.deepEqual([told.length, layer.counters.activeClientTransactions, layer.wheel.size], [1, 0, 0]);
	});
}

test("§17.1.4: an INVITE with its final response does not fail when the connection closes", () => {
	const { connection, layer, client, told, answer } = createTransactionFixture();
	layer.sendRequest(connection, invite, client);
	answer("INVITE", 200);
	layer.connectionClosed(connection);
	assert.deepEqual(told, ["200 INVITE"]);
	assert.deepEqual([layer.counters.activeClientTransactions, layer.wheel.size], [0, 0]);
});

test("§17.1.3: a response of another connection, another branch or another method is a stray", () => {
	const { connection, layer, client, told } = createTransactionFixture();
	layer.sendRequest(connection, message, client);
	layer.receive(new RecordingConnection(2), createResponse(message, 200, { toTag: "x" }));
	const otherBranch = createSampleRequest({ via: viaWithBranch("z9hG4bK-2") });
	layer.receive(connection, createResponse(otherBranch, 200, { toTag: "x" }));
	layer.receive(connection, createResponse(createSampleRequest({ method: "INFO" }), 200, { toTag: "x" }));
	assert.deepEqual([told, layer.counters.strayResponses], [[], 3]);
	layer.receive(connection, createResponse(message, 200, { toTag: "x" }));
	assert.deepEqual(told, ["200 MESSAGE"]);
});

for (const [statusCode, told] of [
	[180, []],
	[200, ["stray 200 INVITE"]],
	[486, []],
] as const) {
	test(`protocol 6.2: a stray ${statusCode} to INVITE is ${told.length === 0 ? "dropped" : "passed up"}`, () => {
		const fixture = createTransactionFixture();
		fixture.layer.receive(fixture.connection, createResponse(invite, statusCode, { toTag: "x" }));
		assert.deepEqual([fixture.told, fixture.layer.counters.strayResponses], [told, 1]);
	});
}

test("§13.2.2.4: the ACK of a 2xx is sent without a transaction", () => {
	const { connection, layer, takeSent } = createTransactionFixture();
	const ack = createSampleRequest({ method: "ACK", toTag: "to-1" });
	assert.equal(layer.sendAck(connection, ack), true);
	assert.deepEqual([takeSent(), layer.counters.activeClientTransactions], [["ACK"], 0]);
	connection.close();
	assert.equal(layer.sendAck(connection, ack), false);
	assert.throws(() => layer.sendAck(connection, message), BrokenInvariant);
});

test("our own mistakes stop: a branch used twice, no branch of ours, ACK or CANCEL as a transaction", () => {
	const { connection, layer, client } = createTransactionFixture();
	layer.sendRequest(connection, message, client);
	for (const request of [
		message,
		createSampleRequest({ via: "SIP/2.0/TLS sip.contoso.example:5061" }),
		createSampleRequest({ method: "ACK" }),
		createSampleRequest({ method: "CANCEL" }),
	]) {
		assert.throws(() => layer.sendRequest(connection, request, client), BrokenInvariant);
	}
});

test("§8.1.1.7: createBranch begins with the cookie and never repeats", () => {
	const { layer } = createTransactionFixture();
	const branches = Array.from({ length: 100 }, () => layer.createBranch());
	for (const branch of branches) assert.match(branch, /^z9hG4bK[0-9a-v]{26}$/);
	assert.equal(new Set(branches).size, 100);
});

test("a user may cancel, or send on, from inside its callbacks", () => {
	const { connection, layer, takeSent, answer } = createTransactionFixture();
	const failures: string[] = [];
	layer.sendRequest(connection, invite, {
		response: (response, transaction) => {
			if (response.statusCode < 200) transaction.cancel();
			else
				layer.sendRequest(connection, createSampleRequest({ via: viaWithBranch("z9hG4bK-2") }), {
					response: () => undefined,
					failed: (failure) => failures.push(failure),
				});
		},
		failed: (failure) => failures.push(failure),
	});
	answer("INVITE", 180);
	answer("INVITE", 487);
	assert.deepEqual(takeSent(), ["INVITE", "CANCEL", "ACK", "MESSAGE"]);
	layer.connectionClosed(connection);
	assert.deepEqual(failures, ["transport"]);
});

test("RFC 6026 §7.2: an INVITE that has its 2xx is outstanding no more, though its transaction waits for repetitions", () => {
	const { client, connection, layer, answer, clock } = createTransactionFixture();
	const count = (): number => layer.outstanding(connection);
	layer.sendRequest(connection, createSampleRequest({ method: "INVITE", via: viaWithBranch("z9hG4bK-1") }), client);
	layer.sendRequest(connection, createSampleRequest({ method: "MESSAGE", via: viaWithBranch("z9hG4bK-2") }), client);
	assert.equal(count(), 2);
	answer("INVITE", 180);
	assert.equal(count(), 2);
	answer("INVITE", 200);
	assert.equal(count(), 1);
	assert.equal(layer.counters.activeClientTransactions, 2);
	answer("INVITE", 200);
	assert.equal(count(), 1);
	clock.advance(64_000);
	assert.equal(count(), 0);
	assert.equal(layer.counters.activeClientTransactions, 0);
	layer.sendRequest(connection, createSampleRequest({ method: "INVITE", via: viaWithBranch("z9hG4bK-3") }), client);
	answer("INVITE", 486);
	assert.equal(count(), 0);
	assert.ok(layer.counters.activeClientTransactions <= 1);
});
