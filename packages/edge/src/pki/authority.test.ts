import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
	createEdgeCertificate,
	createIntermediateAuthority,
	createRootAuthority,
	createSigningRequest,
} from "./authority.ts";
import { writeKeyFile } from "./key-file.ts";

const dates = { notBefore: new Date(Date.UTC(2026, 0, 1)), notAfter: new Date(Date.UTC(2036, 0, 1)) };

test("REQ-47: an edge certificate carries every name, its key, and both purposes", async () => {
	const root = await createRootAuthority({ commonName: "Root", ...dates });
	const edge = await createEdgeCertificate(root, { names: ["sip.contoso.example", "sip.nwtraders.example"], ...dates });
	const certificate = new X509Certificate(edge.certificate);
	assert.equal(certificate.subject, "CN=sip.contoso.example");
	assert.equal(certificate.subjectAltName, "DNS:sip.contoso.example, DNS:sip.nwtraders.example");
	assert.deepEqual(certificate.keyUsage, ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
	assert.equal(certificate.ca, false);
	assert.equal(certificate.checkPrivateKey(createPrivateKey(edge.key)), true);
	assert.equal(certificate.verify(new X509Certificate(root.certificate).publicKey), true);
	assert.equal(certificate.validToDate.getTime(), dates.notAfter.getTime());
	assert.equal(edge.chain, edge.certificate);
});

test("the chain of an edge below an intermediate holds both, leaf first, without the root", async () => {
	const root = await createRootAuthority({ commonName: "Root", ...dates });
	const issuing = await createIntermediateAuthority(root, { commonName: "Issuing", pathLength: 0, ...dates });
	const edge = await createEdgeCertificate(issuing, { names: ["sip.contoso.example"], ...dates });
	assert.equal(edge.chain, edge.certificate + issuing.certificate);
	assert.equal(new X509Certificate(issuing.certificate).ca, true);
});

test("a signing request and its key are PEM of their kinds", async () => {
	const { request, key } = await createSigningRequest(["sip.contoso.example"]);
	assert(request.startsWith("-----BEGIN CERTIFICATE REQUEST-----\n"));
	assert.equal(createPrivateKey(key).asymmetricKeyType, "ec");
});

test("a key file can be read by its owner alone, also where an open one stood in its place", async (context) => {
	const folder = await mkdtemp(join(tmpdir(), "keys-"));
	context.after(() => rm(folder, { recursive: true }));
	const path = join(folder, "edge.key");
	await writeFile(path, "old", { mode: 0o644 });
	await writeFile(`${path}.new`, "left behind", { mode: 0o644 });
	await writeKeyFile(path, "secret");
	assert.equal((await stat(path)).mode & 0o777, 0o600);
	assert.equal(await readFile(path, "utf8"), "secret");
});
