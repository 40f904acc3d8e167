import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { PresenceDocument } from "./pidf.ts";
import { entityMatches } from "./pidf.ts";
import type { PidfReadOptions } from "./pidf-read.ts";
import { parsePidf } from "./pidf-read.ts";
import type { PidfToWrite } from "./pidf-write.ts";
import { formatPidf } from "./pidf-write.ts";

/** The sample document of the federation profile, blank lines between its elements included. */
const PROFILE_SAMPLE = `<?xml version="1.0" encoding="utf-8"?>

<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:ep="urn:ietf:params:xml:ns:pidf:status:rpid-status" xmlns:et="urn:ietf:params:xml:ns:pidf:rpid-tuple" xmlns:ci="urn:ietf:params:xml:ns:pidf:cipid" entity="sip:joe@contoso.com">

  <tuple id="0">

    <status>

      <basic>open</basic>

      <ep:activities>

        <ep:activity>away</ep:activity>

      </ep:activities>

    </status>

  </tuple>

  <ci:icon>http://www.contoso.com/brandingicon.png</ci:icon>

  <ci:display-name>Joe at Contoso</ci:display-name>

</presence>
`;

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

function read(text: string, options?: PidfReadOptions): PresenceDocument {
	const result = parsePidf(encode(text), options);
	assert.ok(result.ok, result.ok ? "" : result.fault.detail);
	return result.value;
}

/** A document with the usual namespaces under the prefixes p (RFC 4480), d (draft), a (other draft), c, dm. */
function presence(content: string): string {
	return `<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:d="urn:ietf:params:xml:ns:pidf:status:rpid-status"
		xmlns:a="urn:ietf:params:xml:ns:pidf:rpid-status" xmlns:p="urn:ietf:params:xml:ns:pidf:rpid"
		xmlns:c="urn:ietf:params:xml:ns:pidf:cipid" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model"
		entity="sip:joe@contoso.example">${content}</presence>`;
}

const tuple = (status: string, rest = ""): string => `<tuple id="0"><status>${status}</status>${rest}</tuple>`;

test("REQ-22: the profile's sample is open, away, with a name and no usable icon", () => {
	assert.deepEqual(read(PROFILE_SAMPLE), {
		entity: "sip:joe@contoso.com",
		basic: "open",
		activities: ["away"],
		displayName: "Joe at Contoso",
	});
});

const activityForms: readonly (readonly [name: string, content: string, activities: readonly string[]])[] = [
	["draft text form in status", tuple("<d:activities><d:activity>Away </d:activity></d:activities>"), ["away"]],
	["other draft namespace", tuple("<a:activities><a:activity>busy</a:activity></a:activities>"), ["busy"]],
	["RFC 4480 empty elements in status", tuple("<p:activities><p:away/><p:lunch/></p:activities>"), ["away", "lunch"]],
	["RFC 4480 beside the status", tuple("<basic>open</basic>", "<p:activities><p:busy/></p:activities>"), ["busy"]],
	[
		"activity nested in activity",
		tuple("<d:activities><d:activity><d:activity>meal</d:activity></d:activity></d:activities>"),
		["meal"],
	],
	["a lone activity", tuple("<d:activity>busy</d:activity>"), ["busy"]],
	[
		"a note among activities",
		tuple("<p:activities><p:note>x</p:note><p:other>juggling</p:other></p:activities>"),
		["other"],
	],
	[
		"doubled words",
		tuple("<d:activities><d:activity>away</d:activity><d:activity>AWAY</d:activity></d:activities>"),
		["away"],
	],
	["no activity", tuple("<d:activities/>"), []],
	["foreign namespace", tuple('<activities xmlns="urn:x"><away/></activities>'), []],
	["pidf namespace", tuple("<activities><activity>away</activity></activities>"), []],
	["show of a gateway", tuple('<show xmlns="jabber:client">dnd</show>'), ["dnd"]],
	["an endless word", tuple(`<d:activities><d:activity>${"x".repeat(65)}</d:activity></d:activities>`), []],
	[
		"a second tuple",
		tuple("<basic>open</basic>") + tuple("<d:activities><d:activity>busy</d:activity></d:activities>"),
		[],
	],
	["a person", `${tuple("")}<dm:person id="p"><p:activities><p:busy/></p:activities></dm:person>`, []],
];

test("REQ-11: activities are read in every namespace, form and place that peers use", () => {
	for (const [name, content, activities] of activityForms) {
		assert.deepEqual(read(presence(content)).activities, activities, name);
	}
});

test("REQ-21: only the first tuple counts; a person counts for rfc4480 peers alone", () => {
	const content =
		tuple("<basic>closed</basic>") +
		tuple("<basic>open</basic>", "<c:display-name>Second</c:display-name>") +
		'<dm:person id="p"><p:activities><p:busy/></p:activities><c:display-name>Person</c:display-name></dm:person>' +
		'<dm:person id="q"><p:activities><p:away/></p:activities></dm:person>' +
		'<dm:device id="d"><p:activities><p:away/></p:activities></dm:device>';
	assert.deepEqual(read(presence(content)), { entity: "sip:joe@contoso.example", basic: "closed", activities: [] });
	assert.deepEqual(read(presence(content), { personState: true }), {
		entity: "sip:joe@contoso.example",
		basic: "closed",
		activities: ["busy"],
		displayName: "Person",
	});
});

test("basic: two words in any case, everything else is undefined", () => {
	const table: readonly (readonly [string, string | undefined])[] = [
		[tuple("<basic> OPEN\n</basic>"), "open"],
		[tuple("<basic>closed</basic>"), "closed"],
		[tuple("<basic>ajar</basic>"), undefined],
		[tuple(""), undefined],
		["<tuple id='0'/>", undefined],
		["", undefined],
		['<basic xmlns="urn:x">open</basic>', undefined],
	];
	for (const [content, basic] of table) assert.equal(read(presence(content)).basic, basic, content);
});

test("name, icon and note: presence level goes before the first tuple", () => {
	const inTuple = "<c:icon>https://contoso.example/t.png</c:icon><c:display-name>T</c:display-name><note>tn</note>";
	const above = "<c:icon>https://contoso.example/p.png</c:icon><c:display-name>P</c:display-name><note>pn</note>";
	const pick = (text: string): readonly unknown[] => {
		const { icon, displayName, note } = read(presence(text));
		return [icon, displayName, note];
	};
	assert.deepEqual(pick(tuple("", inTuple) + above), ["https://contoso.example/p.png", "P", "pn"]);
	assert.deepEqual(pick(tuple("", inTuple)), ["https://contoso.example/t.png", "T", "tn"]);
	assert.deepEqual(pick(tuple(inTuple.replaceAll("note>", "x>"))), ["https://contoso.example/t.png", "T", undefined]);
	assert.deepEqual(pick(`${tuple("", inTuple)}<c:display-name> </c:display-name>`)[1], "T");
});

test("REQ-18: an icon that is not plain https is dropped and the document kept", () => {
	const icons: readonly (readonly [string, string | undefined])[] = [
		["https://contoso.example/a.png", "https://contoso.example/a.png"],
		[" HTTPS://contoso.example/a.png\n", "https://contoso.example/a.png"],
		["http://contoso.example/a.png", undefined],
		["https://user:secret@contoso.example/a.png", undefined],
		["file:///etc/passwd", undefined],
		["data:image/png;base64,AAAA", undefined],
		["//contoso.example/a.png", undefined],
		["https://", undefined],
		["", undefined],
		[`https://contoso.example/${"x".repeat(2048)}`, undefined],
	];
	for (const [icon, expected] of icons) {
		const document = read(presence(`${tuple("<basic>open</basic>")}<c:icon>${icon}</c:icon>`));
		assert.equal(document.icon, expected, icon);
		assert.equal(document.basic, "open");
		assert.equal("icon" in document, expected !== undefined);
	}
});

test("display names and notes: control characters and endless text do not get through", () => {
	const document = read(
		presence(`<note>${"n".repeat(600)}</note><c:display-name>\n Joe\u009b31m\t\n at &#x85; Contoso </c:display-name>`),
	);
	assert.equal(document.displayName, "Joe 31m at Contoso");
	assert.equal(document.note, "n".repeat(500));
	const emoji = read(presence(`<c:display-name>${"\u{1f600}".repeat(300)}</c:display-name>`)).displayName;
	assert.equal(emoji, "\u{1f600}".repeat(256));
});

test("what is no presence document is refused", () => {
	const bad: readonly (readonly [string, string])[] = [
		["<presence/>", "bad-pidf"],
		['<presence xmlns="urn:x" entity="sip:a@b"/>', "bad-pidf"],
		['<tuple xmlns="urn:ietf:params:xml:ns:pidf"/>', "bad-pidf"],
		['<presence xmlns="urn:ietf:params:xml:ns:pidf"/>', "bad-pidf"],
		['<presence xmlns="urn:ietf:params:xml:ns:pidf" entity=" "/>', "bad-pidf"],
		[`<!DOCTYPE presence>${PROFILE_SAMPLE.slice(PROFILE_SAMPLE.indexOf("<presence"))}`, "bad-xml"],
		[PROFILE_SAMPLE.replace("utf-8", "windows-1252"), "bad-xml"],
		["", "bad-xml"],
	];
	for (const [text, code] of bad) {
		const result = parsePidf(encode(text));
		assert.equal(result.ok ? "read" : result.fault.code, code, text);
	}
	assert.equal(read(PROFILE_SAMPLE.replace("utf-8", "utf-16")).basic, "open");
});

const decode = (octets: Uint8Array): string => new TextDecoder().decode(octets);

test("REQ-10 to REQ-13, REQ-23: what we write has the structure of the profile's sample, white space aside", () => {
	const written = formatPidf({
		entity: "sip:joe@contoso.com",
		basic: "open",
		activity: "away",
		icon: "https://www.contoso.com/brandingicon.png",
		displayName: "Joe at Contoso",
	});
	const sample = PROFILE_SAMPLE.replace("http://www", "https://www");
	const squeeze = (text: string): string => text.replaceAll(/>\s+/g, ">").replaceAll(/\s+</g, "<").trim();
	assert.equal(squeeze(decode(written)), squeeze(sample));
});

test("closed: no activities, whatever the caller gives; optional parts are left out", () => {
	assert.equal(
		decode(formatPidf({ entity: "sip:joe@contoso.example", basic: "closed", activity: "busy" })),
		'<?xml version="1.0" encoding="utf-8"?>\r\n<presence xmlns="urn:ietf:params:xml:ns:pidf" ' +
			'xmlns:ep="urn:ietf:params:xml:ns:pidf:status:rpid-status" xmlns:et="urn:ietf:params:xml:ns:pidf:rpid-tuple" ' +
			'xmlns:ci="urn:ietf:params:xml:ns:pidf:cipid" entity="sip:joe@contoso.example">' +
			'<tuple id="0"><status><basic>closed</basic></status></tuple></presence>',
	);
});

test("rfc4480: a legal tuple id, and the person behind the tuple (REQ-20)", () => {
	const text = decode(
		formatPidf(
			{ entity: "sip:joe@contoso.example", basic: "open", activity: "on-the-phone", note: "n", displayName: "J" },
			"rfc4480",
		),
	);
	const body = text.slice(text.indexOf("<tuple"));
	assert.equal(
		body,
		'<tuple id="t0"><status><basic>open</basic><ep:activities><ep:activity>on-the-phone</ep:activity></ep:activities>' +
			'</status></tuple><note>n</note><dm:person id="p0"><r:activities><r:on-the-phone/></r:activities></dm:person>' +
			"<ci:display-name>J</ci:display-name></presence>",
	);
	assert.deepEqual(read(text, { personState: true }).activities, ["on-the-phone"]);
	const closed = decode(formatPidf({ entity: "sip:a@b", basic: "closed", activity: "busy" }, "rfc4480"));
	assert.equal(closed.includes("person"), false);
});

test("REQ-18: an icon that is not https is our own bug and throws", () => {
	for (const icon of ["http://contoso.example/a.png", "javascript:1", ""]) {
		assert.throws(() => formatPidf({ entity: "sip:a@b", basic: "open", icon }), icon);
	}
});

test("property: what we write is read back, in both forms, markup in names included", () => {
	const name = fc.string({ unit: fc.constantFrom("a", "<", ">", "&", '"', "'", "é", "]]>", "😀", ";"), minLength: 1 });
	const document: fc.Arbitrary<PidfToWrite> = fc.record({
		entity: fc.constantFrom("sip:joe@contoso.example", "sip:o'brien&co@contoso.example"),
		basic: fc.constantFrom("open", "closed"),
		activity: fc.option(fc.constantFrom("away", "busy", "on-the-phone"), { nil: undefined }),
		displayName: fc.option(name, { nil: undefined }),
		icon: fc.option(fc.constant("https://contoso.example/a.png?b=1&c=2"), { nil: undefined }),
		note: fc.option(name, { nil: undefined }),
	});
	fc.assert(
		fc.property(document, fc.constantFrom("profile", "rfc4480"), fc.boolean(), (written, profile, personState) => {
			const { entity, basic, activity, displayName, icon, note } = written;
			assert.deepEqual(read(decode(formatPidf(written, profile)), { personState }), {
				entity,
				basic,
				activities: basic === "open" && activity !== undefined ? [activity] : [],
				...(displayName !== undefined && { displayName }),
				...(icon !== undefined && { icon }),
				...(note !== undefined && { note }),
			});
		}),
	);
});

test("RFC 3863 §4.1.1 entity: sip, pres and bare forms name the same presentity; another user or host does not", () => {
	const same = [
		"sip:Joe@contoso.example",
		"SIP:joe@CONTOSO.example",
		"pres:joe@contoso.example",
		"joe@contoso.example",
		" sip:joe@contoso.example:5061;transport=tls?x=y ",
		"sip:%6Aoe@contoso.example",
	];
	for (const entity of same) assert.equal(entityMatches(entity, "sip:joe@contoso.example"), true, entity);
	assert.equal(entityMatches("sip:joe@contoso.example", "joe@contoso.example"), true);
	const other = [
		"sip:jo@contoso.example",
		"sip:joe@contoso.example.org",
		"sip:joe@xcontoso.example",
		"sip:joe",
		"sip:contoso.example",
		"sip:@contoso.example",
		"sip:joe@",
		"sip:x@y@contoso.example",
		"sip:eve@fabrikam.example;x=joe@contoso.example",
		"tel:joe@contoso.example",
		"sip:%zz@contoso.example",
		"",
	];
	for (const entity of other) assert.equal(entityMatches(entity, "sip:joe@contoso.example"), false, entity);
	assert.equal(entityMatches("", ""), false);
});
