import "reflect-metadata";
import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { test } from "node:test";
import * as x509 from "@peculiar/x509";
import {
	type Authority,
	createEdgeCertificate,
	createRevocationList,
	createRootAuthority,
	issue,
} from "../../pki/authority.ts";
import { parseCertificate } from "./certificate.ts";
import { parseRevocationLists, type RevocationList } from "./revocation.ts";
import { createTrust } from "./trust.ts";
import { verifyChain } from "./verify-chain.ts";

const day = 86_400_000;
const now = Date.UTC(2026, 10, 1);
const dates = { notBefore: new Date(now - 30 * day), notAfter: new Date(now + 300 * day) };
const root = await createRootAuthority({ commonName: "Contoso root", ...dates });
const namesake = await createRootAuthority({ commonName: "Contoso root", ...dates });
const names = ["sip.fabrikam.example"];
const good = await createEdgeCertificate(root, { names, ...dates });
const bad = await createEdgeCertificate(root, { names, ...dates });
const anchor = parseCertificate(root.der);
assert(anchor !== undefined);
const trust = createTrust([anchor]);

async function listText(signer: Authority, extra: readonly x509.Extension[] = []): Promise<string> {
	const certificate = parseCertificate(bad.der);
	assert(certificate !== undefined);
	const list = await x509.X509CrlGenerator.create(
		{
			issuer: signer.subject.subjectName,
			thisUpdate: new Date(now - day),
			nextUpdate: new Date(now + day),
			entries: [{ serialNumber: certificate.serialNumber, revocationDate: new Date(now - day) }],
			signingKey: signer.keys.privateKey,
			signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
			extensions: [...extra],
		},
		webcrypto,
	);
	return `${x509.PemConverter.encode(list.rawData, "X509 CRL")}\n`;
}

function lists(text: string): readonly RevocationList[] {
	const read = parseRevocationLists(text);
	assert(typeof read !== "string");
	return read;
}

function refusal(text: string): string {
	const read = parseRevocationLists(text);
	assert(typeof read === "string");
	return read;
}

function judge(der: Uint8Array, revocationLists: readonly RevocationList[], at = now): ReturnType<typeof verifyChain> {
	return verifyChain({
		chain: [der],
		purpose: "client",
		names,
		domains: [],
		cnFallback: false,
		wildcard: false,
		trust,
		now: at,
		clientAuthEku: "warn",
		revocationLists,
	});
}

test("RFC 5280 §5: a certificate on its issuer's list is refused, another of the same issuer is not", async () => {
	const read = lists(await listText(root));
	assert.deepEqual(
		judge(bad.der, read).faults.map(({ code }) => code),
		["revoked"],
	);
	assert.equal(judge(good.der, read).ok, true);
});

test("RFC 5280 §5: a list signed by another authority of the same name changes nothing", async () => {
	assert.equal(judge(bad.der, lists(await listText(namesake))).ok, true);
});

test("a list past its next update still revokes, and is called stale", async () => {
	const read = lists(await listText(root));
	const at = now + 2 * day;
	assert.deepEqual(
		judge(bad.der, read, at).faults.map(({ code }) => code),
		["revoked"],
	);
	assert.deepEqual(
		judge(good.der, read, at).warnings.map(({ code }) => code),
		["stale-revocation-list"],
	);
});

test("a delta list is refused as a file: read as a full one it would hide revocations", async () => {
	const delta = new x509.Extension("2.5.29.27", true, new Uint8Array([2, 1, 1]));
	assert.match(refusal(await listText(root, [delta])), /delta/);
});

test("RFC 5280 §6.3.3: a list of an authority that may not sign lists is passed over", async () => {
	const mute = await issue(root, { ...dates, commonName: "Mute", authority: { is: true }, keyUsage: ["keyCertSign"] });
	const leaf = await createEdgeCertificate(mute, { names, ...dates });
	const text = await createRevocationList(mute, {
		thisUpdate: new Date(now - day),
		nextUpdate: new Date(now + day),
		revoked: [leaf.der],
	});
	const verdict = verifyChain({
		chain: [leaf.der, mute.der],
		purpose: "client",
		names,
		domains: [],
		cnFallback: false,
		wildcard: false,
		trust,
		now,
		clientAuthEku: "warn",
		revocationLists: lists(text),
	});
	assert.deepEqual(verdict.faults, []);
});

test("several lists of one file are read, and a damaged one refuses the file", async () => {
	const text = await listText(root);
	assert.equal(lists(text + (await listText(namesake))).length, 2);
	assert.match(refusal(""), /no revocation list/);
	assert.match(refusal(text.slice(0, -30)), /damaged/);
	assert.match(refusal("-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n"), /cannot be read/);
});
