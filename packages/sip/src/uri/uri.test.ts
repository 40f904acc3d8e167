import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Aor, aorKey, formatAor, parseAor, parseAorText } from "./aor.ts";
import { compareUris, normaliseEscapes } from "./compare-uris.ts";
import { escapeUser, formatSipUri } from "./format-uri.ts";
import { equalHosts, parseHost, parseIpv4, parseIpv6 } from "./host.ts";
import { findParam, formatParams, listParams, MAX_PARAMS, paramValue } from "./params.ts";
import { parseUri, parseUriText } from "./parse-uri.ts";
import { isSipUri, type SipUri, type Uri } from "./uri.ts";

function read(text: string): Uri {
	const parsed = parseUriText(text);
	assert.ok(parsed.ok, `${text}: ${parsed.ok ? "" : parsed.fault.detail}`);
	return parsed.value;
}

function readSip(text: string): SipUri {
	const uri = read(text);
	assert.ok(isSipUri(uri));
	return uri;
}

const good: readonly [string, Partial<SipUri>][] = [
	["sip:alice@contoso.example", { scheme: "sip", user: "alice", host: "contoso.example", hostKind: "name" }],
	["SIPS:alice@contoso.example", { scheme: "sips" }],
	["sip:contoso.example", { user: undefined, password: undefined, port: undefined, headers: "" }],
	["sip:alice:secret@CONTOSO.Example:5061", { password: "secret", host: "contoso.example", port: 5061 }],
	["sip:192.0.2.1:5060", { host: "192.0.2.1", hostKind: "ipv4", port: 5060 }],
	["sip:a@[2001:DB8::9:1]:5061;transport=tls", { host: "2001:db8::9:1", hostKind: "ipv6", port: 5061 }],
	["sip:a@[::ffff:192.0.2.10]", { host: "::ffff:192.0.2.10", hostKind: "ipv6" }],
	["sip:a@[2001:db8:::192.0.2.1]", { host: "2001:db8::192.0.2.1", hostKind: "ipv6" }],
	["sip:a@[:::192.0.2.1]", { host: "::192.0.2.1", hostKind: "ipv6" }],
	["sip:a@[2001:db8:::1.0.2.1]", { host: "2001:db8::1.0.2.1" }],
	[`sip:a@${"x".repeat(63)}.example`, { host: `${"x".repeat(63)}.example` }],
	[`sip:a@${"abcdefgh.".repeat(27)}abcdefghij`, { host: `${"abcdefgh.".repeat(27)}abcdefghij` }],
	[`sip:b.example${";x".repeat(64)}`, { params: ";x".repeat(64) }],
	["sip:a:@b.example", { user: "a", password: "" }],
	["sip:1a.b.", { host: "1a.b." }],
	["sip:a-1.b-2", { host: "a-1.b-2" }],
	["sip:a@B.C", { host: "b.c" }],
	["sip:b.example:0", { port: 0 }],
	["sip:b.example:65535", { port: 65535 }],
	["sip:b.example?", { headers: "" }],
	["sip:user;par=u%40example.net@example.com", { user: "user;par=u%40example.net", host: "example.com", params: "" }],
	["sip:a@b.example.;lr", { host: "b.example.", params: ";lr" }],
	["sip:%00@example.org", { user: "%00" }],
	["sip:a@b.example?Subject=x&Priority=urgent", { headers: "Subject=x&Priority=urgent" }],
	["sip:bob@contoso.example;opaque=user:epid:qHy4_9==;gruu", { params: ";opaque=user:epid:qHy4_9==;gruu" }],
	["sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com", {}],
];
for (const [text, parts] of good) {
	test(`RFC 3261 §19.1.1: ${text} is read`, () => {
		const uri = readSip(text);
		for (const [name, value] of Object.entries(parts)) assert.deepEqual(uri[name as keyof SipUri], value, name);
		assert.equal(uri.text, text);
	});
}

const bad: readonly string[] = [
	"",
	"sip",
	"sip:",
	":a@b",
	"sip:@contoso.example",
	"sip:a@",
	"sip:a@b@c.example",
	"sip:a b@contoso.example",
	"sip:a@contoso.example ",
	"sip:a@contoso.example; lr",
	"sip:a@contoso.example;",
	"sip:a@contoso.example;;lr",
	"sip:a@contoso.example;x=",
	"sip:a@contoso.example;=x",
	"sip:a@contoso%2eexample",
	"sip:a@contoso..example",
	"sip:a@.contoso.example",
	"sip:a@-a.example",
	"sip:a@a-.example",
	"sip:a@example.com-",
	"sip:a@example.1com",
	"sip:a@1.2.3",
	"sip:a@1.2.3.256",
	"sip:a@01.2.3.4",
	"sip:a@[2001:db8:::1]",
	"sip:a@[2001:db8::::192.0.2.1]",
	"sip:a@[::1",
	"sip:a@[::1%25eth0]",
	"sip:a@contoso.example:",
	"sip:a@contoso.example:65536",
	"sip:a@contoso.example:5x",
	"sip:a%4@contoso.example",
	"sip:a%zz@contoso.example",
	"sip:é@contoso.example",
	`sip:a@${"x".repeat(64)}.example`,
	`sip:a@example.${"x".repeat(64)}`,
	`sip:a@${"abcdefg.".repeat(40)}example`,
	`sip:a@${"abcdefgh.".repeat(27)}abcdefghijk`,
	`sip:b.example${";x".repeat(65)}`,
	"sip:a@b.1a.",
	"sip:a:p;w@b.example",
	"sip:b.example:000001",
	"sip:b.example;x%4=1",
	"sip:b.example?a<b",
	`sip:a@b.example${";x".repeat(MAX_PARAMS + 1)}`,
	"<sip:a@b.example>",
	"1x:opaque",
	"tel:",
	"tel:+1 2",
	"im:a<b",
	"sip:a@b.example\r\nX: y",
];
for (const text of bad) {
	test(`RFC 3261 §19.1.1: ${JSON.stringify(text.slice(0, 60))} is refused`, () => {
		const parsed = parseUriText(text);
		assert.equal(parsed.ok, false);
		assert.equal(parsed.ok ? "" : parsed.fault.code, "bad-uri");
		assert.equal(parsed.ok ? "" : parsed.fault.rule, "RFC 3261 §19.1.1");
	});
}

test("a URI of another scheme is kept as text, its scheme in lower case", () => {
	assert.deepEqual(read("TEL:+1-201-555-0123"), { scheme: "tel", text: "TEL:+1-201-555-0123" });
	assert.deepEqual(read("nobodyKnowsThisScheme:totallyopaquecontent").scheme, "nobodyknowsthisscheme");
});

test("a URI is read between its offsets and nothing beside them", () => {
	const text = "xxsip:a@b.exampleyy";
	const parsed = parseUri(text, 2, text.length - 2);
	assert.ok(parsed.ok);
	assert.equal(parsed.value.text, "sip:a@b.example");
});

test("whatever is read as a URI, nothing throws and the offset lies inside", () => {
	const piece = fc.constantFrom(
		"sip:",
		"sips:",
		"a",
		"@",
		":",
		";",
		"=",
		"?",
		"%41",
		"%",
		".",
		"[",
		"]",
		"::",
		"5061",
		"b.example",
		" ",
		"é",
	);
	fc.assert(
		fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
			const text = pieces.join("");
			const parsed = parseUriText(text);
			if (parsed.ok) assert.equal(parsed.value.text, text);
			else assert.ok(parsed.fault.offset >= 0 && parsed.fault.offset <= text.length);
		}),
		{ numRuns: 2000 },
	);
});

const equal: readonly [string, string, boolean][] = [
	["sip:%61lice@atlanta.example;transport=TCP", "sip:alice@AtLanTa.example;Transport=tcp", true],
	["sip:carol@chicago.example", "sip:carol@chicago.example;newparam=5", true],
	["sip:b.example;lr", "sip:b.example;LR", true],
	["sip:b.example;lr", "sip:b.example;lr=on", false],
	["sip:carol@chicago.example;security=on", "sip:carol@chicago.example;newparam=5", true],
	[
		"sip:b.example;transport=tcp;method=REGISTER?to=sip:bob%40b.example",
		"sip:b.example;method=REGISTER;transport=tcp?to=sip:bob%40b.example",
		true,
	],
	["sip:a@b.example?subject=x&priority=urgent", "sip:a@b.example?priority=urgent&Subject=x", true],
	["sip:a@[2001:db8::1]", "sip:a@[2001:0DB8:0::1]", true],
	["sip:a%2b@b.example", "sip:a%2B@b.example", true],
	["tel:+1", "tel:+1", true],
	["SIP:ALICE@b.example", "sip:alice@b.example", false],
	["sip:bob@b.example", "sip:bob@b.example:5060", false],
	["sip:bob@b.example", "sip:bob:x@b.example", false],
	["sip:bob@b.example", "sips:bob@b.example", false],
	["sip:bob@b.example;transport=udp", "sip:bob@b.example;transport=tcp", false],
	["sip:bob@b.example", "sip:bob@b.example;maddr=192.0.2.1", false],
	["sip:bob@b.example", "sip:bob@b.example;user=ip", false],
	["sip:bob@b.example", "sip:bob@b.example;method=INVITE", false],
	["sip:bob@b.example", "sip:bob@b.example;ttl=1", false],
	["sip:bob@b.example", "sip:bob@b.example?Subject=x", false],
	["sip:bob@b.example", "sip:b.example", false],
	["sip:a@192.0.2.1", "sip:a@192.0.2.2", false],
	["tel:+1", "sip:a@b.example", false],
	["sip:a@b.example", "tel:+1", false],
];
for (const [left, right, expected] of equal) {
	test(`RFC 3261 §19.1.4: ${left} and ${right} are ${expected ? "equivalent" : "different"}`, () => {
		assert.equal(compareUris(read(left), read(right)), expected);
		assert.equal(compareUris(read(right), read(left)), expected);
	});
}

const aors: readonly [string, Aor | undefined][] = [
	["sip:alice@contoso.example", { user: "alice", host: "contoso.example" }],
	["alice@Contoso.Example", { user: "alice", host: "contoso.example" }],
	["SIP:alice@contoso.example", { user: "alice", host: "contoso.example" }],
	["sips:alice@contoso.example", undefined],
	["tel:+12015550123", undefined],
	["sip:contoso.example", undefined],
	["sip:alice@192.0.2.1", undefined],
	["sip:alice@[::1]", undefined],
	["sip:alice@contoso.example.", undefined],
	["sip:alice@contoso.example:5061", undefined],
	["sip:alice@contoso.example;transport=tls", undefined],
	["sip:alice:pw@contoso.example", undefined],
	["sip:alice@contoso.example?a=b", undefined],
	["alice", undefined],
	["alice@a@contoso.example", undefined],
];
for (const [text, expected] of aors) {
	test(`REQ-70: ${text} is ${expected === undefined ? "no" : "an"} address of record`, () => {
		const parsed = parseAorText(text);
		assert.deepEqual(parsed.ok ? parsed.value : undefined, expected);
	});
}

for (const text of ["sips:alice@contoso.example", "tel:+12015550123", "im:alice@contoso.example"]) {
	test(`REQ-70: the URI ${text} is no address of record for its scheme`, () => {
		const parsed = parseAor(read(text));
		assert.equal(parsed.ok ? "" : parsed.fault.code, "bad-aor");
	});
}

test("protocol sheet 2.5: an address of record is found under one key whatever its case and escapes", () => {
	const aor = parseAor(read("sip:%41lice@Contoso.example"));
	assert.ok(aor.ok);
	assert.equal(aorKey(aor.value), "alice@contoso.example");
	assert.equal(formatAor(aor.value), "sip:%41lice@contoso.example");
});

test("REQ-51: a written URI is sip: and reads back", () => {
	const text = formatSipUri({
		user: escapeUser("zoë @home"),
		host: "2001:db8::1",
		port: 5061,
		params: [
			{ name: "transport", value: "tls" },
			{ name: "lr", value: undefined },
		],
	});
	assert.equal(text, "sip:zo%C3%AB%20%40home@[2001:db8::1]:5061;transport=tls;lr");
	assert.equal(readSip(text).port, 5061);
	assert.equal(formatSipUri({ host: "sip.contoso.example" }), "sip:sip.contoso.example");
	assert.throws(() => formatSipUri({ user: "a b", host: "contoso.example" }), /not escaped/);
	assert.throws(() => formatSipUri({ user: "", host: "contoso.example" }), /empty/);
});

test("any user part can be escaped", () => {
	fc.assert(
		fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (user) => {
			assert.equal(readSip(formatSipUri({ user: escapeUser(user), host: "b.example" })).user, escapeUser(user));
		}),
	);
});

test("RFC 3261 §7.3.1: parameter names are found in any case, the first of two counts", () => {
	const { params } = readSip("sip:b.example;LR;x=1;X=2");
	assert.deepEqual(findParam(params, "lr"), { name: "LR", value: undefined });
	assert.equal(paramValue(params, "X"), "1");
	assert.equal(paramValue(params, "absent"), undefined);
	assert.equal(paramValue(";lr;x=1", "lr"), undefined, "a parameter without a value has none");
	assert.equal(formatParams(listParams(params)), ";LR;x=1;X=2");
});

test("RFC 4291 §2.2: IPv6 addresses in their spellings", () => {
	assert.deepEqual(parseIpv6("::"), [0, 0, 0, 0, 0, 0, 0, 0]);
	assert.deepEqual(parseIpv6("1::"), [1, 0, 0, 0, 0, 0, 0, 0]);
	assert.deepEqual(parseIpv6("1:2:3:4:5:6:7:8"), [1, 2, 3, 4, 5, 6, 7, 8]);
	assert.deepEqual(parseIpv6("::192.0.2.1"), [0, 0, 0, 0, 0, 0, 0xc000, 0x0201]);
	assert.deepEqual(parseIpv6("::1.2.3.4"), [0, 0, 0, 0, 0, 0, 0x0102, 0x0304]);
	assert.deepEqual(parseIpv6("09af:AF09::fa"), [0x09af, 0xaf09, 0, 0, 0, 0, 0, 0xfa]);
	assert.deepEqual(parseIpv6("1:2:3:4:5:6::8"), [1, 2, 3, 4, 5, 6, 0, 8]);
	const longest = "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255";
	assert.deepEqual(parseIpv6(longest), [0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff]);
	for (const text of [
		"",
		":",
		"1",
		"1:2:3:4:5:6:7",
		"1:2:3:4:5:6:7:8:9",
		"1::2::3",
		"12345::",
		"g::",
		":1::",
		"192.0.2.1::",
		"1:2:3:4:5:6:7::8",
		"::1.",
	]) {
		assert.equal(parseIpv6(text), undefined, text);
	}
});

test("IPv4 addresses: four numbers, none above 255 and none with a leading zero", () => {
	assert.deepEqual(parseIpv4("192.0.2.255"), [192, 0, 2, 255]);
	for (const text of ["1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.04", "1..2.3", "1.2.3.4x", "1111111111111111"]) {
		assert.equal(parseIpv4(text), undefined, text);
	}
});

test("a host ends where its characters end", () => {
	assert.deepEqual(parseHost("contoso.example:5061", 0, 20), { host: "contoso.example", hostKind: "name", end: 15 });
	assert.equal(parseHost("", 0, 0), undefined);
	assert.equal(parseHost(".", 0, 1), undefined);
	assert.equal(parseHost("a..", 0, 3), undefined);
	assert.equal(parseHost("1.", 0, 2), undefined);
	assert.equal(parseHost("[::1]", 0, 4), undefined, "the bracket stands behind the end");
	assert.deepEqual(parseHost("][::1]", 1, 6), { host: "::1", hostKind: "ipv6", end: 6 });
	assert.deepEqual(parseHost("ab.c", 0, 2), { host: "ab", hostKind: "name", end: 2 });
	assert.deepEqual(parseHost("192.0.2.1;x", 0, 11), { host: "192.0.2.1", hostKind: "ipv4", end: 9 });
});

test("RFC 3261 §19.1.4: hosts are the same place by letters or, both being addresses, by value", () => {
	assert.equal(equalHosts("2001:db8::1", "2001:db8:0:0:0:0:0:1"), true);
	assert.equal(equalHosts("2001:db8::1", "2001:db8::2"), false);
	assert.equal(equalHosts("::1", "x:y"), false);
	assert.equal(equalHosts("x:y", "::1"), false);
	assert.equal(equalHosts("a.example", "b.example"), false);
});

test("RFC 3261 §19.1.4: escapes of what needs none are undone, the others are in capitals, and what is none stays", () => {
	assert.equal(normaliseEscapes("%3a%41%7e"), "%3AA~");
	for (const text of ["%4", "%", "%4z", "%z4", "a%zz"]) assert.equal(normaliseEscapes(text), text);
});

const unequal: readonly [string, string][] = [
	["tel:1", "tel:2"],
	["sip:b.example?a=bc", "sip:b.example?a=cb"],
	["sip:b.example?Subject=X", "sip:b.example?Subject=x"],
	["sip:b.example?=X", "sip:b.example?=x"],
	["sip:a%3a@b.example", "sip:a@b.example"],
];
for (const [left, right] of unequal) {
	test(`RFC 3261 §19.1.4: ${left} is not ${right}`, () => {
		assert.equal(compareUris(read(left), read(right)), false);
		assert.equal(compareUris(read(right), read(left)), false);
	});
}

test("RFC 3261 §19.1.4: names of header components are compared in any case", () => {
	assert.equal(compareUris(read("sip:b.example?A&b=X"), read("sip:b.example?B=X&a")), true);
});

test("RFC 3261 §25.1: a quoted value may hold what separates parameters", () => {
	const params = ';a="x;b=1";c="\\";b=4";b=2';
	assert.deepEqual(listParams(params), [
		{ name: "a", value: '"x;b=1"' },
		{ name: "c", value: '"\\";b=4"' },
		{ name: "b", value: "2" },
	]);
	assert.equal(paramValue(params, "b"), "2");
	assert.deepEqual(findParam(params, "B"), { name: "b", value: "2" });
	assert.equal(paramValue(';q="";b=3', "b"), "3");
});

test("REQ-70: what is no address of record says which rule refuses it, and where", () => {
	const parsed = parseAorText("sip:b.example");
	assert.equal(parsed.ok, false);
	assert.deepEqual(parsed.ok || [parsed.fault.rule, parsed.fault.offset], ["REQ-70", 0]);
});

test("a control octet in a user part is escaped with two digits", () => {
	assert.equal(escapeUser("\n"), "%0A");
	assert.throws(() => formatSipUri({ user: " a", host: "b.example" }), /not escaped/);
});

test("§25.1: a character that is no octet is refused wherever it stands, not taken for its low octet", () => {
	for (const text of ["sip:\u0161@b.example", "sip:a@\u0162.example", "sip:a@b.example;x=\u0161", "tel:\u0131"]) {
		assert.equal(parseUriText(text).ok, false, text);
	}
});

for (const text of [
	"sap:b",
	"tip:b",
	"siq:b",
	"sixs:b",
	"sipt:b",
	"sip5:b",
	"sipsx:b",
	"si:b",
	"SI.P:b",
	"s:b",
	"q:sip:b",
]) {
	test(`RFC 3261 §19.1.1: ${text} is of another scheme`, () => {
		const uri = read(text);
		assert.equal(isSipUri(uri), false);
		assert.equal(uri.scheme, text.slice(0, text.indexOf(":")).toLowerCase());
	});
}

const faults: readonly [string, number][] = [
	["a b:c", 1],
	["tel", 3],
	["+a:b", 0],
	["tel:1 2", 5],
	["tel:", 4],
	["sip:@b", 4],
	["sip:a@b:x", 8],
	["sip:a@b:65536", 8],
	["sip:a@b;", 7],
	["sip:a@b;x=", 7],
	["sip:a@b;x=1 y", 11],
	["sip:a@b?x<", 9],
	["sip:a@b x", 7],
];
for (const [text, offset] of faults) {
	test(`RFC 3261 §19.1.1: the fault of ${JSON.stringify(text)} names its place`, () => {
		const parsed = parseUriText(text);
		assert.equal(parsed.ok || parsed.fault.offset, offset);
	});
}

test("RFC 3261 §19.1.1: no part of a URI is read from behind its end", () => {
	const cases: readonly [string, number, string | undefined][] = [
		["sip:a@b.example", 5, "a"],
		["sip:a:p@b.example", 7, undefined],
		["sip:b:5060", 5, "b"],
		["sip:b;lr", 5, "b"],
		["sip:b;lr;x", 8, "b"],
		["sip:b;x=1", 7, "b"],
		["sip:b?x", 5, "b"],
		["sip:b", 4, undefined],
		["sips:b", 4, undefined],
		["tel:1", 3, undefined],
	];
	for (const [text, end, host] of cases) {
		const parsed = parseUri(text, 0, end);
		assert.equal(parsed.ok && isSipUri(parsed.value) ? parsed.value.host : undefined, host, text);
		if (parsed.ok) assert.equal(parsed.value.text, text.slice(0, end));
	}
	const sips = parseUri("xsips:b", 1, 7);
	assert.equal(sips.ok && sips.value.scheme, "sips");
});
