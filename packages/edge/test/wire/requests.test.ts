/** What a partner's request meets at the boundary, over the wire: the checks of the pipeline and of the user agent. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { HeaderId, headerValue } from "@causeway/sip";
import { bodyText, formatRequest, MESSAGE_LINE, type RequestParts, sdp, startWireWorld } from "./wire-world.ts";

const subscribe = { method: "SUBSCRIBE", headers: ["Event: presence", "Expires: 3600"] } as const;

const cases: readonly (readonly [
	name: string,
	request: RequestParts,
	status: number,
	header?: readonly [HeaderId, RegExp],
])[] = [
	[
		"REQ-52: sips: in the Contact is malformed",
		{ ...subscribe, headers: [...subscribe.headers, "Reply-To: <sips:lena@fabrikam.example>"] },
		400,
	],
	["protocol 6.1: tel: is not served", { method: "OPTIONS", uri: "tel:+15551234" }, 416],
	[
		"protocol 6.1: an unknown Proxy-Require is named",
		{ method: "OPTIONS", headers: ["Proxy-Require: ms-benotify"] },
		420,
		[HeaderId.unsupported, /^ms-benotify$/],
	],
	[
		"protocol 3.5: an unknown Require is named",
		{ method: "INVITE", headers: ["Require: com.microsoft.rtc-multiparty"], body: sdp(MESSAGE_LINE) },
		420,
		[HeaderId.unsupported, /rtc-multiparty/],
	],
	["REQ-68: our own domain in From is a spoof", { ...subscribe, from: "mallory@contoso.example" }, 403],
	["REQ-68: a domain that is not the peer's", { ...subscribe, from: "mallory@other.example" }, 403],
	["REQ-68: a subdomain of the peer's is not the peer's", { ...subscribe, from: "mallory@sub.fabrikam.example" }, 403],
	["REQ-70: an IP address in From", { ...subscribe, from: "lena@192.0.2.7" }, 400],
	["REQ-82: a foreign target is not relayed", { ...subscribe, to: "bob@elsewhere.example" }, 404],
	["protocol 2.7: REGISTER does not cross", { method: "REGISTER" }, 405, [HeaderId.allow, /SUBSCRIBE/]],
	["protocol 7.7: and says so", { method: "REGISTER" }, 405, [HeaderId.msDiagnosticsPublic, /^1027;/]],
	[
		"protocol 7.7: a foreign target has no route",
		{ ...subscribe, to: "bob@elsewhere.example" },
		404,
		[HeaderId.msDiagnosticsPublic, /^1005;/],
	],
	["protocol 7.7: a forged sender is told nothing", { ...subscribe, from: "mallory@contoso.example" }, 403],
	["protocol 2.7: PUBLISH does not cross", { method: "PUBLISH" }, 405],
	["protocol 2.7: an unknown method does not cross", { method: "NEWMETHOD" }, 405],
	[
		"REQ-53: page mode is refused with our capabilities",
		{ method: "MESSAGE", body: "hello", contentType: "text/plain" },
		488,
		[HeaderId.msDiagnosticsPublic, /^1027;/],
	],
	[
		"REQ-87: other event packages",
		{ method: "SUBSCRIBE", headers: ["Event: presence.winfo"] },
		489,
		[HeaderId.allowEvents, /^presence$/],
	],
	[
		"protocol 5.6: Accept without PIDF",
		{ ...subscribe, headers: [...subscribe.headers, "Accept: application/xpidf+xml"] },
		406,
	],
	[
		"REQ-86: a subscription too short",
		{ method: "SUBSCRIBE", headers: ["Event: presence", "Expires: 10"] },
		423,
		[HeaderId.minExpires, /^300$/],
	],
	[
		"protocol 7.5, 7.7: SUBSCRIBE to an unknown user of a listed peer",
		{ ...subscribe, to: "nobody@contoso.example" },
		404,
		[HeaderId.msDiagnosticsPublic, /^1003;reason="[^"]+"$/],
	],
	[
		"protocol 3.5: INVITE to an unknown user of a listed peer",
		{ method: "INVITE", to: "nobody@contoso.example", body: sdp(MESSAGE_LINE) },
		404,
	],
	["REQ-33: an offer of audio alone", { method: "INVITE", body: sdp("audio 4000 RTP/AVP 0") }, 488],
	["REQ-54: an offer of MSRP alone", { method: "INVITE", body: sdp("message 4000 TCP/MSRP *") }, 488],
	["protocol 3.2: an INVITE without offer", { method: "INVITE" }, 488],
	[
		"protocol 3.5: another body type",
		{ method: "INVITE", body: "x", contentType: "application/ms-conf-invite+xml" },
		415,
		[HeaderId.accept, /application\/sdp/],
	],
	[
		"RFC 3261 §12.2.2: a dialog that is not known",
		{ method: "BYE", toTag: "unknown" },
		481,
		[HeaderId.msDiagnosticsPublic, /^1004;/],
	],
	[
		"RFC 6665 §4.1.3: a NOTIFY of no subscription",
		{ method: "NOTIFY", toTag: "unknown", headers: ["Event: presence", "Subscription-State: active"] },
		481,
	],
];

test("the boundary: each request gets the answer that its rule gives, and the connection goes on", async (context) => {
	const world = await startWireWorld(context);
	await world.createUser("alice@contoso.example", "Alice");
	const link = await world.connect();
	for (const [name, parts, status, header] of cases) {
		await context.test(name, async () => {
			link.write(formatRequest(parts));
			let response = await link.response();
			while (response.statusCode < 200) response = await link.response();
			assert.equal(response.statusCode, status);
			if (header !== undefined) assert.match(headerValue(response, header[0]) ?? "", header[1]);
			if (status === 488) assert.match(bodyText(response), /^m=message 5060 sip\/tcp \*\r$/m);
			if (parts.method === "INVITE") {
				link.write(
					formatRequest({
						...parts,
						method: "ACK",
						toTag: response.to.tag ?? "",
						callId: response.callId,
						headers: [],
						body: "",
					}),
				);
			}
		});
	}
	await context.test("REQ-32: OPTIONS is answered alike for a user and for nobody, with the literal line", async () => {
		for (const to of ["alice@contoso.example", "nobody@contoso.example"]) {
			link.write(formatRequest({ method: "OPTIONS", to }));
			const response = await link.response();
			assert.equal(response.statusCode, 200);
			assert.match(bodyText(response), /^m=message 5060 sip\/tcp \*\r$/m);
			assert.equal(headerValue(response, HeaderId.allowEvents), "presence");
		}
	});
	await context.test("the peer's edge may probe ours", async () => {
		link.write(
			formatRequest({
				method: "OPTIONS",
				uri: "sip:sip.contoso.example:5061;transport=tls",
				from: "sip.fabrikam.example",
				to: "sip.contoso.example",
			}),
		);
		assert.equal((await link.response()).statusCode, 200);
	});
	assert.ok(link.isOpen);
});

test("Max-Forwards: a request that has none left is refused with 483", async (context) => {
	const world = await startWireWorld(context);
	const link = await world.connect();
	link.write(formatRequest(subscribe).replace("Max-Forwards: 70", "Max-Forwards: 0"));
	assert.equal((await link.response()).statusCode, 483);
});

test("a malformed message gets 400 and the connection goes on; lost framing gets 400 and the end; the others do not notice", async (context) => {
	const world = await startWireWorld(context);
	const [bystander, first, second, third] = [
		await world.connect(),
		await world.connect(),
		await world.connect(),
		await world.connect(),
	];
	first.write(formatRequest({ method: "OPTIONS" }).replace("Max-Forwards: 70", "Max-Forwards: seventy"));
	assert.equal((await first.response()).statusCode, 400);
	first.write(formatRequest({ method: "OPTIONS" }));
	assert.equal((await first.response()).statusCode, 200);

	second.write(formatRequest({ method: "OPTIONS" }).replace(/Content-Length: 0\r\n/, ""));
	assert.equal((await second.response()).statusCode, 400);
	await second.closed();

	third.write(
		formatRequest({ method: "OPTIONS" }).replace("Content-Length: 0", "Content-Length: 0\r\nContent-Length: 0"),
	);
	assert.equal((await third.response()).statusCode, 400);
	await third.closed();

	const fourth = await world.connect();
	fourth.write("\u0000\u0001 this is not SIP\r\n\r\n");
	await fourth.closed();

	bystander.write(formatRequest({ method: "OPTIONS" }));
	assert.equal((await bystander.response()).statusCode, 200);
	assert.ok(world.log.some(({ event }) => event === "malformed message"));
});
