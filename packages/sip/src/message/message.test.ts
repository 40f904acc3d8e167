import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { HeaderId } from "../header/names.ts";
import { createErrorResponse, createRequest, createResponse, type HeaderInput } from "./build.ts";
import * as read from "./fields.ts";
import { formatMessage } from "./format.ts";
import { Framer } from "./framer.ts";
import { indexHead } from "./head-index.ts";
import { DEFAULT_FRAMER_LIMITS, DEFAULT_HEAD_LIMITS } from "./limits.ts";
import type { MessageHead, SipMessage, SipRequest, SipResponse } from "./message.ts";
import { methodOf, type ParseOutcome, parseMessage, readTopVia } from "./parse.ts";
import { reasonPhrase } from "./reason-phrase.ts";
import { findSips } from "./sips-check.ts";

function headOf(text: string): MessageHead {
	const octets = Buffer.from(text, "latin1");
	const outcome = indexHead(octets, 0, octets.length, DEFAULT_HEAD_LIMITS);
	assert.ok(outcome.ok, outcome.ok ? "" : outcome.fault.detail);
	return outcome.head;
}

function parse(text: string): ParseOutcome {
	return parseMessage({ head: headOf(text), body: new Uint8Array(0) });
}

function message(text: string): SipMessage {
	const outcome = parse(text);
	assert.ok(outcome.ok, outcome.ok ? "" : outcome.fault.detail);
	return outcome.message;
}

const via = "Via: SIP/2.0/TLS a.example;branch=z9hG4bK1\r\n";
const mandatory = `${via}From: <sip:a@a.example>;tag=1\r\nTo: <sip:b@b.example>\r\nCall-ID: c1\r\nCSeq: 1 OPTIONS\r\n`;
const options = (headers = "", start = "OPTIONS sip:b@b.example SIP/2.0") => `${start}\r\n${mandatory}${headers}\r\n`;

test("RFC 3261 §8.1.1: a request is decoded once", () => {
	const request = message(options("Max-Forwards: 70\r\n", "OPTIONS sip:b@b.example sip/2.0"));
	assert.ok(request.kind === "request");
	assert.equal(request.method, "OPTIONS");
	assert.equal(request.requestUri.text, "sip:b@b.example");
	assert.equal(request.topVia.branch, "z9hG4bK1");
	assert.equal(request.from.tag, "1");
	assert.equal(request.to.tag, undefined);
	assert.equal(request.callId, "c1");
	assert.deepEqual(request.cseq, { number: 1, method: "OPTIONS" });
	assert.equal(request.maxForwards, 70);
});

test("RFC 3261 §7.2: a response is decoded; the phrase may be empty, hold UTF-8, or lack its space", () => {
	for (const [line, code, phrase] of [
		["SIP/2.0 200 OK", 200, "OK"],
		["sip/2.0 100 ", 100, ""],
		["SIP/2.0 699", 699, ""],
		["SIP/2.0 200 = 2**3 * 5**2 \u00d0\u00bd\u00d0\u00be", 200, "= 2**3 * 5**2 \u00d0\u00bd\u00d0\u00be"],
	] as const) {
		const response = message(options("", line));
		assert.ok(response.kind === "response");
		assert.equal(response.statusCode, code);
		assert.equal(response.reasonPhrase, phrase);
	}
});

const refused: readonly [string, string, "request" | "response", number, string][] = [
	["two spaces in the request line", options("", "OPTIONS  sip:b@b.example SIP/2.0"), "request", 400, "bad-uri"],
	[
		"white space behind the request line",
		options("", "OPTIONS sip:b@b.example SIP/2.0  "),
		"request",
		400,
		"bad-start-line",
	],
	["white space in the Request-URI", options("", "OPTIONS sip:b@b.example; lr SIP/2.0"), "request", 400, "bad-uri"],
	["brackets around the Request-URI", options("", "OPTIONS <sip:b@b.example> SIP/2.0"), "request", 400, "bad-uri"],
	["no Request-URI", options("", "OPTIONS SIP/2.0"), "request", 400, "bad-uri"],
	["no method", options("", " sip:b SIP/2.0"), "request", 400, "bad-start-line"],
	["a method that is no token", options("", "OPT@IONS sip:b SIP/2.0"), "request", 400, "bad-start-line"],
	["another version", options("", "OPTIONS sip:b@b.example SIP/7.0"), "request", 505, "other-version"],
	["another protocol", options("", "GET / HTTP/1.1"), "request", 400, "bad-start-line"],
	["a broken version", options("", "OPTIONS sip:b@b.example SIP/2."), "request", 400, "bad-start-line"],
	["a version without numbers", options("", "OPTIONS sip:b@b.example SIP/"), "request", 400, "bad-start-line"],
	["a version of one number", options("", "OPTIONS sip:b@b.example SIP/20"), "request", 400, "bad-start-line"],
	["a version that goes on", options("", "OPTIONS sip:b@b.example SIP/2.0x"), "request", 400, "bad-start-line"],
	["a version behind no URI", options("", "OPTIONS SIP/7.0"), "request", 400, "bad-start-line"],
	["a huge status code", options("", "SIP/2.0 4294967301 better not"), "response", 400, "bad-start-line"],
	["a status code below 100", options("", "SIP/2.0 099 Low"), "response", 400, "bad-start-line"],
	["a status code of 700", options("", "SIP/2.0 700 High"), "response", 400, "bad-start-line"],
	["a response of another version", options("", "SIP/3.0 200 OK"), "response", 400, "bad-start-line"],
	["a signed status code", options("", "SIP/2.0 +20 OK"), "response", 400, "bad-start-line"],
	["no Via", options().replace(via, ""), "request", 400, "missing-header"],
	["no From", options().replace("From", "X-From"), "request", 400, "missing-header"],
	["no To", options().replace("To", "X-To"), "request", 400, "missing-header"],
	["no Call-ID", options().replace("Call-ID", "X-Call-ID"), "request", 400, "missing-header"],
	["no CSeq", options().replace("CSeq", "X-CSeq"), "request", 400, "missing-header"],
	["two From", options("f: <sip:x@y.example>;tag=2\r\n"), "request", 400, "doubled-header"],
	["two CSeq, equal", options("CSeq: 1 OPTIONS\r\n"), "request", 400, "doubled-header"],
	["two User-Agents", options("User-Agent: a\r\nUser-Agent: b\r\n"), "request", 400, "doubled-header"],
	["two Event", options("o: presence\r\nEvent: presence\r\n"), "request", 400, "doubled-header"],
	["CSeq of another method", options().replace("1 OPTIONS", "1 INVITE"), "request", 400, "cseq-method"],
	["CSeq past 2^31", options().replace("1 OPTIONS", "2147483648 OPTIONS"), "request", 400, "bad-cseq"],
	["Max-Forwards past 255", options("Max-Forwards: 256\r\n"), "request", 400, "bad-number"],
	["a Via that is none", options().replace("SIP/2.0/TLS a.example", "a.example"), "request", 400, "bad-via"],
	[
		"a broken Via before a good one",
		options().replace("a.example;", ";;, SIP/2.0/TLS a.example;"),
		"request",
		400,
		"bad-via",
	],
	["a From that is none", options().replace("<sip:a@a.example>", "<sip:a@a.example"), "request", 400, "bad-address"],
	["a To with a broken URI", options().replace("sip:b@b.example>", "sip:b@>"), "request", 400, "bad-uri"],
	["an empty Call-ID", options().replace("c1", ""), "request", 400, "bad-call-id"],
	["a Call-ID of two words", options().replace("c1", "c 1"), "request", 400, "bad-call-id"],
	["a response without CSeq", options("", "SIP/2.0 200 OK").replace("CSeq", "X"), "response", 400, "missing-header"],
	["no field at all", "OPTIONS sip:b@b.example SIP/2.0\r\n\r\n", "request", 400, "missing-header"],
];
for (const [name, text, kind, status, code] of refused) {
	test(`RFC 3261 §8.1.1, §7: ${name} is a fault`, () => {
		const outcome = parse(text);
		assert.ok(!outcome.ok);
		assert.deepEqual([outcome.kind, outcome.fault.status, outcome.fault.code], [kind, status, code]);
	});
}

/** [what, message, the words before which the fault lies, or undefined for the start; its rule]. */
const places: readonly [string, string, string | undefined, string][] = [
	["CSeq of another method", options().replace("1 OPTIONS", "1 INVITE"), undefined, "RFC 3261 §8.1.1.5"],
	["no Call-ID", options().replace("Call-ID", "X-Call-ID"), undefined, "RFC 3261 §8.1.1"],
	["headers in the Request-URI", options("", "OPTIONS sip:b?a=b SIP/2.0"), "sip:b?", "RFC 3261 §19.1.1"],
	["another version", options("", "OPTIONS sip:b SIP/7.0"), "SIP/7.0", "RFC 3261 §21.5.6"],
	["a start line of another protocol", options("", "GET / HTTP/1.1"), "HTTP/1.1", "RFC 3261 §7.1"],
	["a status line of another version", options("", "SIP/3.0 200 OK"), undefined, "RFC 3261 §7.1"],
	["a Call-ID of two words", options().replace("c1", "c 1"), " 1\r\nCSeq", "RFC 3261 §20.8"],
	["an empty Call-ID", options().replace("c1", ""), "\r\nCSeq", "RFC 3261 §20.8"],
	["two Event", options("o: presence\r\nEvent: presence\r\n"), "Event", "RFC 3261 §7.3.1"],
	["two Timestamps", options("Timestamp: 1\r\ntimestamp: 1\r\n"), "timestamp", "RFC 3261 §7.3.1"],
];
for (const [what, text, before, rule] of places) {
	test(`${rule}: ${what} is a fault that names the rule and the place`, () => {
		const outcome = parse(text);
		assert.ok(!outcome.ok);
		assert.deepEqual(
			[outcome.fault.rule, outcome.fault.offset],
			[rule, before === undefined ? 0 : text.indexOf(before)],
		);
	});
}

for (const start of [
	"OPTIONS sip:b SIP/.0",
	"OPTIONS sip:b SIPX2.0",
	"OPTIONS sip:b XIP/3.0",
	"OPTIONS sip:b SIP/3x0",
	"SIP/2.0 20",
]) {
	test(`RFC 3261 §7.1: the start line ${start} is malformed, not of another version`, () => {
		const outcome = parse(options("", start));
		assert.deepEqual(outcome.ok || [outcome.fault.code, outcome.fault.status], ["bad-start-line", 400]);
	});
}

test("RFC 3261 §7: methods of one letter, versions of two digits, a response without anything behind its code", () => {
	assert.equal(message(options("", "A sip:b@b.example SIP/2.0").replace("1 OPTIONS", "1 A")).kind, "request");
	const outcome = parse(options("", "OPTIONS sip:b SIP/12.34"));
	assert.equal(outcome.ok || outcome.fault.code, "other-version");
	const response = message(options("", "SIP/2.0 204"));
	assert.deepEqual(response.kind === "response" && [response.statusCode, response.reasonPhrase], [204, ""]);
});

test("RFC 3261 §20.42: the top Via of a head is found wherever it stands; undefined without one", () => {
	const head = headOf(`A sip:b SIP/2.0\r\nX: 1\r\nv: SIP/2.0/TLS c.example , SIP/2.0/TLS d.example\r\n${via}\r\n`);
	const top = readTopVia(head);
	assert.equal(top?.ok === true && top.value.host, "c.example");
	assert.equal(readTopVia(headOf("A sip:b SIP/2.0\r\nX: 1\r\n\r\n")), undefined);
	const broken = readTopVia(headOf("A sip:b SIP/2.0\r\nv: a.example\r\n\r\n"));
	assert.equal(broken?.ok, false);
});

test("RFC 3261 §7.1: the method of a head is its first word, if a space follows", () => {
	assert.equal(methodOf({ text: "A x\r\n\r\n", fields: [] }), "A");
	assert.equal(methodOf({ text: " A x\r\n\r\n", fields: [] }), undefined);
	assert.equal(methodOf({ text: "INVITE\r\n\r\n", fields: [] }), undefined);
});

test("RFC 3261 §7.3.1: the first of several Via values in one field is the top one", () => {
	const request = message(options().replace("z9hG4bK1", 'z9hG4bK1;x="a,b" , SIP/2.0/UDP b.example;branch=2'));
	assert.equal(request.topVia.branch, "z9hG4bK1");
	const all = read.vias(request);
	assert.deepEqual(all.ok && all.value.map(({ host }) => host), ["a.example", "b.example"]);
});

test("protocol sheet 2.1: values keep their order, interleaved with others and listed or not", () => {
	const request = message(
		options(
			'Record-Route: <sip:r1.example;lr>\r\nX-A: 1\r\nv: SIP/2.0/TLS z.example\r\nRECORD-ROUTE: "a, b" <sip:r2.example;lr> ,\r\n <sip:r3.example;lr>;tag=x\r\nx-a: 2\r\nRoute: <sip:q.example;lr>\r\n',
		),
	);
	assert.deepEqual(read.headerValues(request, HeaderId.recordRoute), [
		"<sip:r1.example;lr>",
		'"a, b" <sip:r2.example;lr>',
		"<sip:r3.example;lr>;tag=x",
	]);
	const recorded = read.recordRoutes(request);
	assert.ok(recorded.ok);
	assert.deepEqual(
		recorded.value.map(({ uri }) => uri.text),
		["sip:r1.example;lr", "sip:r2.example;lr", "sip:r3.example;lr"],
	);
	assert.deepEqual(read.headerValuesByName(request, "X-a"), ["1", "2"]);
	assert.deepEqual(read.headerValuesByName(request, "via").length, 2);
	assert.deepEqual(read.headerValuesByName(request, "X"), []);
	assert.deepEqual(read.routes(request).ok, true);
	assert.equal(read.headerValue(request, HeaderId.via), "SIP/2.0/TLS a.example;branch=z9hG4bK1");
	assert.equal(read.headerValue(request, HeaderId.contact), undefined);
	assert.equal(read.hasHeader(request.head, HeaderId.route), true);
	assert.equal(read.hasHeader(request, HeaderId.contact), false);
});

test("typed readers give the value, nothing where the header is absent, and a fault where it is broken", () => {
	const request = message(
		options(
			'c: text/plain\r\nExpires: 60\r\nMin-Expires: 7\r\nRetry-After: 5 (busy)\r\no: presence\r\nSubscription-State: active;expires=9\r\nk: 100rel, x\r\nAccept: a/b, */*\r\nm: <sip:a@b.example>\r\nP-Asserted-Identity: <sip:i@b.example>\r\nWarning: 399 a.example "w, x"\r\nms-diagnostics: 1003;source="s"\r\nms-diagnostics: broken\r\nms-diagnostics-public: 1004\r\nMs-asserted-verification-level: ms-source-verification-level=verified.\r\n',
		),
	);
	const value = (outcome: { ok: boolean; value?: unknown }) => {
		assert.ok(outcome.ok);
		return outcome.value;
	};
	assert.equal((value(read.contentType(request)) as { subtype: string }).subtype, "plain");
	assert.equal(value(read.expires(request)), 60);
	assert.equal(value(read.minExpires(request)), 7);
	assert.equal(value(read.retryAfter(request)), 5);
	assert.equal((value(read.event(request)) as { package: string }).package, "presence");
	assert.equal((value(read.subscriptionState(request)) as { expires: number }).expires, 9);
	assert.deepEqual(value(read.tokens(request, HeaderId.supported)), ["100rel", "x"]);
	assert.equal((value(read.accept(request)) as unknown[]).length, 2);
	assert.equal((value(read.contacts(request)) as unknown[]).length, 1);
	assert.equal((value(read.addresses(request, HeaderId.pAssertedIdentity)) as unknown[]).length, 1);
	assert.deepEqual(value(read.warnings(request)), [{ code: 399, agent: "a.example", text: "w, x" }]);
	assert.deepEqual(
		read.diagnostics(request).map(({ id }) => id),
		[1003, 1004],
	);
	assert.equal(read.verificationLevel(request), "verified");

	const bare = message(options());
	for (const reader of [
		read.contentType,
		read.expires,
		read.minExpires,
		read.retryAfter,
		read.event,
		read.accept,
		read.subscriptionState,
	]) {
		assert.equal(value(reader(bare)), undefined);
	}
	assert.deepEqual(value(read.contacts(bare)), []);
	assert.equal(read.verificationLevel(bare), undefined);

	const broken = message(
		options("c: text\r\nExpires: x\r\nRetry-After: x\r\nm: <sip:a@b\r\nSupported: a b\r\nAccept:\r\n"),
	);
	for (const reader of [read.contentType, read.expires, read.retryAfter, read.contacts])
		assert.equal(reader(broken).ok, false);
	assert.equal(read.tokens(broken, HeaderId.supported).ok, false);
	assert.deepEqual(value(read.accept(broken)), []);
});

test("RFC 3261 §20.10: a star stands alone in Contact", () => {
	const star = read.contacts(message(options("Contact: *\r\n")));
	assert.equal(star.ok && star.value, "*");
	assert.equal(read.contacts(message(options("Contact: *\r\nContact: <sip:a@b.example>\r\n"))).ok, false);
	assert.equal(read.contacts(message(options("Contact: <sip:a@b.example>, *\r\n"))).ok, false);
});

test("product 3 limits: a list has a bounded number of values", () => {
	const many = Array.from(
		{ length: 8 },
		() => `Supported: ${Array.from({ length: 33 }, () => "a").join(",")}\r\n`,
	).join("");
	const outcome = read.tokens(message(options(many)), HeaderId.supported);
	assert.equal(outcome.ok ? 0 : outcome.fault.status, 513);
	const routes = Array.from(
		{ length: 8 },
		() => `Route: ${Array.from({ length: 33 }, () => "<sip:a>").join(",")}\r\n`,
	).join("");
	assert.equal(read.routes(message(options(routes))).ok, false);
});

const sips: readonly [string, boolean, string][] = [
	["nothing", false, options()],
	["the Request-URI", true, options("", "OPTIONS sips:b@b.example SIP/2.0")],
	["the Request-URI in capitals", true, options("", "OPTIONS SIPS:b@b.example SIP/2.0")],
	["From", true, options().replace("<sip:a@", "<sips:a@")],
	["To, bare", true, options().replace("<sip:b@b.example>", "sips:b@b.example")],
	["a Contact", true, options("m: <SiPs:a@b.example>\r\n")],
	["a Route behind others", true, options("Route: <sip:a;lr>, <sip:b;lr> ,<sips:c;lr>\r\n")],
	["a folded Record-Route", true, options("Record-Route: <sip:a;lr>,\r\n\tsips:c\r\n")],
	["behind a display name", true, options('Refer-To: "x" <sips:a@b.example>\r\n')],
	["Call-Info", true, options("Call-Info: <sips:a@b.example>;purpose=icon\r\n")],
	["an unknown header, in brackets", true, options("X-Thing: see <sips:a@b.example>\r\n")],
	["an unknown header, bare at the start", true, options("X-Thing: sips:a@b.example\r\n")],
	["a response", true, options("m: <sips:a@b.example>\r\n", "SIP/2.0 200 OK")],
	["behind white space in brackets", true, options("X-Thing: < sips:a@b.example>\r\n")],
	["a parameter in brackets behind the address", true, options("Refer-To: <sip:a@b>;x=<sips:c>\r\n")],
	["a display name", false, options('m: "sips:joke" <sip:a@b.example>\r\n')],
	["a quoted parameter", false, options('X-Thing: a;b="<sips:c>"\r\n')],
	["Subject", false, options("s: sips: is not spoken here, <sips:a>\r\n")],
	["the midst of words", false, options("X-Thing: about sips:a\r\n")],
	["a longer word", false, options("X-Thing: xsips:a, gossips:b\r\n")],
	["a header parameter of a URI", false, options("m: <sip:a@b.example?X=sips%3A>\r\n")],
];
for (const [name, expected, text] of sips) {
	test(`REQ-52: sips: in ${name} is ${expected ? "" : "not "}found`, () => {
		const fault = findSips(message(text));
		assert.equal(fault !== undefined, expected);
		if (fault !== undefined) {
			assert.equal(fault.status, 400);
			assert.equal(text.slice(fault.offset, fault.offset + 5).toLowerCase(), "sips:");
		}
	});
}

test("REQ-52: sips: is found wherever it stands among other letters", () => {
	fc.assert(
		fc.property(fc.stringMatching(/^[sip: ]{0,20}$/), (noise) => {
			assert.notEqual(findSips(message(options(`X: a${noise} <sips:a>\r\n`))), undefined);
		}),
	);
});

const requestHeaders: readonly HeaderInput[] = [
	["Via", "SIP/2.0/TLS a.example;branch=z9hG4bK1"],
	["From", "<sip:a@a.example>;tag=1"],
	["To", "<sip:b@b.example>"],
	["Call-ID", "c1"],
	["CSeq", "1 MESSAGE"],
];

function create(headers: readonly HeaderInput[] = [], body?: Uint8Array): SipRequest {
	const all = [...requestHeaders, ...headers];
	return createRequest({ method: "MESSAGE", requestUri: "sip:b@b.example", headers: all, ...(body && { body }) });
}

/** The index that a reader makes is the one that the writer made. */
function assertIndexed({ head }: SipMessage): void {
	assert.deepEqual(head.fields, headOf(head.text).fields);
}

test("RFC 3261 §8.1.1: a created request is complete, UTF-8, and indexed", () => {
	const request = create(
		[
			["Subject", "Grüße"],
			["c", "text/plain"],
		],
		Buffer.from("hé"),
	);
	assertIndexed(request);
	assert.equal(read.headerValue(request, HeaderId.subject), "Gr\u00c3\u00bc\u00c3\u009fe");
	assert.equal(request.maxForwards, 70);
	assert.ok(request.head.text.endsWith("\r\nContent-Length: 3\r\n\r\n"));
	assert.equal(create([["Max-Forwards", "5"]]).maxForwards, 5);
	assert.equal(create([["s", "\u00c3\u00bc", "octets"]]).head.text.includes("s: \u00c3\u00bc\r\n"), true);
});

const mistakes: readonly [string, () => unknown, RegExp][] = [
	["a CR in a value", () => create([["Subject", "a\rb"]]), /line end/],
	["a LF in a value", () => create([["Subject", "a\nVia: x"]]), /line end/],
	["a NUL in a value", () => create([["Subject", "a\0"]]), /line end/],
	["a line end in octets", () => create([["Subject", "a\r\nb", "octets"]]), /line end/],
	["a line end in a name", () => create([["A\r\nB", "x"]]), /no token/],
	["a name with a colon", () => create([["A:", "x"]]), /no token/],
	["a Content-Length of the caller", () => create([["l", "5"]]), /Content-Length/],
	["a header twice", () => create([["To", "<sip:c@b.example>"]]), /more than one To/],
	["no Via", () => createRequest({ method: "A", requestUri: "sip:b", headers: requestHeaders.slice(1) }), /no Via/],
	[
		"a broken Request-URI",
		() => createRequest({ method: "MESSAGE", requestUri: "sip:b c", headers: requestHeaders }),
		/malformed/,
	],
	[
		"a line end in the Request-URI",
		() => createRequest({ method: "MESSAGE", requestUri: "sip:b\r\n", headers: requestHeaders }),
		/line end/,
	],
	["a broken method", () => createRequest({ method: "A B", requestUri: "sip:b", headers: requestHeaders }), /no token/],
	["a body without type", () => create([], Buffer.from("x")), /Content-Type/],
	["a status code out of range", () => createResponse(create(), 99), /out of range/],
	["a copied header given again", () => createResponse(create(), 200, { headers: [["v", "x"]] }), /copied/],
	["a line end in a phrase", () => createResponse(create(), 200, { reasonPhrase: "a\r\nb" }), /line end/],
	["a tag that is no token", () => createResponse(create(), 200, { toTag: "a;b" }), /no token/],
];
for (const [name, run, expected] of mistakes) {
	test(`security, header injection: ${name} is our own mistake`, () => {
		assert.throws(run, expected);
	});
}

test("RFC 3261 §8.2.6.2: a response copies Via, From, To, Call-ID and CSeq byte for byte and in order", () => {
	const request = message(
		`MESSAGE sip:b@b.example SIP/2.0\r\nf:  "A \u00c3\u00bc" <sip:a@a.example>  ;tag=1;epid=01ab\r\nv: SIP/2.0/tls a.example ;branch=z9hG4bK1,SIP/2.0/TLS b.example\r\nTimestamp: 7\r\nt: sip:b@b.example;x=y\r\nVIA: SIP/2.0/TLS\r\n c.example;ms-received-cid=AB\r\nRecord-Route: <sip:r;lr>;tag=q\r\nCSeq: 01 \t MESSAGE\r\ni: c1\r\n\r\n`,
	);
	assert.ok(request.kind === "request");
	const response = createResponse(request, 200, {
		toTag: "t9",
		recordRoute: true,
		headers: [["X", "ü"]],
		contentType: "text/plain",
		body: Buffer.from("ok"),
	});
	assert.equal(
		response.head.text,
		'SIP/2.0 200 OK\r\nVia: SIP/2.0/tls a.example ;branch=z9hG4bK1,SIP/2.0/TLS b.example\r\nVia: SIP/2.0/TLS c.example;ms-received-cid=AB\r\nFrom: "A \u00c3\u00bc" <sip:a@a.example>  ;tag=1;epid=01ab\r\nTo: sip:b@b.example;x=y;tag=t9\r\nCall-ID: c1\r\nCSeq: 01 \t MESSAGE\r\nRecord-Route: <sip:r;lr>;tag=q\r\nX: \u00c3\u00bc\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n',
	);
	assertIndexed(response);
	const reread = parseMessage({ head: response.head, body: response.body });
	assert.ok(reread.ok);
	assert.deepEqual(reread.message, response);
	assert.equal(createResponse(request, 100).head.text.includes("Timestamp: 7\r\n"), true);
	assert.equal(createResponse(request, 180).head.text.includes("Timestamp"), false);
	assert.equal(createResponse(request, 404, { reasonPhrase: "Nö" }).reasonPhrase, "N\u00c3\u00b6");
	assert.equal(createResponse(request, 488).head.text.includes("Record-Route"), false);
});

test("RFC 3261 §8.2.6.2: a To that has a tag keeps it", () => {
	const request = create().head.text.replace("To: <sip:b@b.example>", "To: <sip:b@b.example>;tag=own");
	const read = message(request);
	assert.ok(read.kind === "request");
	assert.equal(createResponse(read, 200, { toTag: "other" }).to.tag, "own");
});

function refusedHead(text: string) {
	const head = headOf(text);
	const outcome = parseMessage({ head, body: new Uint8Array(0) });
	assert.ok(!outcome.ok);
	return createErrorResponse(head, outcome.fault, "t0");
}

test("protocol sheet 6.1: a request that cannot be read is answered when it has a Via", () => {
	const answer = refusedHead(options().replace("CSeq: 1 OPTIONS", "CSeq: 1 INVITE"));
	assert.equal(
		answer?.text,
		"SIP/2.0 400 CSeq names another method than the request.\r\nVia: SIP/2.0/TLS a.example;branch=z9hG4bK1\r\nFrom: <sip:a@a.example>;tag=1\r\nTo: <sip:b@b.example>;tag=t0\r\nCall-ID: c1\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n",
	);
	assert.equal(
		refusedHead(options("", "OPTIONS sip:b@b.example SIP/7.0"))?.text.startsWith(
			"SIP/2.0 505 Version Not Supported\r\n",
		),
		true,
	);
	assert.equal(
		refusedHead(options().replace("<sip:b@b.example>", "<sip:b@b.example>;tag=x").replace("c1", ""))?.text.includes(
			";tag=t0",
		),
		false,
	);
	assert.equal(
		refusedHead(options().replace("To: <sip:b@b.example>", "To: <broken"))?.text.includes("To: <broken\r\n"),
		true,
	);
	assert.equal(refusedHead(`OPTIONS sip:b@b.example SIP/2.0\r\n${via}\r\n`)?.text.includes("\r\nFrom:"), false);
});

test("no answer goes to an ACK, to a response, or where no Via stands", () => {
	assert.equal(refusedHead(options("f: <sip:x>\r\n", "ACK sip:b@b.example SIP/2.0")), undefined);
	assert.equal(refusedHead(options("f: <sip:x>\r\n", "SIP/2.0 200 OK")), undefined);
	assert.equal(refusedHead(options().replace(via, "")), undefined);
	assert.equal(methodOf(headOf("@ sip:b SIP/2.0\r\n\r\n")), undefined);
});

test("RFC 3261 §21: every status has words, known or of its class", () => {
	assert.equal(reasonPhrase(488), "Not Acceptable Here");
	assert.equal(reasonPhrase(499), "Request Failed");
	for (let status = 100; status < 700; status++) assert.notEqual(reasonPhrase(status), "");
});

function frame(octets: Uint8Array): SipMessage {
	const framer = new Framer(DEFAULT_FRAMER_LIMITS);
	let found: SipMessage | undefined;
	framer.push(octets, {
		frame: (item) => {
			const outcome = parseMessage(item.decode());
			assert.ok(outcome.ok);
			found = outcome.message;
		},
		ping: () => {},
		pong: () => {},
		fault: (fault) => assert.fail(fault.detail),
	});
	assert.ok(found !== undefined);
	return found;
}

const anyHeader = fc.tuple(
	fc.constantFrom("Subject", "X-One", "X-Two", "Supported", "Record-Route", "Contact", "ms-diagnostics"),
	fc.string({ unit: "grapheme", maxLength: 30 }).filter((value) => !/[\r\n\0]/.test(value) && value.trim() === value),
);

test("what is created, formatted and read is the same message, and so on for ever", () => {
	fc.assert(
		fc.property(
			fc.uniqueArray(anyHeader, { maxLength: 6, selector: ([name]) => name }),
			fc.uint8Array({ minLength: 1, maxLength: 50 }),
			(headers, body) => {
				const request = create([...headers, ["Content-Type", "text/plain"]], body);
				const once = frame(formatMessage(request));
				assert.deepEqual({ ...once, body: [...once.body] }, { ...request, body: [...request.body] });
				assert.deepEqual(frame(formatMessage(once)), once);
				const response: SipResponse = createResponse(request, 200, {
					headers: headers.filter(([name]) => name !== "Subject"),
				});
				assert.deepEqual(frame(formatMessage(response)), response);
			},
		),
		{ numRuns: 300 },
	);
});

test("whatever stands in a head, reading it throws nothing", () => {
	const line = fc.constantFrom(
		"Via: SIP/2.0/TLS a",
		"v: x",
		"From: <sip:a@b>",
		"From: <",
		"t: a <sip:b>",
		"CSeq: 1 A",
		"CSeq: x",
		"i: 1",
		"Max-Forwards: 9",
		"X: \xff",
		" fold",
		"m: *",
		"Route: ,,",
		"s: sips:",
	);
	const start = fc.constantFrom(
		"A sip:b SIP/2.0",
		"SIP/2.0 200 OK",
		"SIP/2.0 2",
		"A",
		"A b c d SIP/2.0",
		"SIP/",
		"A sips:b SIP/2.0",
	);
	fc.assert(
		fc.property(start, fc.array(line, { maxLength: 9 }), (first, lines) => {
			const octets = Buffer.from(`${[first, ...lines].join("\r\n")}\r\n\r\n`, "latin1");
			const indexed = indexHead(octets, 0, octets.length, DEFAULT_HEAD_LIMITS);
			const outcome = parseMessage({ head: indexed.head, body: new Uint8Array(0) });
			if (outcome.ok) findSips(outcome.message);
			else createErrorResponse(indexed.head, outcome.fault, "t0");
			for (const reader of [read.vias, read.contacts, read.routes, read.recordRoutes]) reader(indexed.head);
		}),
		{ numRuns: 2000 },
	);
});
