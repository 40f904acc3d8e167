/** A request and its way on in one record, and what becomes of it (RFC 3261 §16, RFC 6026). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createResponse } from "../message/build.ts";
import type { SipResponse } from "../message/message.ts";
import { RecordingConnection } from "../testing/recording-connection.ts";
import { createSampleRequest, viaWithBranch } from "../testing/sample-messages.ts";
import { createTransactionFixture, describeMessage } from "../testing/transaction-fixture.ts";
import type { RelayedPair } from "./relayed-pair.ts";
import { defaultTransactionLimits, type ServerTransaction, type TransactionLimits } from "./transaction-user.ts";

type Method = "INVITE" | "SUBSCRIBE";

/** A proxy that sends on what its partner asks for, on connection 2. */
function createProxy(limits?: TransactionLimits) {
	const fixture = createTransactionFixture({}, limits);
	const { layer, connection: arrival, told } = fixture;
	const departure = new RecordingConnection(2);
	const pairs: RelayedPair[] = [];
	const servers: ServerTransaction[] = [];
	/** False where the layer wants to see the request itself. */
	function send(method: Method, id = "1"): boolean {
		const received = createSampleRequest({ method, via: viaWithBranch(`z9hG4bK-${id}`), callId: `call-${id}` });
		const sent = createSampleRequest({ method, via: viaWithBranch(`z9hG4bK-on-${id}`), callId: `call-${id}` });
		const prepared = layer.preparePair(arrival, {
			method,
			topVia: received.topVia,
			fromTag: "from-1",
			callId: received.callId,
			cseqNumber: received.cseq.number,
			requestUri: received.requestUri.text,
		});
		if (prepared === undefined) return false;
		pairs.push(
			layer.startPair(prepared, departure, `z9hG4bK-on-${id}`, {
				received: () => received,
				sent: () => sent,
				parted(server) {
					servers.push(server);
					told.push(`parted ${method}`);
					return {
						sent: (client) => told.push(`sent ${client.method}`),
						response: (response) => {
							told.push(describeMessage(response));
							server.respond(answerTo(received, response.statusCode));
						},
						failed: (failure) => told.push(`failed: ${failure}`),
					};
				},
				acceptedAgain: (response) => told.push(`again ${describeMessage(response)}`),
			}),
		);
		return true;
	}
	const answer = (method: Method, status: number, id = "1"): void => {
		const request = createSampleRequest({ method, via: viaWithBranch(`z9hG4bK-on-${id}`), callId: `call-${id}` });
		layer.receive(departure, answerTo(request, status));
	};
	const active = () => [layer.counters.activeServerTransactions, layer.counters.activeClientTransactions];
	return { ...fixture, arrival, departure, pairs, servers, send, answer, active };
}

function answerTo(request: Parameters<typeof createResponse>[0], status: number): SipResponse {
	return createResponse(request, status, { toTag: "to-1" });
}

test("RFC 3261 §17.1.3: the pair is found by its branch and connection while it waits, and counts as outstanding", () => {
	const { layer, send, arrival, departure, pairs, active } = createProxy();
	send("SUBSCRIBE");
	const [pair] = pairs;
	assert.ok(pair !== undefined);
	assert.equal(layer.findPair(departure, "z9hG4bK-on-1"), pair);
	assert.equal(layer.findPair(arrival, "z9hG4bK-on-1"), undefined);
	assert.deepEqual([layer.outstanding(departure), active()], [1, [1, 1]]);
	pair.accept();
	assert.equal(layer.findPair(departure, "z9hG4bK-on-1"), undefined);
	assert.deepEqual([layer.outstanding(departure), active()], [0, [0, 0]]);
});

test("RFC 6026 §7.1, §7.2: an accepted INVITE stays for 64·T1, absorbs its repetition, and lets further 2xx through", () => {
	const { layer, send, arrival, pairs, told, answer, active, clock, departure } = createProxy();
	send("INVITE");
	pairs[0]?.accept();
	assert.deepEqual([layer.outstanding(departure), active()], [0, [1, 1]]);
	assert.equal(send("INVITE"), false);
	layer.receive(arrival, createSampleRequest({ method: "INVITE", via: viaWithBranch("z9hG4bK-1"), callId: "call-1" }));
	answer("INVITE", 200);
	answer("INVITE", 404);
	answer("INVITE", 180);
	layer.receive(arrival, createSampleRequest({ method: "ACK", via: viaWithBranch("z9hG4bK-1"), callId: "call-1" }));
	assert.deepEqual(told, ["again 200 INVITE", "ack 1"]);
	assert.equal(layer.counters.repeatedRequests, 1);
	clock.advance(32_100);
	assert.deepEqual(active(), [0, 0]);
	assert.equal(send("INVITE"), true);
});

test("whatever else happens parts it: a provisional answer, a failure, silence; each machine ends in its own time", () => {
	for (const [method, status, parted] of [
		["INVITE", 180, ["parted INVITE", "sent INVITE", "180 INVITE"]],
		["INVITE", 486, ["parted INVITE", "sent INVITE", "486 INVITE"]],
		["SUBSCRIBE", 489, ["parted SUBSCRIBE", "sent SUBSCRIBE", "489 SUBSCRIBE"]],
	] as const) {
		const { send, answer, told, layer, departure } = createProxy();
		send(method);
		answer(method, status);
		assert.deepEqual(told, parted);
		assert.equal(layer.outstanding(departure), status < 200 ? 1 : 0);
	}
	for (const method of ["INVITE", "SUBSCRIBE"] as const) {
		const { send, told, clock, takeSent, active } = createProxy();
		send(method);
		clock.advance(200);
		assert.deepEqual(takeSent(), method === "INVITE" ? ["100 INVITE"] : []);
		clock.advance(31_780);
		assert.ok(!told.includes("failed: timeout"));
		clock.advance(40);
		assert.deepEqual(told, [`parted ${method}`, `sent ${method}`, "failed: timeout"]);
		clock.advance(300_000);
		assert.deepEqual(active(), [0, 0]);
	}
});

test("REQ-49: a lost connection ends it: on the far side with a failure, on the near side without a word", () => {
	for (const method of ["INVITE", "SUBSCRIBE"] as const) {
		const far = createProxy();
		far.send(method);
		far.departure.close();
		far.layer.connectionClosed(far.departure);
		assert.deepEqual(far.told, [`parted ${method}`, `sent ${method}`, "failed: transport"]);
		const near = createProxy();
		near.send(method);
		near.arrival.close();
		near.layer.connectionClosed(near.arrival);
		assert.deepEqual(near.told, [`parted ${method}`, `sent ${method}`]);
		assert.equal(near.active()[0], 0);
		const accepted = createProxy();
		accepted.send(method);
		accepted.pairs[0]?.accept();
		accepted.layer.connectionClosed(accepted.arrival);
		accepted.layer.connectionClosed(accepted.departure);
		accepted.clock.advance(40_000);
		assert.deepEqual([accepted.told, accepted.active()], [[], [0, 0]]);
	}
});

test("what waits is parted for whoever asks who is unanswered, what is accepted is not", () => {
	const { layer, send, pairs, told, arrival } = createProxy();
	send("INVITE", "1");
	send("INVITE", "2");
	pairs[0]?.accept();
	assert.deepEqual(
		layer.unanswered(arrival).map(({ request }) => request.callId),
		["call-2"],
	);
	assert.deepEqual(told, ["parted INVITE", "sent INVITE"]);
});

test("§9.2: a CANCEL finds the INVITE that waits; one that was accepted keeps its answer", () => {
	const { layer, send, pairs, told, arrival, takeSent } = createProxy();
	for (const id of ["1", "2"]) send("INVITE", id);
	pairs[0]?.accept();
	for (const id of ["1", "2"]) {
		layer.receive(
			arrival,
			createSampleRequest({ method: "CANCEL", via: viaWithBranch(`z9hG4bK-${id}`), callId: `call-${id}` }),
		);
	}
	assert.deepEqual(takeSent(), ["200 CANCEL", "200 CANCEL"]);
	assert.deepEqual(told, ["parted INVITE", "sent INVITE", "cancel INVITE"]);
});

test("limits: unanswered requests and INVITEs with a 2xx of one connection are counted apart, of pairs and of others alike", () => {
	const { send, pairs, arrive, servers, told } = createProxy({
		...defaultTransactionLimits,
		serverTransactionsPerConnection: 2,
		acceptedInvitesPerConnection: 3,
	});
	assert.equal(send("INVITE", "1") && send("SUBSCRIBE", "2"), true);
	assert.equal(send("INVITE", "3"), false);
	pairs[0]?.accept();
	assert.equal(send("INVITE", "3"), true);
	pairs[2]?.accept();
	const other = arrive({ method: "INVITE", via: viaWithBranch("z9hG4bK-4"), callId: "call-4" });
	assert.ok(other !== undefined);
	other.respond(answerTo(other.request, 200));
	assert.equal(send("INVITE", "5"), false, "three have their 2xx");
	assert.deepEqual([servers.length, told], [0, ["request INVITE"]]);
});

test("close ends pairs without a word", () => {
	const { layer, send, pairs, told, clock, active } = createProxy();
	send("INVITE", "1");
	send("INVITE", "2");
	pairs[0]?.accept();
	layer.close();
	clock.advance(40_000);
	assert.deepEqual([told, active(), clock.pendingTimers], [[], [0, 0], 0]);
});
