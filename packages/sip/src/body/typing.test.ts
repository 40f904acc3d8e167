import assert from "node:assert/strict";
import { test } from "node:test";
import { formatIsComposing, formatKeyboardActivity, parseIsComposing, parseKeyboardActivity } from "./typing.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (octets: Uint8Array): string => new TextDecoder().decode(octets);

/** `state refresh`, or the fault's code. */
function composing(text: string): string {
	const read = parseIsComposing(encode(text));
	return read.ok ? `${read.value.state} ${read.value.refreshSeconds ?? "-"}` : read.fault.code;
}

const document = (content: string): string =>
	`<?xml version="1.0"?><isComposing xmlns="urn:ietf:params:xml:ns:im-iscomposing">${content}</isComposing>`;

test("RFC 3994: state and refresh are read; unknown states count as idle", () => {
	const table: readonly (readonly [string, string])[] = [
		[document("<state>active</state>"), "active -"],
		[document("<state> active\n</state><contenttype>text/plain</contenttype><refresh>90</refresh>"), "active 90"],
		[document("<state>idle</state><lastactive>2003-01-27T10:43:00Z</lastactive>"), "idle -"],
		[document("<state>dancing</state>"), "idle -"],
		[document("<state/>"), "idle -"],
		[document("<state>active</state><refresh>-1</refresh>"), "active -"],
		[document("<state>active</state><refresh>1e3</refresh>"), "active -"],
		[document("<state>active</state><refresh>999999999</refresh>"), "active 86400"],
		[document("<state>active</state><refresh>9999999999</refresh>"), "active -"],
		[document(""), "bad-iscomposing"],
		[document('<state xmlns="urn:x">active</state>'), "bad-iscomposing"],
		["<isComposing><state>active</state></isComposing>", "bad-iscomposing"],
		["<!DOCTYPE x><isComposing/>", "bad-xml"],
		["", "bad-xml"],
	];
	for (const [text, outcome] of table) assert.equal(composing(text), outcome, text);
});

test("RFC 3994: what we write is read back", () => {
	assert.equal(
		decode(formatIsComposing({ state: "active", contentType: "text/plain", refreshSeconds: 90 })),
		'<?xml version="1.0" encoding="UTF-8"?>\r\n<isComposing xmlns="urn:ietf:params:xml:ns:im-iscomposing">' +
			"<state>active</state><contenttype>text/plain</contenttype><refresh>90</refresh></isComposing>",
	);
	assert.equal(composing(decode(formatIsComposing({ state: "active", refreshSeconds: 60 }))), "active 60");
	assert.equal(composing(decode(formatIsComposing({ state: "idle" }))), "idle -");
	assert.throws(() => formatIsComposing({ state: "active", refreshSeconds: 59 }));
});

test("KeyboardActivity: type is active, every other word is idle", () => {
	const table: readonly (readonly [string, string])[] = [
		['<KeyboardActivity><status status="type"/></KeyboardActivity>', "active"],
		['<?xml version="1.0"?>\n<KeyboardActivity>\n <status status="idle" />\n</KeyboardActivity>', "idle"],
		['<KeyboardActivity><status status="TYPE"/></KeyboardActivity>', "idle"],
		["<KeyboardActivity><status/></KeyboardActivity>", "idle"],
		["<KeyboardActivity/>", "bad-keyboard-activity"],
		['<Activity><status status="type"/></Activity>', "bad-keyboard-activity"],
		["hello", "bad-xml"],
	];
	for (const [text, outcome] of table) {
		const read = parseKeyboardActivity(encode(text));
		assert.equal(read.ok ? read.value.state : read.fault.code, outcome, text);
	}
	for (const state of ["active", "idle"] as const) {
		const read = parseKeyboardActivity(formatKeyboardActivity(state));
		assert.equal(read.ok && read.value.state, state);
	}
	assert.equal(
		decode(formatKeyboardActivity("active")),
		'<KeyboardActivity><status status="type"/></KeyboardActivity>',
	);
});
