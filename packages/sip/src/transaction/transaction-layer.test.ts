/** What holds whatever happens, in whatever order. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createResponse } from "../message/build.ts";
import type { SipRequest } from "../message/message.ts";
import { RecordingConnection } from "../testing/recording-connection.ts";
import { createSampleRequest, viaWithBranch } from "../testing/sample-messages.ts";
import { SimClock } from "../testing/sim-clock.ts";
import { SimRandom } from "../testing/sim-random.ts";
import { createTiming } from "./timing.ts";
import { TransactionLayer } from "./transaction-layer.ts";
import type { ClientTransaction, ServerTransaction } from "./transaction-user.ts";

const statusCode = fc.constantFrom(100, 180, 200, 202, 302, 404, 486, 500, 603);
const index = fc.nat(5);
const action = fc.oneof(
	fc.record({
		kind: fc.constant("arrive"),
		method: fc.constantFrom("INVITE", "ACK", "CANCEL", "MESSAGE", "OPTIONS"),
		index,
		connection: fc.nat(1),
	}),
	fc.record({ kind: fc.constant("respond"), index: fc.nat(30), statusCode }),
	fc.record({ kind: fc.constant("send"), method: fc.constantFrom("INVITE", "MESSAGE"), connection: fc.nat(1) }),
	fc.record({ kind: fc.constant("answer"), index: fc.nat(30), statusCode }),
	fc.record({ kind: fc.constant("cancel"), index: fc.nat(30) }),
	fc.record({ kind: fc.constant("wait"), ms: fc.constantFrom(0, 7, 200, 600, 4_000, 32_000, 70_000) }),
	fc.record({ kind: fc.constant("close"), connection: fc.nat(1) }),
);

for (const reliable of [true, false]) {
	test(`${reliable ? "on TLS" : "on UDP"}: every transaction ends, and each client's user hears of exactly one end`, () => {
		fc.assert(
			fc.property(fc.array(action, { maxLength: 80 }), (actions) => {
				const clock = new SimClock();
				const connections = [new RecordingConnection(0), new RecordingConnection(1)] as const;
				const servers: ServerTransaction[] = [];
				const clients: { readonly request: SipRequest; readonly transaction: ClientTransaction; ends: number }[] = [];
				const layer = new TransactionLayer({
					clock,
					random: new SimRandom(7),
					timing: createTiming({ reliable }),
					user: {
						request: (transaction) => servers.push(transaction),
						ack: () => undefined,
						cancel: (transaction) => transaction.respond(createResponse(transaction.request, 487, { toTag: "to-1" })),
						strayResponse: () => undefined,
					},
				});
				for (const event of actions) {
					switch (event.kind) {
						case "arrive": {
							const { method, index: number } = event;
							const via = viaWithBranch(`z9hG4bK-${number}`);
							const request = createSampleRequest({ method, via, callId: `call-${number % 4}` });
							if (connections[event.connection === 0 ? 0 : 1].isOpen) {
								layer.receive(connections[event.connection === 0 ? 0 : 1], request);
							}
							break;
						}
						case "respond": {
							const transaction = servers[event.index];
							if (transaction === undefined) break;
							const hadFinal = transaction.hasFinal;
							const response = createResponse(transaction.request, event.statusCode, { toTag: "to-1" });
							const sent = transaction.respond(response);
							assert.equal(sent && !transaction.connection.isOpen, false, "REQ-59");
							if (hadFinal && event.statusCode < 200) assert.equal(sent, false);
							break;
						}
						case "send": {
							const request = createSampleRequest({
								method: event.method,
								via: viaWithBranch(layer.createBranch()),
							});
							const connection = connections[event.connection === 0 ? 0 : 1];
							const end = (): void => {
								client.ends += 1;
							};
							let hasFinal = false;
							const transaction = layer.sendRequest(connection, request, {
								response: (response) => {
									if (response.statusCode >= 200 && !hasFinal) end();
									if (response.statusCode >= 200) hasFinal = true;
								},
								failed: end,
							});
							const client = { request, transaction, ends: 0 };
							clients.push(client);
							break;
						}
						case "answer": {
							const client = clients[event.index];
							if (client === undefined || !client.transaction.connection.isOpen) break;
							const response = createResponse(client.request, event.statusCode, { toTag: "to-1" });
							layer.receive(client.transaction.connection, response);
							break;
						}
						case "cancel":
							clients[event.index]?.transaction.cancel();
							break;
						case "wait":
							clock.advance(event.ms);
							break;
						case "close": {
							const connection = connections[event.connection === 0 ? 0 : 1];
							if (connection.isOpen) {
								connection.close();
								layer.connectionClosed(connection);
							}
							break;
						}
						default:
							assert.fail("every action is known");
					}
				}
				// The longest way: an INVITE five minutes without an answer, whose 500 waits for its ACK.
				clock.advance(400_000);
				const { activeClientTransactions, activeServerTransactions } = layer.counters;
				assert.deepEqual([activeClientTransactions, activeServerTransactions, layer.wheel.size], [0, 0, 0]);
				for (const client of clients) {
					assert.equal(client.ends, 1);
					assert.equal(client.transaction.isTerminated, true);
				}
				for (const transaction of servers) {
					assert.equal(transaction.hasFinal || !transaction.connection.isOpen, true);
				}
				assert.equal(clock.pendingTimers, 0);
			}),
			{ numRuns: 200 },
		);
	});
}
