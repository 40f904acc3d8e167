/**
 * Every document we send, held by xmllint against schemas of RFC 3863, RFC 4479, RFC 4480 and RFC 4482 (written by us after the
 * RFCs, in `test/presence-schemas`). The documents are the golden ones, which `documents.test.ts` holds against what we write.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { requirePackages } from "./harness/debian-packages.ts";

const DOCUMENTS = fileURLToPath(new URL("../presence-documents/", import.meta.url));
const SCHEMA = fileURLToPath(new URL("../presence-schemas/pidf.xsd", import.meta.url));

/** What xmllint has against a document; empty where it is valid. */
function complaints(document: string): readonly string[] {
	requirePackages(["libxml2-utils"]);
	const { status, stderr } = spawnSync("xmllint", ["--nonet", "--noout", "--schema", SCHEMA, "-"], {
		input: document,
		encoding: "utf8",
	});
	const lines = stderr.split("\n").filter((line) => line.includes("error"));
	// 0: valid; 3: not valid. Anything else is a fault of the schema or of the document's XML.
	assert.ok(status === 0 || status === 3, stderr);
	assert.equal(lines.length === 0, status === 0, stderr);
	return lines;
}

function golden(name: string): string {
	return readFileSync(join(DOCUMENTS, name), "utf8");
}

const names = readdirSync(DOCUMENTS);

test("RFC 3863 §4.4, RFC 4480, RFC 4482: there are documents of both forms for every state", () => {
	assert.equal(names.length, 20);
	assert.equal(names.filter((name) => name.startsWith("rfc4480-")).length, 10);
});

for (const name of names.filter((one) => one.startsWith("rfc4480-"))) {
	test(`RFC 3863 §4.4, RFC 4480 §3.2, RFC 4482 §3: ${name} is valid`, () => {
		assert.deepEqual(complaints(golden(name)), []);
	});
}

for (const name of names.filter((one) => one.startsWith("profile-"))) {
	test(`RFC 3863 §4.4, RFC 4482 §3: ${name} is valid but for the tuple's id, which the profile writes as 0`, () => {
		const document = golden(name);
		// Protocol sheet 5.1 and 10, no. 3: no xs:ID begins with a digit, and the profile's own example has this one. The activity
		// stands in a namespace of a draft that never had a schema: it is let pass, as any extension.
		const [only, ...others] = complaints(document);
		assert.match(only ?? "", /tuple', attribute 'id': '0' is not a valid value of the atomic type 'xs:ID'/);
		assert.deepEqual(others, []);
		assert.deepEqual(complaints(document.replace('<tuple id="0">', '<tuple id="t0">')), []);
	});
}

for (const [what, from, to] of [
	["an activity that RFC 4480 does not know", "<r:away/>", "<r:snoozing/>"],
	["an activity as text", "<r:away/>", "<r:away>away</r:away>"],
	["a basic status that is neither open nor closed", "<basic>open</basic>", "<basic>ajar</basic>"],
	["a tuple without status", /<status>.*<\/status>/, ""],
	["a name in front of the tuple", /(<tuple.*<\/tuple>)(.*)(<ci:display-name>.*<\/ci:display-name>)/, "$3$1$2"],
	["a person with the tuple's id", 'id="p0"', 'id="t0"'],
	["no entity", /entity="[^"]*"/, ""],
	["an element inside the name", "<ci:display-name>", "<ci:display-name><ci:icon/>"],
] as const) {
	test(`RFC 3863 §4.4: a document with ${what} would be found`, () => {
		const document = golden("rfc4480-away.xml");
		const changed = document.replace(from, to);
		assert.notEqual(changed, document);
		assert.notDeepEqual(complaints(changed), []);
	});
}
