/** Certificates in DER, the names they prove, and revocation lists. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { readCorpusFiles } from "../../../../sip/test/fuzz/corpus.ts";
import type { FuzzTarget } from "../../../../sip/test/fuzz/fuzz-target.ts";
import { parseCertificate } from "../../../src/federation/certificate/certificate.ts";
import { certificateNames, matchName, matchSipDomain } from "../../../src/federation/certificate/names.ts";
import { parseRevocationLists } from "../../../src/federation/certificate/revocation.ts";
import { mutateDer } from "../mutate-der.ts";

const CORPUS_FOLDER = fileURLToPath(new URL("../corpus", import.meta.url));
const PRINTABLE = 0x20;

export function createCertificateTarget(): FuzzTarget {
	return {
		name: "certificate",
		summary: "certificates in DER, their names, revocation lists",
		sources: [
			"/certificate/certificate.ts",
			"/certificate/der.ts",
			"/certificate/extensions.ts",
			"/certificate/distinguished-name.ts",
			"/certificate/names.ts",
			"/certificate/pem.ts",
			"/certificate/revocation.ts",
		],
		seeds: readCorpusFiles(CORPUS_FOLDER, ".der"),
		tokens: [
			"\x30\x80",
			"\x30\x84\xff\xff\xff\xff",
			"\x1f\x81",
			"\x05\0",
			"\x01\x01\xff",
			"\x02\x01\0",
			"\x03\x02\x05\xa0",
			"\x06\x03\x55\x1d\x11",
			"\x06\x03\x55\x1d\x1e",
			"\x06\x03\x55\x04\x03",
			"\x82\x03a.b",
			"\x86\x05sip:a",
			"\x82\x05*.a.b",
			"\x1e\x03\0a\0",
			"\xc2\x80",
		],
		mutations: [mutateDer],
		run: readCertificate,
	};
}

function readCertificate(input: Uint8Array): string {
	const base64 = Buffer.from(input).toString("base64");
	const lists = parseRevocationLists(`-----BEGIN X509 CRL-----\n${base64}\n-----END X509 CRL-----\n`);
	const listKind = typeof lists === "string" ? lists.slice(0, 30) : `lists ${lists.length}`;
	const certificate = parseCertificate(input);
	if (certificate === undefined) return `none, ${listKind}`;
	for (const text of [certificate.subject.text, certificate.issuer.text]) {
		assert.ok(text.length <= 257, "a name beyond its limit");
		for (const character of text) assert.ok((character.codePointAt(0) ?? 0) >= PRINTABLE, "a name holds a control");
	}
	const names = certificateNames(certificate);
	for (const name of [...names.dns, ...names.common, ...names.sipDomains]) {
		assert.ok(name.length <= 253 && !name.includes("\0") && name === name.toLowerCase(), "a name that is no host name");
	}
	for (const name of names.dns)
		assert.ok(name.startsWith("*") || matchName(names, name), "a name does not match itself");
	matchName(names, "sip.contoso.example", { cnFallback: true, wildcard: true });
	matchSipDomain(names, "contoso.example");
	const { version, alternativeNames, purposes, keyUsage, authority, nameConstraints, unknownCritical } = certificate;
	return [
		version,
		alternativeNames?.map(({ kind }) => kind).slice(0, 4),
		purposes?.length,
		keyUsage?.keyCertSign,
		authority?.is,
		authority?.pathLength !== undefined,
		nameConstraints !== undefined,
		Math.min(unknownCritical.length, 3),
	].join(" ");
}
