import assert from "node:assert/strict";
import { test } from "node:test";
import { HeaderId, headerValues } from "@causeway/sip";
import { final, openSession } from "./relay-session.ts";
import { linesOf, relayedAnswer, relayedRequest, routeFields, startRelayWorld } from "./relay-world.ts";
import { type Link, MESSAGE_LINE, sdp } from "./wire-world.ts";

test("a session goes through: MESSAGE in both directions and BYE, each answered end to end", async (context) => {
	const { partner, inside, byPartner, byInside } = await openSession(context);
	for (const [from, to, parts] of [
		[partner, inside, byPartner],
		[inside, partner, byInside],
	] as const) {
		from.write(relayedRequest({ method: "MESSAGE", ...parts, cseq: 7, body: "hello", contentType: "text/plain" }));
		const request = await to.request();
		assert.equal(request.method, "MESSAGE");
		assert.equal(Buffer.from(request.body).toString(), "hello");
		assert.deepEqual(headerValues(request, HeaderId.route), []);
		to.write(relayedAnswer(request, "200 OK"));
		assert.equal((await final(from)).statusCode, 200);
	}
	partner.write(relayedRequest({ method: "BYE", ...byPartner, cseq: 8 }));
	inside.write(relayedAnswer(await inside.request(), "200 OK"));
	assert.equal((await final(partner)).statusCode, 200);
});

test("REQ-50: every URI that is inserted says transport=tls, every Via TLS; both sides get the pair of routes", async (context) => {
	const { invite, ok } = await openSession(context);
	const inserted = headerValues(invite, HeaderId.recordRoute);
	assert.equal(inserted.length, 2);
	for (const value of inserted) {
		assert.match(
			value,
			/^<sip:sip\.contoso\.example:\d+;transport=tls;lr;fs=1\.[0-9a-z]+\.[0-9a-z]+\.[0-9a-z]+\.[0-9a-z]+-[0-9a-z]+\.[A-Za-z0-9_-]{22}>$/,
		);
	}
	assert.notEqual(inserted[0], inserted[1]);
	assert.deepEqual(headerValues(ok, HeaderId.recordRoute), inserted);
	const vias = headerValues(invite, HeaderId.via);
	assert.match(vias[0] ?? "", /^SIP\/2\.0\/TLS sip\.contoso\.example:\d+;branch=z9hG4bK1\./);
	assert.match(vias[1] ?? "", /^SIP\/2\.0\/TLS sip\.fabrikam\.example:5061;branch=[^;]+;alias;received=127\.0\.0\.1$/);
	assert.equal(vias[2], "SIP/2.0/TLS 192.0.2.7:49152;ms-received-port=49152;ms-received-cid=AB5A00");
	assert.equal(headerValues(ok, HeaderId.via).length, 2);
});

test("a first request of an inside user finds the partner's edge by the policy, and goes out", async (context) => {
	const world = await startRelayWorld(context);
	const inside = await world.connectInside();
	inside.write(relayedRequest({ method: "SUBSCRIBE", by: "inside", headers: ["Event: presence", "Expires: 600"] }));
	const partner = await world.acceptedByPartner();
	const request = await partner.request();
	assert.equal(request.method, "SUBSCRIBE");
	assert.deepEqual(linesOf(request, "max-forwards"), ["Max-Forwards: 68"]);
	// REQ-56: a NOTIFY, here one that overtakes the 200, gets no Record-Route.
	const parts = {
		callId: request.callId,
		fromTag: "b1",
		toTag: "a1",
		headers: [...routeFields(request), "Event: presence"],
	};
	partner.write(relayedRequest({ method: "NOTIFY", ...parts, uri: "sip:ines@192.0.2.7:49152" }));
	const notify = await inside.request();
	assert.equal(notify.method, "NOTIFY");
	assert.deepEqual(headerValues(notify, HeaderId.recordRoute), []);
	inside.write(relayedAnswer(notify, "200 OK"));
	assert.equal((await final(partner)).statusCode, 200);
	partner.write(relayedAnswer(request, "200 OK", { toTag: "b1", headers: ["Expires: 600"] }));
	assert.equal((await final(inside)).statusCode, 200);
});

for (const [name, before] of [
	["before any answer", undefined],
	["while it rings", "180 Ringing"],
] as const) {
	test(`RFC 3261 §16.10: CANCEL ${name} is answered here, reaches the far end after its first answer, and ends in 487`, async (context) => {
		const world = await startRelayWorld(context);
		const partner = await world.connectPartner();
		const parts = { callId: "cancelled", branch: "cancel1" } as const;
		partner.write(relayedRequest({ method: "INVITE", ...parts, body: sdp(MESSAGE_LINE) }));
		const inside = await world.acceptedByInside();
		const request = await inside.request();
		if (before !== undefined) {
			inside.write(relayedAnswer(request, before, { toTag: "b1" }));
			while ((await partner.response()).statusCode !== 180);
		}
		partner.write(relayedRequest({ method: "CANCEL", ...parts }));
		let answer = await partner.response();
		while (answer.cseq.method !== "CANCEL") answer = await partner.response();
		assert.equal(answer.statusCode, 200);
		if (before === undefined) inside.write(relayedAnswer(request, "100 Trying"));
		const cancel = await inside.request();
		assert.equal(cancel.method, "CANCEL");
		assert.equal(cancel.topVia.branch, request.topVia.branch);
		inside.write(relayedAnswer(cancel, "200 OK", { toTag: "b1" }));
		inside.write(relayedAnswer(request, "487 Request Terminated", { toTag: "b1" }));
		assert.equal((await inside.request()).method, "ACK");
		assert.equal((await final(partner)).statusCode, 487);
	});
}

test("a CANCEL that crosses the 200 changes nothing: the session stands", async (context) => {
	const world = await startRelayWorld(context);
	const partner = await world.connectPartner();
	partner.write(relayedRequest({ method: "INVITE", callId: "crossed", branch: "crossed1", body: sdp(MESSAGE_LINE) }));
	const inside = await world.acceptedByInside();
	const request = await inside.request();
	inside.write(relayedAnswer(request, "200 OK", { toTag: "b1", body: sdp(MESSAGE_LINE) }));
	const ok = await final(partner);
	partner.write(relayedRequest({ method: "CANCEL", callId: "crossed", branch: "crossed1" }));
	assert.equal((await final(partner)).cseq.method, "CANCEL");
	const parts = { callId: "crossed", toTag: "b1", headers: routeFields(ok), uri: "sip:ines@198.51.100.4:5061" };
	partner.write(relayedRequest({ method: "ACK", ...parts }));
	assert.equal((await inside.request()).method, "ACK");
	// A 200 that comes again goes on again, and so does its ACK.
	inside.write(relayedAnswer(request, "200 OK", { toTag: "b1", body: sdp(MESSAGE_LINE) }));
	assert.equal((await final(partner)).statusCode, 200);
	partner.write(relayedRequest({ method: "ACK", ...parts }));
	assert.equal((await inside.request()).method, "ACK");
	inside.write(
		relayedRequest({
			method: "BYE",
			by: "inside",
			callId: "crossed",
			fromTag: "b1",
			toTag: "a1",
			headers: routeFields(request),
		}),
	);
	partner.write(relayedAnswer(await partner.request(), "200 OK"));
	assert.equal((await final(inside)).statusCode, 200);
});

test("RFC 3261 §16.7: final answers from 300 go through, a 503 becomes 500, 100 stays on its hop", async (context) => {
	const world = await startRelayWorld(context);
	const partner = await world.connectPartner();
	let inside: Link | undefined;
	for (const [sent, seen] of [
		["302 Moved Temporarily", 302],
		["404 Not Found", 404],
		["486 Busy Here", 486],
		["503 Service Unavailable", 500],
		["603 Decline", 603],
	] as const) {
		partner.write(relayedRequest({ method: "INVITE", body: sdp(MESSAGE_LINE) }));
		inside ??= await world.acceptedByInside();
		const request = await inside.request();
		inside.write(relayedAnswer(request, "100 Trying"));
		inside.write(relayedAnswer(request, sent, { toTag: "b1", headers: ["X-Why: as it came"] }));
		assert.equal((await inside.request()).method, "ACK");
		const answer = await final(partner);
		assert.equal(answer.statusCode, seen);
		assert.deepEqual(linesOf(answer, "x-why"), seen === 500 ? [] : ["X-Why: as it came"]);
	}
});

test("RFC 3261 §14: a re-INVITE goes the way of its dialog and gets no Record-Route", async (context) => {
	const { partner, inside, byInside } = await openSession(context);
	inside.write(relayedRequest({ method: "INVITE", ...byInside, cseq: 3, body: sdp(MESSAGE_LINE) }));
	const request = await partner.request();
	assert.deepEqual(headerValues(request, HeaderId.recordRoute), []);
	partner.write(relayedAnswer(request, "200 OK", { body: sdp(MESSAGE_LINE) }));
	assert.equal((await final(inside)).statusCode, 200);
	inside.write(relayedRequest({ method: "ACK", ...byInside, cseq: 3 }));
	assert.equal((await partner.request()).method, "ACK");
});

for (const [name, parts, status, code] of [
	["page mode", { method: "MESSAGE", body: "hi", contentType: "text/plain" }, 488, "page-mode"],
	["MSRP alone", { method: "INVITE", body: sdp("message 7654 TCP/MSRP *") }, 488, "no-message-line"],
	["audio alone", { method: "INVITE", body: sdp("audio 49170 RTP/AVP 0") }, 488, "no-message-line"],
	["another event package", { method: "SUBSCRIBE", headers: ["Event: dialog"] }, 489, "event-package"],
	["REFER", { method: "REFER", headers: ["Refer-To: <sip:x@example.org>"] }, 405, "method-not-allowed"],
	["PUBLISH", { method: "PUBLISH" }, 405, "method-not-allowed"],
	["sips:", { method: "INVITE", headers: ["X-Any: <sips:a@example.org>"], body: sdp(MESSAGE_LINE) }, 400, "sips-uri"],
	["no hops left", { method: "INVITE", maxForwards: "0", body: sdp(MESSAGE_LINE) }, 483, "too-many-hops"],
	["an unknown extension for proxies", { method: "INVITE", headers: ["Proxy-Require: foo"] }, 420, "proxy-require"],
	[
		"a Route aimed behind us",
		{ method: "INVITE", headers: ["Route: <sip:10.0.0.5;lr>"], body: sdp(MESSAGE_LINE) },
		403,
		"foreign-route",
	],
	[
		"a domain that is nobody's",
		{ method: "INVITE", uri: "sip:x@example.org", body: sdp(MESSAGE_LINE) },
		404,
		"foreign-target",
	],
	[
		"a dialog without our route",
		{ method: "MESSAGE", toTag: "b1", body: "hi", contentType: "text/plain" },
		481,
		"no-route",
	],
] as const) {
	test(`the boundary holds for relay domains: ${name} is answered ${status}, and nothing goes inside`, async (context) => {
		const world = await startRelayWorld(context);
		const partner = await world.connectPartner();
		partner.write(relayedRequest(parts));
		const answer = await final(partner);
		assert.equal(answer.statusCode, status);
		const refused = world.log.find(({ event }) => event === "request refused");
		assert.equal(refused?.fields["code"], code);
		// REQ-33: a 488 says what we can do.
		assert.equal(Buffer.from(answer.body).includes("m=message 5060 sip/tcp *"), status === 488);
		assert.ok(
			!world.log.some(({ event, fields }) => event === "connection open" && fields["direction"] === "outbound"),
		);
	});
}

test("REQ-68: an inside server speaks for its own domain alone", async (context) => {
	const world = await startRelayWorld(context);
	const inside = await world.connectInside();
	for (const from of ["lena@fabrikam.example", "alice@contoso.example"]) {
		inside.write(
			relayedRequest({ method: "INVITE", by: "inside", body: sdp(MESSAGE_LINE) }).replace(
				"ines@corp.contoso.example>;",
				`${from}>;`,
			),
		);
		assert.equal((await final(inside)).statusCode, 403);
	}
});

test("protocol sheet 4.4: what is not our genuine pair of routes, in its own direction, is refused and not sent on", async (context) => {
	const { partner, inside, byPartner, partnerRoutes, insideRoutes } = await openSession(context);
	const [first = "", second = ""] = partnerRoutes;
	const flip = (route: string): string => `${route.slice(0, -3)}${route.at(-3) === "A" ? "B" : "A"}${route.slice(-2)}`;
	for (const [routes, status] of [
		[[flip(first), second], 403],
		[[first, flip(second)], 403],
		[[first], 403],
		[[first, first], 403],
		[insideRoutes, 403],
		[[first.replace("fs=1.", "fs=2."), second], 481],
		[[], 481],
	] as const) {
		partner.write(relayedRequest({ method: "INFO", ...byPartner, headers: routes, cseq: 9 }));
		assert.equal((await final(partner)).statusCode, status, routes.join(" "));
	}
	// Another dialog's tags.
	partner.write(relayedRequest({ method: "INFO", ...byPartner, callId: "another", cseq: 9 }));
	assert.equal((await final(partner)).statusCode, 403);
	partner.write(relayedRequest({ method: "INFO", ...byPartner, cseq: 10 }));
	inside.write(relayedAnswer(await inside.request(), "200 OK"));
	assert.equal((await final(partner)).statusCode, 200);
});

test("REQ-48: with affinity strict a request on another connection gets 481", async (context) => {
	const { world, byPartner } = await openSession(context);
	const other = await world.connectPartner();
	other.write(relayedRequest({ method: "INFO", ...byPartner, cseq: 9 }));
	const answer = await final(other);
	assert.equal(answer.statusCode, 481);
	assert.match(linesOf(answer, "ms-diagnostics-public")[0] ?? "", /: 1004;/);
});

test("product contract 6: with affinity rebind a dialog goes on over a new connection, also after a restart", async (context) => {
	const { world, byPartner, inside } = await openSession(context, { affinity: "rebind" });
	const other = await world.connectPartner();
	other.write(relayedRequest({ method: "INFO", ...byPartner, cseq: 9 }));
	inside.write(relayedAnswer(await inside.request(), "200 OK"));
	assert.equal((await final(other)).statusCode, 200);
	await world.restart();
	const later = await world.connectPartner();
	later.write(relayedRequest({ method: "INFO", ...byPartner, cseq: 10 }));
	const next = await world.acceptedByInside();
	next.write(relayedAnswer(await next.request(), "200 OK"));
	assert.equal((await final(later)).statusCode, 200);
});

test("product contract 9: with affinity strict a dialog does not outlive a restart", async (context) => {
	const { world, byPartner } = await openSession(context);
	await world.restart();
	const later = await world.connectPartner();
	later.write(relayedRequest({ method: "INFO", ...byPartner, cseq: 10 }));
	assert.equal((await final(later)).statusCode, 481);
});

test("a connection cut while a request waits: the asking side hears of it, the other side is not left ringing", async (context) => {
	const world = await startRelayWorld(context);
	const partner = await world.connectPartner();
	partner.write(relayedRequest({ method: "INVITE", body: sdp(MESSAGE_LINE) }));
	const inside = await world.acceptedByInside();
	await inside.request();
	inside.destroy();
	assert.equal((await final(partner)).statusCode, 504);
	partner.write(relayedRequest({ method: "INVITE", body: sdp(MESSAGE_LINE) }));
	const again = await world.acceptedByInside();
	const request = await again.request();
	again.write(relayedAnswer(request, "180 Ringing", { toTag: "b1" }));
	while ((await partner.response()).statusCode !== 180);
	partner.destroy();
	assert.equal((await again.request()).method, "CANCEL");
});

test("REQ-49: the loss of either connection ends the dialog", async (context) => {
	const { world, partner, inside, byPartner, byInside } = await openSession(context);
	inside.destroy();
	const next = await world.connectInside();
	partner.write(relayedRequest({ method: "INFO", ...byPartner, cseq: 9 }));
	assert.equal((await final(partner)).statusCode, 481);
	next.write(relayedRequest({ method: "INFO", ...byInside, cseq: 9 }));
	assert.equal((await final(next)).statusCode, 481);
});

test("REQ-52: a response with a sips: URI is dropped, and its request waits on", async (context) => {
	const { partner, inside, byPartner } = await openSession(context);
	partner.write(relayedRequest({ method: "INFO", ...byPartner, cseq: 9 }));
	const request = await inside.request();
	inside.write(relayedAnswer(request, "200 OK", { headers: ["X-Any: <sips:a@example.org>"] }));
	inside.write(relayedAnswer(request, "200 OK", { headers: ["X-Any: second"] }));
	assert.deepEqual(linesOf(await final(partner), "x-any"), ["X-Any: second"]);
});

test("RFC 3261 §16.3: a request that comes back is a loop, one that comes twice is merged", async (context) => {
	const world = await startRelayWorld(context);
	const partner = await world.connectPartner();
	partner.write(relayedRequest({ method: "INVITE", callId: "loop", body: sdp(MESSAGE_LINE) }));
	const inside = await world.acceptedByInside();
	const request = await inside.request();
	const text = `${request.head.text}${Buffer.from(request.body).toString("latin1")}`;
	inside.write(text.replace("Via:", "Via: SIP/2.0/TLS home.corp.contoso.example;branch=z9hG4bKback\r\nVia:"));
	assert.equal((await final(inside)).statusCode, 482);
	partner.write(relayedRequest({ method: "INVITE", callId: "loop", body: sdp(MESSAGE_LINE) }));
	assert.equal((await final(partner)).statusCode, 482);
});

test("REQ-80, REQ-74: trust headers end at the boundary, and one statement of the level goes on", async (context) => {
	const world = await startRelayWorld(context, { verification: "verified" });
	const partner = await world.connectPartner();
	const level = "Ms-asserted-verification-level: ms-source-verification-level";
	partner.write(
		relayedRequest({
			method: "INVITE",
			body: sdp(MESSAGE_LINE),
			headers: [
				"ms-edge-proxy-message-trust: ms-source-type=InternetUser;ms-ep-fqdn=x.example;ms-source-verified-user=verified",
				"P-Asserted-Identity: <sip:boss@corp.contoso.example>",
				"P-Preferred-Identity: <sip:lena@fabrikam.example>",
				`${level}=verified`,
				`${level}=unverified`,
			],
		}),
	);
	const inside = await world.acceptedByInside();
	const request = await inside.request();
	assert.deepEqual(linesOf(request, "ms-edge-proxy-message-trust"), []);
	assert.deepEqual(linesOf(request, "p-asserted-identity"), []);
	assert.equal(linesOf(request, "p-preferred-identity").length, 1);
	assert.deepEqual(linesOf(request, "ms-asserted-verification-level"), [`${level}=unverified`]);
	inside.write(
		relayedAnswer(request, "480 Away", { toTag: "b1", headers: ['ms-diagnostics: 1;reason="x";source="home"'] }),
	);
	assert.deepEqual(linesOf(await final(partner), "ms-diagnostics"), []);
	inside.write(relayedRequest({ method: "INVITE", by: "inside", body: sdp(MESSAGE_LINE) }));
	assert.deepEqual(linesOf(await partner.request(), "ms-asserted-verification-level"), [`${level}=verified`]);
});

test("product contract 2: hosted users and those behind the inside server reach each other through the same edge", async (context) => {
	const world = await startRelayWorld(context);
	const alice = await world.createUser("alice@contoso.example");
	await alice.call("putContact", { params: { aor: "ines@corp.contoso.example" }, body: {} });
	const inside = await world.acceptedByInside();
	const watch = await inside.request();
	assert.equal(watch.method, "SUBSCRIBE");
	assert.equal(watch.requestUri.text, "sip:ines@corp.contoso.example");
	assert.deepEqual(headerValues(watch, HeaderId.recordRoute), []);
	inside.write(relayedAnswer(watch, "200 OK", { toTag: "b1", headers: ["Expires: 3600"] }));
	inside.write(
		relayedRequest({
			method: "SUBSCRIBE",
			by: "inside",
			uri: "sip:alice@contoso.example",
			headers: ["Event: presence"],
		}).replace("lena@fabrikam.example>", "alice@contoso.example>"),
	);
	assert.equal((await final(inside)).statusCode, 200);
	const notify = await inside.request();
	assert.equal(notify.method, "NOTIFY");
});
