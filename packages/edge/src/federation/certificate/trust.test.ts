import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createRootAuthority } from "../../pki/authority.ts";
import { loadTrust, parseAnchors } from "./trust.ts";

const dates = { notBefore: new Date(Date.UTC(2026, 0, 1)), notAfter: new Date(Date.UTC(2036, 0, 1)) };
const one = await createRootAuthority({ commonName: "One", ...dates });
const other = await createRootAuthority({ commonName: "Other", ...dates });

test("REQ-45: every certificate of every file is an anchor once; text around and other blocks are passed over", async (context) => {
	const folder = await mkdtemp(join(tmpdir(), "trust-"));
	context.after(() => rm(folder, { recursive: true }));
	const both = join(folder, "both.pem");
	const single = join(folder, "single.pem");
	await writeFile(both, `One:\r\n${one.certificate.replaceAll("\n", "\r\n")}${one.key}Other:\n${other.certificate}`);
	await writeFile(single, one.certificate);
	const loaded = await loadTrust([single, both]);
	assert(loaded.ok);
	assert.deepEqual(
		loaded.trust.anchors.map((anchor) => anchor.subject.text),
		["CN=One", "CN=Other"],
	);
	assert.deepEqual(await loadTrust([single, join(folder, "missing.pem")]).then((result) => result.ok), false);
});

const damaged: readonly (readonly [name: string, text: string, reason: RegExp])[] = [
	["nothing", "", /no certificate/],
	["a key alone", one.key, /no certificate/],
	["a block without its end", one.certificate.slice(0, -10), /damaged/],
	["a character that is not base64", one.certificate.replace("MII", "M!I"), /damaged/],
	["a certificate cut in its middle", one.certificate.replace(/\n.{64}\n/, "\n"), /certificate 1 in it cannot be read/],
	[
		"a second one that cannot be read",
		`${one.certificate}-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n`,
		/certificate 2/,
	],
];
for (const [name, text, reason] of damaged) {
	test(`a bundle with ${name} is refused with its place`, () => {
		const result = parseAnchors(text, "partners-ca.pem");
		assert(!result.ok);
		assert.equal(result.place, "partners-ca.pem");
		assert.match(result.reason, reason);
	});
}
