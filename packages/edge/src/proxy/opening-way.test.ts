import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { createTestPeer } from "../federation/testing.ts";
import { answerTo, INES, LENA, ODD_CALL_IDS, oddMessages, ProxyFixture, requestIn, type Side } from "./testing.ts";

const OFFER = "v=0\r\no=- 0 0 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=message 5060 sip/tcp *\r\n";
const AUDIO = OFFER.replace("message 5060 sip/tcp *", "audio 5004 RTP/AVP 0");
const EDGE = { partner: "sip.fabrikam.example", inside: "home.corp.contoso.example" } as const;

/** Lines of a first request, each replaceable by name; an empty text leaves it out. */
interface Lines {
	readonly start?: string;
	readonly via?: string;
	readonly hops?: string;
	readonly from?: string;
	readonly to?: string;
	readonly callId?: string;
	readonly cseq?: string;
	readonly more?: string;
	readonly body?: string;
	readonly length?: string;
}

let lastBranch = 0;

function first(method: "INVITE" | "SUBSCRIBE", by: Side = "partner", lines: Lines = {}): string {
	lastBranch += 1;
	const [from, to] = by === "partner" ? [LENA, INES] : [INES, LENA];
	const { body = "" } = lines;
	return [
		lines.start ?? `${method} sip:${to} SIP/2.0`,
		lines.via ?? `Via: SIP/2.0/TLS ${EDGE[by]}:5061;branch=z9hG4bKf${lastBranch}`,
		lines.hops ?? "Max-Forwards: 70",
		lines.from ?? `From: "A" <sip:${from}>;tag=a1`,
		lines.to ?? `To: <sip:${to}>`,
		lines.callId ?? `Call-ID: first-${lastBranch}`,
		lines.cseq ?? `CSeq: 1 ${method}`,
		"Contact: <sip:x@192.0.2.9:5061;transport=tls>",
		lines.more ?? (method === "SUBSCRIBE" ? "Event: presence\r\nExpires: 600" : ""),
		body === "" ? "" : "Content-Type: application/sdp",
		lines.length ?? `Content-Length: ${body.length}`,
		"",
		body,
	]
		.filter((line, index, all) => line !== "" || index >= all.length - 2)
		.join("\r\n");
}

/** What differs from run to run: our branches, tokens and tags. */
function withoutOurs(text: string): string {
	return text
		.replaceAll(/z9hG4bK1\.test\.[0-9a-z]+\.[\w-]+/g, "BRANCH")
		.replaceAll(/fs=1\.test\.[\w.-]+/g, "TOKEN")
		.replaceAll(/;tag=[0-9a-v]{26}/g, ";TAG");
}

async function settle(): Promise<void> {
	// On the usual way a connection is waited for.
	for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

/** A status line as the sender saw it, and the method of what went on. */
const startOf = (text: string): string => text.slice(0, text.indexOf("\r\n")).replace("SIP/2.0 ", "");
const starts = (texts: readonly string[]): readonly string[] => texts.map(startOf);

for (const by of ["partner", "inside"] as const) {
	for (const method of ["INVITE", "SUBSCRIBE"] as const) {
		test(`${method} of the ${by}: octets in, octets out, and its 200 back, with the same routes as on the usual way`, async () => {
			const seen: string[][] = [];
			for (const isShort of [true, false]) {
				const fixture = new ProxyFixture({ isShort });
				const [near, far] = by === "partner" ? [fixture.partner, fixture.inside] : [fixture.inside, fixture.partner];
				const via = `Via: SIP/2.0/TLS ${EDGE[by]}:5061;branch=z9hG4bKsame;alias\r\nv: SIP/2.0/TLS 10.0.0.1;branch=z9hG4bKx`;
				const body = method === "INVITE" ? OFFER : "";
				fixture.receive(near, first(method, by, { via, callId: "Call-ID: one", body }));
				await settle();
				const request = far.takeOne();
				fixture.receive(far, answerTo(request, "200 OK", { toTag: "b1", headers: ["Expires: 300"] }));
				const response = near.takeOne();
				const [dialog] = fixture.relay.dialogs;
				assert.ok(dialog !== undefined);
				const { usage, callId, initiator, other, connections, startedAt, expiresAt } = dialog;
				const kept = {
					usage,
					callId,
					initiator,
					other,
					sides: connections.map((id) => (id === near.link.connection.id ? "near" : "far")),
					lastsMs: expiresAt - startedAt,
				};
				seen.push([withoutOurs(request), withoutOurs(response), JSON.stringify(kept), ...fixture.counted]);
				assert.equal(fixture.openingCount, isShort ? 2 : 0);
				assert.deepEqual([near.link.requestsOut, far.link.requestsOut], [0, 1]);
				// Both sides' routes are good for the short way.
				const routes = [...request.matchAll(/^Record-Route: (.*)$/gm)].map(([, value]) => value?.trim() ?? "");
				const sides =
					by === "partner"
						? { partner: routes.toReversed(), inside: routes }
						: { inside: routes.toReversed(), partner: routes };
				const lines = by === "partner" ? {} : { from: `From: <sip:${INES}>;tag=a1`, to: `To: <sip:${LENA}>;tag=b1` };
				const inDialog = requestIn({ routes: sides, callId: "one" }, "MESSAGE", by, lines);
				assert.equal(fixture.isShort(near, inDialog), true);
			}
			assert.deepEqual(seen[0], seen[1]);
		});
	}
}

test("protocol sheet 6.1: both ways make the same octets of 120 odd first requests, and of their answers", async () => {
	const seen: string[][] = [];
	let taken = 0;
	for (const isShort of [true, false]) {
		const fixture = new ProxyFixture({ isShort });
		const texts: string[] = [];
		for (const [index, { foreign, body }] of oddMessages().entries()) {
			const lines = foreign
				.filter((line) => !/^(content-length|l|content-type)[ \t]*:/i.test(line))
				.map((line) => line.replace(/;tag=b1/, "").replace("MESSAGE", "SUBSCRIBE"))
				.map((line) => (/^(i|call-id)[ \t]*:/i.test(line) ? `${line}${index}` : line));
			const text = [
				`SUBSCRIBE sip:${INES} SIP/2.0`,
				lines[0],
				`VIA : SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bKodd${index}`,
				...lines.slice(1, 3),
				"Record-Route:<sip:old.example;lr>,<sip:older.example;lr>",
				"max-forwards :  200",
				...lines.slice(3),
				"o:presence",
				`l: ${body.length}`,
				"",
				body,
			].join("\r\n");
			fixture.receive(fixture.partner, text);
			await settle();
			const sent = fixture.inside.takeOne();
			const odd = lines.filter((line) => !/^(from|f|to|t|call-id|i|cseq)[ \t]*:/i.test(line));
			fixture.receive(
				fixture.inside,
				answerTo(sent, "202 Yes,  indeed", { toTag: `t.${index}-_`, headers: odd, body }),
			);
			texts.push(withoutOurs(sent), ...fixture.partner.take().map(withoutOurs));
		}
		taken = Math.max(taken, fixture.openingCount);
		seen.push(texts);
	}
	assert.equal(seen[0]?.length, 240);
	assert.deepEqual(seen[0], seen[1]);
	assert.ok(taken > 180, `${taken} of 240 took it; what holds sips: or is folded does not`);
	assert.equal(ODD_CALL_IDS.length, 3);
});

/** What somebody has to look at closer: the usual way says what it always said. */
const left: readonly (readonly [name: string, method: "INVITE" | "SUBSCRIBE", lines: Lines])[] = [
	["another version", "INVITE", { start: `INVITE sip:${INES} SIP/2.1` }],
	["no Request-URI", "INVITE", { start: "INVITE SIP/2.0" }],
	["another scheme", "INVITE", { start: "INVITE tel:+1 SIP/2.0" }],
	["sips in the Request-URI", "INVITE", { start: `INVITE sips:${INES} SIP/2.0` }],
	["headers in the Request-URI", "INVITE", { start: `INVITE sip:${INES}?a=b SIP/2.0` }],
	["our own name in the Request-URI", "INVITE", { start: "INVITE sip:ines@sip.contoso.example SIP/2.0" }],
	["another domain than that of To", "INVITE", { start: "INVITE sip:ines@other.example SIP/2.0" }],
	["a domain that is not relayed", "INVITE", { start: "INVITE sip:a@b.example SIP/2.0", to: "To: <sip:a@b.example>" }],
	["a header twice", "INVITE", { more: "Call-ID: again" }],
	["two values in one Via", "INVITE", { via: "Via: SIP/2.0/TLS a.example;branch=z9hG4bKt1, SIP/2.0/TLS b.example" }],
	["a folded Via", "INVITE", { via: "Via: SIP/2.0/TLS a.example\r\n ;branch=z9hG4bKt2" }],
	["our own Via", "INVITE", { more: "Via: SIP/2.0/TLS sip.contoso.example:5061;branch=z9hG4bKt3" }],
	["a Via that cannot be read", "INVITE", { via: "Via: SIP/2.0/TLS" }],
	["a branch of RFC 2543", "INVITE", { via: "Via: SIP/2.0/TLS a.example;branch=1" }],
	["no Via", "INVITE", { via: "" }],
	["a Route", "INVITE", { more: "Route: <sip:next.example;lr>" }],
	["Proxy-Require", "INVITE", { more: "Proxy-Require: none" }],
	["no Max-Forwards", "INVITE", { hops: "" }],
	["no hops left", "INVITE", { hops: "Max-Forwards: 0" }],
	["hops that cannot be read", "INVITE", { hops: "Max-Forwards: x" }],
	["no From", "INVITE", { from: "" }],
	["a From that cannot be read", "INVITE", { from: "From: <sip:" }],
	["no From tag", "INVITE", { from: `From: <sip:${LENA}>` }],
	["a From that is no address of record", "INVITE", { from: `From: <sip:${LENA}:5061>;tag=a1` }],
	["a From of somebody else", "INVITE", { from: "From: <sip:eve@corp.contoso.example>;tag=a1" }],
	["a From that is too long", "INVITE", { from: `From: <sip:${"l".repeat(500)}@fabrikam.example>;tag=a1` }],
	["no To", "INVITE", { to: "" }],
	["a To that cannot be read", "INVITE", { to: "To: <" }],
	["a To tag", "INVITE", { to: `To: <sip:${INES}>;tag=b1` }],
	["a To that is no address of record", "INVITE", { to: "To: <sip:corp.contoso.example>" }],
	["a To that is too long", "INVITE", { to: `To: <sip:${"l".repeat(500)}@corp.contoso.example>` }],
	["a user that is too long", "INVITE", { start: `INVITE sip:${"l".repeat(500)}@corp.contoso.example SIP/2.0` }],
	["no Call-ID", "INVITE", { callId: "" }],
	["an empty Call-ID", "INVITE", { callId: "Call-ID:" }],
	["a Call-ID of two words", "INVITE", { callId: "Call-ID: a b" }],
	["no CSeq", "INVITE", { cseq: "" }],
	["a CSeq that cannot be read", "INVITE", { cseq: "CSeq: INVITE" }],
	["a CSeq of another method", "INVITE", { cseq: "CSeq: 1 SUBSCRIBE" }],
	["sips somewhere", "INVITE", { more: "X: sips:" }],
	["an offer of audio alone", "INVITE", { body: AUDIO }],
	["an offer that cannot be read", "INVITE", { body: "v=1" }],
	["an offer of no known type", "INVITE", { body: OFFER, more: "Content-Type: text/plain" }],
	["no event package", "SUBSCRIBE", { more: "" }],
	["another event package", "SUBSCRIBE", { more: "Event: dialog" }],
	["parameters of the event package", "SUBSCRIBE", { more: "Event: presence;id=1" }],
];

test("what is written otherwise, or may have to be refused, takes the usual way", () => {
	const fixture = new ProxyFixture();
	const taken = left.filter(([, method, lines]) => fixture.isShort(fixture.partner, first(method, "partner", lines)));
	assert.deepEqual(
		taken.map(([name]) => name),
		[],
	);
	assert.equal(fixture.isShort(fixture.partner, first("INVITE", "partner", { body: OFFER })), true);
	assert.equal(
		fixture.isShort(fixture.partner, first("INVITE", "partner", { start: "INVITE sip:corp.contoso.example SIP/2.0" })),
		true,
	);
	assert.equal(fixture.isShort(fixture.inside, first("SUBSCRIBE", "inside")), true);
});

test("REQ-68, product contract 8: what may have to be asked, counted or refused takes the usual way: ceilings, blocks, hosted users, draining, no open connection", () => {
	const isTaken = (fixture: ProxyFixture): boolean => fixture.isShort(fixture.partner, first("INVITE"));
	const throttle = {
		messagesPerSecond: 1,
		suspiciousMessagesPerSecond: undefined,
		distinctUsers: undefined,
		dryRun: false,
	};
	assert.equal(isTaken(new ProxyFixture({ peers: { partner: { throttle } } })), false);
	assert.equal(isTaken(new ProxyFixture({ peers: { partner: { kind: "allowed", edge: undefined } } })), false);
	const blocked = new ProxyFixture();
	blocked.edit({ blocked: ["fabrikam.example"] });
	assert.equal(isTaken(blocked), false);
	const gone = new ProxyFixture();
	gone.edit({ peers: gone.peers.filter(({ name }) => name !== "inside") });
	assert.equal(isTaken(gone), false);
	const other = new ProxyFixture();
	assert.equal(isTaken(other), true);
	// The verdict about the link is remembered; the policy that stands is another.
	other.edit({
		peers: [
			...other.peers.filter(({ name }) => name !== "fabrikam"),
			createTestPeer({ name: "new", domains: ["fabrikam.example"] }),
		],
	});
	assert.equal(isTaken(other), false);
	assert.equal(isTaken(new ProxyFixture({ hostedDomains: ["corp.contoso.example"] })), false);
	const draining = new ProxyFixture();
	draining.relay.drain();
	assert.equal(isTaken(draining), false);
	const broken = new ProxyFixture();
	broken.inside.breakSilently();
	assert.equal(isTaken(broken), false);
});

test("a response that repeats its request otherwise, or says something else than 2xx, takes the usual way; what comes of it is the same", async () => {
	const changes: readonly ((answer: string) => string)[] = [
		(answer) => answer.replace("SIP/2.0 200 OK", "SIP/2.0 180 Ringing"),
		(answer) => answer.replace("SIP/2.0 200 OK", "SIP/2.0 486 Busy"),
		(answer) => answer.replace("SIP/2.0 200 OK", "SIP/2.0 503 Busy"),
		(answer) => answer.replace("SIP/2.0 200 OK", "sip/2.0 200 OK"),
		(answer) => answer.replace("SIP/2.0 200 OK", "SIP/2.0 200"),
		(answer) => answer.replace("\r\nVia: SIP/2.0/TLS sip.fabrikam", ", SIP/2.0/TLS sip.fabrikam"),
		(answer) => answer.replace(";received=192.0.2.1", ""),
		(answer) => answer.replace(";received=192.0.2.1", ";received=192.0.2.2"),
		(answer) => answer.replace('"A"', "A"),
		(answer) => answer.replace(";tag=b1", ""),
		(answer) => answer.replace(";tag=b1", ";tag=b~1"),
		(answer) => answer.replace(";tag=b1", ";x;tag=b1"),
		(answer) => answer.replace("To: <", 'To: "I" <'),
		(answer) => answer.replace("Call-ID: ", "Call-ID: x"),
		(answer) => answer.replace("CSeq: 1", "CSeq: 01"),
		(answer) => answer.replace("CSeq:", "X: sips:\r\nCSeq:"),
		(answer) => answer.replace("CSeq:", "Reply-To: <sip:a@b.example>\r\nCSeq:"),
		(answer) => answer.replace("CSeq:", "P-Asserted-Identity: <sip:a@b.example>\r\nCSeq:"),
		(answer) => answer.replace("CSeq:", "Contact: <sip:a@b.example>\r\nX-Any: 1\r\nCSeq:"),
		(answer) => answer.replace(/Via: SIP\/2.0\/TLS sip.fabrikam.*\r\n/, ""),
		(answer) => answer.replace(/(Via: .*\r\n)(Via: .*\r\n)/, "$1X-Between: 1\r\n$2"),
		(answer) => answer.replace(/;branch=z9hG4bK1[^;]*/, ";branch=z9hG4bK1.test.0"),
		(answer) => answer.replace(/;branch=z9hG4bK1[^;\r]*/, ""),
		(answer) => answer.replace(/;branch=z9hG4bK1/, " ; branch = z9hG4bK1"),
		(answer) => answer.replace(/;alias\r\n/, ";alias, SIP/2.0/TLS x;branch=z9hG4bKy\r\n"),
		(answer) => answer.replace(/;alias\r\n/, "\r\n"),
	];
	const tookIt: boolean[] = [];
	const seen: (readonly string[])[][] = [];
	for (const isShort of [true, false]) {
		const told: (readonly string[])[] = [];
		for (const [index, change] of changes.entries()) {
			const fixture = new ProxyFixture({ isShort });
			const via = `Via: SIP/2.0/TLS sip.fabrikam.example:5061;branch=z9hG4bKr${index}`;
			fixture.receive(fixture.partner, first("INVITE", "partner", { via, callId: `Call-ID: r${index}` }));
			await settle();
			const answer = change(answerTo(fixture.inside.takeOne(), "200 OK", { toTag: "b1" }));
			fixture.receive(fixture.inside, answer);
			if (isShort) tookIt.push(fixture.openingCount === 2);
			const more = starts(fixture.inside.take());
			told.push([...fixture.partner.take().map(withoutOurs), ...more, ...fixture.counted]);
		}
		seen.push(told);
	}
	assert.deepEqual(seen[0], seen[1]);
	assert.deepEqual(
		tookIt.flatMap((took, index) => (took ? [index] : [])),
		[18, 25],
	);
});

test("an answer that the parser has to refuse is the parser's", () => {
	for (const [from, to] of [
		[";tag=b1", ";tag="],
		["SIP/2.0 200 OK", "SIP/2.0 2x0 OK"],
		["SIP/2.0 200 OK", "SIP/2.0 20x OK"],
		["SIP/2.0 200 OK", "SIP/2.0 2000 OK"],
		["CSeq: 1 INVITE\r\n", ""],
		["CSeq: 1 INVITE\r\n", "CSeq: 1 INVITE\r\nCSeq: 1 INVITE\r\n"],
		["Via: SIP/2.0/TLS sip.contoso", "X: SIP/2.0/TLS sip.contoso"],
	] as const) {
		const fixture = new ProxyFixture();
		fixture.receive(fixture.partner, first("INVITE"));
		const answer = answerTo(fixture.inside.takeOne(), "200 OK", { toTag: "b1" });
		assert.equal(fixture.isShort(fixture.inside, answer), true);
		assert.equal(fixture.isShort(fixture.inside, answer.replace(from, to)), false, to);
		const noVia = answer.replaceAll(/Via: .*\r\n/g, "");
		assert.equal(fixture.isShort(fixture.inside, noVia), false);
	}
});

test("RFC 3261 §17.2.1, §16.8: a request without answer: 100 to an INVITE within 200 ms, 408 after 32 s, to a SUBSCRIBE as well", () => {
	for (const method of ["INVITE", "SUBSCRIBE"] as const) {
		const fixture = new ProxyFixture();
		fixture.receive(fixture.partner, first(method));
		fixture.inside.takeOne();
		fixture.clock.advance(199);
		fixture.clock.advance(1);
		assert.deepEqual(starts(fixture.partner.take()), method === "INVITE" ? ["100 Trying"] : []);
		fixture.clock.advance(31_700);
		assert.deepEqual(starts(fixture.partner.take()), []);
		fixture.clock.advance(120);
		assert.deepEqual(starts(fixture.partner.take()), ["408 Request Timeout"]);
		assert.deepEqual(fixture.counted, [`${method} 408 far-end-silent`]);
		assert.equal(fixture.openingCount, 1);
	}
});

test("RFC 3261 §9: CANCEL is answered here, goes on after a ringing, and the 487 ends the INVITE", () => {
	const fixture = new ProxyFixture();
	const invite = first("INVITE");
	fixture.receive(fixture.partner, invite);
	const sent = fixture.inside.takeOne();
	const cancel = invite.replaceAll("INVITE", "CANCEL");
	fixture.receive(fixture.partner, cancel);
	assert.deepEqual(starts(fixture.partner.take()), ["200 OK"]);
	fixture.receive(fixture.partner, cancel);
	assert.deepEqual(starts(fixture.inside.take()), []);
	fixture.receive(fixture.inside, answerTo(sent, "180 Ringing", { toTag: "b1" }));
	assert.deepEqual(starts(fixture.inside.take()), [`CANCEL sip:${INES} SIP/2.0`]);
	fixture.receive(fixture.inside, answerTo(sent, "487 Request Terminated", { toTag: "b1" }));
	assert.deepEqual(starts(fixture.inside.take()), [`ACK sip:${INES} SIP/2.0`]);
	assert.deepEqual(starts(fixture.partner.take()).at(-1), "487 Request Terminated");
});

test("RFC 3261 §17.2.3, §8.2.2.2: while it waits a request that comes again is absorbed, one that comes another way is merged, an ACK goes nowhere", () => {
	for (const method of ["INVITE", "SUBSCRIBE"] as const) {
		const fixture = new ProxyFixture();
		const request = first(method);
		fixture.receive(fixture.partner, request);
		const sent = fixture.inside.takeOne();
		fixture.receive(fixture.partner, request);
		fixture.receive(
			fixture.partner,
			request.replace("sip.fabrikam.example:5061;branch", "SIP.fabrikam.example:5061;x;branch"),
		);
		fixture.receive(fixture.partner, request.replaceAll(method, "ACK"));
		assert.deepEqual([starts(fixture.inside.take()), starts(fixture.partner.take())], [[], []]);
		fixture.receive(fixture.partner, request.replace("branch=", "branch=z9hG4bKother"));
		assert.deepEqual(starts(fixture.partner.take()), ["482 Loop Detected"]);
		fixture.receive(fixture.inside, answerTo(sent, "200 OK", { toTag: "b1" }));
		assert.deepEqual(starts(fixture.partner.take()), ["200 OK"]);
	}
});

test("RFC 6026 §7.1, §7.2: for 32 s after its 200 an INVITE that comes again is absorbed and another 2xx goes through; then it is a new one", () => {
	const fixture = new ProxyFixture();
	const invite = first("INVITE");
	fixture.receive(fixture.partner, invite);
	const sent = fixture.inside.takeOne();
	const ok = answerTo(sent, "200 OK", { toTag: "b1" });
	for (const answer of [
		ok,
		ok,
		ok.replace(";tag=b1", ";tag=b2"),
		ok.replace("200 OK", "183 Late"),
		ok.replace(/Via: SIP\/2.0\/TLS sip.fabrikam.*\r\n/, ""),
	]) {
		fixture.receive(fixture.inside, answer);
	}
	const answers = fixture.partner.take();
	assert.deepEqual(starts(answers), ["200 OK", "200 OK", "200 OK"]);
	assert.equal(answers[0], answers[1]);
	assert.ok(answers.every((text) => !text.includes("sip.contoso.example:5061;branch")));
	assert.equal(fixture.relay.dialogs.size, 1);
	fixture.receive(fixture.partner, invite);
	fixture.receive(fixture.partner, invite.replaceAll("INVITE", "CANCEL"));
	assert.deepEqual([starts(fixture.inside.take()), starts(fixture.partner.take())], [[], ["200 OK"]]);
	fixture.clock.advance(32_100);
	fixture.receive(fixture.inside, ok);
	assert.deepEqual(starts(fixture.partner.take()), [], "a 200 after all this time is nobody's");
	fixture.receive(fixture.partner, invite);
	assert.equal(fixture.inside.take().length, 1);
	assert.deepEqual(fixture.counted, ["INVITE 200 relayed"]);
});

test("REQ-49: the far connection is lost, or breaks while the request leaves, and there is no other: 504 with diagnostics 1007", async () => {
	for (const method of ["INVITE", "SUBSCRIBE"] as const) {
		const fixture = new ProxyFixture();
		fixture.receive(fixture.partner, first(method));
		fixture.inside.takeOne();
		fixture.inside.lose();
		await setImmediate();
		assert.match(fixture.partner.takeOne(), /^SIP\/2.0 504 [\s\S]*\r\nms-diagnostics-public: 1007;/);
		const broken = new ProxyFixture();
		broken.breakWhenSent(broken.inside);
		broken.receive(broken.partner, first(method));
		assert.deepEqual(broken.partner.take(), []);
		broken.clock.advance(1);
		await setImmediate();
		assert.equal(startOf(broken.partner.takeOne()), "504 Server Time-out");
	}
});

test("RFC 3261 §16.7: after a 503 there, or the loss of that connection, a first request takes the next way to its destination", async () => {
	for (const method of ["INVITE", "SUBSCRIBE"] as const) {
		for (const isLost of [false, true]) {
			const fixture = new ProxyFixture();
			fixture.receive(fixture.partner, first(method));
			const busy = fixture.inside;
			const sent = busy.takeOne();
			fixture.inside = fixture.connect("inside");
			if (isLost) busy.lose();
			else fixture.receive(busy, answerTo(sent, "503 Busy", { toTag: "busy" }));
			await setImmediate();
			const again = fixture.inside.takeOne();
			assert.equal(again.split("\r\n")[0], sent.split("\r\n")[0]);
			assert.notEqual(/branch=([^;]+)/.exec(again)?.[1], /branch=([^;]+)/.exec(sent)?.[1]);
			fixture.receive(fixture.inside, answerTo(again, "200 OK", { toTag: "b1" }));
			assert.equal(startOf(fixture.partner.takeOne()), "200 OK");
			assert.deepEqual(fixture.counted, [`${method} 200 relayed`]);
		}
	}
});

test("RFC 3261 §16.10: whoever asked is lost: the far end of an INVITE is cancelled, and an accepted one stays so", () => {
	const fixture = new ProxyFixture();
	fixture.receive(fixture.partner, first("INVITE"));
	fixture.receive(fixture.partner, first("SUBSCRIBE"));
	const [invite = "", subscribe = ""] = fixture.inside.take();
	fixture.partner.lose();
	fixture.receive(fixture.inside, answerTo(invite, "180 Ringing", { toTag: "b1" }));
	assert.deepEqual(starts(fixture.inside.take()), [`CANCEL sip:${INES} SIP/2.0`]);
	fixture.receive(fixture.inside, answerTo(subscribe, "200 OK", { toTag: "b1" }));
	assert.deepEqual([fixture.partner.take(), fixture.inside.take()], [[], []]);
	const later = new ProxyFixture();
	later.receive(later.partner, first("INVITE"));
	const ok = answerTo(later.inside.takeOne(), "200 OK", { toTag: "b1" });
	later.receive(later.inside, ok);
	later.partner.lose();
	later.receive(later.inside, ok);
	later.inside.lose();
	assert.equal(later.relay.dialogs.size, 0);
});

test("a proxy that is closed answers nothing any more", () => {
	const fixture = new ProxyFixture();
	for (const method of ["INVITE", "SUBSCRIBE", "INVITE"] as const) fixture.receive(fixture.partner, first(method));
	const [invite = ""] = fixture.inside.take();
	fixture.receive(fixture.inside, answerTo(invite, "200 OK", { toTag: "b1" }));
	fixture.partner.take();
	fixture.close();
	fixture.clock.advance(60_000);
	assert.deepEqual([fixture.partner.take(), fixture.inside.take()], [[], []]);
});

test("RFC 6665 §4.2.1: a subscription lasts as long as the 200 says, else as long as was asked, else an hour", () => {
	for (const [asked, granted, seconds] of [
		["Expires: 600", ["Expires: 300"], 300],
		["Expires: 600", [], 600],
		["X: 1", [], 3_600],
		["Expires: 600", ["Expires: x"], 600],
	] as const) {
		const fixture = new ProxyFixture();
		fixture.receive(fixture.partner, first("SUBSCRIBE", "partner", { more: `Event: presence\r\n${asked}` }));
		fixture.receive(fixture.inside, answerTo(fixture.inside.takeOne(), "200 OK", { toTag: "b1", headers: granted }));
		const [dialog] = fixture.relay.dialogs;
		assert.equal(dialog && dialog.expiresAt - dialog.startedAt, seconds * 1000);
	}
});
