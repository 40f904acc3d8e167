import assert from "node:assert/strict";
import { test } from "node:test";
import { compareRelayed } from "./compare-relayed.ts";

const sent = [
	"MESSAGE sip:b@b.example SIP/2.0",
	"Via: SIP/2.0/TLS sip.a.example;branch=z9hG4bK1",
	"max-forwards : 69",
	"Route: <sip:edge.example;lr>",
	"X-Odd:  kept   as  it is ",
	"Content-Length: 2",
	"",
	"hi",
].join("\r\n");
const relayed = sent
	.replace("Via: ", "Via: SIP/2.0/TLS edge.example;branch=z9hG4bK2\r\nVia: ")
	.replace("max-forwards : 69", "Max-Forwards: 68")
	.replace("Route: <sip:edge.example;lr>\r\n", "");

test("RFC 3261 §16.6: owned fields may differ, in both directions", () => {
	assert.equal(compareRelayed(sent, relayed), undefined);
	assert.equal(compareRelayed(relayed, sent), undefined);
});

for (const [name, changed] of [
	["one blank less in a foreign field", relayed.replace("kept   as", "kept  as")],
	["another body", relayed.replace("hi", "ho")],
	["another Request-URI", relayed.replace("sip:b@b.example", "sip:c@b.example")],
	["a foreign field left out", relayed.replace("X-Odd:  kept   as  it is \r\n", "")],
	["a lower Via changed", relayed.replace("z9hG4bK1", "z9hg4bk1")],
	["no Via of the proxy", sent],
] as const) {
	test(`a difference is found: ${name}`, () => assert.notEqual(compareRelayed(sent, changed), undefined));
}
