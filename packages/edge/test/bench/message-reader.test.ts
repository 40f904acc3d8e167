import assert from "node:assert/strict";
import { test } from "node:test";
import { answeredCaller, createCaller, formatInstantMessage, formatInvite } from "./caller.ts";
import { headerOf, MessageReader, statusOf } from "./message-reader.ts";

const first = "SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS sip.bench.example:5061;branch=z9hG4bKb7.12;alias";
const second = "BYE sip:caller7@sip.bench.example SIP/2.0\r\nCall-ID: 1";
const wire = Buffer.from(
	`${first}\r\nContent-Length: 6\r\n\r\n\r\n\r\n\u00e9\r${second}\r\nContent-Length: 0\r\n\r\nSIP/2.0 4`,
	"latin1",
);
const heads = [`${first}\r\nContent-Length: 6`, `${second}\r\nContent-Length: 0`];

for (const [name, size] of [
	["whole", wire.length],
	["octet by octet", 1],
	["in pieces of seven", 7],
] as const) {
	test(`messages are cut at their length, the rest is kept: ${name}`, () => {
		const found: string[] = [];
		const reader = new MessageReader((head) => found.push(head));
		for (let at = 0; at < wire.length; at += size) reader.read(wire.subarray(at, at + size));
		assert.deepEqual(found, heads);
	});
}

test("a message without a length cannot be read", () => {
	assert.throws(
		() => new MessageReader(() => {}).read(Buffer.from("SIP/2.0 200 OK\r\n\r\n")),
		/without Content-Length/,
	);
});

test("a response tells its status and its caller, a request has no status", () => {
	assert.equal(statusOf(first), 200);
	assert.equal(statusOf(second), undefined);
	assert.deepEqual(answeredCaller(first), { number: 7, sequence: 12 });
	assert.equal(headerOf(second, "Call-ID"), "1");
	assert.equal(headerOf(second, "To"), undefined);
});

test("what a caller writes names its length, and its answer leads back to it", () => {
	const caller = createCaller({
		domain: "bench.example",
		fqdn: "sip.bench.example",
		number: 31,
		callee: "user1@contoso.example",
	});
	for (const [sequence, text] of [formatInvite(caller), formatInstantMessage(caller, "caf\u00e9")].entries()) {
		const found: string[] = [];
		new MessageReader((head) => found.push(head)).read(Buffer.from(text, "latin1"));
		assert.equal(found.length, 1);
		assert.deepEqual(answeredCaller(found[0] ?? ""), { number: 31, sequence: sequence + 1 });
	}
});

test("RFC 5626 §3.5.1: a keep-alive between two messages is heard, however it is cut, and is no message", () => {
	const message = "MESSAGE sip:a@b SIP/2.0\r\nContent-Length: 2\r\n\r\nhi";
	const stream = `${message}\r\n\r\n${message}`;
	for (let cut = 0; cut <= stream.length; cut += 1) {
		const heard: string[] = [];
		const reader = new MessageReader(
			(_head, whole) => heard.push(whole),
			() => heard.push("ping"),
		);
		reader.read(Buffer.from(stream.slice(0, cut)));
		reader.read(Buffer.from(stream.slice(cut)));
		assert.deepEqual(heard, [message, "ping", message]);
	}
});
