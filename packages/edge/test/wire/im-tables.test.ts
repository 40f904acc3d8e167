/** Every row of the two tables of protocol sheet 3: what an INVITE is answered (3.5), and a MESSAGE in a session (3.6). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { HeaderId, headerValue, type SipResponse } from "@causeway/sip";
import {
	bodyText,
	formatRequest,
	type Link,
	MESSAGE_LINE,
	type RequestParts,
	sdp,
	startWireWorld,
} from "./wire-world.ts";

const CAPABILITY = /^m=message 5060 sip\/tcp \*\r?$/m;
const RULES = `[im]
busy = "refuse"
[[content_rule]]
contains = ["cheap pills"]
reason = "No advertising"
`;

async function finalResponse(link: Link): Promise<SipResponse> {
	let response = await link.response();
	while (response.statusCode < 200) response = await link.response();
	return response;
}

async function ask(link: Link, parts: RequestParts): Promise<SipResponse> {
	link.write(formatRequest(parts));
	return finalResponse(link);
}

function part(type: string, body: string): string {
	return `--b\r\nContent-Type: ${type}\r\n\r\n${body}\r\n`;
}

test("protocol 3.5: the decision list of an INVITE", async (context) => {
	const world = await startWireWorld(context, RULES);
	const alice = await world.createUser("alice@contoso.example", "Alice");
	await alice.client.call("putPresence", { body: { state: "available" } });
	const busy = await world.createUser("busy@contoso.example", "Busy");
	await busy.client.call("putPresence", { body: { state: "busy" } });
	const careful = await world.createUser("careful@contoso.example", "Careful");
	await careful.client.call("putSettings", { body: { messages_from: "contacts" } });
	const blocker = await world.createUser("blocker@contoso.example", "Blocker");
	await blocker.client.call("putBlock", { params: { aor: "lena@fabrikam.example" } });
	const open = await world.createUser("open@contoso.example", "Open");
	await open.client.call("putBlock", { params: { aor: "lena@fabrikam.example" } });
	await open.client.call("putSettings", { body: { blocked_answer: "declined" } });
	const link = await world.connect();
	const offer = sdp(MESSAGE_LINE);

	const rows: readonly (readonly [
		row: string,
		parts: Partial<RequestParts>,
		status: number,
		also?: (answer: SipResponse) => void,
	])[] = [
		["1 another domain's user", { from: "mallory@other.example", body: offer }, 403],
		[
			"2 Require",
			{ headers: ["Require: com.microsoft.rtc-multiparty"], body: offer },
			420,
			(answer) => assert.equal(headerValue(answer, HeaderId.unsupported), "com.microsoft.rtc-multiparty"),
		],
		[
			"2 Require: timer, which we take where it is offered and announce nowhere",
			{ headers: ["Require: timer", "Supported: timer", "Session-Expires: 1800"], body: offer },
			420,
			(answer) => assert.equal(headerValue(answer, HeaderId.unsupported), "timer"),
		],
		[
			"3 Proxy-Require",
			{ headers: ["Proxy-Require: x-unheard-of"], body: offer },
			420,
			(answer) => assert.equal(headerValue(answer, HeaderId.unsupported), "x-unheard-of"),
		],
		["4 no body", {}, 488, (answer) => assert.match(bodyText(answer), CAPABILITY)],
		[
			"5 multipart, SDP beside something else",
			{
				contentType: "multipart/mixed;boundary=b",
				body: `${part("text/plain", "hello")}${part("application/sdp", offer)}--b--\r\n`,
			},
			200,
			(answer) => assert.match(bodyText(answer), CAPABILITY),
		],
		[
			"5 multipart/alternative, the last that is understood",
			{
				contentType: "multipart/alternative;boundary=b",
				body: `${part("application/sdp", sdp("audio 4000 RTP/AVP 0"))}${part("application/sdp", offer)}--b--\r\n`,
			},
			200,
			(answer) => assert.match(bodyText(answer), CAPABILITY),
		],
		[
			"5 multipart without SDP",
			{ contentType: "multipart/mixed;boundary=b", body: `${part("text/plain", "hello")}--b--\r\n` },
			415,
			(answer) => assert.equal(headerValue(answer, HeaderId.accept), "application/sdp"),
		],
		[
			"6 an invitation to a conference",
			{ contentType: "application/ms-conf-invite+xml", body: "<Conferencing/>" },
			415,
			(answer) => assert.equal(headerValue(answer, HeaderId.accept), "application/sdp"),
		],
		[
			"6 the same, longer than any offer may be",
			{ contentType: "application/ms-conf-invite+xml", body: "<Conferencing/>".repeat(4_000) },
			415,
		],
		...(["audio 4000 RTP/AVP 0", "message 2855 TCP/TLS/MSRP *", "message 0 sip/tcp *"] as const).map(
			(line) =>
				[
					`7 nothing but m=${line}`,
					{ body: sdp(line) },
					488,
					(answer: SipResponse) => {
						assert.equal(headerValue(answer, HeaderId.warning), '304 sip.contoso.example "Media type not available"');
						assert.match(bodyText(answer), CAPABILITY);
					},
				] as const,
		),
		["8 unknown user", { to: "nobody@contoso.example", body: offer }, 404],
		["10 blocked sender", { to: "blocker@contoso.example", body: offer }, 480],
		["10 blocked sender, told so", { to: "open@contoso.example", body: offer }, 603],
		[
			"10 no contact of a user who takes messages of contacts alone",
			{ to: "careful@contoso.example", body: offer },
			480,
		],
		["11 busy user, by policy", { to: "busy@contoso.example", body: offer }, 486],
		[
			"12 everything else",
			{ body: offer },
			200,
			(answer) => {
				assert.match(bodyText(answer), CAPABILITY);
				assert.match(headerValue(answer, HeaderId.contact) ?? "", /;transport=tls/);
			},
		],
	];
	for (const [row, parts, status, also] of rows) {
		await context.test(`protocol 3.5, row ${row}: ${status}`, async () => {
			const callId = `row ${row}`.replaceAll(/[^a-z0-9]/gi, "-");
			const answer = await ask(link, { method: "INVITE", callId, ...parts });
			assert.equal(answer.statusCode, status);
			also?.(answer);
			link.write(formatRequest({ method: "ACK", callId, ...parts, body: "", toTag: answer.to.tag ?? "" }));
		});
	}
});

test("protocol 3.5, row 9: an offline user, by policy: 480", async (context) => {
	const world = await startWireWorld(context, '[im]\noffline = "refuse"\n');
	await world.createUser("alice@contoso.example", "Alice");
	const link = await world.connect();
	assert.equal((await ask(link, { method: "INVITE", body: sdp(MESSAGE_LINE) })).statusCode, 480);
});

for (const [row, to, setUp] of [
	["8", "nobody@contoso.example", undefined],
	["10", "blocker@contoso.example", "block"],
] as const) {
	test(`protocol 3.5, row ${row}, 7.5: where users are hidden: 480`, async (context) => {
		const world = await startWireWorld(context, '[federation]\nhide_unknown_users = "always"\n');
		if (setUp !== undefined) {
			const blocker = await world.createUser(to, "Blocker");
			await blocker.client.call("putBlock", { params: { aor: "lena@fabrikam.example" } });
			await blocker.client.call("putSettings", { body: { blocked_answer: "declined" } });
		}
		const link = await world.connect();
		const answer = await ask(link, { method: "INVITE", to, body: sdp(MESSAGE_LINE) });
		assert.deepEqual([answer.statusCode, answer.body.length], [480, 0]);
	});
}

test("protocol 3.6: a MESSAGE in a session", async (context) => {
	const world = await startWireWorld(context, RULES);
	const alice = await world.createUser("alice@contoso.example", "Alice");
	await alice.client.call("putPresence", { body: { state: "available" } });
	const link = await world.connect();
	const invited = await ask(link, { method: "INVITE", callId: "c", body: sdp(MESSAGE_LINE) });
	const toTag = invited.to.tag ?? "";
	link.write(formatRequest({ method: "ACK", callId: "c", toTag }));
	let cseq = 1;
	const message = (contentType: string, body: string, parts: Partial<RequestParts> = {}): Promise<SipResponse> => {
		cseq += 1;
		return ask(link, { method: "MESSAGE", callId: "c", toTag, cseq, contentType, body, ...parts });
	};
	const accept = (answer: SipResponse): string => headerValue(answer, HeaderId.accept) ?? "";

	const delivered: readonly (readonly [row: string, contentType: string, body: string, text: string])[] = [
		["text/plain", "text/plain", "caf\u00e9 \u2615", "caf\u00e9 \u2615"],
		["text/plain with font and colour", "text/plain; charset=UTF-8;msgr=WABNAA", "hello", "hello"],
		["text/html", "text/html; charset=UTF-8", "<p>one &lt;b&gt;<br>two<script>x()</script></p>", "one <b>\ntwo"],
		["text/rtf", "text/rtf", "{\\rtf1\\ansi caf\\'e9\\par two}", "caf\u00e9\ntwo"],
		[
			"multipart/alternative",
			"multipart/alternative;boundary=b",
			`${part("text/html", "<b>rich</b>")}${part("text/plain", "plain")}--b--\r\n`,
			"plain",
		],
		[
			"multipart/related without a plain part",
			"multipart/related;boundary=b",
			`${part("text/html", "<b>rich</b><img src='cid:1'>")}${part("image/gif", "GIF89a")}--b--\r\n`,
			"rich",
		],
	];
	for (const [row, contentType, body, text] of delivered) {
		await context.test(`protocol 3.6, ${row}: 200, and delivered as text`, async () => {
			assert.equal((await message(contentType, body)).statusCode, 200);
			assert.equal((await alice.event("message")).text, text);
		});
	}

	for (const [charset, octets] of [
		["ISO-8859-1", [0x63, 0x61, 0x66, 0xe9]],
		["windows-1251", [0xef, 0xf0, 0xe8]],
		["utf-16", [0xff, 0xfe, 0x61, 0x00]],
		["shift_jis", [0x93, 0xfa]],
	] as const) {
		await context.test(`protocol 3.6, text/plain in ${charset}: 200`, async () => {
			cseq += 1;
			const type = `text/plain; charset=${charset}`;
			const head = formatRequest({ method: "MESSAGE", callId: "c", toTag, cseq, contentType: type, body: "x" });
			// The body goes as octets, which the helper for text would encode.
			link.writeOctets(head.replace(/Content-Length: 1\r\n\r\nx$/, `Content-Length: ${octets.length}\r\n\r\n`), octets);
			assert.equal((await finalResponse(link)).statusCode, 200);
			const label = charset === "utf-16" ? "utf-16le" : charset;
			assert.equal((await alice.event("message")).text, new TextDecoder(label).decode(new Uint8Array(octets)));
		});
	}

	for (const [row, contentType, body] of [
		["text/html without a word", "text/html", "<img src='cid:1'>"],
		["text/rtf that is none", "text/rtf", "plain"],
		["text/plain in an unknown charset", "text/plain; charset=klingon", "qapla"],
	] as const) {
		await context.test(`protocol 3.6, ${row}: 415 with Accept: text/plain`, async () => {
			const answer = await message(contentType, body);
			assert.deepEqual([answer.statusCode, accept(answer)], [415, "text/plain"]);
		});
	}

	for (const type of ["application/x-ms-ink", "image/gif", "text/x-msmsgsinvite", "application/octet-stream"]) {
		await context.test(`protocol 3.6, ${type}: 415`, async () => {
			const answer = await message(type, "x");
			assert.equal(answer.statusCode, 415);
			assert.match(accept(answer), /^text\/plain, /);
		});
	}

	await context.test("protocol 3.6, application/im-iscomposing+xml: 200, typing", async () => {
		const xml = '<isComposing xmlns="urn:ietf:params:xml:ns:im-iscomposing"><state>active</state></isComposing>';
		assert.equal((await message("application/im-iscomposing+xml", xml)).statusCode, 200);
		assert.equal((await alice.event("typing")).typing, true);
	});

	await context.test("protocol 3.6, a delivery report and an empty body: 200, and nothing is shown", async () => {
		assert.equal((await message("application/ms-imdn+xml", "<imdn/>")).statusCode, 200);
		assert.equal((await message("text/plain", "")).statusCode, 200);
	});

	await context.test("protocol 3.6, unknown dialog: 481", async () => {
		assert.equal((await message("text/plain", "x", { callId: "another" })).statusCode, 481);
		assert.equal((await message("text/plain", "x", { toTag: "another" })).statusCode, 481);
	});

	await context.test("REQ-53, protocol 3.6, page mode: 488 with the capability and Warning 399", async () => {
		link.write(formatRequest({ method: "MESSAGE", contentType: "text/plain", body: "x" }));
		const answer = await finalResponse(link);
		assert.equal(answer.statusCode, 488);
		assert.match(bodyText(answer), CAPABILITY);
		assert.match(headerValue(answer, HeaderId.warning) ?? "", /^399 sip\.contoso\.example "/);
	});

	await context.test("protocol 3.6, body too large: 513", async () => {
		assert.equal((await message("text/plain", "x".repeat(65_537))).statusCode, 513);
	});

	await context.test("protocol 3.6, content policy: 606 with Warning 309", async () => {
		const answer = await message("text/html", "Buy <b>CHEAP</b>\r\npills");
		assert.equal(answer.statusCode, 606);
		assert.equal(headerValue(answer, HeaderId.warning), '309 sip.contoso.example "No advertising"');
	});

	await context.test("protocol 3.6, ordering: a lower CSeq is answered 500, a gap is legal", async () => {
		cseq += 10;
		assert.equal((await message("text/plain", "after a gap")).statusCode, 200);
		assert.equal((await message("text/plain", "late", { cseq: cseq - 5 })).statusCode, 500);
	});

	await context.test(
		"protocol 10, row 29: the same Call-ID and CSeq again is answered, and delivered once",
		async () => {
			assert.equal((await message("text/plain", "once")).statusCode, 200);
			assert.equal((await message("text/plain", "once", { cseq })).statusCode, 200);
		},
	);

	await context.test("protocol 3.6: nothing else has reached the user", async () => {
		const { messages } = await alice.client.call("listMessages", { query: {} });
		assert.deepEqual(
			messages.map(({ text }) => text),
			[
				...delivered.map(([, , , text]) => text),
				"caf\u00e9",
				"\u043f\u0440\u0438",
				"a",
				"\u65e5",
				"after a gap",
				"once",
			],
		);
	});
});

test("protocol 3.6, the recipient has gone offline since, by policy: 480", async (context) => {
	const world = await startWireWorld(context, '[im]\noffline = "refuse"\n');
	const alice = await world.createUser("alice@contoso.example", "Alice");
	await alice.client.call("putPresence", { body: { state: "available" } });
	const link = await world.connect();
	const { to } = await ask(link, { method: "INVITE", callId: "c", body: sdp(MESSAGE_LINE) });
	link.write(formatRequest({ method: "ACK", callId: "c", toTag: to.tag ?? "" }));
	await alice.client.call("putPresence", { body: { state: "offline" } });
	const late = { method: "MESSAGE", callId: "c", toTag: to.tag ?? "", cseq: 2, contentType: "text/plain", body: "x" };
	assert.equal((await ask(link, late)).statusCode, 480);
});

test("protocol 3.7: the first message inside an INVITE is passed over, not advertised, and so not doubled", async (context) => {
	const world = await startWireWorld(context);
	const alice = await world.createUser("alice@contoso.example", "Alice");
	const link = await world.connect();
	const headers = [
		`ms-text-format: text/plain; charset=UTF-8;ms-body=${Buffer.from("hello").toString("base64")}`,
		"Supported: ms-embedded-first-message",
	];
	const answer = await ask(link, { method: "INVITE", callId: "c", headers, body: sdp(MESSAGE_LINE) });
	assert.equal(answer.statusCode, 200);
	assert.equal(headerValue(answer, HeaderId.supported), undefined);
	const toTag = answer.to.tag ?? "";
	link.write(formatRequest({ method: "ACK", callId: "c", toTag }));
	const text = { method: "MESSAGE", callId: "c", toTag, cseq: 2, contentType: "text/plain", body: "hello" };
	assert.equal((await ask(link, text)).statusCode, 202);
	const { messages } = await alice.client.call("listMessages", { query: {} });
	assert.deepEqual(
		messages.map((one) => one.text),
		["hello"],
	);
});

test("REQ-76: a stranger's messages wait in their folder; the user is told once, and lets them in, declines or blocks", async (context) => {
	const world = await startWireWorld(context);
	const alice = await world.createUser("alice@contoso.example", "Alice");
	const link = await world.connect();
	const write = async (from: string): Promise<number> => {
		const callId = from;
		const answer = await ask(link, { method: "INVITE", callId, from, verification: "none", body: sdp(MESSAGE_LINE) });
		const toTag = answer.to.tag ?? "";
		if (answer.statusCode !== 200) return answer.statusCode;
		link.write(formatRequest({ method: "ACK", callId, from, toTag }));
		const text = { method: "MESSAGE", callId, from, toTag, cseq: 2, contentType: "text/plain", body: `from ${from}` };
		return (await ask(link, text)).statusCode;
	};
	const people = ["lena", "ben", "spam"].map((name) => `${name}@fabrikam.example`);
	const [lena = "", ben = "", spam = ""] = people;
	for (const person of people) {
		assert.equal(await write(person), 202);
		const { aor, verification, wants } = await alice.event("request");
		assert.deepEqual([aor, verification, wants], [person, "unverified", "messages"]);
	}
	const { requests } = await alice.client.call("listMessageRequests");
	assert.deepEqual(
		requests.map(({ aor, messages }) => [aor, messages]),
		people.map((person) => [person, 1]),
	);
	const decide = (aor: string, decision: "accept" | "decline" | "block") =>
		alice.client.call("decideMessageRequest", { params: { aor }, body: { decision } });
	await decide(lena, "accept");
	assert.equal((await alice.event("message")).text, `from ${lena}`);
	await decide(ben, "decline");
	await decide(spam, "block");
	assert.deepEqual((await alice.client.call("listMessageRequests")).requests, []);
	const list = async (folder: "inbox" | "requests") =>
		(await alice.client.call("listMessages", { query: { folder } })).messages.map(({ text }) => text);
	assert.deepEqual([await list("inbox"), await list("requests")], [[`from ${lena}`], []]);
	assert.deepEqual(
		(await alice.client.call("listBlocks")).blocks.map(({ aor }) => aor),
		[spam],
	);
	await assert.rejects(decide(ben, "accept"), { code: "unknown-request" });
});
