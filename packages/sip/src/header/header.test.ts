import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Result } from "../fault.ts";
import { formatCSeq, parseCSeq } from "./cseq.ts";
import { formatDiagnosticsPublic, parseDiagnostics } from "./diagnostics.ts";
import { formatEvent, parseEvent } from "./event.ts";
import { formatMediaType, matchMediaType, parseMediaType } from "./media-type.ts";
import { formatNameAddr, parseNameAddr } from "./name-addr.ts";
import { findHeaderId, HeaderId, headerName, isSameHeader, LAST_SINGLE_ID } from "./names.ts";
import { parseDeltaSeconds, parseMaxForwards, parseRetryAfter } from "./number.ts";
import { formatSubscriptionState, parseSubscriptionState } from "./subscription-state.ts";
import { formatTokenList, parseTokenList } from "./token-list.ts";
import { formatVerificationLevel, parseVerificationLevel } from "./verification-level.ts";
import { formatVia, parseVia } from "./via.ts";
import { formatWarning, parseWarning } from "./warning.ts";

type Reader<Value> = (text: string, start: number, end: number) => Result<Value>;

function read<Value>(reader: Reader<Value>, text: string): Value {
	const outcome = reader(text, 0, text.length);
	assert.ok(outcome.ok, `${text}: ${outcome.ok ? "" : outcome.fault.detail}`);
	return outcome.value;
}

function refuses<Value>(reader: Reader<Value>, text: string): void {
	assert.equal(reader(text, 0, text.length).ok, false, text);
}

test("RFC 3261 §7.3.1: every header of the table is found in any case, full and compact, and no other", () => {
	for (const id of Object.values(HeaderId)) {
		if (id === HeaderId.other) continue;
		const { name, compact } = headerName(id);
		for (const spelling of [
			name,
			name.toUpperCase(),
			name.toLowerCase(),
			compact ?? name,
			(compact ?? name).toUpperCase(),
		]) {
			assert.equal(findHeaderId(spelling, 0, spelling.length), id, spelling);
		}
		assert.equal(findHeaderId(`${name}x`, 0, name.length + 1), HeaderId.other);
		assert.equal(headerName(id).id, id);
		assert.equal(headerName(id).single, id <= LAST_SINGLE_ID);
		assert.ok(!(headerName(id).single && headerName(id).list), `${name} is single and a list`);
	}
	for (const name of ["", "X-Unknown", "z", "constructor", "__proto__", "Call_ID", "a".repeat(5000)]) {
		assert.equal(findHeaderId(name, 0, name.length), HeaderId.other, name);
	}
});

test("the headers that appear once fit the bits that tell a second one", () => {
	assert.ok(LAST_SINGLE_ID <= 32);
});

test("two spellings of a header name are the same header", () => {
	assert.equal(isSameHeader("v", "VIA"), true);
	assert.equal(isSameHeader("X-One", "x-one"), true);
	assert.equal(isSameHeader("X-One", "X-Two"), false);
	assert.equal(isSameHeader("Via", "X-Via"), false);
	assert.equal(isSameHeader("X-Via", "X"), false);
});

test("RFC 3261 §20.42 Via: lower-case transport, white space around separators, IPv6, no branch", () => {
	assert.deepEqual(read(parseVia, "SIP/2.0/tls sip.Fabrikam.example:5061;branch=z9hG4bK1;alias"), {
		transport: "TLS",
		host: "sip.fabrikam.example",
		port: 5061,
		branch: "z9hG4bK1",
		params: ";branch=z9hG4bK1;alias",
	});
	const spaced = read(parseVia, 'SIP  / 2.0\r\n /UDP\r\n    192.0.2.2 : 5060 ; branch = 390skdjuw ; x = "a;b"');
	assert.deepEqual(
		[spaced.transport, spaced.host, spaced.port, spaced.branch],
		["UDP", "192.0.2.2", 5060, "390skdjuw"],
	);
	assert.deepEqual(read(parseVia, "SIP/2.0/TCP [2001:db8::9:1];received=[2001:db8::9:255]").host, "2001:db8::9:1");
	// COMPAT(rtc-clients): lower entries lack a branch and carry parameters of their own.
	const client = read(
		parseVia,
		"SIP/2.0/TLS 10.0.0.5:1234;ms-received-port=1234;ms-received-cid=AB5A00;received=2001:db8::1",
	);
	assert.equal(client.branch, undefined);
	assert.equal(client.params, ";ms-received-port=1234;ms-received-cid=AB5A00;received=2001:db8::1");
});

for (const text of [
	"",
	"SIP/2.0",
	"SIP/2.0/TLS",
	"SIP/2.0/TLS ",
	"SIP/2.0/ host.example",
	"SIP/3.0/TLS host.example",
	"HTTP/2.0/TLS host.example",
	"SIP/2.0/TLS host.example:x",
	"SIP/2.0/TLS host.example:70000",
	"SIP/2.0/UDP 192.0.2.15;;,;,,",
	"SIP/2.0/TLS host.example;branch=",
	'SIP/2.0/TLS host.example;branch="open',
	"SIP/2.0/TLS host.example extra",
	"SIP/2.0/TLS host.example, SIP/2.0/TLS other.example",
]) {
	test(`RFC 3261 §20.42 Via: ${JSON.stringify(text)} is refused`, () => refuses(parseVia, text));
}

test("RFC 3261 §20.42 Via: what is written reads back", () => {
	for (const text of [
		"SIP/2.0/TLS a.example:5061;branch=z9hG4bKx;alias",
		"SIP/2.0/TLS [2001:db8::1];branch=z9hG4bKx",
	]) {
		assert.equal(formatVia(read(parseVia, text)), text);
	}
});

const addresses: readonly [string, string | undefined, string, string | undefined][] = [
	["<sip:alice@contoso.example>;tag=1928", undefined, "sip:alice@contoso.example", "1928"],
	["sip:alice@contoso.example ;   tag    = 1918181833n", undefined, "sip:alice@contoso.example", "1918181833n"],
	[
		'"J Rosenberg \\\\\\""       <sip:jdrosen@example.com>\r\n  ;\r\n  tag = 98asjd8',
		'J Rosenberg \\"',
		"sip:jdrosen@example.com",
		"98asjd8",
	],
	["caller<sip:caller@example.com>;tag=323", "caller", "sip:caller@example.com", "323"],
	["Anna van Dijk <sip:anna@example.org>", "Anna van Dijk", "sip:anna@example.org", undefined],
	[
		"J\u00c3\u00bcrgen (home) <sip:j@example.org>;epid=01ab",
		"J\u00c3\u00bcrgen (home)",
		"sip:j@example.org",
		undefined,
	],
	['"" <sip:a@b.example>', "", "sip:a@b.example", undefined],
	['"sips:joke" <sip:a@b.example>', "sips:joke", "sip:a@b.example", undefined],
	[
		'<sip:a@b.example;transport=tls>;proxy=replace;+sip.instance="<urn:uuid:1>"',
		undefined,
		"sip:a@b.example;transport=tls",
		undefined,
	],
	["tel:+12015550123;tag=x", undefined, "tel:+12015550123", "x"],
];
for (const [text, displayName, uri, tag] of addresses) {
	test(`RFC 3261 §20.10: the address ${JSON.stringify(text)} is read`, () => {
		const value = read(parseNameAddr, text);
		assert.deepEqual([value.displayName, value.uri.text, value.tag], [displayName, uri, tag]);
	});
}

for (const text of [
	"",
	"<>",
	"<sip:a@b.example",
	'"open <sip:a@b.example>',
	'"name" sip:a@b.example',
	'"name"',
	"< sip:a@b.example >",
	"<sip:a@b.example>,<sip:c@d.example>",
	"sip:user@example.com?Route=%3Csip:example.com%3E",
	"Bell, Alexander <sip:a.g.bell@b.example>;tag=43",
	"<sip:joe@example.org>;;;;",
	"<sip:a@b.example>;tag=",
	"<sip:a@b.example> trailing",
	"sip:a@b.example trailing",
]) {
	test(`RFC 3261 §20.10: the address ${JSON.stringify(text)} is refused`, () => refuses(parseNameAddr, text));
}

test("RFC 3261 §20.10: an address is read between its offsets and nothing beside them", () => {
	const cases: readonly [string, number, number, string | undefined][] = [
		['"a" <sip:b@c.example>', 0, 4, undefined],
		['"a" <sip:b@c.example>', 0, 3, undefined],
		["<sip:b@c.example>", 0, 16, undefined],
		["<sip:b@c.example>x", 0, 17, "sip:b@c.example"],
		["<<sip:b@c.example>", 1, 18, "sip:b@c.example"],
		[">> <sip:b@c.example", 3, 19, undefined],
		["sip:b@c.example<", 0, 15, "sip:b@c.example"],
		["sip:b@c.example x", 0, 16, "sip:b@c.example"],
		['x"', 1, 1, undefined],
		["x<", 1, 1, undefined],
	];
	for (const [text, start, end, uri] of cases) {
		const value = parseNameAddr(text, start, end);
		assert.equal(value.ok ? value.value.uri.text : undefined, uri, `${text} ${start} ${end}`);
	}
});

const addressFaults: readonly [string, string, string, number][] = [
	['"open <sip:a@b.example>', "bad-address", "RFC 3261 §20.10", 0],
	['"n" sip:a@b.example', "bad-address", "RFC 3261 §20.10", 4],
	["n <sip:a@b.example", "bad-address", "RFC 3261 §20.10", 2],
	["<sip:a@b.example>;;", "bad-address", "RFC 3261 §20.10", 17],
	["sip:a@b.example?x=y", "bad-address", "RFC 3261 §20.10", 15],
	["n <sip:a@b..example>", "bad-uri", "RFC 3261 §19.1.1", 9],
	["n <sip:a@b.example >", "bad-uri", "RFC 3261 §19.1.1", 18],
	["n: <sip:a@b.example>", "bad-uri", "RFC 3261 §19.1.1", 2],
	["n; <sip:a@b.example>", "bad-uri", "RFC 3261 §19.1.1", 1],
	['n" <sip:a@b.example>', "bad-uri", "RFC 3261 §19.1.1", 1],
	["n> <sip:a@b.example>", "bad-uri", "RFC 3261 §19.1.1", 1],
];
for (const [text, code, rule, offset] of addressFaults) {
	test(`${rule}: the fault of the address ${JSON.stringify(text)} names the rule and the place`, () => {
		const value = parseNameAddr(text, 0, text.length);
		assert.ok(!value.ok);
		assert.deepEqual([value.fault.code, value.fault.rule, value.fault.offset], [code, rule, offset]);
	});
}

test("RFC 3261 §20.10: an address to write holds no angle bracket", () => {
	for (const uri of ["sip:a<b", "sip:a>b"]) assert.throws(() => formatNameAddr({ uri }), /angle bracket/);
});

test("RFC 3261 §20.10: any written address reads back", () => {
	fc.assert(
		fc.property(fc.string(), (displayName) => {
			const text = formatNameAddr({
				displayName,
				uri: "sip:a@b.example",
				tag: "t1",
				params: [{ name: "x", value: "y" }],
			});
			const value = read(parseNameAddr, text);
			assert.deepEqual([value.displayName, value.tag, value.params], [displayName, "t1", ";tag=t1;x=y"]);
		}),
	);
	assert.equal(formatNameAddr({ uri: "sip:a@b.example" }), "<sip:a@b.example>");
	assert.throws(() => formatNameAddr({ uri: "sip:a@b.example>;x=<" }), /angle bracket/);
	assert.throws(
		() => formatNameAddr({ uri: "sip:a@b.example", tag: "1", params: [{ name: "tag", value: "2" }] }),
		/twice/,
	);
});

test("RFC 3261 §20.16 CSeq: leading zeros and folds are read, 2^31 and more are not", () => {
	assert.deepEqual(read(parseCSeq, "0009\r\n  INVITE"), { number: 9, method: "INVITE" });
	assert.equal(formatCSeq(read(parseCSeq, "2147483647 BYE")), "2147483647 BYE");
	for (const text of [
		"2147483648 BYE",
		"36893488147419103232 REGISTER",
		"1",
		"1 ",
		"1INVITE",
		"-1 BYE",
		"BYE 1",
		"1 BYE x",
		"",
	]) {
		refuses(parseCSeq, text);
	}
});

test("numbers in headers: bounds of each", () => {
	assert.equal(read(parseMaxForwards, "0070"), 70);
	for (const text of ["256", "-1", "", "7 0", "70x"]) refuses(parseMaxForwards, text);
	assert.equal(read(parseDeltaSeconds, "3600"), 3600);
	assert.equal(read(parseDeltaSeconds, "99999999999999999999"), 4294967295);
	assert.equal(read(parseDeltaSeconds, "4294967296"), 4294967295);
	for (const text of ["", "-1", "1h", "1.5"]) refuses(parseDeltaSeconds, text);
});

test("RFC 3261 §20.33 Retry-After: the comment is left out, parameters are read", () => {
	assert.equal(read(parseRetryAfter, "18000;duration=3600").seconds, 18000);
	assert.deepEqual(read(parseRetryAfter, "120 (I'm in a (long) meeting \\) ) ;x=1").params, ";x=1");
	for (const text of ["", "x", "120 (open", "120 word"]) refuses(parseRetryAfter, text);
});

test("RFC 6665 §8.2.1 Event: package, id and parameters", () => {
	const event = read(parseEvent, "presence.winfo ; id = 7;x");
	assert.deepEqual([event.package, event.id, event.params], ["presence.winfo", "7", ";id=7;x"]);
	assert.equal(formatEvent({ package: "presence" }), "presence");
	assert.equal(formatEvent(event), "presence.winfo;id=7;x");
	for (const text of ["", ";id=1", "presence,dialog", "presence id"]) refuses(parseEvent, text);
});

test("RFC 6665 §8.2.3 Subscription-State: words in lower case, numbers where they are numbers", () => {
	const state = read(parseSubscriptionState, "Terminated;Reason=Timeout;retry-after=5;expires=x");
	assert.deepEqual(
		[state.state, state.reason, state.retryAfter, state.expires],
		["terminated", "timeout", 5, undefined],
	);
	assert.equal(read(parseSubscriptionState, 'active;expires="60"').expires, 60);
	for (const text of ["", ";reason=x", "active expires=1"]) refuses(parseSubscriptionState, text);
	assert.equal(
		formatSubscriptionState({ state: "terminated", reason: "probation", retryAfter: 9 }),
		"terminated;reason=probation;retry-after=9",
	);
	assert.equal(formatSubscriptionState({ state: "active", expires: 3600 }), "active;expires=3600");
});

test("RFC 3261 §20.15 Content-Type: type in lower case, parameters kept; ranges cover types", () => {
	const type = read(parseMediaType, 'Text/Plain ; charset=UTF-8;msgr="a,b"');
	assert.deepEqual([type.type, type.subtype, type.params], ["text", "plain", ';charset=UTF-8;msgr="a,b"']);
	assert.equal(formatMediaType(type), 'text/plain;charset=UTF-8;msgr="a,b"');
	for (const text of ["", "text", "text/", "/plain", "text/plain x", "text/plain;"]) refuses(parseMediaType, text);
	assert.equal(matchMediaType(read(parseMediaType, "*/*;q=0.1"), "text", "plain"), true);
	assert.equal(matchMediaType(read(parseMediaType, "text/*"), "text", "plain"), true);
	assert.equal(matchMediaType(read(parseMediaType, "text/html"), "text", "plain"), false);
	assert.equal(matchMediaType(read(parseMediaType, "*/plain"), "text", "plain"), false);
});

test("lists of tokens: every value is a token", () => {
	assert.deepEqual(parseTokenList(["100rel", "ms-dialog-route-set-update"]).ok, true);
	assert.deepEqual(parseTokenList([]).ok, true);
	assert.deepEqual(parseTokenList(["a b"]).ok, false);
	assert.deepEqual(parseTokenList([""]).ok, false);
	assert.equal(formatTokenList(["INVITE", "ACK"]), "INVITE, ACK");
});

test("RFC 3261 §20.43 Warning: code, agent and quoted text", () => {
	const text = '304 sip.contoso.example "Media type \\"x\\" not available"';
	assert.deepEqual(read(parseWarning, text), {
		code: 304,
		agent: "sip.contoso.example",
		text: 'Media type "x" not available',
	});
	assert.equal(formatWarning(read(parseWarning, text)), text);
	assert.equal(read(parseWarning, '399 [2001:db8::1]:5061 ""').agent, "[2001:db8::1]:5061");
	for (const broken of ["", '30 a "b"', '3040 a "b"', "304 a b", '304 a "b', '304 "b"', '304 a "b" c']) {
		refuses(parseWarning, broken);
	}
});

test("protocol sheet 7.7: diagnostics of both forms are read, the public one is written", () => {
	const value = read(parseDiagnostics, '1003;reason="User does not exist";source="lcs.fabrikam.example";Domain="x"');
	assert.deepEqual([value.id, value.reason, value.source], [1003, "User does not exist", "lcs.fabrikam.example"]);
	assert.equal(formatDiagnosticsPublic(1004, 'route "set"'), '1004;reason="route \\"set\\""');
	for (const text of ["", "x", "1003 reason", "1003;;", "1234567890"]) refuses(parseDiagnostics, text);
});

const levels: readonly [readonly string[], "verified" | "unverified" | undefined][] = [
	[["ms-source-verification-level=verified"], "verified"],
	[["ms-source-verification-level=unverified."], "unverified"],
	[['MS-Source-Verification-Level = "Verified".'], "verified"],
	[['ms-source-verification-level="verified."'], "verified"],
	[["ms-source-type=AutoFederation;ms-ep-fqdn=sip.x.example;ms-source-verified-user=verified"], "verified"],
	[["ms-source-verification-level=verified", "ms-source-verified-user=verified"], "verified"],
	[["ms-source-verification-level=verified", "ms-source-verified-user=unverified"], undefined],
	[["ms-source-verification-level=verified;ms-source-verification-level=unverified"], undefined],
	[["ms-source-verification-level=verifiedish"], undefined],
	[["ms-source-verification-level"], undefined],
	[['ms-ep-fqdn="x;ms-source-verified-user=verified"'], undefined],
	[["ms-source-verified-user=verified;;broken"], undefined],
	[["verified"], undefined],
	[[""], undefined],
	[[], undefined],
];
for (const [values, expected] of levels) {
	test(`REQ-75: the verification level of ${JSON.stringify(values)}`, () => {
		assert.equal(parseVerificationLevel(values), expected);
	});
}

test("REQ-75: the verification level is written as the profile has it", () => {
	assert.equal(formatVerificationLevel("verified"), "ms-source-verification-level=verified");
	assert.equal(parseVerificationLevel([formatVerificationLevel("unverified")]), "unverified");
});

test("whatever stands in a header value, no reader throws", () => {
	const piece = fc.constantFrom(
		"SIP/2.0/TLS ",
		"<",
		">",
		'"',
		"\\",
		";",
		"=",
		",",
		"sip:a@b.example",
		" ",
		"\r\n ",
		"*",
		"1",
		"304",
		"tag",
		"/",
		"x",
		"\u00ff",
		"(",
		")",
	);
	const readers: readonly Reader<unknown>[] = [
		parseVia,
		parseNameAddr,
		parseCSeq,
		parseMaxForwards,
		parseDeltaSeconds,
		parseRetryAfter,
		parseEvent,
		parseSubscriptionState,
		parseMediaType,
		parseWarning,
		parseDiagnostics,
	];
	fc.assert(
		fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
			const text = pieces.join("");
			for (const reader of readers) {
				const outcome = reader(text, 0, text.length);
				if (!outcome.ok) assert.ok(outcome.fault.offset >= 0);
			}
			parseVerificationLevel([text]);
		}),
		{ numRuns: 1500 },
	);
});
