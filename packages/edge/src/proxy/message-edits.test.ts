import assert from "node:assert/strict";
import { test } from "node:test";
import { applyEdits } from "@causeway/sip";
import { discoveredPeer } from "../federation/peers.ts";
import { boundaryEdits } from "./boundary-headers.ts";
import { popVia, requestEdits, viaBelow, viaEdit } from "./message-edits.ts";
import { checkRoutes } from "./route-check.ts";
import { messageOf, oddMessages } from "./testing.ts";

const crossing = {
	sender: { ...discoveredPeer("fabrikam.example"), verification: "always-verified" },
	senderDomain: "fabrikam.example",
	receiver: { ...discoveredPeer("corp.contoso.example"), kind: "inside" },
	markOutgoing: true,
} as const;
const rules = {
	identity: { fqdn: "sip.contoso.example", port: 5061 },
	keys: { find: () => undefined, dialogMs: 1, now: () => 0 },
	relayDomains: new Set<string>(),
	networkOf: () => "",
};
const OURS = "<sip:sip.contoso.example:5061;transport=tls;lr>";

/** The request as it leaves the proxy. */
function relay(text: string, recordRoutes: readonly string[] = []): string {
	const request = messageOf(text);
	assert.ok(request.kind === "request");
	const found = checkRoutes(request, rules);
	assert.ok(found.kind === "none", JSON.stringify(found));
	const edited = applyEdits(request, [
		viaEdit(request, "SIP/2.0/TLS sip.contoso.example:5061;branch=z9hG4bKours;alias"),
		...requestEdits(request, { source: "192.0.2.1", routes: found.routes, recordRoutes }),
		...boundaryEdits(request.head, request.method, crossing),
	]);
	return edited.head.text + Buffer.from(edited.body).toString("latin1");
}

const VIA = "Via: SIP/2.0/TLS sip.fabrikam.example:5061;branch=z9hG4bK1";
const LEVEL = "Ms-asserted-verification-level: ms-source-verification-level=verified";

test("protocol sheet 6.1: what a request carries that is not ours leaves byte for byte as it came", () => {
	let count = 0;
	for (const { foreign, body } of oddMessages()) {
		const owned = [VIA, "max-forwards :  69", `Route: ${OURS}`, LEVEL, "v: SIP/2.0/TLS 192.0.2.9 ;ms-received-cid=A"];
		const lines = [...owned.slice(0, 2), ...foreign.slice(0, 2), ...owned.slice(2), ...foreign.slice(2)];
		const text = relay(["MESSAGE sip:ines@198.51.100.4;X=y SIP/2.0", ...lines, "", body].join("\r\n"));
		const expected = [
			"MESSAGE sip:ines@198.51.100.4;X=y SIP/2.0",
			"Via: SIP/2.0/TLS sip.contoso.example:5061;branch=z9hG4bKours;alias",
			`${VIA};received=192.0.2.1`,
			"max-forwards :  68",
			...foreign.slice(0, 2),
			LEVEL,
			"v: SIP/2.0/TLS 192.0.2.9 ;ms-received-cid=A",
			...foreign.slice(2),
			"",
			body,
		].join("\r\n");
		assert.equal(text, expected);
		count += 1;
	}
	assert.ok(count >= 100, `${count} messages`);
});

function message(lines: readonly string[], method = "MESSAGE"): string {
	return [
		`${method} sip:ines@corp.contoso.example SIP/2.0`,
		...(lines.some((line) => /^v(ia)?:/i.test(line)) ? [] : [VIA]),
		...lines,
		"From: <sip:lena@fabrikam.example>;tag=a1",
		"To: <sip:ines@corp.contoso.example>;tag=b1",
		"Call-ID: c1",
		`CSeq: 2 ${method}`,
		"Content-Length: 0",
		"",
		"",
	].join("\r\n");
}

function fieldLines(text: string, name: string): readonly string[] {
	return text.split("\r\n").filter((line) => line.toLowerCase().startsWith(`${name}:`));
}

test("RFC 3261 §16.6 step 3: Max-Forwards goes down by one, is 70 at most, and is added where it is missing", () => {
	for (const [lines, expected] of [
		[["Max-Forwards: 1"], "Max-Forwards: 0"],
		[["Max-Forwards: 255"], "Max-Forwards: 70"],
		[[], "Max-Forwards: 70"],
	] as const) {
		assert.deepEqual(fieldLines(relay(message(lines)), "max-forwards"), [expected]);
	}
});

test("RFC 3261 §16.6 steps 4 and 6: our route goes, those behind it stay; a strict router gets its place in the Request-URI", () => {
	for (const [routes, left, target] of [
		[[`Route: ${OURS}`], [], "sip:ines@corp.contoso.example"],
		[
			[`Route: ${OURS} , <sip:a.example;lr>,<sip:b.example;lr>`],
			["Route: <sip:a.example;lr>,<sip:b.example;lr>"],
			"sip:ines@corp.contoso.example",
		],
		[[`Route: ${OURS}`, "Route: <sip:a.example;lr>"], ["Route: <sip:a.example;lr>"], "sip:ines@corp.contoso.example"],
		[
			[`Route: ${OURS}, <sip:strict.example>, <sip:b.example;lr>`],
			["Route: <sip:b.example;lr>", "Route: <sip:ines@corp.contoso.example>"],
			"sip:strict.example",
		],
		[
			[`Route: ${OURS},\r\n <sip:a.example;lr>,\r\n <sip:b.example;lr>`],
			["Route: <sip:a.example;lr>, <sip:b.example;lr>"],
			"sip:ines@corp.contoso.example",
		],
	] as const) {
		const text = relay(message(routes));
		assert.deepEqual(fieldLines(text, "route"), left);
		assert.ok(text.startsWith(`MESSAGE ${target} SIP/2.0\r\n`), text);
	}
});

test("RFC 3261 §16.6 step 4: our Record-Routes stand before those that are there, else behind the Vias on top", () => {
	const added = ["<sip:one;lr>", "<sip:two;lr>"];
	assert.deepEqual(fieldLines(relay(message(["Record-Route: <sip:x;lr>"], "INVITE"), added), "record-route"), [
		"Record-Route: <sip:one;lr>",
		"Record-Route: <sip:two;lr>",
		"Record-Route: <sip:x;lr>",
	]);
	const lines = relay(message(["Max-Forwards: 5"], "INVITE"), added).split("\r\n");
	assert.deepEqual(lines.slice(3, 5), ["Record-Route: <sip:one;lr>", "Record-Route: <sip:two;lr>"]);
});

test("RFC 3261 §18.2.1: the source is noted where sent-by says otherwise, in the first of several Vias, once", () => {
	for (const [via, expected] of [
		[
			"SIP/2.0/TLS a.example;branch=z9hG4bK1 , SIP/2.0/TLS b.example",
			"SIP/2.0/TLS a.example;branch=z9hG4bK1 ;received=192.0.2.1, SIP/2.0/TLS b.example",
		],
		["SIP/2.0/TLS 192.0.2.1;branch=z9hG4bK1", "SIP/2.0/TLS 192.0.2.1;branch=z9hG4bK1"],
		[
			"SIP/2.0/TLS a.example;received=1.1.1.1;branch=z9hG4bK1",
			"SIP/2.0/TLS a.example;received=1.1.1.1;branch=z9hG4bK1",
		],
	] as const) {
		assert.equal(fieldLines(relay(message([`Via: ${via}`])), "via")[1], `Via: ${expected}`);
	}
	const request = messageOf(message(["Via: SIP/2.0/TLS a.example;branch=z9hG4bK1, SIP/2.0/TLS b.example"]));
	assert.ok(request.kind === "request");
	assert.equal(
		viaBelow(request, "192.0.2.1"),
		"SIP/2.0/TLS a.example;branch=z9hG4bK1;received=192.0.2.1,SIP/2.0/TLS b.example",
	);
});

test("RFC 3261 §16.7 step 3: our Via comes off a response, alone or in front of others; without another there is nobody to answer", () => {
	for (const [vias, left] of [
		[["Via: SIP/2.0/TLS us;branch=z9hG4bK1", "Via: SIP/2.0/TLS a"], ["Via: SIP/2.0/TLS a"]],
		[['Via: SIP/2.0/TLS us;branch=z9hG4bK1 , SIP/2.0/TLS a;x="1,2"'], ['Via: SIP/2.0/TLS a;x="1,2"']],
		[["Via: SIP/2.0/TLS us;branch=z9hG4bK1"], undefined],
		[["Via: SIP/2.0/TLS us;branch=z9hG4bK1", "Via: none"], undefined],
	] as const) {
		const text = message(vias).replace("MESSAGE sip:ines@corp.contoso.example SIP/2.0", "SIP/2.0 200 OK");
		const response = messageOf(text);
		assert.ok(response.kind === "response");
		const edit = popVia(response);
		assert.deepEqual(edit && fieldLines(applyEdits(response, [edit]).head.text, "via"), left);
	}
});
