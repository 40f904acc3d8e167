import assert from "node:assert/strict";
import { test } from "node:test";
import { frameOf } from "@causeway/sip/testing";
import { discoveredPeer } from "../federation/peers.ts";
import { createTestKey } from "../federation/signature/testing.ts";
import { answerTo, INES, LENA, messageOf, ProxyFixture, requestIn, SOURCE, withoutBranches } from "./testing.ts";

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

function statusOf(text: string): number {
	const message = messageOf(text);
	assert.ok(message.kind === "response", text);
	return message.statusCode;
}

function lines(text: string, name: string): readonly string[] {
	return text.split("\r\n").filter((line) => line.toLowerCase().startsWith(`${name}:`));
}

for (const by of ["partner", "inside"] as const) {
	for (const method of ["MESSAGE", "NOTIFY", "BYE", "ACK", "INFO"]) {
		test(`${method} of ${by === "partner" ? "whoever began the dialog" : "the other"} takes the short way: Via, Max-Forwards and Route change, nothing else`, async () => {
			const fixture = new ProxyFixture();
			const dialog = await fixture.open();
			const [near, far] = by === "partner" ? [fixture.partner, fixture.inside] : [fixture.inside, fixture.partner];
			const request = requestIn(dialog, method, by, { body: "\u00e9\r\n\r\n", hops: "max-FORWARDS :  9" });
			fixture.receive(near, request);
			assert.equal(fixture.shortCount, 1);
			const expected = request
				.replace("\r\nVia:", "\r\nVia: SIP/2.0/TLS sip.contoso.example:5061;branch=OURS;alias\r\nVia:")
				.replace(/(\r\nVia: .*;branch=z9hG4bK\d+)/, `$1;received=${SOURCE}`)
				.replace(/(max-FORWARDS :) {2}9/, "$1  8")
				.replaceAll(/Route: .*\r\n/g, "");
			const sent = withoutBranches(far.takeOne());
			// What somebody is verified as is stated on messages, as the usual way states it.
			assert.equal(sent.replace(/Ms-asserted-verification-level: .*\r\n/, ""), expected);
			assert.equal(lines(sent, "ms-asserted-verification-level").length, method === "MESSAGE" ? 1 : 0);
			assert.deepEqual(near.take(), []);
		});
	}
}

test("a subscription's NOTIFY and MESSAGEs of a dialog that the inside server began take the short way both ways", async () => {
	for (const method of ["INVITE", "SUBSCRIBE"] as const) {
		const fixture = new ProxyFixture();
		const dialog = await fixture.open({ by: "inside", method });
		const swap = { from: `From: <sip:${INES}>;tag=a1`, to: `To: <sip:${LENA}>;tag=b1` };
		const back = { from: `From: <sip:${LENA}>;tag=b1`, to: `To: <sip:${INES}>;tag=a1` };
		assert.equal(fixture.isShort(fixture.inside, requestIn(dialog, "MESSAGE", "inside", swap)), true);
		assert.equal(fixture.isShort(fixture.partner, requestIn(dialog, "NOTIFY", "partner", back)), true);
	}
});

test("every row of the token's verification is the pipeline's: what is not our pair of routes as we wrote it takes the usual way", async () => {
	const fixture = new ProxyFixture();
	const dialog = await fixture.open();
	const [first = "", second = ""] = dialog.routes.partner;
	const way = (routes: string): boolean =>
		fixture.isShort(fixture.partner, requestIn(dialog, "MESSAGE", "partner", { routes }));
	const pair = (one: string, two: string): string => `Route: ${one}\r\nRoute: ${two}`;
	assert.equal(way(pair(first, second)), true);
	assert.equal(way(pair(second, first)), false, "turned round");
	assert.equal(way(pair(first, first)), false, "doubled");
	assert.equal(way(`Route: ${first}`), false, "one of two");
	assert.equal(way(`Route: ${first}, ${second}`), false, "in one field");
	assert.equal(
		way(`${pair(first, second)}\r\nRoute: ${second}`),
		true,
		"a third loose router, ours or not, is not our business",
	);
	for (const route of [first, second]) {
		const start = route.indexOf("fs=") + 3;
		for (let at = start; at < route.length - 1; at++) {
			for (let bit = 0; bit < 7; bit++) {
				const changed = String.fromCharCode(route.charCodeAt(at) ^ (1 << bit));
				if (!/[\w.-]/.test(changed)) continue;
				const flipped = route.slice(0, at) + changed + route.slice(at + 1);
				assert.equal(way(route === first ? pair(flipped, second) : pair(first, flipped)), false, flipped);
			}
			const cut = `${route.slice(0, at)}>`;
			assert.equal(way(route === first ? pair(cut, second) : pair(first, cut)), false, cut);
		}
	}
});

test("a foreign dialog, tag, user, direction or connection takes the usual way, where it is judged", async () => {
	const fixture = new ProxyFixture();
	const dialog = await fixture.open();
	const other = await fixture.open({ callId: "c2" });
	const stranger = fixture.connect("partner");
	const by = (lines: Parameters<typeof requestIn>[3], link = fixture.partner): boolean =>
		fixture.isShort(link, requestIn(dialog, "MESSAGE", "partner", lines));
	assert.equal(by({}), true);
	assert.equal(by({ callId: "Call-ID: c3" }), false, "another Call-ID");
	assert.equal(by({ callId: "Call-ID: c2" }), false, "the routes of another dialog");
	assert.equal(
		by({ callId: "Call-ID: c2", routes: other.routes.partner.map((route) => `Route: ${route}`).join("\r\n") }),
		true,
	);
	assert.equal(by({ from: `From: <sip:${LENA}>;tag=a2` }), false, "another tag");
	assert.equal(by({ from: `From: <sip:${LENA}>;tag=b1`, to: `To: <sip:${INES}>;tag=a1` }), false, "tags changed over");
	assert.equal(by({ to: `To: <sip:${INES}>;tag=a1` }), false, "one tag for both");
	assert.equal(by({ from: "From: <sip:otto@fabrikam.example>;tag=a1" }), false, "another user");
	assert.equal(by({ to: "To: <sip:otto@corp.contoso.example>;tag=b1" }), false, "another user at the other end");
	assert.equal(by({}, fixture.inside), false, "from the far end's connection");
	assert.equal(by({}, stranger), false, "from another connection of the same network");
	assert.equal(fixture.isShort(fixture.partner, requestIn(dialog, "MESSAGE", "inside")), false, "the other's request");
	fixture.receive(stranger, requestIn(dialog));
	assert.equal(statusOf(stranger.takeOne()), 481);
	fixture.receive(fixture.partner, requestIn(dialog, "MESSAGE", "partner", { from: `From: <sip:${LENA}>;tag=a2` }));
	assert.equal(statusOf(fixture.partner.takeOne()), 403);
	assert.equal(fixture.shortCount, 0);
});

test("protocol sheet 4.4: near the ends of a token's life, and without its key, the token is verified as usual", async () => {
	const fixture = new ProxyFixture();
	fixture.clock.advance(DAY_MS);
	const dialog = await fixture.open();
	const isShort = (): boolean => fixture.isShort(fixture.partner, requestIn(dialog));
	assert.equal(isShort(), true);
	fixture.clock.stepWall(-3 * MINUTE_MS);
	assert.equal(isShort(), false, "not begun");
	fixture.receive(fixture.partner, requestIn(dialog));
	assert.equal(statusOf(fixture.partner.takeOne()), 481);
	fixture.clock.stepWall(3 * MINUTE_MS + DAY_MS - 3 * MINUTE_MS);
	assert.equal(isShort(), true);
	fixture.clock.stepWall(2 * MINUTE_MS);
	assert.equal(isShort(), false, "nearly a day old");
	fixture.receive(fixture.partner, requestIn(dialog));
	fixture.inside.takeOne();
	fixture.clock.stepWall(60 * MINUTE_MS);
	assert.equal(isShort(), false, "25 hours old");
	fixture.receive(fixture.partner, requestIn(dialog));
	assert.equal(statusOf(fixture.partner.takeOne()), 481);
	assert.deepEqual(fixture.refused, ["481 token-expired", "481 token-expired"]);
	assert.equal(fixture.shortCount, 0);

	const second = new ProxyFixture();
	const young = await second.open();
	second.setKeys(createTestKey("test"), createTestKey("next", 9));
	assert.equal(second.isShort(second.partner, requestIn(young)), true);
	second.setKeys(createTestKey("next", 9));
	assert.equal(second.isShort(second.partner, requestIn(young)), false);
	second.receive(second.partner, requestIn(young));
	assert.deepEqual(second.refused, ["481 token-key-unknown"]);
});

test("product contract 8: peers with ceilings, and blocked ones, meet the pipeline with every request", async () => {
	const throttled = new ProxyFixture({
		peers: {
			partner: {
				throttle: {
					messagesPerSecond: 5,
					suspiciousMessagesPerSecond: undefined,
					distinctUsers: undefined,
					dryRun: false,
				},
			},
		},
	});
	const dialog = await throttled.open();
	assert.equal(throttled.isShort(throttled.partner, requestIn(dialog)), false);
	assert.equal(
		throttled.isShort(throttled.inside, requestIn(dialog, "MESSAGE", "inside")),
		true,
		"what it is sent has no ceiling",
	);

	const fixture = new ProxyFixture();
	const open = await fixture.open();
	const [first, second] = [requestIn(open), requestIn(open, "MESSAGE", "inside")];
	assert.deepEqual([fixture.isShort(fixture.partner, first), fixture.isShort(fixture.inside, second)], [true, true]);
	fixture.edit({ blocked: ["fabrikam.example"] });
	assert.deepEqual([fixture.isShort(fixture.partner, first), fixture.isShort(fixture.inside, second)], [false, false]);
	fixture.receive(fixture.partner, requestIn(open));
	fixture.receive(fixture.inside, requestIn(open, "MESSAGE", "inside"));
	assert.equal(statusOf(fixture.partner.takeOne()), 403);
	assert.equal(statusOf(fixture.inside.takeOne()), 403);
	// Nobody is left who may speak for the domain.
	fixture.edit({ peers: [] });
	assert.equal(fixture.isShort(fixture.partner, first), false);
});

test("a partner that is only discovered, and has to be asked for in the DNS, meets the pipeline with every request", async () => {
	const fixture = new ProxyFixture();
	const dialog = await fixture.open();
	const peers = fixture.peers.filter(({ kind }) => kind === "inside");
	fixture.edit({ peers, discovery: true });
	assert.equal(fixture.isShort(fixture.partner, requestIn(dialog)), false, "the binding is a question to the DNS");
	const { bindings } = fixture.partner.link;
	bindings.set("fabrikam.example", {
		verdict: { ok: true, peer: discoveredPeer("fabrikam.example") },
		until: Number.POSITIVE_INFINITY,
	});
	assert.equal(fixture.isShort(fixture.partner, requestIn(dialog)), false, "its ceilings are the pipeline's");
});

test("RFC 3261 §16.6: a request whose far connection is gone or belongs to somebody else takes the usual way", async () => {
	const fixture = new ProxyFixture();
	const dialog = await fixture.open();
	fixture.inside.link.network = "another";
	assert.equal(fixture.isShort(fixture.partner, requestIn(dialog)), false);
	fixture.inside.link.network = "inside";
	assert.equal(fixture.isShort(fixture.partner, requestIn(dialog)), true);
	fixture.inside.breakSilently();
	assert.equal(fixture.isShort(fixture.partner, requestIn(dialog)), false);
	fixture.receive(fixture.partner, requestIn(dialog));
	assert.equal(statusOf(fixture.partner.takeOne()), 481);
});

const changes: readonly (readonly [string, (fixture: ProxyFixture) => void])[] = [
	["the policy is edited", (fixture) => fixture.edit({ blocked: ["fabrikam.example"] })],
	["its token grows old", (fixture) => fixture.clock.stepWall(DAY_MS)],
	["its key is gone", (fixture) => fixture.setKeys(createTestKey("next", 9))],
	["the dialog ends", (fixture) => fixture.relay.dialogs.expire(Number.POSITIVE_INFINITY)],
	["the far connection breaks", (fixture) => fixture.inside.breakSilently()],
	[
		"the far connection belongs to somebody else",
		(fixture) => {
			fixture.inside.link.network = "another";
		},
	],
	[
		"the sender may not speak for its domain any more",
		(fixture) => {
			const verdict = { ok: false, status: 403, code: "test", reason: "test" } as const;
			fixture.partner.link.bindings.set("fabrikam.example", { verdict, until: Number.POSITIVE_INFINITY });
		},
	],
];
for (const [name, change] of changes) {
	test(`a passage that is remembered is not used when ${name}`, async () => {
		const fixture = new ProxyFixture();
		const dialog = await fixture.open();
		for (let count = 0; count < 6; count++) {
			assert.equal(fixture.isShort(fixture.partner, requestIn(dialog)), true);
		}
		change(fixture);
		assert.equal(fixture.isShort(fixture.partner, requestIn(dialog)), false);
	});
}

test("RFC 3261 §17.1.1.3: the ACK to a final answer that is no 2xx belongs to its INVITE, and goes nowhere", async () => {
	const fixture = new ProxyFixture();
	const dialog = await fixture.open();
	const via = `Via: SIP/2.0/TLS sip.fabrikam.example:5061;branch=z9hG4bKreinvite`;
	fixture.receive(fixture.partner, requestIn(dialog, "INVITE", "partner", { via, more: "Contact: <sip:x@192.0.2.9>" }));
	const request = fixture.inside.takeOne();
	fixture.receive(fixture.inside, answerTo(request, "488 Not Acceptable Here"));
	assert.equal(statusOf(fixture.partner.take().at(-1) ?? ""), 488);
	assert.match(fixture.inside.takeOne(), /^ACK /);
	const ack = requestIn(dialog, "ACK", "partner", { via, cseq: "CSeq: 7 ACK" });
	assert.equal(fixture.isShort(fixture.partner, ack), false);
	fixture.receive(fixture.partner, ack);
	assert.deepEqual(fixture.inside.take(), []);
	// That of a 2xx has a branch of its own.
	fixture.receive(fixture.partner, requestIn(dialog, "ACK"));
	assert.match(fixture.inside.takeOne(), /^ACK /);
	assert.equal(fixture.shortCount, 1);
});

test("RFC 3261 §17.2.2: a repeated request is absorbed while the first waits; one of another method with its branch is not taken for it", async () => {
	const fixture = new ProxyFixture();
	const dialog = await fixture.open();
	const request = requestIn(dialog);
	for (let times = 0; times < 3; times++) fixture.receive(fixture.partner, request);
	const sent = fixture.inside.takeOne();
	const [via = ""] = lines(request, "via");
	assert.equal(fixture.isShort(fixture.partner, requestIn(dialog, "INFO", "partner", { via })), false);
	fixture.receive(fixture.inside, answerTo(sent, "200 OK"));
	assert.equal(statusOf(fixture.partner.takeOne()), 200);
	assert.deepEqual(fixture.counted, ["INVITE 200 relayed", "MESSAGE 200 relayed"]);
});

test("RFC 3261 §17.1.2.2, Timer F: silence for 32 s is answered 408, each request at its own time", async () => {
	const fixture = new ProxyFixture();
	const dialog = await fixture.open();
	const next = await fixture.open({ callId: "c2" });
	fixture.receive(fixture.partner, requestIn(dialog));
	fixture.clock.advance(10_000);
	fixture.receive(fixture.partner, requestIn(next));
	fixture.receive(fixture.inside, answerTo(fixture.inside.take()[0] ?? "", "180 Ringing"));
	assert.equal(statusOf(fixture.partner.takeOne()), 180);
	assert.equal(fixture.relay.outstanding(fixture.inside.link), 2);
	fixture.clock.advance(21_999);
	assert.deepEqual(fixture.partner.take(), []);
	fixture.clock.advance(1);
	const silent = fixture.partner.takeOne();
	assert.equal(statusOf(silent), 408);
	assert.deepEqual(lines(silent, "call-id"), ["Call-ID: c1"]);
	fixture.clock.advance(9_999);
	assert.deepEqual(fixture.partner.take(), []);
	fixture.clock.advance(1);
	assert.deepEqual(lines(fixture.partner.takeOne(), "call-id"), ["Call-ID: c2"]);
	assert.equal(fixture.relay.outstanding(fixture.inside.link), 0);
	// The dialogs are over, and the timer with them.
	assert.equal(fixture.relay.dialogs.size, 0);
	fixture.relay.close();
	assert.equal(fixture.shortCount, 3);
});

test("an answer that comes after the 408 is nobody's", async () => {
	const fixture = new ProxyFixture();
	const dialog = await fixture.open();
	fixture.receive(fixture.partner, requestIn(dialog));
	const sent = fixture.inside.takeOne();
	fixture.clock.advance(32_000);
	assert.equal(statusOf(fixture.partner.takeOne()), 408);
	fixture.receive(fixture.inside, answerTo(sent, "200 OK"));
	assert.deepEqual(fixture.partner.take(), []);
});

test("an answer over another connection than its request left on is nobody's", async () => {
	const fixture = new ProxyFixture();
	const dialog = await fixture.open();
	fixture.receive(fixture.partner, requestIn(dialog));
	const answer = answerTo(fixture.inside.takeOne(), "200 OK");
	const other = fixture.connect("inside");
	for (const text of [answer, answer.replace("Via: SIP/2.0/TLS sip.contoso", "Via: SIP/2.0/TLS  sip.contoso")]) {
		fixture.receive(other, text);
		assert.deepEqual(fixture.partner.take(), []);
	}
	fixture.receive(fixture.inside, answer);
	assert.equal(statusOf(fixture.partner.takeOne()), 200);
});

test("the far end's connection is lost: 504 with diagnostics 1007 to whoever asked, and only to them", async () => {
	const fixture = new ProxyFixture();
	const dialog = await fixture.open();
	fixture.receive(fixture.partner, requestIn(dialog));
	fixture.receive(fixture.partner, requestIn(dialog, "ACK"));
	fixture.receive(fixture.inside, requestIn(dialog, "INFO", "inside"));
	fixture.inside.take();
	fixture.partner.take();
	fixture.inside.lose();
	const answer = fixture.partner.takeOne();
	assert.equal(statusOf(answer), 504);
	assert.match(lines(answer, "ms-diagnostics-public")[0] ?? "", /^ms-diagnostics-public: 1007;/);
	assert.deepEqual(fixture.counted, ["INVITE 200 relayed", "MESSAGE 504 far-end-lost"]);
	assert.equal(fixture.relay.outstanding(fixture.partner.link), 0);
	// REQ-49: and the dialog with it.
	assert.equal(fixture.relay.dialogs.size, 0);
});

test("the asking side's connection is lost: nothing is answered, and the far end's answer is nobody's", async () => {
	const fixture = new ProxyFixture();
	const dialog = await fixture.open();
	fixture.receive(fixture.partner, requestIn(dialog));
	const sent = fixture.inside.takeOne();
	fixture.partner.lose();
	assert.equal(fixture.relay.outstanding(fixture.inside.link), 0);
	fixture.receive(fixture.inside, answerTo(sent, "200 OK"));
	fixture.clock.advance(64_000);
	assert.deepEqual(fixture.partner.take(), []);
	assert.deepEqual(fixture.inside.take(), []);
	assert.deepEqual(fixture.counted, ["INVITE 200 relayed"]);
});

test("a connection that breaks while the request is sent: 504 at once, and not before the sender's octets are dealt with", async () => {
	const fixture = new ProxyFixture();
	const dialog = await fixture.open();
	const passage = fixture.relay.recognise(fixture.partner.link, frameOf(requestIn(dialog)));
	fixture.inside.breakSilently();
	passage?.forward();
	assert.deepEqual(fixture.partner.take(), []);
	fixture.clock.advance(0);
	assert.equal(statusOf(fixture.partner.takeOne()), 504);
	// An ACK is never answered.
	const second = new ProxyFixture();
	const next = await second.open();
	const ack = second.relay.recognise(second.partner.link, frameOf(requestIn(next, "ACK")));
	second.inside.breakSilently();
	ack?.forward();
	second.clock.advance(64_000);
	assert.deepEqual(second.partner.take(), []);
});

test("§12.2.1.2, §15, RFC 6665 §4.1.3: BYE, 481, 408 and a NOTIFY that says terminated end the dialog in listings, other answers do not", async () => {
	const TERMINATED = "Event: presence\r\nSubscription-State: terminated;reason=timeout";
	for (const [method, more, status, left] of [
		["BYE", "", "200 OK", 0],
		["MESSAGE", "", "481 Gone", 0],
		["MESSAGE", "", "408 Silent", 0],
		["MESSAGE", "", "480 Away", 1],
		["NOTIFY", "Event: presence\r\nSubscription-State: active", "200 OK", 1],
		["NOTIFY", "Event: presence", "200 OK", 1],
		["NOTIFY", TERMINATED, "200 OK", 0],
		["MESSAGE", TERMINATED, "200 OK", 1],
	] as const) {
		for (const isShort of [true, false]) {
			const fixture = new ProxyFixture({ isShort });
			const dialog = await fixture.open();
			assert.equal(fixture.relay.load(fixture.inside.link), 1);
			fixture.receive(fixture.partner, requestIn(dialog, method, "partner", { more }));
			fixture.receive(fixture.inside, answerTo(fixture.inside.takeOne(), status));
			assert.equal(fixture.relay.dialogs.size, left, `${method} ${status}`);
			assert.equal(fixture.relay.load(fixture.inside.link), left);
			assert.equal(fixture.shortCount, isShort ? 2 : 0);
		}
	}
});

test("RFC 3261 §16.3 step 4: a request that went the short way and comes back is a loop; with another target it is not", async () => {
	const fixture = new ProxyFixture();
	const dialog = await fixture.open();
	const request = requestIn(dialog);
	fixture.receive(fixture.partner, request);
	const sent = fixture.inside.takeOne();
	const [start = "", ...rest] = sent.split("\r\n");
	const back = [start, "Via: SIP/2.0/TLS home.corp.contoso.example;branch=z9hG4bKback", ...rest].join("\r\n");
	fixture.receive(fixture.inside, back);
	assert.equal(statusOf(fixture.inside.takeOne()), 482);
	fixture.receive(fixture.inside, back.replace("z9hG4bKback", "z9hG4bKnext").replace("sip:far@", "sip:farther@"));
	assert.notEqual(statusOf(fixture.inside.takeOne()), 482);
	assert.equal(fixture.shortCount, 1);
});

test("ten thousand requests of one connection may wait; what comes above goes the usual way", async () => {
	const fixture = new ProxyFixture();
	const dialog = await fixture.open();
	for (let count = 0; count < 10_000; count++) fixture.receive(fixture.partner, requestIn(dialog));
	assert.equal(fixture.shortCount, 10_000);
	assert.equal(fixture.isShort(fixture.partner, requestIn(dialog)), false);
	assert.equal(
		fixture.isShort(fixture.inside, requestIn(dialog, "MESSAGE", "inside")),
		true,
		"each connection by itself",
	);
	const [first = ""] = fixture.inside.take();
	fixture.receive(fixture.inside, answerTo(first, "200 OK"));
	assert.equal(fixture.isShort(fixture.partner, requestIn(dialog)), true);
	fixture.relay.close();
});

test("a proxy that is closed answers nothing any more", async () => {
	const fixture = new ProxyFixture();
	const dialog = await fixture.open();
	fixture.receive(fixture.partner, requestIn(dialog));
	fixture.relay.close();
	fixture.clock.advance(64_000);
	assert.deepEqual(fixture.partner.take(), []);
});

test("RFC 3261 §18.2.1: the source is noted where sent-by says otherwise, once; a response with no branch is nobody's", async () => {
	for (const via of [
		`Via: SIP/2.0/TLS ${SOURCE}:5061;branch=z9hG4bK1`,
		"Via: SIP/2.0/TLS sip.fabrikam.example;branch=z9hG4bK1;received=198.51.100.9",
	]) {
		const fixture = new ProxyFixture();
		const dialog = await fixture.open();
		fixture.receive(fixture.partner, requestIn(dialog, "MESSAGE", "partner", { via }));
		const sent = fixture.inside.takeOne();
		assert.equal(lines(sent, "via")[1], via);
		const answer = answerTo(sent, "200 OK");
		fixture.receive(fixture.inside, answer.replace(/;branch=z9hG4bK1\.[^;]*/, ""));
		assert.deepEqual(fixture.partner.take(), []);
		fixture.receive(fixture.inside, answer);
		assert.deepEqual(lines(fixture.partner.takeOne(), "via"), [via]);
		assert.equal(fixture.shortCount, 2);
	}
});

test("a connection that breaks while the request is sent, and is lost before the answer: one answer", async () => {
	const fixture = new ProxyFixture();
	const dialog = await fixture.open();
	const passage = fixture.relay.recognise(fixture.partner.link, frameOf(requestIn(dialog)));
	fixture.inside.breakSilently();
	passage?.forward();
	fixture.inside.lose();
	assert.equal(statusOf(fixture.partner.takeOne()), 504);
	fixture.clock.advance(64_000);
	assert.deepEqual(fixture.partner.take(), []);
	assert.equal(fixture.relay.outstanding(fixture.connect("inside").link), 0);
});

for (const by of ["partner", "inside"] as const) {
	test(`REQ-71 to REQ-75: what a request of ${by === "partner" ? "a partner" : "the inside server"} says of its sender leaves as it does on the usual way`, async () => {
		const level = "Ms-asserted-verification-level";
		const [verified, unverified] = ["verified", "unverified"].map(
			(said) => `${level}: ms-source-verification-level=${said}`,
		);
		const says = [
			"",
			verified ?? "",
			unverified ?? "",
			`${verified}\r\n${verified}`,
			`${level}: ms-source-verified-user=verified`,
			`P-Asserted-Identity: <sip:otto@${by === "partner" ? "litware.example" : "elsewhere.example"}>`,
			`Reply-To: <sip:${by === "partner" ? LENA : INES}>\r\nms-diagnostics: 1;reason="x"\r\n${unverified}`,
			"ms-edge-proxy-message-trust: ms-source-type=AuthorizedServer",
		];
		for (const verification of ["as-asserted", "always-verified", "always-unverified"] as const) {
			const sent = [];
			for (const isShort of [true, false]) {
				const fixture = new ProxyFixture({ isShort, peers: { partner: { verification }, inside: { verification } } });
				const dialog = await fixture.open();
				const [near, far] = by === "partner" ? [fixture.partner, fixture.inside] : [fixture.inside, fixture.partner];
				const texts = ["MESSAGE", "INFO"].flatMap((method) =>
					says.map((more) => {
						const via = `Via: SIP/2.0/TLS sip.fabrikam.example;branch=z9hG4bK${method}${says.indexOf(more)}`;
						fixture.receive(near, requestIn(dialog, method, by, { more, via }));
						return withoutBranches(far.takeOne());
					}),
				);
				assert.equal(fixture.shortCount, isShort ? texts.length : 0);
				sent.push(texts);
			}
			assert.deepEqual(sent[0], sent[1]);
		}
	});
}
