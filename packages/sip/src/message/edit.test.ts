import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { HeaderId } from "../header/names.ts";
import { applyEdits, countFields, type Edit, findField } from "./edit.ts";
import { headerValues } from "./fields.ts";
import { indexHead } from "./head-index.ts";
import { DEFAULT_HEAD_LIMITS } from "./limits.ts";
import { FIELD_STRIDE, type SipMessage, type SipRequest } from "./message.ts";
import { parseMessage } from "./parse.ts";

function parse(text: string): SipMessage {
	const octets = Buffer.from(text, "latin1");
	const indexed = indexHead(octets, 0, octets.length, DEFAULT_HEAD_LIMITS);
	assert.ok(indexed.ok);
	const outcome = parseMessage({ head: indexed.head, body: new Uint8Array([1, 2]) });
	assert.ok(outcome.ok, outcome.ok ? "" : outcome.fault.detail);
	return outcome.message;
}

const text =
	'MESSAGE sip:b@b.example SIP/2.0\r\nv:SIP/2.0/TLS a.example;branch=z9hG4bK1\r\nmax-forwards : 69\r\nFROM: "A"  <sip:a@a.example>;tag=1\r\nRoute: <sip:one;lr> , <sip:two;lr>\r\nX:  kept\r\n  as it is\t\r\nTo: <sip:b@b.example>\r\ni: c1\r\nCSeq: 1 MESSAGE\r\nVia: SIP/2.0/TLS z.example\r\nl: 2\r\n\r\n';

function request(): SipRequest {
	const message = parse(text);
	assert.ok(message.kind === "request");
	return message;
}

/** What was decoded and indexed is what a reader of the new head would find. */
function assertWhole(message: SipMessage): void {
	assert.deepEqual(message, parse(message.head.text));
}

test("RFC 3261 §16.6: a proxy's edits change their fields and not one octet more", () => {
	const before = request();
	const route = findField(before.head, HeaderId.route) ?? 0;
	const hops = findField(before.head, HeaderId.maxForwards) ?? 0;
	const hopsStart = before.head.fields[hops * FIELD_STRIDE + 2] ?? 0;
	const after = applyEdits(before, [
		{ kind: "remove", field: route },
		{ kind: "insert", field: 0, id: HeaderId.via, value: "SIP/2.0/TLS edge.example;branch=z9hG4bKours" },
		{ kind: "insert", field: route, id: HeaderId.recordRoute, value: "<sip:edge.example;lr>" },
		{ kind: "replace", field: hops, start: hopsStart, end: hopsStart + 2, value: "68" },
	]);
	assert.equal(
		after.head.text,
		text
			.replace("v:SIP", "Via: SIP/2.0/TLS edge.example;branch=z9hG4bKours\r\nv:SIP")
			.replace(": 69", ": 68")
			.replace("Route: <sip:one;lr> , <sip:two;lr>", "Record-Route: <sip:edge.example;lr>"),
	);
	assert.equal(after.topVia.branch, "z9hG4bKours");
	assert.equal(after.maxForwards, 68);
	assert.equal(after.from, before.from);
	assertWhole(after);
});

test("RFC 3261 §16.6: the Request-URI is replaced together with other edits", () => {
	const after = applyEdits(request(), [
		{ kind: "insert", field: 0, id: HeaderId.route, value: "<sip:r;lr>" },
		{ kind: "request-uri", uri: "sip:elsewhere@c.example;x=1" },
	]);
	assert.equal(
		after.head.text,
		text
			.replace("sip:b@b.example SIP", "sip:elsewhere@c.example;x=1 SIP")
			.replace("v:SIP", "Route: <sip:r;lr>\r\nv:SIP"),
	);
	assert.equal(after.requestUri.text, "sip:elsewhere@c.example;x=1");
	assertWhole(after);
});

test("RFC 3261 §16.7: a proxy takes its Via off a response", () => {
	const response = parse(text.replace("MESSAGE sip:b@b.example SIP/2.0", "SIP/2.0 200 OK and  more"));
	assert.ok(response.kind === "response");
	const after = applyEdits(response, [{ kind: "remove", field: 0 }]);
	assert.equal(after.topVia.host, "z.example");
	assert.equal(after.reasonPhrase, "OK and  more");
	assertWhole(after);
});

test("the top value of a list is taken out of its field", () => {
	const before = request();
	const field = findField(before.head, HeaderId.route) ?? 0;
	const start = before.head.fields[field * FIELD_STRIDE + 2] ?? 0;
	const after = applyEdits(before, [
		{ kind: "replace", field, start, end: start + "<sip:one;lr> , ".length, value: "" },
	]);
	assert.deepEqual(headerValues(after, HeaderId.route), ["<sip:two;lr>"]);
	assertWhole(after);
});

test("edits of the fields that a message is known by are read anew", () => {
	const before = request();
	const field = findField(before.head, HeaderId.from) ?? 0;
	const [, , start = 0, end = 0] = before.head.fields.slice(field * FIELD_STRIDE);
	const after = applyEdits(before, [{ kind: "replace", field, start, end, value: "<sip:x@y.example>;tag=9" }]);
	assert.equal(after.from.tag, "9");
	assertWhole(after);
});

test("a field added where there was none, and one that goes", () => {
	const hops = findField(request().head, HeaderId.maxForwards) ?? 0;
	const without = applyEdits(request(), [{ kind: "remove", field: hops }]);
	assert.equal(without.maxForwards, undefined);
	const again = applyEdits(without, [
		{ kind: "insert", field: countFields(without.head), id: HeaderId.maxForwards, value: "70" },
	]);
	assert.equal(again.maxForwards, 70);
	assertWhole(again);
});

const mistakes: readonly [string, readonly Edit[], RegExp][] = [
	["a line end in a value", [{ kind: "insert", field: 0, id: HeaderId.route, value: "<sip:a>\r\nX: y" }], /line end/],
	["a line end in a Request-URI", [{ kind: "request-uri", uri: "sip:a\r\n" }], /line end/],
	["a broken Request-URI", [{ kind: "request-uri", uri: "sip:" }], /malformed/],
	[
		"two Request-URIs",
		[
			{ kind: "request-uri", uri: "sip:a" },
			{ kind: "request-uri", uri: "sip:b" },
		],
		/twice/,
	],
	["a field that is not there", [{ kind: "remove", field: 99 }], /none of the message/],
	[
		"a field removed twice",
		[
			{ kind: "remove", field: 4 },
			{ kind: "remove", field: 4 },
		],
		/overlap/,
	],
	["octets outside their value", [{ kind: "replace", field: 1, start: 0, end: 3, value: "" }], /outside/],
	["an insertion past the end", [{ kind: "insert", field: 99, id: HeaderId.route, value: "x" }], /overlap/],
	["a header without name", [{ kind: "insert", field: 0, id: HeaderId.other, value: "x" }], /no name/],
	[
		"no Via left",
		[
			{ kind: "remove", field: 0 },
			{ kind: "remove", field: 8 },
		],
		/no readable Via/,
	],
	["no From left", [{ kind: "remove", field: 2 }], /malformed/],
	["a second Max-Forwards", [{ kind: "insert", field: 0, id: HeaderId.maxForwards, value: "1" }], /more than one/],
	[
		"a Max-Forwards that is none",
		[{ kind: "replace", field: 1, start: text.indexOf("69"), end: text.indexOf("69") + 2, value: "x" }],
		/Max-Forwards/,
	],
];
for (const [name, edits, expected] of mistakes) {
	test(`an edit that leaves no message is our own mistake: ${name}`, () => {
		assert.throws(() => applyEdits(request(), edits), expected);
	});
}

const headers = [
	"X-A: 1",
	"Route: <sip:r;lr>",
	"Via: SIP/2.0/TLS q.example",
	"x-b:\ttwo\r\n folded ",
	"Record-Route: <sip:s;lr>",
	"k: a,b",
];
const anyEdit = fc.record({
	kind: fc.constantFrom("remove", "replace", "insert"),
	field: fc.nat(7),
	id: fc.constantFrom(HeaderId.via, HeaderId.route, HeaderId.recordRoute),
});

test("only edited fields differ, whatever is edited", () => {
	fc.assert(
		fc.property(
			fc.array(fc.constantFrom(...headers), { minLength: 8, maxLength: 8 }),
			fc.uniqueArray(anyEdit, { selector: ({ field }) => field }),
			(extra, wishes) => {
				const start = "MESSAGE sip:b@b.example SIP/2.0\r\n";
				const rest =
					"Via: SIP/2.0/TLS a.example\r\nFrom: <sip:a@a.example>\r\nTo: <sip:b@b.example>\r\ni: 1\r\nCSeq: 1 MESSAGE\r\n\r\n";
				const before = parse(`${start}${extra.join("\r\n")}\r\n${rest}`);
				assert.ok(before.kind === "request");
				const lines = extra.map((line) => `${line}\r\n`);
				const edits: Edit[] = [];
				for (const { kind, field, id } of wishes) {
					const [, , from = 0, to = 0] = before.head.fields.slice(field * FIELD_STRIDE);
					const line = lines[field] ?? "";
					const value = id === HeaderId.via ? "SIP/2.0/TLS new.example" : "<sip:new;lr>";
					const name = id === HeaderId.via ? "Via" : id === HeaderId.route ? "Route" : "Record-Route";
					if (kind === "remove") {
						edits.push({ kind, field });
						lines[field] = "";
					} else if (kind === "insert") {
						edits.push({ kind, field, id, value });
						lines[field] = `${name}: ${value}\r\n${line}`;
					} else {
						const old = before.head.text.slice(from, to);
						const isVia = line.startsWith("Via");
						edits.push({
							kind: "replace",
							field,
							start: from,
							end: to,
							value: isVia ? "SIP/2.0/TLS other.example" : "<sip:o;lr>",
						});
						lines[field] = line.replace(old, isVia ? "SIP/2.0/TLS other.example" : "<sip:o;lr>");
					}
				}
				const after = applyEdits(before, edits);
				assert.equal(after.head.text, start + lines.join("") + rest);
				assertWhole(after);
			},
		),
		{ numRuns: 300 },
	);
});
