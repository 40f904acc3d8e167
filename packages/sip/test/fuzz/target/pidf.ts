/** Presence documents, and the two small documents that say "somebody writes". */
import assert from "node:assert/strict";
import {
	entityMatches,
	MAX_DISPLAY_NAME_LENGTH,
	MAX_NOTE_LENGTH,
	type PresenceDocument,
} from "../../../src/body/pidf.ts";
import { parsePidf } from "../../../src/body/pidf-read.ts";
import { formatPidf } from "../../../src/body/pidf-write.ts";
import { parseIsComposing, parseKeyboardActivity } from "../../../src/body/typing.ts";
import { CORPUS_FOLDER, readCorpusFiles } from "../corpus.ts";
import type { FuzzTarget } from "../fuzz-target.ts";

export function createPidfTarget(): FuzzTarget {
	return {
		name: "pidf",
		summary: "presence documents and typing indications",
		sources: [
			"/sip/src/body/pidf-read.ts",
			"/sip/src/body/pidf.ts",
			"/sip/src/body/xml.ts",
			"/sip/src/body/typing.ts",
			"/saxes/saxes.js",
		],
		seeds: readCorpusFiles(CORPUS_FOLDER, ".xml"),
		tokens: [
			"<!DOCTYPE a [<!ENTITY b 'c'>]>",
			"&b;",
			"&amp;",
			"&#0;",
			"&#x41;",
			"&#xD800;",
			"&#x10FFFF;",
			"<![CDATA[",
			"]]>",
			"<!--",
			"-->",
			"<?xml version='1.1'?>",
			"<?a b?>",
			"<tuple>",
			"</tuple>",
			"<a>",
			"</a>",
			"<a/>",
			" a='1'",
			" xmlns=''",
			" xmlns:b='c'",
			"b:",
			"xml:lang='en'",
			"<note>",
			"</note>",
			"<basic>closed</basic>",
			" entity='sip:a@b.example'",
			"https://contoso.example/%",
			"http://user@contoso.example",
			"\xef\xbb\xbf",
			"\xc3\xa9",
			"\xed\xa0\x80",
			"\xf0\x9f\x98\x80",
			"\xff",
		],
		run: readDocument,
	};
}

function readDocument(input: Uint8Array): string {
	const octets = Buffer.from(input.buffer, input.byteOffset, input.length);
	if (octets.includes("isComposing")) {
		const composing = parseIsComposing(input);
		return composing.ok
			? `composing ${composing.value.state} ${composing.value.refreshSeconds}`
			: composing.fault.detail;
	}
	if (octets.includes("KeyboardActivity")) {
		const keyboard = parseKeyboardActivity(input);
		return keyboard.ok ? `keyboard ${keyboard.value.state}` : keyboard.fault.detail;
	}
	// Either way of reading has its turn, for the cost of one.
	const document = parsePidf(input, { personState: input.length % 2 === 0 });
	if (!document.ok) return document.fault.detail;
	checkDocument(document.value);
	const { entity, basic, activities, note, displayName, icon } = document.value;
	return [
		entityMatches(entity, "sip:joe@contoso.example"),
		basic,
		Math.min(activities.length, 9),
		note !== undefined,
		displayName !== undefined,
		icon !== undefined,
	].join(" ");
}

/** Bounds hold, and what was read can be written and says the same. */
function checkDocument(document: PresenceDocument): void {
	const { entity, note, displayName, icon } = document;
	assert.ok(Array.from(note ?? "").length <= MAX_NOTE_LENGTH, "a note beyond its limit");
	assert.ok(Array.from(displayName ?? "").length <= MAX_DISPLAY_NAME_LENGTH, "a display name beyond its limit");
	assert.ok(icon === undefined || icon.startsWith("https://"), "an icon that is not https");
	const again = parsePidf(formatPidf({ entity, basic: document.basic ?? "open", note, displayName, icon }));
	assert.ok(again.ok, "a document that was read and written cannot be read");
	assert.equal(again.value.note, note);
	assert.equal(again.value.displayName, displayName);
}
