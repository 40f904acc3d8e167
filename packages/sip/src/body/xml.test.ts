import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { escapeXml, MAX_XML_BYTES, parseXml } from "./xml.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

function faultCode(source: string | Uint8Array): string {
	const result = parseXml(typeof source === "string" ? encode(source) : source);
	return result.ok ? "read" : result.fault.code;
}

test("an element carries its local name, namespace, plain attributes, children and direct text", () => {
	const result = parseXml(encode('<a xmlns="u" xmlns:p="v" k="1" p:k="2">x<p:b/>y<![CDATA[<z>]]>&amp;</a>'));
	assert.deepEqual(result, {
		ok: true,
		value: {
			name: "a",
			namespace: "u",
			attributes: new Map([["k", "1"]]),
			children: [{ name: "b", namespace: "v", attributes: new Map(), children: [], text: "" }],
			text: "xy<z>&",
		},
	});
});

const nested = (depth: number): string => "<a>".repeat(depth) + "</a>".repeat(depth);
const attributed = (count: number): string =>
	`<a ${Array.from({ length: count }, (_, index) => `a${index}=""`).join(" ")}/>`;
const billionLaughs = `<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">${Array.from(
	{ length: 9 },
	(_, index) => `<!ENTITY lol${index + 1} "${`&lol${index === 0 ? "" : index};`.repeat(10)}">`,
).join("")}]><lolz>&lol9;</lolz>`;

const outcomes: readonly (readonly [name: string, source: string | Uint8Array, outcome: string])[] = [
	["depth 32", nested(32), "read"],
	["depth 33", nested(33), "xml-too-large"],
	["depth 9,000", nested(9000), "xml-too-large"],
	["depth 9,000, each with a namespace prefix", '<p:a xmlns:p="u">'.repeat(3000), "xml-too-large"],
	["64 attributes", attributed(64), "read"],
	["65 attributes", attributed(65), "xml-too-large"],
	["64 attributes on the parent do not count for the child", `${attributed(64).slice(0, -2)}><b c=""/></a>`, "read"],
	["65 namespace declarations", attributed(65).replaceAll(" a", " xmlns:a").replaceAll('""', '"u"'), "xml-too-large"],
	["2,000 elements", `<a>${"<b/>".repeat(1999)}</a>`, "read"],
	["2,001 elements", `<a>${"<b/>".repeat(2000)}</a>`, "xml-too-large"],
	["64 KiB", `<a>${"x".repeat(MAX_XML_BYTES - 7)}</a>`, "read"],
	["64 KiB and one octet", `<a>${"x".repeat(MAX_XML_BYTES - 6)}</a>`, "xml-too-large"],
	["document type", "<!DOCTYPE a><a/>", "bad-xml"],
	["billion laughs", billionLaughs, "bad-xml"],
	["external entity", '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>', "bad-xml"],
	["undeclared entity", "<a>&e;</a>", "bad-xml"],
	["character reference beyond Unicode", "<a>&#x110000;</a>", "bad-xml"],
	["character reference of endless digits", `<a>&#${"9".repeat(5000)};</a>`, "bad-xml"],
	["processing instruction", '<?xml version="1.0"?><?evil do="it"?><a><?more?></a>', "read"],
	["comment", "<!-- c --><a><!-- d --></a>", "read"],
	["byte order mark", "\ufeff<a/>", "read"],
	["declared utf-8", '<?xml version="1.0" encoding="UTF-8"?><a/>', "read"],
	["declared utf-16 over UTF-8 octets", '<?xml version="1.0" encoding="utf-16"?><a/>', "read"],
	["declared latin1", '<?xml version="1.0" encoding="iso-8859-1"?><a/>', "bad-xml"],
	["declared utf-7", '<?xml version="1.0" encoding="utf-7"?><a/>', "bad-xml"],
	["real UTF-16", new Uint8Array([0xff, 0xfe, 0x3c, 0, 0x61, 0, 0x2f, 0, 0x3e, 0]), "bad-xml"],
	["broken UTF-8", new Uint8Array([0x3c, 0x61, 0x3e, 0xc3, 0x28, 0x3c, 0x2f, 0x61, 0x3e]), "bad-xml"],
	["overlong UTF-8", new Uint8Array([0x3c, 0x61, 0x3e, 0xc0, 0xbc, 0x3c, 0x2f, 0x61, 0x3e]), "bad-xml"],
	["empty", "", "bad-xml"],
	["blank", "  \r\n", "bad-xml"],
	["no XML", "v=0", "bad-xml"],
	["unclosed", "<a><b></b>", "bad-xml"],
	["crossed tags", "<a><b></a></b>", "bad-xml"],
	["two roots", "<a/><b/>", "bad-xml"],
	["twice the same attribute", '<a b="1" b="2"/>', "bad-xml"],
	["undeclared prefix", "<p:a/>", "bad-xml"],
	["NUL", "<a>\u0000</a>", "bad-xml"],
	["prototype names", '<a __proto__="x" constructor="y"><__proto__/></a>', "read"],
];

test("XML from outside: every limit and every hostile kind has its outcome", () => {
	for (const [name, source, outcome] of outcomes) assert.equal(faultCode(source), outcome, name);
});

test("a fault tells its place in octets, and its status", () => {
	const result = parseXml(encode("<a>\u00e9\u00e9&e;</a>"));
	assert.deepEqual(!result.ok && [result.fault.offset, result.fault.status], ["<a>xxxx&e;".length, 400]);
	assert.equal(parseXml(new Uint8Array(MAX_XML_BYTES + 1)).ok, false);
});

test("property: escaped text comes back, less what XML cannot carry", () => {
	const codeUnit = fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code));
	fc.assert(
		fc.property(
			fc.oneof(
				fc.string(),
				fc.array(codeUnit).map((units) => units.join("")),
			),
			(text) => {
				const result = parseXml(encode(`<a b="${escapeXml(text)}">${escapeXml(text)}</a>`));
				assert.ok(result.ok);
				const kept = Array.from(text).filter((character) => escapeXml(character) !== "");
				assert.equal(result.value.text, kept.join(""));
			},
		),
	);
});

test("property: no octets make the reader throw", () => {
	const pieces = [
		"<a",
		">",
		"</a>",
		"<?xml",
		"?>",
		' version="1.0"',
		"<!",
		"[CDATA[",
		"]]>",
		"--",
		"&",
		";",
		"#x",
		'"',
		"'",
		"=",
	];
	fc.assert(
		fc.property(
			fc.oneof(
				fc.uint8Array({ maxLength: 100 }),
				fc
					.array(fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 3 })))
					.map((parts) => encode(parts.join(""))),
			),
			(octets) => {
				parseXml(octets);
			},
		),
		{ numRuns: 500 },
	);
});
