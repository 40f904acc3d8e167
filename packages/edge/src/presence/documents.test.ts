/** The documents we send, each beside a file that a person has looked at: every state, view and form, with and without extras. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { parsePidf, presenceWord } from "@causeway/sip";
import { PRESENCE_STATES } from "../store/published-presence.ts";
import { openTestStore } from "../store/testing.ts";
import { Presentities, type View } from "./presentities.ts";

const AOR = "joe@contoso.example";
const ICON = "https://www.contoso.example/brandingicon.png";
const NOTE = 'Back at 3 <"soon"> & well';
const FOLDER = fileURLToPath(new URL("../../test/presence-documents/", import.meta.url));
/** `CAUSEWAY_REWRITE=1` writes the files anew; the difference is what is looked at. */
const isRewriting = process.env["CAUSEWAY_REWRITE"] === "1";

async function compose(
	state: (typeof PRESENCE_STATES)[number],
	view: View,
	form: "profile" | "rfc4480",
	note?: string,
): Promise<string> {
	const store = await openTestStore();
	await store.users.add({ address: AOR, displayName: "Joe at Contoso" });
	const presentities = new Presentities(store, new Map([["contoso.example", ICON]]));
	presentities.set(AOR, { state, note, changedAt: 0 });
	return Buffer.from(presentities.document(AOR, view, form)).toString("utf8");
}

for (const form of ["profile", "rfc4480"] as const) {
	for (const state of PRESENCE_STATES) {
		for (const note of [undefined, NOTE]) {
			const name = `${form}-${state}${note === undefined ? "" : "-note"}.xml`;
			test(`REQ-09 to REQ-13, REQ-19, REQ-20, REQ-23: the document in ${name}`, async () => {
				const written = await compose(state, "full", form, note);
				if (isRewriting) writeFileSync(`${FOLDER}${name}`, written);
				assert.equal(written, readFileSync(`${FOLDER}${name}`, "utf8"));
				const read = parsePidf(Buffer.from(written), { personState: form === "rfc4480" });
				assert.ok(read.ok);
				assert.equal(presenceWord(read.value), state);
				assert.equal(read.value.icon, ICON);
				assert.equal(read.value.displayName, state === "offline" ? undefined : "Joe at Contoso");
				assert.equal(read.value.note, note);
			});
		}
	}
	test(`REQ-91, protocol 5.7: who may not see gets the document of an offline user, octet for octet, in the form ${form}`, async () => {
		const closed = await compose("available", "closed", form, NOTE);
		assert.equal(closed, await compose("offline", "full", form));
		assert.equal(closed, readFileSync(`${FOLDER}${form}-offline.xml`, "utf8"));
	});
}

/** Elements in their order, with namespaces; texts, ids and entity left out. */
function structureOf(document: string): readonly string[] {
	const prefixes = new Map(
		[...document.matchAll(/ xmlns(?::(\w+))?="([^"]*)"/g)].map(([, prefix = "", uri]) => [prefix, uri]),
	);
	return [...document.matchAll(/<(\/?)(?:(\w+):)?([\w-]+)[^>?]*>/g)].map(
		([, slash, prefix = "", name]) => `${slash}{${prefixes.get(prefix)}}${name}`,
	);
}

test("REQ-22, REQ-23: our document has the structure, the namespaces and the order of the profile's sample", async () => {
	const sample = `<?xml version="1.0" encoding="utf-8"?>
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
</presence>`;
	const ours = await compose("away", "full", "profile");
	assert.deepEqual(structureOf(ours), structureOf(sample));
	const declared = (text: string): readonly string[] =>
		[...text.matchAll(/ xmlns(?::\w+)?="[^"]*"/g)].map(([all]) => all);
	assert.deepEqual(declared(ours), declared(sample));
	const read = parsePidf(Buffer.from(sample));
	assert.ok(read.ok);
	assert.deepEqual(
		{ word: presenceWord(read.value), name: read.value.displayName, icon: read.value.icon },
		{ word: "away", name: "Joe at Contoso", icon: undefined },
	);
});
