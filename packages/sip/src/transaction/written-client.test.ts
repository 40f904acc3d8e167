import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseMessage } from "../message/parse.ts";
import type { WrittenRequest } from "../message/written-request.ts";
import { frameOf } from "../testing/frame-of.ts";
import { RecordingConnection } from "../testing/recording-connection.ts";
import { createTransactionFixture } from "../testing/transaction-fixture.ts";
import { BrokenInvariant } from "../text/assert.ts";
import type { WrittenRequestUser } from "./written-client.ts";

const VIA = "SIP/2.0/TLS edge.contoso.example:5061;branch=z9hG4bK-w;alias";
const ECHO = "From: <sip:a@b.example>;tag=1\r\nTo: <sip:c@d.example>;tag=2\r\nCall-ID: x\r\nCSeq: 4 NOTIFY\r\n";

function notify(branch = "z9hG4bK-w"): WrittenRequest {
	const via = VIA.replace("z9hG4bK-w", branch);
	const start = `NOTIFY sip:c@d.example SIP/2.0\r\nVia: ${via}\r\nMax-Forwards: 70\r\n`;
	const text = `${start}${ECHO}Event: presence\r\nContent-Length: 0\r\n\r\n`;
	const echo = { start: start.length, end: start.length + ECHO.length };
	return { method: "NOTIFY", branch, via, echo, head: { text }, body: new Uint8Array(0) };
}

function open(timing = {}) {
	const fixture = createTransactionFixture(timing);
	const { connection, layer, told } = fixture;
	const user: WrittenRequestUser = {
		accepted: (status) => told.push(`accepted ${status}`),
		response: ({ statusCode }) => told.push(`read ${statusCode}`),
		failed: (failure) => told.push(`failed: ${failure}`),
	};
	/** As a connection does: what is not recognised is read. */
	const arrive = (text: string): void => {
		const answer = layer.recognise(connection, frameOf(text));
		if (answer !== undefined) {
			answer.forward();
			return;
		}
		const outcome = parseMessage(frameOf(text).decode());
		if (outcome.ok) layer.receive(connection, outcome.message);
		else told.push("malformed");
	};
	return { ...fixture, user, arrive };
}

function answer(parts: { line?: string; via?: string; echo?: string; more?: string } = {}): string {
	const { line = "SIP/2.0 200 OK", via = `Via: ${VIA}\r\n`, echo = ECHO, more = "" } = parts;
	return `${line}\r\n${via}${echo}${more}Content-Length: 0\r\n\r\n`;
}

const answers: readonly (readonly [name: string, text: string, told: readonly string[]])[] = [
	["as RFC 3261 §8.2.6.2 writes it", answer(), ["accepted 200"]],
	["202 with other words", answer({ line: "SIP/2.0 202 All right" }), ["accepted 202"]],
	["§18.2.1 received added", answer({ via: `Via: ${VIA};received=192.0.2.1\r\n` }), ["accepted 200"]],
	["other headers before and between", answer({ more: "Server: x\r\nX-A: b\r\n" }), ["accepted 200"]],
	["another parameter in Via", answer({ via: `Via: ${VIA};x=y\r\n` }), ["read 200"]],
	["received that is no address of four numbers", answer({ via: `Via: ${VIA};received=@\r\n` }), ["read 200"]],
	["two Vias", answer({ via: `Via: ${VIA}\r\nVia: SIP/2.0/TLS x.example\r\n` }), ["read 200"]],
	["a Via further below", answer({ more: "Via: SIP/2.0/TLS x.example\r\n" }), ["read 200"]],
	["another header first", answer({ via: `Server: x\r\nVia: ${VIA}\r\n` }), ["read 200"]],
	["compact names", answer({ echo: ECHO.replace("From", "f") }), ["read 200"]],
	["another order", answer({ echo: ECHO.split("\r\n").toReversed().slice(1).join("\r\n") + "\r\n" }), ["read 200"]],
	["another From", answer({ echo: ECHO.replace("sip:a@", "sip:A@") }), ["read 200"]],
	["another method in CSeq", answer({ echo: ECHO.replace("4 NOTIFY", "4 INVITE") }), ["stray 200 INVITE"]],
	["a field twice", answer({ more: "Call-ID: x\r\n" }), ["malformed"]],
	["no To", answer({ echo: ECHO.replace(/To.*\r\n/, "") }), ["malformed"]],
	["REQ-52 sips: in it, which its user drops", answer({ more: "X-A: <sips:a@b.example>\r\n" }), ["read 200"]],
	["a provisional response", answer({ line: "SIP/2.0 100 Trying" }), ["read 100"]],
	["a refusal", answer({ line: "SIP/2.0 481 Gone" }), ["read 481"]],
	["no status code", answer({ line: "SIP/2.0 2x0 OK" }), ["malformed"]],
	["a branch of nobody", answer({ via: `Via: ${VIA.replace("-w", "-v")}\r\n` }), []],
];

describe("a request that was written and not read", () => {
	for (const [name, text, expected] of answers) {
		test(`§17.1.3 its answer: ${name}`, () => {
			const { layer, connection, user, told, arrive } = open();
			layer.sendWritten(connection, notify(), user);
			arrive(text);
			assert.deepEqual(told, expected);
			const isOver = expected.length > 0 && !["malformed", "read 100", "stray 200 INVITE"].includes(expected[0] ?? "");
			assert.equal(layer.counters.activeClientTransactions, isOver ? 0 : 1);
			assert.equal(layer.outstanding(connection), isOver ? 0 : 1);
			assert.equal(layer.wheel.size, isOver ? 0 : 1);
		});
	}

	test("§17.1.2 the same answer again belongs to nobody", () => {
		const { layer, connection, user, told, arrive } = open();
		layer.sendWritten(connection, notify(), user);
		arrive(answer());
		arrive(answer());
		assert.deepEqual(told, ["accepted 200"]);
		assert.equal(layer.counters.strayResponses, 1);
	});

	test("an answer on another connection is none", () => {
		const { layer, connection, user } = open();
		layer.sendWritten(connection, notify(), user);
		assert.equal(layer.recognise(new RecordingConnection(2), frameOf(answer())), undefined);
	});

	test("§17.1.2.2 without an answer the user hears of a timeout after 64·T1", () => {
		const { clock, layer, connection, user, told, takeSent } = open();
		layer.sendWritten(connection, notify(), user);
		clock.advance(31_999);
		assert.deepEqual(told, []);
		clock.advance(1);
		assert.deepEqual(told, ["failed: timeout"]);
		assert.deepEqual(takeSent(), ["NOTIFY"]);
		assert.deepEqual([layer.counters.timeouts, layer.counters.activeClientTransactions], [1, 0]);
	});

	test("§17.1.2.2 on UDP it is repeated, and an answer that comes again is absorbed", () => {
		const { clock, layer, connection, user, told, arrive, takeSent } = open({ reliable: false });
		layer.sendWritten(connection, notify(), user);
		clock.advance(600);
		assert.deepEqual(takeSent(), ["NOTIFY", "NOTIFY"]);
		arrive(answer());
		arrive(answer());
		clock.advance(60_000);
		assert.deepEqual(told, ["accepted 200"]);
		assert.deepEqual(takeSent(), []);
	});

	test("on a closed connection the user is told soon after, and not before it has the transaction", () => {
		const { clock, layer, connection, user, told } = open();
		connection.close();
		layer.sendWritten(connection, notify(), user);
		assert.deepEqual(told, []);
		clock.advance(0);
		assert.deepEqual(told, ["failed: transport"]);
	});

	test("a delay counts before its time does, and a connection that is lost meanwhile is told", () => {
		const { clock, layer, connection, user, told, takeSent } = open();
		layer.sendWritten(connection, notify(), user, 1_000);
		layer.sendWritten(connection, notify("z9hG4bK-x"), user, 5_000);
		clock.advance(999);
		assert.deepEqual(takeSent(), []);
		assert.equal(layer.recognise(connection, frameOf(answer())), undefined, "an answer before the request");
		clock.advance(1);
		assert.deepEqual(takeSent(), ["NOTIFY"]);
		layer.connectionClosed(connection);
		clock.advance(60_000);
		assert.deepEqual(told, ["failed: transport", "failed: transport"]);
		assert.deepEqual(takeSent(), []);
	});

	test("our own mistakes are assertions: a branch twice, an INVITE", () => {
		const { layer, connection, user } = open();
		layer.sendWritten(connection, notify(), user);
		assert.throws(() => layer.sendWritten(connection, notify(), user), BrokenInvariant);
		assert.throws(
			() => layer.sendWritten(connection, { ...notify("z9hG4bK-i"), method: "INVITE" }, user),
			BrokenInvariant,
		);
		assert.throws(() => layer.sendWritten(connection, notify("plain"), user), BrokenInvariant);
	});

	test("closing the layer ends it without a word", () => {
		const { clock, layer, connection, user, told } = open();
		layer.sendWritten(connection, notify(), user);
		layer.close();
		clock.advance(60_000);
		assert.deepEqual(told, []);
	});
});
