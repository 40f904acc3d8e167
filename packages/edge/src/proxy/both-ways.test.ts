import assert from "node:assert/strict";
import { test } from "node:test";
import {
	answerTo,
	ODD_CALL_IDS,
	type OpenDialog,
	oddMessages,
	ProxyFixture,
	requestIn,
	withoutBranches,
} from "./testing.ts";

interface Seen {
	readonly requests: readonly string[];
	readonly responses: readonly string[];
	readonly shortCount: number;
}

/** The corpus of `message-edits.test.ts` through the proxy, and answers with the same odd lines back. */
async function relayAll(isShort: boolean): Promise<Seen> {
	const fixture = new ProxyFixture({ isShort });
	const dialogs = new Map<string, OpenDialog>();
	for (const callId of ODD_CALL_IDS) dialogs.set(callId, await fixture.open({ callId }));
	const requests: string[] = [];
	const responses: string[] = [];
	for (const [index, { foreign, body }] of oddMessages().entries()) {
		const callId = /^(?:call-id|i):\s*(.*)$/im.exec(foreign.join("\n"))?.[1] ?? "";
		const routes = dialogs.get(callId)?.routes.partner ?? assert.fail(callId);
		const text = [
			"MESSAGE sip:ines@198.51.100.4;X=y SIP/2.0",
			`Via: SIP/2.0/TLS sip.fabrikam.example:5061;branch=z9hG4bKodd${index}`,
			"max-forwards :  69",
			...foreign.slice(0, 2),
			...routes.map((route) => `Route: ${route}`),
			"Ms-asserted-verification-level: ms-source-verification-level=verified",
			"v: SIP/2.0/TLS 192.0.2.9 ;ms-received-cid=A",
			...foreign.slice(2),
			"",
			body,
		].join("\r\n");
		fixture.receive(fixture.partner, text);
		const sent = fixture.inside.takeOne();
		requests.push(sent);
		const odd = foreign.filter(
			(line) => !/^(from|f|to|t|call-id|i|cseq|content-length|l|content-type)[ \t]*:/i.test(line),
		);
		fixture.receive(fixture.inside, answerTo(sent, "200 Yes,  indeed", { headers: odd, body }));
		responses.push(fixture.partner.takeOne());
	}
	return { requests, responses, shortCount: fixture.shortCount };
}

test("protocol sheet 6.1: the short way and the usual one make the same octets of 120 odd requests and of their answers", async () => {
	const [short, usual] = [await relayAll(true), await relayAll(false)];
	assert.equal(short.requests.length, 120);
	assert.deepEqual(short.requests.map(withoutBranches), usual.requests.map(withoutBranches));
	assert.deepEqual(short.responses, usual.responses);
	assert.equal(usual.shortCount, 0);
	// There and back; but where `sips:` may stand, and where a boundary header comes back, somebody has to look closer.
	const holds = (text: string): number =>
		oddMessages().filter(({ foreign }) => foreign.some((line) => line.includes(text))).length;
	assert.equal(short.shortCount, 2 * (120 - holds("sips:")) - holds("ms-keep-alive"));
});

test("RFC 3261 §16.7: an answer of our own is the same on both ways", async () => {
	const seen: (readonly string[])[] = [];
	for (const isShort of [true, false]) {
		const fixture = new ProxyFixture({ isShort });
		const dialog = await fixture.open();
		const vias = "Via: SIP/2.0/TLS sip.fabrikam.example:5061;branch=z9hG4bKown1;alias\r\nv:SIP/2.0/TLS 192.0.2.9 ;x";
		const lines = { via: vias, more: "Timestamp: 12.5\r\nX-Any: a" };
		const sent: string[] = [];
		fixture.receive(fixture.partner, requestIn(dialog, "MESSAGE", "partner", lines));
		fixture.receive(fixture.inside, answerTo(fixture.inside.takeOne(), "503 Service Unavailable"));
		sent.push(fixture.partner.takeOne());
		fixture.receive(fixture.partner, requestIn(dialog, "NOTIFY", "partner", { via: vias }));
		fixture.inside.take();
		fixture.clock.advance(32_000);
		sent.push(fixture.partner.takeOne());
		assert.equal(fixture.relay.dialogs.size, 0, "silence ends the dialog");
		const next = await fixture.open({ callId: "c2" });
		fixture.receive(fixture.partner, requestIn(next, "INFO", "partner", lines));
		fixture.inside.take();
		fixture.inside.lose();
		sent.push(fixture.partner.takeOne());
		assert.deepEqual(
			sent.map((text) => text.slice(8, 11)),
			["500", "408", "504"],
		);
		seen.push(sent);
	}
	assert.deepEqual(seen[0], seen[1]);
});
