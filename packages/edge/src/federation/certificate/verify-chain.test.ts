import assert from "node:assert/strict";
import { test } from "node:test";
import {
	type Authority,
	type CertificateSpec,
	createEdgeCertificate,
	createIntermediateAuthority,
	createRootAuthority,
	issue,
} from "../../pki/authority.ts";
import { parseCertificate } from "./certificate.ts";
import { createTrust, type TrustAnchors } from "./trust.ts";
import { formatVerdict, type Verdict } from "./verdict.ts";
import { VerificationMemory } from "./verification-memory.ts";
import { type VerificationInput, verifyChain } from "./verify-chain.ts";

const day = 86_400_000;
const now = Date.UTC(2026, 10, 1);
const dates = { notBefore: new Date(now - 30 * day), notAfter: new Date(now + 300 * day) };
const past = { notBefore: new Date(now - 30 * day), notAfter: new Date(now - day) };
const future = { notBefore: new Date(now + day), notAfter: new Date(now + 30 * day) };
const fqdn = "sip.fabrikam.example";
const serverAuth = "server";
const codeSigning = "1.3.6.1.5.5.7.3.3";
const emailProtection = "1.3.6.1.5.5.7.3.4";

/** One DER element with its shortest length. */
function der(tag: number, ...parts: readonly (Uint8Array | string)[]): Buffer {
	const content = Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : part)));
	const { length: size } = content;
	const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
	return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

/** A subject alternative name from raw octets. */
function alternativeName(...names: readonly Buffer[]): NonNullable<CertificateSpec["extensions"]>[number] {
	return { oid: "2.5.29.17", critical: false, value: der(0x30, ...names) };
}

/** Name constraints with one list, of permitted (0xa0) or excluded (0xa1) names. */
function nameConstraints(list: number, name: Buffer): NonNullable<CertificateSpec["extensions"]>[number] {
	return { oid: "2.5.29.30", critical: true, value: der(0x30, der(list, der(0x30, name))) };
}

const root = await createRootAuthority({ commonName: "Contoso root", ...dates });
const issuing = await createIntermediateAuthority(root, { commonName: "Contoso issuing", pathLength: 0, ...dates });
const stranger = await createRootAuthority({ commonName: "Stranger root", ...dates });
const namesake = await createRootAuthority({ commonName: "Contoso root", ...dates });
const edge = await createEdgeCertificate(root, { names: [fqdn, "sip.nwtraders.example"], ...dates });

function trustIn(...anchors: readonly { readonly der: Uint8Array }[]): TrustAnchors {
	return createTrust(
		anchors.map((anchor) => {
			const certificate = parseCertificate(anchor.der);
			assert(certificate !== undefined);
			return certificate;
		}),
	);
}
const trust = trustIn(root);

type Options = Partial<Omit<VerificationInput, "chain">>;

function judge(chain: readonly { readonly der: Uint8Array }[], options: Options = {}): Verdict {
	return verifyChain({
		chain: chain.map((one) => one.der),
		purpose: "server",
		names: [fqdn],
		domains: [],
		cnFallback: false,
		wildcard: false,
		trust,
		now,
		clientAuthEku: "warn",
		...options,
	});
}

/** A certificate for the edge that differs from a good one in `spec`. */
function leaf(issuer: Authority | undefined, spec: Partial<CertificateSpec> = {}): Promise<Authority> {
	return issue(issuer, {
		commonName: fqdn,
		alternativeNames: [{ type: "dns", value: fqdn }],
		authority: { is: false },
		keyUsage: ["digitalSignature"],
		...dates,
		...spec,
	});
}

function dnsNames(...values: readonly string[]): Pick<CertificateSpec, "alternativeNames"> {
	return { alternativeNames: values.map((value) => ({ type: "dns", value })) };
}

interface Case {
	readonly chain: readonly { readonly der: Uint8Array }[];
	readonly options?: Options;
}

const authoritySpec = { authority: { is: true }, keyUsage: ["keyCertSign"], ...dates } as const;

/** Fault codes, the main one first; none where the certificate is good. */
const cases: readonly (readonly [name: string, codes: readonly string[], make: () => Case | Promise<Case>])[] = [
	["REQ-46: a certificate of a trusted authority with the name", [], () => ({ chain: [edge] })],
	["REQ-47: another of its names", [], () => ({ chain: [edge], options: { names: ["sip.nwtraders.example"] } })],
	[
		"REQ-46: the name in any case, and with a final dot",
		[],
		() => ({ chain: [edge], options: { names: ["SIP.Fabrikam.Example."] } }),
	],
	["the same certificate for a TLS client", [], () => ({ chain: [edge], options: { purpose: "client" } })],
	["no name asked for", [], () => ({ chain: [edge], options: { names: [] } })],
	["an intermediate that was sent", [], async () => ({ chain: [await leaf(issuing), issuing] })],
	[
		"an intermediate behind another certificate, and the root too",
		[],
		async () => ({ chain: [await leaf(issuing), root, stranger, issuing] }),
	],
	[
		"an intermediate that is itself trusted",
		[],
		async () => ({ chain: [await leaf(issuing)], options: { trust: trustIn(issuing) } }),
	],
	[
		"a self-signed certificate that is itself trusted",
		[],
		async () => {
			const own = await leaf(undefined);
			return { chain: [own], options: { trust: trustIn(own) } };
		},
	],
	["REQ-44: no certificate", ["no-certificate"], () => ({ chain: [] })],
	["octets that are no certificate", ["malformed"], () => ({ chain: [{ der: Buffer.from("certificate") }] })],
	[
		"a certificate with an octet behind it",
		["malformed"],
		() => ({ chain: [{ der: Buffer.concat([edge.der, Buffer.from([0])]) }] }),
	],
	["a certificate cut short", ["malformed"], () => ({ chain: [{ der: edge.der.subarray(0, edge.der.length - 1) }] })],
	[
		"the same extension twice",
		["malformed"],
		async () => ({
			chain: [await leaf(root, { extensions: [alternativeName(der(0x82, "sip.contoso.example"))] })],
		}),
	],
	["a self-signed certificate", ["self-signed"], async () => ({ chain: [await leaf(undefined)] })],
	["a certificate of an unknown authority", ["untrusted-issuer"], async () => ({ chain: [await leaf(stranger)] })],
	[
		"an unknown authority that was sent",
		["untrusted-issuer"],
		async () => ({ chain: [await leaf(stranger), stranger] }),
	],
	["an intermediate that was not sent", ["untrusted-issuer"], async () => ({ chain: [await leaf(issuing)] })],
	["an authority that only has the name of ours", ["bad-signature"], async () => ({ chain: [await leaf(namesake)] })],
	[
		"an authority with the name of ours that was sent",
		["bad-signature"],
		async () => ({ chain: [await leaf(namesake), namesake] }),
	],
	[
		"a signature that was altered",
		["bad-signature"],
		() => {
			const altered = Buffer.from(edge.der);
			altered.writeUInt8(altered.readUInt8(altered.length - 1) ^ 1, altered.length - 1);
			return { chain: [{ der: altered }] };
		},
	],
	["expired", ["expired"], async () => ({ chain: [await leaf(root, past)] })],
	["not yet valid", ["not-yet-valid"], async () => ({ chain: [await leaf(root, future)] })],
	[
		"expired and for another name",
		["expired", "wrong-name"],
		async () => ({ chain: [await leaf(root, { ...past, ...dnsNames("sip.contoso.example") })] }),
	],
	[
		"unknown authority and expired",
		["untrusted-issuer", "expired"],
		async () => ({ chain: [await leaf(stranger, past)] }),
	],
	[
		"an intermediate that expired",
		["expired"],
		async () => {
			const old = await createIntermediateAuthority(root, { commonName: "Old issuing", ...past });
			return { chain: [await leaf(old), old] };
		},
	],
	[
		"a trusted root that expired",
		["expired"],
		async () => {
			const old = await createRootAuthority({ commonName: "Old root", ...past });
			return { chain: [await leaf(old)], options: { trust: trustIn(old) } };
		},
	],
	[
		"a leaf that issued a certificate",
		["not-a-ca", "wrong-key-usage"],
		async () => {
			const victim = await leaf(root, dnsNames("sip.evil.example"));
			return { chain: [await leaf(victim), victim] };
		},
	],
	[
		"an intermediate without basic constraints",
		["not-a-ca"],
		async () => {
			const bare = await issue(root, { commonName: "Bare", ...dates });
			return { chain: [await leaf(bare), bare] };
		},
	],
	[
		"an authority that may not sign certificates",
		["wrong-key-usage"],
		async () => {
			const odd = await issue(root, { ...authoritySpec, commonName: "Odd", keyUsage: ["cRLSign"] });
			return { chain: [await leaf(odd), odd] };
		},
	],
	[
		"an authority below one that allows none below it",
		["path-too-long"],
		async () => {
			const below = await createIntermediateAuthority(issuing, { commonName: "Below", ...dates });
			return { chain: [await leaf(below), below, issuing] };
		},
	],
	[
		"a leaf that may not be used for TLS",
		["wrong-key-usage"],
		async () => ({ chain: [await leaf(root, { keyUsage: ["cRLSign"] })] }),
	],
	["an RSA key of 2048 bits", [], async () => ({ chain: [await leaf(root, { keyKind: "rsa-2048" })] })],
	["an RSA key of 1024 bits", ["weak-key"], async () => ({ chain: [await leaf(root, { keyKind: "rsa-1024" })] })],
	["a signature with SHA-1", ["weak-signature"], async () => ({ chain: [await leaf(root, { hash: "SHA-1" })] })],
	[
		"a critical extension that nobody knows",
		["unknown-critical-extension"],
		async () => ({
			chain: [await leaf(root, { extensions: [{ oid: "1.3.6.1.4.1.99999.1", critical: true, value: der(0x05) }] })],
		}),
	],
	[
		"an extension that nobody knows, not critical",
		[],
		async () => ({
			chain: [await leaf(root, { extensions: [{ oid: "1.3.6.1.4.1.99999.1", critical: false, value: der(0x05) }] })],
		}),
	],
	[
		"an authority limited to the name's domain",
		[],
		async () => {
			const bound = await issue(root, {
				...authoritySpec,
				commonName: "Bound",
				extensions: [nameConstraints(0xa0, der(0x82, "fabrikam.example"))],
			});
			return { chain: [await leaf(bound), bound] };
		},
	],
	[
		"an authority limited to another domain",
		["name-constraint"],
		async () => {
			const bound = await issue(root, {
				...authoritySpec,
				commonName: "Bound",
				extensions: [nameConstraints(0xa0, der(0x82, "abrikam.example"))],
			});
			return { chain: [await leaf(bound), bound] };
		},
	],
	[
		"an authority that may not issue for the name's domain",
		["name-constraint"],
		async () => {
			const bound = await issue(root, {
				...authoritySpec,
				commonName: "Bound",
				extensions: [nameConstraints(0xa1, der(0x82, "FABRIKAM.example"))],
			});
			return { chain: [await leaf(bound), bound] };
		},
	],
	[
		"name constraints of a kind that we do not judge",
		["name-constraint"],
		async () => {
			const bound = await issue(root, {
				...authoritySpec,
				commonName: "Bound",
				extensions: [nameConstraints(0xa0, der(0xa4, der(0x30)))],
			});
			return { chain: [await leaf(bound), bound] };
		},
	],
	[
		"an authority limited to exactly this name, and to all names",
		[],
		async () => {
			const exact = await issue(root, {
				...authoritySpec,
				commonName: "Exact",
				extensions: [nameConstraints(0xa0, der(0x82, fqdn))],
			});
			const all = await issue(exact, {
				...authoritySpec,
				commonName: "All",
				extensions: [nameConstraints(0xa0, der(0x82, ""))],
			});
			return { chain: [await leaf(all), all, exact] };
		},
	],
	[
		"an authority limited to names below the domain, written with a dot",
		[],
		async () => {
			const bound = await issue(root, {
				...authoritySpec,
				commonName: "Dotted",
				extensions: [nameConstraints(0xa0, der(0x82, ".fabrikam.example"))],
			});
			return { chain: [await leaf(bound), bound] };
		},
	],
	[
		"an authority's certificate for its own next key, which its constraints do not bind",
		[],
		async () => {
			const bound = await issue(root, {
				...authoritySpec,
				commonName: "Bound",
				extensions: [nameConstraints(0xa0, der(0x82, "fabrikam.example"))],
			});
			const next = await issue(bound, {
				...authoritySpec,
				commonName: "Bound",
				alternativeNames: [{ type: "dns", value: "elsewhere.example" }],
			});
			return { chain: [await leaf(next), next, bound] };
		},
	],
	[
		"an authority without names below one that is limited",
		[],
		async () => {
			const bound = await issue(root, {
				...authoritySpec,
				commonName: "Bound",
				extensions: [nameConstraints(0xa0, der(0x82, "fabrikam.example"))],
			});
			const sub = await issue(bound, { ...authoritySpec, commonName: "Sub" });
			return { chain: [await leaf(sub), sub, bound] };
		},
	],
	[
		"a common name alone below an authority limited to another domain",
		["name-constraint"],
		async () => {
			const bound = await issue(root, {
				...authoritySpec,
				commonName: "Bound",
				extensions: [nameConstraints(0xa0, der(0x82, "contoso.example"))],
			});
			return { chain: [await issue(bound, { commonName: fqdn, ...dates }), bound], options: { cnFallback: true } };
		},
	],
	[
		"an authority that excludes e-mail addresses, and a certificate with none",
		[],
		async () => {
			const bound = await issue(root, {
				...authoritySpec,
				commonName: "Bound",
				extensions: [nameConstraints(0xa1, der(0x81, "fabrikam.example"))],
			});
			return { chain: [await leaf(bound), bound] };
		},
	],
	[
		"an authority that excludes e-mail addresses, and a certificate with one",
		["name-constraint"],
		async () => {
			const bound = await issue(root, {
				...authoritySpec,
				commonName: "Bound",
				extensions: [nameConstraints(0xa1, der(0x81, "contoso.example"))],
			});
			const alternativeNames = [
				{ type: "dns", value: fqdn },
				{ type: "email", value: "sip@fabrikam.example" },
			] as const;
			return { chain: [await leaf(bound, { alternativeNames }), bound] };
		},
	],
	[
		"an authority that excludes one name, and a certificate with an address beside its name",
		[],
		async () => {
			const bound = await issue(root, {
				...authoritySpec,
				commonName: "Bound",
				extensions: [nameConstraints(0xa1, der(0x82, "contoso.example"))],
			});
			const alternativeNames = [
				{ type: "dns", value: fqdn },
				{ type: "ip", value: "192.0.2.7" },
			] as const;
			return { chain: [await leaf(bound, { alternativeNames }), bound] };
		},
	],
	[
		"a wildcard over a name that the authority may not issue for",
		["name-constraint"],
		async () => {
			const bound = await issue(root, {
				...authoritySpec,
				commonName: "Bound",
				extensions: [nameConstraints(0xa1, der(0x82, "secret.fabrikam.example"))],
			});
			return { chain: [await leaf(bound, dnsNames("*.fabrikam.example")), bound], options: { wildcard: true } };
		},
	],
	[
		"for a purpose that nobody knows",
		["wrong-purpose"],
		async () => ({ chain: [await leaf(root, { purposes: ["1.3.6.1.4.1.99999.2"] })] }),
	],
	[
		"more authorities above it than any path has",
		["untrusted-issuer"],
		async () => {
			const ladder: Authority[] = [await createRootAuthority({ commonName: "Top", ...dates })];
			for (let step = 1; step <= 10; step += 1) {
				const above = ladder[0] ?? root;
				ladder.unshift(await issue(above, { ...authoritySpec, commonName: `Step ${step}` }));
			}
			const [lowest = root, ...others] = ladder;
			return { chain: [await leaf(lowest), lowest, ...others], options: { trust: trustIn(ladder.at(-1) ?? root) } };
		},
	],
	[
		"an anchor that stands in the trust many times over",
		[],
		async () => {
			const keys = root.keys;
			const twins = await Promise.all(
				Array.from({ length: 9 }, () => issue(undefined, { ...authoritySpec, commonName: "Twin", keys })),
			);
			return { chain: [await leaf(twins[0])], options: { trust: trustIn(...twins) } };
		},
	],
	[
		"a certificate without a readable name in its list",
		["wrong-name"],
		async () => ({
			chain: [
				await issue(root, {
					commonName: "x",
					authority: { is: false },
					...dates,
					extensions: [
						alternativeName(
							der(0x82, ""),
							der(0x82, `${"a".repeat(254)}`),
							der(0x82, "sip..fabrikam.example"),
							der(0x82, `${"a".repeat(64)}.fabrikam.example`),
							der(0x82, "-sip.fabrikam.example"),
							der(0x82, "sip-.fabrikam.example"),
						),
					],
				}),
			],
		}),
	],
	[
		"none of many names",
		["wrong-name"],
		async () => ({
			chain: [edge],
			options: { names: ["a.example", "b.example", "c.example", "d.example", "e.example", "f.example", "g.example"] },
		}),
	],
	["for servers alone, and we dialled", [], async () => ({ chain: [await leaf(root, { purposes: [serverAuth] })] })],
	[
		"for clients alone, and we dialled",
		["wrong-purpose"],
		async () => ({ chain: [await leaf(root, { purposes: ["client"] })] }),
	],
	[
		"for any purpose",
		[],
		async () => ({
			chain: [await leaf(root, { purposes: ["2.5.29.37.0"] })],
			options: { purpose: "client", clientAuthEku: "require" },
		}),
	],
	[
		"for servers alone, and the peer dialled: warn",
		[],
		async () => ({ chain: [await leaf(root, { purposes: [serverAuth] })], options: { purpose: "client" } }),
	],
	[
		"for servers alone, and the peer dialled: ignore",
		[],
		async () => ({
			chain: [await leaf(root, { purposes: [serverAuth] })],
			options: { purpose: "client", clientAuthEku: "ignore" },
		}),
	],
	[
		"for servers alone, and the peer dialled: require",
		["wrong-purpose"],
		async () => ({
			chain: [await leaf(root, { purposes: [serverAuth] })],
			options: { purpose: "client", clientAuthEku: "require" },
		}),
	],
	[
		"for code signing, even where purposes are ignored",
		["wrong-purpose"],
		async () => ({
			chain: [await leaf(root, { purposes: [codeSigning] })],
			options: { purpose: "client", clientAuthEku: "ignore" },
		}),
	],
	["for e-mail", ["wrong-purpose"], async () => ({ chain: [await leaf(root, { purposes: [emailProtection] })] })],
	[
		"an intermediate for e-mail",
		["wrong-purpose"],
		async () => {
			const mail = await issue(root, { ...authoritySpec, commonName: "Mail", purposes: [emailProtection] });
			return { chain: [await leaf(mail), mail] };
		},
	],
	[
		"REQ-46: another name",
		["wrong-name"],
		async () => ({ chain: [await leaf(root, dnsNames("sip.contoso.example"))] }),
	],
	[
		"REQ-46: a longer name that ends like it",
		["wrong-name"],
		async () => ({ chain: [await leaf(root, dnsNames("evilsip.fabrikam.example"))] }),
	],
	["REQ-46: a name below it", ["wrong-name"], async () => ({ chain: [await leaf(root, dnsNames(`a.${fqdn}`))] })],
	[
		"REQ-46: the domain above it",
		["wrong-name"],
		async () => ({ chain: [await leaf(root, dnsNames("fabrikam.example"))] }),
	],
	[
		"REQ-46: the name followed by another domain",
		["wrong-name"],
		async () => ({ chain: [await leaf(root, dnsNames(`${fqdn}.evil.example`))] }),
	],
	[
		"a name with NUL in it",
		["wrong-name"],
		async () => {
			const spec = {
				commonName: "x",
				authority: { is: false },
				...dates,
				extensions: [alternativeName(der(0x82, `${fqdn}\0.evil.example`))],
			};
			return { chain: [await issue(root, spec)] };
		},
	],
	[
		"a name whose octets look like a list of names when printed",
		["wrong-name"],
		async () => {
			const spec = {
				commonName: "x",
				authority: { is: false },
				...dates,
				extensions: [alternativeName(der(0x82, `evil.example, DNS:${fqdn}`))],
			};
			return { chain: [await issue(root, spec)] };
		},
	],
	[
		"the name as an e-mail address",
		["wrong-name"],
		async () => ({ chain: [await leaf(root, { alternativeNames: [{ type: "email", value: fqdn }] })] }),
	],
	[
		"the name as an https address",
		["wrong-name"],
		async () => ({ chain: [await leaf(root, { alternativeNames: [{ type: "url", value: `https://${fqdn}` }] })] }),
	],
	[
		"an address, where that address was asked for",
		["wrong-name"],
		async () => ({
			chain: [await leaf(root, { alternativeNames: [{ type: "ip", value: "192.0.2.7" }] })],
			options: { names: ["192.0.2.7"] },
		}),
	],
	[
		"a wildcard, not allowed",
		["wrong-name"],
		async () => ({ chain: [await leaf(root, dnsNames("*.fabrikam.example"))] }),
	],
	[
		"a wildcard, allowed",
		[],
		async () => ({ chain: [await leaf(root, dnsNames("*.fabrikam.example"))], options: { wildcard: true } }),
	],
	[
		"a wildcard for two labels",
		["wrong-name"],
		async () => ({ chain: [await leaf(root, dnsNames("*.example"))], options: { wildcard: true } }),
	],
	[
		"a wildcard for a top level",
		["wrong-name"],
		async () => ({
			chain: [await leaf(root, dnsNames("*.example"))],
			options: { wildcard: true, names: ["fabrikam.example"] },
		}),
	],
	[
		"a wildcard for part of a label",
		["wrong-name"],
		async () => ({ chain: [await leaf(root, dnsNames("si*.fabrikam.example"))], options: { wildcard: true } }),
	],
	[
		"a wildcard in the middle",
		["wrong-name"],
		async () => ({ chain: [await leaf(root, dnsNames("sip.*.example"))], options: { wildcard: true } }),
	],
	[
		"a common name alone, not allowed",
		["wrong-name"],
		async () => ({ chain: [await issue(root, { commonName: fqdn, ...dates })] }),
	],
	[
		"a common name alone, allowed",
		[],
		async () => ({ chain: [await issue(root, { commonName: fqdn, ...dates })], options: { cnFallback: true } }),
	],
	[
		"a common name beside another DNS name, allowed",
		["wrong-name"],
		async () => ({ chain: [await leaf(root, dnsNames("sip.contoso.example"))], options: { cnFallback: true } }),
	],
	[
		"a common name beside an e-mail address, allowed",
		["wrong-name"],
		async () => ({
			chain: [await leaf(root, { alternativeNames: [{ type: "email", value: "sip@fabrikam.example" }] })],
			options: { cnFallback: true },
		}),
	],
	[
		"RFC 5922 §7.1: the SIP domain as a DNS name, allowed",
		[],
		async () => ({
			chain: [await leaf(root, dnsNames("fabrikam.example"))],
			options: { domains: ["fabrikam.example"] },
		}),
	],
	[
		"RFC 5922 §7.1: the SIP domain as a URI, allowed",
		[],
		async () => ({
			chain: [await leaf(root, { alternativeNames: [{ type: "url", value: "sip:fabrikam.example" }] })],
			options: { domains: ["fabrikam.example"] },
		}),
	],
	[
		"RFC 5922 §7.1: a user's URI is no domain",
		["wrong-name"],
		async () => ({
			chain: [await leaf(root, { alternativeNames: [{ type: "url", value: "sip:bob@fabrikam.example" }] })],
			options: { domains: ["fabrikam.example"] },
		}),
	],
];

for (const [name, codes, make] of cases) {
	test(`${codes.length === 0 ? "accepted" : codes.join(" + ")}: ${name}`, async () => {
		const { chain, options } = await make();
		const verdict = judge(chain, options);
		assert.deepEqual(
			verdict.faults.map(({ code }) => code),
			codes,
			formatVerdict(verdict).join("\n"),
		);
		assert.equal(verdict.ok, codes.length === 0);
		assert.equal(verdict.validUntil === undefined, codes.length > 0);
	});
}

/** Warnings of certificates that pass. */
const warned: readonly (readonly [name: string, code: string, make: () => Promise<Case>])[] = [
	[
		"for servers alone",
		"server-only-purpose",
		async () => ({ chain: [await leaf(root, { purposes: [serverAuth] })], options: { purpose: "client" } }),
	],
	[
		"matched by a wildcard",
		"wildcard-used",
		async () => ({ chain: [await leaf(root, dnsNames("*.fabrikam.example"))], options: { wildcard: true } }),
	],
	[
		"matched by the common name",
		"common-name-used",
		async () => ({ chain: [await issue(root, { commonName: fqdn, ...dates })], options: { cnFallback: true } }),
	],
	["may issue certificates", "leaf-is-ca", async () => ({ chain: [await leaf(root, { authority: { is: true } })] })],
	[
		"ends in a week",
		"expires-soon",
		async () => ({ chain: [await leaf(root, { notBefore: dates.notBefore, notAfter: new Date(now + 7 * day) })] }),
	],
];
for (const [name, code, make] of warned) {
	test(`a certificate that ${name} is accepted with the warning ${code}`, async () => {
		const { chain, options } = await make();
		const verdict = judge(chain, options);
		assert.deepEqual(
			verdict.warnings.map((warning) => warning.code),
			[code],
		);
		assert.equal(verdict.ok, true);
	});
}

test("a certificate is valid up to and with its last second, and so is its verdict", async () => {
	const soon = await leaf(root, { notBefore: new Date(now), notAfter: new Date(now + 1_000) });
	assert.equal(judge([soon]).ok, true);
	assert.equal(judge([soon]).validUntil, now + 1_000);
	assert.equal(judge([soon], { now: now + 1_000 }).ok, true);
	assert.deepEqual(
		judge([soon], { now: now + 1_001 }).faults.map(({ code }) => code),
		["expired"],
	);
	assert.deepEqual(
		judge([soon], { now: now - 1 }).faults.map(({ code }) => code),
		["not-yet-valid"],
	);
});

test("one good path is enough where an authority was signed twice and one of its certificates expired", async () => {
	const good = await issue(root, { ...authoritySpec, commonName: "Twice" });
	const expired = await issue(root, { ...authoritySpec, commonName: "Twice", keys: good.keys, ...past });
	const edgeOfTwice = await leaf(good);
	assert.equal(judge([edgeOfTwice, expired, good]).ok, true);
	assert.equal(judge([edgeOfTwice, good, expired]).ok, true);
	assert.deepEqual(
		judge([edgeOfTwice, expired]).faults.map(({ code }) => code),
		["expired"],
	);
});

test("a verdict is judged anew with what is remembered: dates and trust count each time", async () => {
	const memory = new VerificationMemory();
	const input = {
		chain: [edge.der],
		purpose: "server",
		names: [fqdn],
		domains: [],
		cnFallback: false,
		wildcard: false,
		trust,
		now,
		clientAuthEku: "warn",
	} as const;
	assert.equal(verifyChain(input, memory).ok, true);
	assert.equal(verifyChain({ ...input, now: now + 301 * day }, memory).ok, false);
	assert.equal(verifyChain({ ...input, trust: trustIn(stranger) }, memory).ok, false);
	assert.equal(verifyChain({ ...input, names: ["sip.contoso.example"] }, memory).ok, false);
	assert.equal(verifyChain(input, memory).ok, true);
});

test("a memory of one certificate forgets and still judges right", async () => {
	const memory = new VerificationMemory(1);
	const input = {
		purpose: "server",
		names: [fqdn],
		domains: [],
		cnFallback: false,
		wildcard: false,
		trust,
		now,
		clientAuthEku: "warn",
	} as const;
	const other = await leaf(issuing);
	for (let round = 0; round < 2; round += 1) {
		assert.equal(verifyChain({ ...input, chain: [edge.der] }, memory).ok, true);
		assert.equal(verifyChain({ ...input, chain: [other.der, issuing.der] }, memory).ok, true);
	}
});

test("a peer cannot make the search long: many authorities of one name end in a refusal", async () => {
	const crowd = await Promise.all(
		Array.from({ length: 15 }, () => createIntermediateAuthority(stranger, { commonName: "Stranger root", ...dates })),
	);
	const verdict = judge([await leaf(stranger), ...crowd]);
	assert.equal(verdict.ok, false);
	assert.equal(verdict.faults[0]?.code, "bad-signature");
});

test("a peer cannot make the search long: authorities that all signed each other end it at a fixed number of signatures", async () => {
	const keys = stranger.keys;
	const crowd = await Promise.all(
		Array.from({ length: 14 }, () => issue(undefined, { ...authoritySpec, commonName: "Everybody", keys })),
	);
	let checks = 0;
	const memory = new VerificationMemory();
	const counted = memory.isSignedBy.bind(memory);
	memory.isSignedBy = (certificate, issuer) => {
		checks += 1;
		return counted(certificate, issuer);
	};
	const [first = stranger] = crowd;
	const verdict = verifyChain(
		{
			chain: [await leaf(first), ...crowd].map((one) => one.der),
			purpose: "server",
			names: [fqdn],
			domains: [],
			cnFallback: false,
			wildcard: false,
			trust,
			now,
			clientAuthEku: "warn",
		},
		memory,
	);
	assert.equal(verdict.faults[0]?.code, "untrusted-issuer");
	assert.equal(checks, 64);
});

test("many expected names are told as a few and a number", () => {
	const names = ["a", "b", "c", "d", "e", "f", "g"].map((label) => `${label}.example`);
	const lines = formatVerdict(judge([edge], { names }));
	assert.ok(
		lines.includes("names expected: a.example or b.example or c.example or d.example or e.example or one of 2 more"),
		lines.join("\n"),
	);
});

test("REQ-46: a refusal says in lines what was expected, what was shown, whose it is and what to do", async () => {
	const shown = await leaf(root, { commonName: "sip.contoso.example", ...dnsNames("sip.contoso.example") });
	const verdict = judge([shown]);
	assert.deepEqual(formatVerdict(verdict), [
		`certificate refused: the certificate is for sip.contoso.example, not for ${fqdn} (wrong-name)`,
		`names expected: ${fqdn}`,
		"purpose expected: TLS server",
		"names shown: sip.contoso.example",
		"subject: CN=sip.contoso.example",
		"issuer: CN=Contoso root",
		"valid: 2026-10-02T00:00:00.000Z to 2027-08-28T00:00:00.000Z",
		`fingerprint (SHA-256): ${verdict.shown?.fingerprint}`,
		"chain shown: CN=sip.contoso.example",
		`remedy (for the peer): the peer's certificate must carry ${fqdn} as a DNS subject alternative name; or the configured edge name is wrong`,
	]);
});

test("what a certificate says cannot forge a log line", async () => {
	const forged = await leaf(root, { commonName: "a\nlevel=info\u001b[2J\u202e", ...dnsNames("sip.contoso.example") });
	const lines = formatVerdict(judge([forged]));
	assert(lines.includes("subject: CN=a?level=info?[2J?"));
	assert(lines.every((line) => !line.includes("\n") && !line.includes("\u001b")));
});
