/** What may happen at any moment of a relayed dialog: CANCEL, silence, lost connections, late and repeated messages. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { HeaderId, headerValues, type SipRequest } from "@causeway/sip";
import { JumpClock } from "./jump-clock.ts";
import { final, openSession } from "./relay-session.ts";
import { linesOf, relayedAnswer, relayedRequest, routeFields, startRelayWorld } from "./relay-world.ts";
import { type Link, MESSAGE_LINE, sdp } from "./wire-world.ts";

const SILENCE_MS = 32_000;
const TEXT = { body: "hello", contentType: "text/plain" } as const;

/** A request that its far end answers, to see that a connection still carries what it should and nothing came before. */
async function nothingElse(from: Link, to: Link, parts: Parameters<typeof relayedRequest>[0]): Promise<void> {
	from.write(relayedRequest({ ...parts, headers: [...(parts.headers ?? []), "X-Probe: 1"] }));
	const request = await to.request();
	assert.deepEqual(linesOf(request, "x-probe"), ["X-Probe: 1"], request.head.text);
	to.write(relayedAnswer(request, "200 OK"));
	assert.equal((await final(from)).statusCode, 200);
}

test("RFC 3261 §16.10: a CANCEL that comes with its INVITE, before there is a way to go, ends it here with 487; nothing goes inside", async (context) => {
	const world = await startRelayWorld(context);
	const partner = await world.connectPartner();
	const parts = { callId: "at-once", branch: "at-once" } as const;
	partner.write(
		relayedRequest({ method: "INVITE", ...parts, body: sdp(MESSAGE_LINE) }) +
			relayedRequest({ method: "CANCEL", ...parts }),
	);
	const answers = [await final(partner), await final(partner)].map(
		({ cseq, statusCode }) => `${cseq.method} ${statusCode}`,
	);
	assert.deepEqual(answers.toSorted(), ["CANCEL 200", "INVITE 487"]);
	partner.write(relayedRequest({ method: "ACK", ...parts, toTag: "x" }));
	partner.write(relayedRequest({ method: "INVITE", callId: "next", body: sdp(MESSAGE_LINE) }));
	const inside = await world.acceptedByInside();
	assert.equal((await inside.request()).callId, "next");
});

test("RFC 3261 §9.1: the far end answers a cancelled INVITE with 200 all the same: the session stands, and is to be hung up", async (context) => {
	const world = await startRelayWorld(context);
	const partner = await world.connectPartner();
	const parts = { callId: "answered", branch: "answered" } as const;
	partner.write(relayedRequest({ method: "INVITE", ...parts, body: sdp(MESSAGE_LINE) }));
	const inside = await world.acceptedByInside();
	const request = await inside.request();
	inside.write(relayedAnswer(request, "180 Ringing", { toTag: "b1" }));
	while ((await partner.response()).statusCode !== 180);
	partner.write(relayedRequest({ method: "CANCEL", ...parts }));
	assert.equal((await final(partner)).cseq.method, "CANCEL");
	const cancel = await inside.request();
	inside.write(relayedAnswer(request, "200 OK", { toTag: "b1", body: sdp(MESSAGE_LINE) }));
	inside.write(relayedAnswer(cancel, "481 Too Late"));
	const ok = await final(partner);
	assert.equal(`${ok.cseq.method} ${ok.statusCode}`, "INVITE 200");
	const dialog = { callId: "answered", toTag: "b1", headers: routeFields(ok), uri: "sip:ines@198.51.100.4:5061" };
	partner.write(relayedRequest({ method: "ACK", ...dialog }));
	assert.equal((await inside.request()).method, "ACK");
	partner.write(relayedRequest({ method: "BYE", ...dialog, cseq: 2 }));
	inside.write(relayedAnswer(await inside.request(), "200 OK"));
	assert.equal((await final(partner)).statusCode, 200);
});

test("RFC 3261 §9.2: a CANCEL after the final answer changes nothing, one for nothing is answered 481", async (context) => {
	const world = await startRelayWorld(context);
	const partner = await world.connectPartner();
	const parts = { callId: "late-cancel", branch: "late-cancel" } as const;
	partner.write(relayedRequest({ method: "INVITE", ...parts, body: sdp(MESSAGE_LINE) }));
	const inside = await world.acceptedByInside();
	inside.write(relayedAnswer(await inside.request(), "486 Busy Here", { toTag: "b1" }));
	assert.equal((await inside.request()).method, "ACK");
	assert.equal((await final(partner)).statusCode, 486);
	partner.write(relayedRequest({ method: "CANCEL", ...parts }));
	assert.equal((await final(partner)).statusCode, 200);
	partner.write(relayedRequest({ method: "ACK", ...parts, toTag: "b1" }));
	partner.write(relayedRequest({ method: "CANCEL", callId: "never", branch: "never" }));
	assert.equal((await final(partner)).statusCode, 481);
	partner.write(relayedRequest({ method: "INVITE", callId: "next", body: sdp(MESSAGE_LINE) }));
	assert.equal((await inside.request()).callId, "next");
});

test("RFC 3261 §13.2.2.4, §17.1.1.2: a late ACK goes on, after other requests and after the BYE; one of another dialog's routes does not", async (context) => {
	const world = await startRelayWorld(context);
	const partner = await world.connectPartner();
	partner.write(relayedRequest({ method: "INVITE", callId: "late", body: sdp(MESSAGE_LINE) }));
	const inside = await world.acceptedByInside();
	const request = await inside.request();
	inside.write(relayedAnswer(request, "200 OK", { toTag: "b1", body: sdp(MESSAGE_LINE) }));
	const ok = await final(partner);
	const dialog = { callId: "late", toTag: "b1", headers: routeFields(ok), uri: "sip:ines@198.51.100.4:5061" };
	const far = { by: "inside", callId: "late", fromTag: "b1", toTag: "a1", headers: routeFields(request) } as const;
	// Both sides may speak before the ACK.
	await nothingElse(partner, inside, { method: "MESSAGE", ...dialog, cseq: 2, ...TEXT });
	await nothingElse(inside, partner, { method: "MESSAGE", ...far, cseq: 2, ...TEXT });
	// The 200 comes again, and again goes on.
	for (let times = 0; times < 3; times++) {
		inside.write(relayedAnswer(request, "200 OK", { toTag: "b1", body: sdp(MESSAGE_LINE) }));
		assert.equal((await final(partner)).statusCode, 200);
	}
	partner.write(relayedRequest({ method: "ACK", ...dialog, callId: "foreign" }));
	partner.write(relayedRequest({ method: "ACK", ...dialog }));
	assert.equal((await inside.request()).callId, "late");
	await nothingElse(inside, partner, { method: "BYE", ...far, cseq: 3 });
	partner.write(relayedRequest({ method: "ACK", ...dialog }));
	assert.equal((await inside.request()).method, "ACK");
	// What comes after the BYE is the far end's to refuse.
	partner.write(relayedRequest({ method: "MESSAGE", ...dialog, cseq: 4, ...TEXT }));
	inside.write(relayedAnswer(await inside.request(), "481 Gone"));
	assert.equal((await final(partner)).statusCode, 481);
});

for (const by of ["partner", "inside"] as const) {
	test(`RFC 3261 §15: BYE of the ${by}: answered end to end, and the dialog counts no more`, async (context) => {
		const { world, partner, inside, byPartner, byInside } = await openSession(context);
		assert.equal(await world.dialogs(), 1);
		const [near, far, parts] =
			by === "partner" ? ([partner, inside, byPartner] as const) : ([inside, partner, byInside] as const);
		near.write(relayedRequest({ method: "BYE", ...parts, cseq: 5 }));
		const bye = await far.request();
		assert.equal(bye.method, "BYE");
		assert.deepEqual(headerValues(bye, HeaderId.route), []);
		far.write(relayedAnswer(bye, "200 OK"));
		assert.equal((await final(near)).statusCode, 200);
		assert.equal(await world.dialogs(), 0);
	});
}

test("protocol sheet 2.6: a NOTIFY of the inside that overtakes the 200 goes on, without Record-Route; the route set is that of the 200", async (context) => {
	const world = await startRelayWorld(context);
	const partner = await world.connectPartner();
	partner.write(relayedRequest({ method: "SUBSCRIBE", callId: "early", headers: ["Event: presence", "Expires: 600"] }));
	const inside = await world.acceptedByInside();
	const request = await inside.request();
	const notify = {
		method: "NOTIFY",
		by: "inside",
		callId: "early",
		fromTag: "b1",
		toTag: "a1",
		headers: [...routeFields(request), "Event: presence", "Subscription-State: pending"],
	} as const;
	inside.write(relayedRequest(notify));
	const early = await partner.request();
	assert.deepEqual(headerValues(early, HeaderId.recordRoute), []);
	partner.write(relayedAnswer(early, "200 OK"));
	assert.equal((await final(inside)).statusCode, 200);
	inside.write(relayedAnswer(request, "200 OK", { toTag: "b1", headers: ["Expires: 600"] }));
	const ok = await final(partner);
	assert.equal(headerValues(ok, HeaderId.recordRoute).length, 2);
	await nothingElse(inside, partner, { ...notify, cseq: 2 });
	// A refresh in the dialog, over the routes of the 200, and the end.
	const dialog = { callId: "early", toTag: "b1", uri: "sip:ines@198.51.100.4:5061" };
	partner.write(
		relayedRequest({
			method: "SUBSCRIBE",
			...dialog,
			cseq: 2,
			headers: [...routeFields(ok), "Event: presence", "Expires: 0"],
		}),
	);
	const refresh = await inside.request();
	assert.deepEqual(headerValues(refresh, HeaderId.recordRoute), []);
	inside.write(relayedAnswer(refresh, "200 OK", { headers: ["Expires: 0"] }));
	assert.equal((await final(partner)).statusCode, 200);
	const headers = [...routeFields(request), "Event: presence", "Subscription-State: terminated;reason=timeout"];
	await nothingElse(inside, partner, { ...notify, headers, cseq: 3 });
	assert.equal(await world.dialogs(), 0);
});

test("RFC 3261 §16.7: final answers to a SUBSCRIBE go through as they are, a 503 as 500", async (context) => {
	const world = await startRelayWorld(context);
	const partner = await world.connectPartner();
	let inside: Link | undefined;
	for (const [sent, seen] of [
		["302 Moved", 302],
		["404 Not Found", 404],
		["489 Bad Event", 489],
		["500 Broken", 500],
		["503 Service Unavailable", 500],
		["600 Busy Everywhere", 600],
		["604 Nowhere", 604],
	] as const) {
		partner.write(relayedRequest({ method: "SUBSCRIBE", headers: ["Event: presence"] }));
		inside ??= await world.acceptedByInside();
		inside.write(relayedAnswer(await inside.request(), sent, { toTag: "b1" }));
		assert.equal((await final(partner)).statusCode, seen);
	}
	assert.equal(await world.dialogs(), 0);
});

test("protocol sheet 6.8: a far end that says nothing: 408 after 32 s to INVITE, SUBSCRIBE, MESSAGE and BYE; after a ringing, when timer C is over", async (context) => {
	const clock = new JumpClock();
	const { partner, inside, byPartner } = await openSession(context, { clock });
	for (const [method, parts] of [
		["INVITE", { body: sdp(MESSAGE_LINE) }],
		["SUBSCRIBE", { headers: ["Event: presence"] }],
		["MESSAGE", { ...byPartner, cseq: 7, ...TEXT }],
		["BYE", { ...byPartner, cseq: 8 }],
	] as const) {
		partner.write(relayedRequest({ method, ...parts }));
		assert.equal((await inside.request()).method, method);
		clock.jump(SILENCE_MS);
		const answer = await final(partner);
		assert.equal(`${answer.cseq.method} ${answer.statusCode}`, `${method} 408`);
	}
	partner.write(relayedRequest({ method: "INVITE", callId: "ringing", body: sdp(MESSAGE_LINE) }));
	const request = await inside.request();
	inside.write(relayedAnswer(request, "180 Ringing", { toTag: "b1" }));
	while ((await partner.response()).statusCode !== 180);
	clock.jump(4 * 60_000);
	const cancel = await inside.request();
	assert.equal(`${cancel.method} ${cancel.callId}`, "CANCEL ringing");
	inside.write(relayedAnswer(cancel, "200 OK"));
	inside.write(relayedAnswer(request, "487 Request Terminated", { toTag: "b1" }));
	assert.ok([408, 487].includes((await final(partner)).statusCode));
});

test("RFC 3261 §9.1: a cancelled INVITE whose far end stays silent ends in 487", async (context) => {
	const clock = new JumpClock();
	const { world, partner, inside } = await openSession(context, { clock });
	const parts = { callId: "silent", branch: "silent" } as const;
	partner.write(relayedRequest({ method: "INVITE", ...parts, body: sdp(MESSAGE_LINE) }));
	inside.write(relayedAnswer(await inside.request(), "180 Ringing", { toTag: "b1" }));
	while ((await partner.response()).statusCode !== 180);
	partner.write(relayedRequest({ method: "CANCEL", ...parts }));
	assert.equal((await final(partner)).cseq.method, "CANCEL");
	assert.equal((await inside.request()).method, "CANCEL");
	clock.jump(SILENCE_MS);
	assert.equal((await final(partner)).statusCode, 487);
	assert.equal(await world.dialogs(), 1);
});

/** Requests in a session, and what each says. */
const inDialog: readonly (readonly [method: string, parts: Partial<Parameters<typeof relayedRequest>[0]>])[] = [
	["MESSAGE", TEXT],
	["INFO", {}],
	["INVITE", { body: sdp(MESSAGE_LINE) }],
	["SUBSCRIBE", { headers: ["Event: presence"] }],
	["NOTIFY", { headers: ["Event: presence", "Subscription-State: active"] }],
	["BYE", {}],
];
for (const [method, { headers = [], ...parts }] of inDialog) {
	test(`REQ-49: the far connection is cut while a ${method} in a dialog waits: 504 with diagnostics 1007, and the dialog is over`, async (context) => {
		const { world, partner, inside, byPartner } = await openSession(context);
		partner.write(
			relayedRequest({ method, ...byPartner, cseq: 9, ...parts, headers: [...byPartner.headers, ...headers] }),
		);
		assert.equal((await inside.request()).method, method);
		inside.destroy();
		const answer = await final(partner);
		assert.equal(answer.statusCode, 504);
		assert.match(linesOf(answer, "ms-diagnostics-public")[0] ?? "", /: 1007;/);
		partner.write(relayedRequest({ method: "MESSAGE", ...byPartner, cseq: 10, ...TEXT }));
		assert.equal((await final(partner)).statusCode, 481);
		assert.equal(await world.dialogs(), 0);
	});

	test(`REQ-49: whoever sent a ${method} in a dialog is cut off before the answer: it goes nowhere, and the dialog is over`, async (context) => {
		const { world, partner, inside, byPartner, byInside } = await openSession(context);
		partner.write(
			relayedRequest({ method, ...byPartner, cseq: 9, ...parts, headers: [...byPartner.headers, ...headers] }),
		);
		const request = await inside.request();
		partner.destroy();
		// RFC 3261 §16.10: nobody waits for what the INVITE asks.
		if (method === "INVITE") {
			inside.write(relayedAnswer(request, "100 Trying"));
			assert.equal((await inside.request()).method, "CANCEL");
		}
		const again = await world.connectPartner();
		inside.write(relayedAnswer(request, "200 OK"));
		inside.write(relayedRequest({ method: "MESSAGE", ...byInside, cseq: 10, ...TEXT }));
		assert.equal((await final(inside)).statusCode, 481);
		// Not on the next connection of the same peer either (REQ-59).
		again.write(relayedRequest({ method: "OPTIONS", uri: "sip:sip.contoso.example" }));
		assert.equal((await final(again)).cseq.method, "OPTIONS");
		assert.equal(await world.dialogs(), 0);
	});
}

for (const lost of ["partner", "inside"] as const) {
	test(`REQ-49: the connection of the ${lost} is cut between the 200 and its ACK: the ACK goes nowhere, the session is over`, async (context) => {
		const world = await startRelayWorld(context);
		const partner = await world.connectPartner();
		partner.write(relayedRequest({ method: "INVITE", callId: "cut", body: sdp(MESSAGE_LINE) }));
		const inside = await world.acceptedByInside();
		const request = await inside.request();
		inside.write(relayedAnswer(request, "200 OK", { toTag: "b1", body: sdp(MESSAGE_LINE) }));
		const ok = await final(partner);
		(lost === "partner" ? partner : inside).destroy();
		const near = lost === "partner" ? await world.connectPartner() : partner;
		const dialog = { callId: "cut", toTag: "b1", headers: routeFields(ok), uri: "sip:ines@198.51.100.4:5061" };
		near.write(relayedRequest({ method: "ACK", ...dialog }));
		near.write(relayedRequest({ method: "BYE", ...dialog, cseq: 2 }));
		assert.equal((await final(near)).statusCode, 481);
		if (lost === "partner") {
			const far = { by: "inside", callId: "cut", fromTag: "b1", toTag: "a1", headers: routeFields(request) } as const;
			inside.write(relayedRequest({ method: "BYE", ...far, cseq: 2 }));
			assert.equal((await final(inside)).statusCode, 481);
		}
	});
}

test("REQ-52: a response with sips: is dropped, whatever it answers: the INVITE goes on waiting and may be cancelled", async (context) => {
	const world = await startRelayWorld(context);
	const partner = await world.connectPartner();
	const parts = { callId: "sips", branch: "sips" } as const;
	partner.write(relayedRequest({ method: "INVITE", ...parts, body: sdp(MESSAGE_LINE) }));
	const inside = await world.acceptedByInside();
	const request = await inside.request();
	const secure = (status: string): string =>
		relayedAnswer(request, status, { toTag: "b1" }).replace("Contact: <sip:", "Contact: <sips:");
	for (const status of ["183 Progress", "200 OK", "302 Moved"]) inside.write(secure(status));
	inside.write(relayedAnswer(request, "180 Ringing", { toTag: "b1" }));
	let answer = await partner.response();
	while (answer.statusCode === 100) answer = await partner.response();
	assert.equal(answer.statusCode, 180);
	partner.write(relayedRequest({ method: "CANCEL", ...parts }));
	assert.equal((await final(partner)).cseq.method, "CANCEL");
	assert.equal((await inside.request()).method, "CANCEL");
	inside.write(relayedAnswer(request, "487 Request Terminated", { toTag: "b1" }));
	assert.equal((await final(partner)).statusCode, 487);
});

/** Offers, and whether they cross the boundary. */
const offers: readonly (readonly [name: string, body: string, crosses: boolean])[] = [
	["a message session", sdp(MESSAGE_LINE), true],
	["audio beside a message session", sdp("audio 49170 RTP/AVP 0", MESSAGE_LINE), true],
	["MSRP beside a message session", sdp("message 7654 TCP/MSRP *", MESSAGE_LINE), true],
	["MSRP alone", sdp("message 7654 TCP/MSRP *"), false],
	["audio alone", sdp("audio 49170 RTP/AVP 0"), false],
	["audio and video", sdp("audio 49170 RTP/AVP 0", "video 49172 RTP/AVP 31"), false],
	["a message session that is switched off", sdp("message 0 sip/tcp *"), false],
];
for (const by of ["partner", "inside"] as const) {
	test(`REQ-54: offers of the ${by}: with a message session they go through octet for octet, without one they are answered 488`, async (context) => {
		const world = await startRelayWorld(context);
		const near = by === "partner" ? await world.connectPartner() : await world.connectInside();
		let far: Link | undefined;
		for (const [name, body, crosses] of offers) {
			near.write(relayedRequest({ method: "INVITE", by, body }));
			let request: SipRequest | undefined;
			if (crosses) {
				far ??= by === "partner" ? await world.acceptedByInside() : await world.acceptedByPartner();
				request = await far.request();
				assert.equal(request.method, "INVITE");
				assert.equal(Buffer.from(request.body).toString("latin1"), body.replaceAll(/\r?\n/g, "\r\n"), name);
				far.write(relayedAnswer(request, "486 Busy Here", { toTag: "b1" }));
				assert.equal((await far.request()).method, "ACK");
			}
			assert.equal((await final(near)).statusCode, crosses ? 486 : 488, name);
		}
	});
}

test("product contract 4: relayed dialogs are listed with both sides, and counted for the edge and for each of their connections", async (context) => {
	const { world, partner, inside, callId } = await openSession(context);
	inside.write(
		relayedRequest({
			method: "SUBSCRIBE",
			by: "inside",
			callId: "watch",
			headers: ["Event: presence", "Expires: 600"],
		}),
	);
	partner.write(relayedAnswer(await partner.request(), "200 OK", { toTag: "b1", headers: ["Expires: 600"] }));
	assert.equal((await final(inside)).statusCode, 200);
	const { dialogs } = await world.admin.call("listDialogs", {});
	const both = {
		state: "confirmed",
		role: "relay",
		local: "ines@corp.contoso.example",
		remote: "lena@fabrikam.example",
	};
	assert.deepEqual(
		dialogs.map(({ connection: _id, created_at: created, ends_at: ends, ...rest }) => ({
			...rest,
			life: Math.round((Date.parse(ends ?? "") - Date.parse(created)) / 60_000),
		})),
		[
			{ ...both, call_id: callId, remote_tag: "a1", usage: "invite", peer: "sip.fabrikam.example", life: 24 * 60 },
			{ ...both, call_id: "watch", local_tag: "a1", usage: "subscribe", peer: "sip.fabrikam.example", life: 10 },
		],
	);
	const { connections } = await world.admin.call("listConnections", {});
	const counts = Object.fromEntries(connections.map(({ id, dialogs: count }) => [id, count]));
	assert.deepEqual(Object.values(counts), [2, 2]);
	for (const { connection } of dialogs) assert.equal(counts[connection ?? ""], 2);
	assert.equal(await world.dialogs(), 2);
});

test("product contract 4: a relay domain that the configuration loses is not served any more after a reload; what it gains is", async (context) => {
	const { world, partner, inside, byPartner } = await openSession(context);
	const relay = 'name = "corp.contoso.example"\nkind = "relay"\n';
	const lab = 'name = "lab.contoso.example"\nkind = "relay"\n';
	const invite = (domain: string): string =>
		relayedRequest({ method: "INVITE", body: sdp(MESSAGE_LINE), uri: `sip:ines@${domain}` }).replace(
			"To: <sip:ines@corp.contoso.example>",
			`To: <sip:ines@${domain}>`,
		);
	partner.write(invite("lab.contoso.example"));
	assert.equal((await final(partner)).statusCode, 404);
	await world.reload((toml) => toml.replace(relay, lab));
	assert.deepEqual(
		(await world.admin.call("getStatus", {})).domains.map(({ name }) => name),
		["contoso.example", "lab.contoso.example"],
	);
	partner.write(invite("corp.contoso.example"));
	assert.equal((await final(partner)).statusCode, 404);
	partner.write(relayedRequest({ method: "MESSAGE", ...byPartner, cseq: 9, ...TEXT }));
	assert.ok([403, 404, 481].includes((await final(partner)).statusCode));
	partner.write(invite("lab.contoso.example"));
	// The inside server's connection stands: it is the same server.
	const far = inside.isOpen ? inside : await world.acceptedByInside();
	const request = await far.request();
	assert.equal(request.requestUri.text, "sip:ines@lab.contoso.example");
	far.write(relayedAnswer(request, "486 Busy Here", { toTag: "b1" }));
	assert.equal((await final(partner)).statusCode, 486);
});
