import assert from "node:assert/strict";
import { test } from "node:test";
import { frameOf } from "@causeway/sip/testing";
import { findOurBranch, findOurVia, isResponse, readStatus } from "./short-response.ts";
import { answerTo, messageOf, ProxyFixture, requestIn, withoutBranches } from "./testing.ts";

function statusOf(text: string): number {
	const message = messageOf(text);
	assert.ok(message.kind === "response", text);
	return message.statusCode;
}

function lines(text: string, name: string): readonly string[] {
	return text.split("\r\n").filter((line) => line.toLowerCase().startsWith(`${name}:`));
}

/** Answers, and what comes of them: status, or undefined where nothing goes on. */
const answers: readonly (readonly [
	name: string,
	answer: (request: string) => string,
	expected: number | undefined,
	isShort: boolean,
])[] = [
	["a 200", (request) => answerTo(request, "200 OK"), 200, true],
	["a 404", (request) => answerTo(request, "404 Not Found"), 404, true],
	["a 603", (request) => answerTo(request, "603 Decline"), 603, true],
	["a 100 stays on its hop (§16.7 step 5)", (request) => answerTo(request, "100 Trying"), undefined, false],
	["a 503 becomes 500 (§16.7 step 6)", (request) => answerTo(request, "503 Service Unavailable"), 500, false],
	[
		"a status line without reason",
		(request) => answerTo(request, "200").replace("SIP/2.0 200\r\n", "SIP/2.0 200 \r\n"),
		200,
		true,
	],
	[
		"no Via but ours: 502",
		(request) => {
			const [ours = "", ...rest] = lines(request, "via");
			return rest
				.reduce((text, via) => text.replace(`${via}\r\n`, ""), answerTo(request, "200 OK"))
				.replace("\r\n\r\n", `\r\nX-Was: ${ours.length}\r\n\r\n`);
		},
		502,
		false,
	],
	[
		"a provisional answer without any Via but ours is dropped",
		(request) =>
			lines(request, "via")
				.slice(1)
				.reduce((text, via) => text.replace(`${via}\r\n`, ""), answerTo(request, "180 Ringing")),
		undefined,
		false,
	],
	[
		"the Vias in one field",
		(request) => answerTo(request, "200 OK").replace(/\r\nVia: ([^\r]*)\r\nVia: /, "\r\nVia: $1, "),
		200,
		false,
	],
	[
		"a header between the Vias",
		(request) => answerTo(request, "200 OK").replace(/\r\nVia: ([^\r]*)\r\nVia: /, "\r\nVia: $1\r\nX-Odd: 1\r\nVia: "),
		200,
		false,
	],
	[
		"compact names",
		(request) => answerTo(request, "200 OK").replaceAll("\r\nVia:", "\r\nv:").replace("\r\nFrom:", "\r\nf :"),
		200,
		true,
	],
	[
		"a Via of another form below ours",
		(request) => answerTo(request, "200 OK").replace(/;received=192.0.2.1/, ";received=192.0.2.1;rport=1"),
		200,
		false,
	],
	[
		"a To that was changed",
		(request) => answerTo(request, "200 OK").replace(/\r\nTo: </, '\r\nTo: "Ines" <'),
		200,
		false,
	],
	[
		"a From that was changed",
		(request) => answerTo(request, "200 OK").replace(/\r\nFrom: </, '\r\nFrom: "Lena" <'),
		200,
		false,
	],
	["a CSeq with more blanks", (request) => answerTo(request, "200 OK").replace("CSeq: 7 ", "CSeq: 7  "), 200, false],
	[
		"a Reply-To, which its sender may not set",
		(request) => answerTo(request, "200 OK", { headers: ["Reply-To: <sip:a@x.example>"] }),
		200,
		false,
	],
	[
		"a P-Asserted-Identity",
		(request) => answerTo(request, "200 OK", { headers: ["P-Asserted-Identity: <sip:a@x.example>"] }),
		200,
		false,
	],
	[
		"diagnostics of the inside",
		(request) => answerTo(request, "480 Away", { headers: ['ms-diagnostics: 1;reason="x";source="y"'] }),
		480,
		false,
	],
	[
		"an unknown header and a body",
		(request) => answerTo(request, "488 No", { headers: ["X-A:  b"], body: "v=0" }),
		488,
		true,
	],
	[
		"a header that may stand in one field only, twice",
		(request) => answerTo(request, "200 OK", { headers: ["Server: a", "Subject: b"] }),
		200,
		true,
	],
	[
		"sips: in it is dropped (REQ-52)",
		(request) => answerTo(request, "200 OK", { headers: ["X-A: <sips:a@b.example>"] }),
		undefined,
		false,
	],
	[
		"another method's CSeq is nobody's",
		(request) => answerTo(request, "200 OK").replace("7 MESSAGE", "7 INFO"),
		undefined,
		false,
	],
	[
		"a branch of ours with one letter changed",
		(request) =>
			answerTo(request, "200 OK").replace(
				/branch=(z9hG4bK1.*?)(.);alias/,
				(_, all, end) => `branch=${all}${end === "A" ? "B" : "A"};alias`,
			),
		undefined,
		false,
	],
];
for (const [name, answer, expected, isShort] of answers) {
	test(`RFC 3261 §16.7, the short way: ${name}`, async () => {
		const [short, usual] = [new ProxyFixture(), new ProxyFixture({ isShort: false })];
		const seen: (readonly string[])[] = [];
		for (const fixture of [short, usual]) {
			const dialog = await fixture.open();
			fixture.counted.length = 0;
			fixture.receive(
				fixture.inside,
				requestIn(dialog, "MESSAGE", "inside", { via: "Via: SIP/2.0/TLS home.corp.contoso.example;branch=z9hG4bK1" }),
			);
			const text = answer(fixture.partner.takeOne());
			fixture.receive(fixture.partner, text);
			const sent = fixture.inside.take().map(withoutBranches);
			seen.push(sent);
			assert.equal(sent[0] === undefined ? undefined : statusOf(sent[0]), expected);
			const vias = (sent[0] ?? "").split("\r\n").filter((line) => /^v(ia)?:/i.test(line));
			assert.equal(vias.length, expected === undefined ? 0 : 1);
		}
		// Both ways give the same octets.
		assert.deepEqual(seen[0], seen[1]);
		assert.equal(short.shortCount, isShort ? 2 : 1);
		assert.equal(usual.shortCount, 0);
		assert.deepEqual(short.counted, usual.counted);
		// Whatever goes on to wait is answered when its time comes.
		const isOver = expected !== undefined && expected >= 200;
		assert.equal(short.relay.outstanding(short.partner.link), isOver ? 0 : 1);
		short.clock.advance(32_000);
		assert.deepEqual(short.inside.take().map(statusOf), isOver ? [] : [408]);
	});
}

const ECHOED = {
	topVia: "SIP/2.0/TLS a.example;branch=z9hG4bK1",
	passage: {
		noted: ";received=192.0.2.1",
		parts: {
			fromText: "<sip:lena@fabrikam.example>;tag=a1",
			toText: "<sip:ines@corp.contoso.example>;tag=b1",
			callId: "c1",
		},
	},
	cseqText: "7 MESSAGE",
};
const { parts } = ECHOED.passage;
const FIELDS = [
	"Via: SIP/2.0/TLS us.example;branch=z9hG4bKours;alias",
	`Via: ${ECHOED.topVia}${ECHOED.passage.noted}`,
	`From: ${parts.fromText}`,
	`To: ${parts.toText}`,
	`Call-ID: ${parts.callId}`,
	`CSeq: ${ECHOED.cseqText}`,
	"Content-Length: 0",
];

function head(fields: readonly string[], start = "SIP/2.0 200 OK") {
	return frameOf([start, ...fields, "", ""].join("\r\n"));
}

/** The head without our Via; undefined where the response is left to the parser. */
function withoutOurVia(fields: readonly string[]): string | undefined {
	const frame = head(fields);
	const via = findOurVia(frame, ECHOED);
	const { text } = frame.decodeHead();
	return via && text.slice(0, via.start) + text.slice(via.end);
}

test("our Via comes off a response that repeats its request; what is left stands as it came", () => {
	const fields = [...FIELDS, "X-Any: a", "Server: b"];
	assert.equal(withoutOurVia(fields), ["SIP/2.0 200 OK", ...fields.slice(1), "", ""].join("\r\n"));
	// Vias behind the first two are whatever they were.
	const more = [...FIELDS, "Via: SIP/2.0/TLS b.example"];
	assert.equal(withoutOurVia(more), ["SIP/2.0 200 OK", ...more.slice(1), "", ""].join("\r\n"));
});

test("a response that does not repeat its request octet for octet is left to the parser", () => {
	for (const [index, name] of ["ours", "the next Via", "From", "To", "Call-ID", "CSeq"].entries()) {
		assert.equal(withoutOurVia(FIELDS.toSpliced(index, 1)), undefined, `no ${name}`);
		const changed = FIELDS.with(index, `${FIELDS[index]}x`);
		// What stands in our own Via is ours, and was found by its branch.
		assert.equal(withoutOurVia(changed) === undefined, index !== 0, `${name} longer`);
		if (index < 2) continue;
		const other = FIELDS.with(index, (FIELDS[index] ?? "").replace(/.$/, "x"));
		assert.equal(withoutOurVia(other), undefined, `${name} changed`);
		assert.equal(withoutOurVia([...FIELDS, FIELDS[index] ?? ""]), undefined, `${name} twice`);
	}
	for (const extra of [
		"Reply-To: <sip:a@b.example>",
		"P-Asserted-Identity: <sip:a@b.example>",
		"History-Info: <sip:a@b.example>",
	]) {
		assert.equal(withoutOurVia([...FIELDS, extra]), undefined, extra);
	}
	assert.equal(withoutOurVia(FIELDS.with(0, "Via: SIP/2.0/TLS us.example, SIP/2.0/TLS us.example")), undefined);
	const [ours = "", below = "", ...rest] = FIELDS;
	assert.equal(withoutOurVia([ours, "X-Any: a", below, ...rest]), undefined);
});

test("RFC 3261 §7.2: a status is three digits from 100 to 699 behind the version, with a blank behind it", () => {
	for (const [start, status] of [
		["SIP/2.0 200 OK", 200],
		["SIP/2.0 100 ", 100],
		["SIP/2.0 699 x", 699],
		["SIP/2.0 700 x", undefined],
		["SIP/2.0 099 x", undefined],
		["SIP/2.0 2x0 x", undefined],
		["SIP/2.0 /00 x", undefined],
		["SIP/2.0 2000 x", undefined],
		["SIP/2.0  200 x", undefined],
	] as const) {
		assert.equal(readStatus(head(FIELDS, start)), status, start);
	}
	for (const start of ["sip/2.0 200 OK", "SIP/3.0 200 OK", "MESSAGE sip:a@b.example SIP/2.0"]) {
		assert.equal(isResponse(head(FIELDS, start)), false, start);
	}
	assert.equal(isResponse(head(FIELDS)), true);
});

test("the branch of the top Via is found where it stands as we write it", () => {
	const branch = (...fields: readonly string[]): string | undefined => {
		const frame = head([...fields, "Content-Length: 0"]);
		const place = findOurBranch(frame, "SIP/2.0/TLS us:5061;branch=");
		return place && Buffer.from(frame.octets.subarray(place.start, place.end)).toString("latin1");
	};
	assert.equal(branch("Via: SIP/2.0/TLS us:5061;branch=b1;alias"), "b1");
	assert.equal(branch("X-A: ;branch=x", "Via: SIP/2.0/TLS us:5061;branch=b1"), "b1");
	assert.equal(branch("Via: SIP/2.0/TLS us:5061;branch=b1", "X-A: a;b"), "b1");
	assert.equal(branch("Via: SIP/2.0/TLS us:5061;branch=", "X-A: a;b"), "");
	assert.equal(branch("Via: SIP/2.0/TLS us:5061;rport;branch=b1"), undefined);
	assert.equal(branch("Via: SIP/2.0/TLS un:5061;branch=b1"), undefined);
	assert.equal(branch("Via: SIP/2.0/TLS us"), undefined);
	assert.equal(branch("Via: SIP/2.0/TLS a", "Via: SIP/2.0/TLS us:5061;branch=b2"), undefined);
	assert.equal(branch("X-A: a"), undefined);
});
