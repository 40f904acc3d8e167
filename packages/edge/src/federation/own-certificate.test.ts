import assert from "node:assert/strict";
import { test } from "node:test";
import { type CertificateSpec, createIntermediateAuthority, createRootAuthority, issue } from "../pki/authority.ts";
import { parseAnchors } from "./certificate/trust.ts";
import { judgeOwnCertificate } from "./own-certificate.ts";

const DAY_MS = 86_400_000;
const now = Date.UTC(2026, 10, 1);
const dates = { notBefore: new Date(now - 30 * DAY_MS), notAfter: new Date(now + 300 * DAY_MS) };
const root = await createRootAuthority({ commonName: "Root", ...dates });
const issuing = await createIntermediateAuthority(root, { commonName: "Issuing", ...dates });
const anchors = parseAnchors(root.certificate, "root");
assert.ok(anchors.ok);
const { trust } = anchors;

const fqdn = "sip.contoso.example";

function spec(parts: Partial<CertificateSpec> = {}): CertificateSpec {
	const purposes = ["server", "client"];
	return { alternativeNames: [{ type: "dns", value: fqdn }], purposes, authority: { is: false }, ...dates, ...parts };
}

function names(...values: readonly string[]): Pick<CertificateSpec, "alternativeNames"> {
	return { alternativeNames: values.map((value) => ({ type: "dns", value })) };
}

async function judge(parts: Partial<CertificateSpec>, domains: readonly string[] = ["contoso.example"], at = now) {
	const { certificate } = await issue(root, spec(parts));
	return judgeOwnCertificate({ certificate, fqdn, domains, now: at, trust });
}

const table: readonly (readonly [
	what: string,
	codes: readonly string[],
	parts: Partial<CertificateSpec>,
	domains?: readonly string[] | undefined,
	at?: number,
])[] = [
	["nothing is wrong", [], {}],
	["REQ-46: our own name is missing", ["wrong-name"], names("sip.contoso.example.evil", "sip.contoso.example.org"), []],
	[
		"REQ-47: a served domain without a name inside it",
		["domain-without-name"],
		{},
		["contoso.example", "northwind.example"],
	],
	[
		"REQ-47: each served domain with its recommended name",
		[],
		names(fqdn, "sip.northwind.example"),
		["contoso.example", "northwind.example"],
	],
	[
		"REQ-39: a served domain with another name inside it",
		["unusual-domain-name"],
		names(fqdn, "edge.northwind.example"),
		["northwind.example"],
	],
	["expired", ["expired"], {}, undefined, now + 301 * DAY_MS],
	["ends in a week", ["expires-soon"], {}, undefined, now + 293 * DAY_MS],
	["not yet valid", ["not-yet-valid"], {}, undefined, now - 31 * DAY_MS],
	["for clients alone", ["no-server-purpose"], { purposes: ["client"] }],
	["for servers alone", ["no-client-purpose"], { purposes: ["server"] }],
	["for any purpose", [], { purposes: ["2.5.29.37.0"] }],
	["a weak key", ["weak-key"], { keyKind: "rsa-1024" }],
];

for (const [what, codes, parts, domains, at] of table) {
	test(`our own certificate: ${what}`, async () => {
		const findings = await judge(parts, domains, at);
		assert.deepEqual(
			findings.map(({ code }) => code),
			codes,
		);
		for (const { text, remedy } of findings) assert.ok(text !== "" && remedy !== "");
	});
}

test("our own certificate: a chain without its intermediate, and one in the wrong order", async () => {
	const { certificate, chain } = await issue(issuing, spec());
	const of = (text: string) =>
		judgeOwnCertificate({ certificate: text, fqdn, domains: [], now, trust }).map(({ code }) => code);
	assert.deepEqual(of(chain), []);
	assert.deepEqual(of(certificate), ["incomplete-chain"]);
	assert.deepEqual(of(certificate + root.certificate + issuing.certificate), ["incomplete-chain"]);
	assert.deepEqual(of("nothing"), ["unreadable"]);
	assert.deepEqual(
		judgeOwnCertificate({ certificate, fqdn, domains: [], now }).map(({ code }) => code),
		[],
		"without anchors nobody can tell",
	);
});

test("our own certificate: what is said names the record and the certificate's name that would mend it", async () => {
	const [finding] = await judge({}, ["northwind.example"]);
	assert.equal(
		finding?.text,
		"carries no name inside northwind.example: a partner that finds northwind.example by its SRV record refuses us",
	);
	assert.equal(
		finding.remedy,
		"add sip.northwind.example to the certificate and let the SRV record name it; or partners name our edge sip.contoso.example themselves",
	);
});
