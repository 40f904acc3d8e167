/** Bad and odd certificates, as peers may show them, with the verdict that each must get in both roles. */
import {
	type Authority,
	type CertificateSpec,
	createIntermediateAuthority,
	createRootAuthority,
	type Issued,
	issue,
} from "../../src/pki/authority.ts";

const DAY_MS = 86_400_000;

export const FQDN = "sip.fabrikam.example";

/** What a verdict says in its first line; `accepted` where the certificate is good. */
export interface Row {
	readonly what: string;
	readonly shown: Pick<Issued, "chain" | "key"> | undefined;
	/** Where the peer dialled us; undefined where the row is not about this role. */
	readonly accept: string | undefined;
	/** Where we dialled the peer. */
	readonly dial: string | undefined;
}

/** Rows under the same settings. */
export interface Group {
	/** Keys of the `[[peer]]`. */
	readonly peer: string;
	/** Keys of `[edge.tls]`. */
	readonly tls: string;
	readonly rows: readonly Row[];
}

export interface TableWorld {
	readonly root: Authority;
	readonly dates: { readonly notBefore: Date; readonly notAfter: Date };
	/** Writes a file and returns its path. */
	write(name: string, text: string): Promise<string>;
	revocationList(revoked: readonly Uint8Array[]): Promise<string>;
}

/** One DER element with its shortest length. */
function der(tag: number, ...parts: readonly (Uint8Array | string)[]): Buffer {
	const content = Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : part)));
	const { length: size } = content;
	const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
	return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

type Extension = NonNullable<CertificateSpec["extensions"]>[number];

function rawDnsName(name: string): Extension {
	return { oid: "2.5.29.17", critical: false, value: der(0x30, der(0x82, name)) };
}

function nameConstraints(list: number, name: Buffer): Extension {
	return { oid: "2.5.29.30", critical: true, value: der(0x30, der(list, der(0x30, name))) };
}

function unknownExtension(critical: boolean): Extension {
	return { oid: "1.3.6.1.4.1.99999.1", critical, value: der(0x05) };
}

function pem(octets: Uint8Array): string {
	const lines =
		Buffer.from(octets)
			.toString("base64")
			.match(/.{1,64}/g) ?? [];
	return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

const good = "certificate accepted";
/** A TLS server always shows one. */
const acceptedOnly = Symbol("a peer that dials us alone");

function refused(text: string): string {
	return `certificate refused: ${text}`;
}

const wrongName = (carried: string): string =>
	refused(`the certificate is for ${carried}, not for ${FQDN} (wrong-name)`);

export async function createCertificateTable(world: TableWorld): Promise<readonly Group[]> {
	const { root, dates } = world;
	const past = { notBefore: dates.notBefore, notAfter: new Date(Date.now() - 3_600_000) };
	const future = { notBefore: new Date(Date.now() + DAY_MS), notAfter: new Date(Date.now() + 20 * DAY_MS) };
	const rootName = root.subject.subjectName.toString();
	const stranger = await createRootAuthority({ commonName: "Stranger root", ...dates });
	const namesake = await createRootAuthority({ commonName: rootName.replace("CN=", ""), ...dates });
	const issuing = await createIntermediateAuthority(root, { commonName: "Issuing", pathLength: 0, ...dates });
	const revokedIssuing = await createIntermediateAuthority(root, { commonName: "Revoked issuing", ...dates });
	const authoritySpec = { authority: { is: true }, keyUsage: ["keyCertSign"], ...dates } as const;

	/** A certificate for the edge that differs from a good one in `spec`. */
	const leaf = (issuer: Authority | undefined, spec: Partial<CertificateSpec> = {}): Promise<Authority> =>
		issue(issuer, {
			commonName: FQDN,
			alternativeNames: [{ type: "dns", value: FQDN }],
			authority: { is: false },
			keyUsage: ["digitalSignature"],
			...dates,
			...spec,
		});
	const named = (...values: readonly string[]) =>
		leaf(root, { alternativeNames: values.map((value) => ({ type: "dns", value })) });
	const raw = (name: string) =>
		issue(root, { commonName: "x", authority: { is: false }, ...dates, extensions: [rawDnsName(name)] });
	const onlyCommonName = await issue(root, { commonName: FQDN, ...dates });
	const with_ = (issued: Issued, ...others: readonly Issued[]): Pick<Issued, "chain" | "key"> => ({
		key: issued.key,
		chain: issued.certificate + others.map(({ certificate }) => certificate).join(""),
	});
	const below = async (issuer: Authority, ...others: readonly Issued[]) => with_(await leaf(issuer), issuer, ...others);
	const constrained = async (list: number, name: Buffer) =>
		below(await issue(root, { ...authoritySpec, commonName: "Bound", extensions: [nameConstraints(list, name)] }));

	const row = (
		what: string,
		shown: Row["shown"],
		accept: string,
		dial: string | typeof acceptedOnly = accept,
	): Row => ({ what, shown, accept, dial: dial === acceptedOnly ? undefined : dial });

	const revoked = await leaf(root);
	const list = await world.write("ca.crl", await world.revocationList([revoked.der, revokedIssuing.der]));
	const fine = await leaf(root);
	const altered = Buffer.from(fine.der);
	altered.writeUInt8(altered.readUInt8(altered.length - 1) ^ 1, altered.length - 1);
	const expired = await leaf(root, past);
	const early = await leaf(root, future);
	const oldIssuing = await createIntermediateAuthority(root, { commonName: "Old issuing", ...past });
	const until = (when: Date): string => `${when.toISOString().slice(0, 19)}.000Z`;
	const victim = await leaf(root, { alternativeNames: [{ type: "dns", value: "sip.evil.example" }] });
	const bare = await issue(root, { commonName: "Bare", ...dates });
	const odd = await issue(root, { ...authoritySpec, commonName: "Odd", keyUsage: ["cRLSign"] });
	const tooDeep = await createIntermediateAuthority(issuing, { commonName: "Below", ...dates });
	const mail = await issue(root, { ...authoritySpec, commonName: "Mail", purposes: ["1.3.6.1.5.5.7.3.4"] });
	const serverOnly = await leaf(root, { purposes: ["server"] });
	const clientOnly = await leaf(root, { purposes: ["client"] });
	const codeSigning = await leaf(root, { purposes: ["1.3.6.1.5.5.7.3.3"] });
	const self = await leaf(undefined);
	const foreign = await leaf(stranger);

	const plain: readonly Row[] = [
		row("the right name under the right authority", fine, good),
		row("its intermediate behind it", await below(issuing), good),
		row("its intermediate behind certificates of others", with_(await leaf(issuing), root, stranger, issuing), good),
		row("several names", await named("sip.northwind.example", FQDN), good),
		row("the name in capitals, with a final dot", await named("SIP.Fabrikam.EXAMPLE."), good),
		row("an RSA key of 2048 bits", await leaf(root, { keyKind: "rsa-2048" }), good),
		row("for any purpose", await leaf(root, { purposes: ["2.5.29.37.0"] }), good),
		row("for servers alone", serverOnly, good),
		row(
			"an extension that nobody knows, not critical",
			await leaf(root, { extensions: [unknownExtension(false)] }),
			good,
		),
		row("an authority limited to the domain", await constrained(0xa0, der(0x82, "fabrikam.example")), good),
		row("one that may issue certificates", await leaf(root, { authority: { is: true } }), good),
		row("no certificate", undefined, refused("the peer showed no certificate (no-certificate)"), acceptedOnly),
		row("signed by itself", self, refused("the peer's certificate is signed by itself (self-signed)")),
		row(
			"of an unknown authority",
			with_(foreign),
			refused(
				'the issuer "CN=Stranger root" is neither among our trust anchors nor among the certificates shown (untrusted-issuer)',
			),
		),
		row(
			"of an unknown authority that was sent",
			with_(foreign, stranger),
			refused('the chain ends at "CN=Stranger root", which is not among our trust anchors (untrusted-issuer)'),
		),
		row(
			"without its intermediate",
			with_(await leaf(issuing)),
			refused(
				'the issuer "CN=Issuing" is neither among our trust anchors nor among the certificates shown (untrusted-issuer)',
			),
		),
		row(
			"of an authority that only has the name of ours",
			with_(await leaf(namesake)),
			refused(
				`the certificate "CN=${FQDN}" was not signed by the authority that it names, "${rootName}" (bad-signature)`,
			),
		),
		row(
			"of an authority with the name of ours that was sent",
			with_(await leaf(namesake), namesake),
			refused(
				`the certificate "${rootName}" was not signed by the authority that it names, "${rootName}" (bad-signature)`,
			),
		),
		row(
			"with an altered signature",
			{ key: fine.key, chain: pem(altered) },
			refused(
				`the certificate "CN=${FQDN}" was not signed by the authority that it names, "${rootName}" (bad-signature)`,
			),
		),
		row("expired", expired, refused(`the peer's certificate expired on ${until(past.notAfter)} (expired)`)),
		row(
			"not valid yet",
			early,
			refused(`the peer's certificate is not valid before ${until(future.notBefore)} (not-yet-valid)`),
		),
		row(
			"below an intermediate that expired",
			await below(oldIssuing),
			refused(`the intermediate authority "CN=Old issuing" expired on ${until(past.notAfter)} (expired)`),
		),
		row(
			"of an unknown authority and expired",
			with_(await leaf(stranger, past)),
			refused(
				'the issuer "CN=Stranger root" is neither among our trust anchors nor among the certificates shown (untrusted-issuer)',
			),
		),
		row(
			"issued by a certificate that is no authority",
			with_(await leaf(victim), victim),
			refused(`the intermediate authority "CN=${FQDN}" issued a certificate but is no authority (not-a-ca)`),
		),
		row(
			"below an authority without basic constraints",
			await below(bare),
			refused('the intermediate authority "CN=Bare" issued a certificate but is no authority (not-a-ca)'),
		),
		row(
			"below an authority that may not sign certificates",
			await below(odd),
			refused('the intermediate authority "CN=Odd" may not sign certificates by its key usage (wrong-key-usage)'),
		),
		row(
			"below more authorities than one allows",
			await below(tooDeep, issuing),
			refused('the intermediate authority "CN=Issuing" allows 0 authorities below it, and there are 1 (path-too-long)'),
		),
		row(
			"an RSA key of 1024 bits",
			await leaf(root, { keyKind: "rsa-1024" }),
			refused("the peer's certificate has an RSA key of 1024 bits (weak-key)"),
		),
		row(
			"signed with SHA-1",
			await leaf(root, { hash: "SHA-1" }),
			refused("the peer's certificate is signed using ECDSA with SHA-1 (weak-signature)"),
		),
		row(
			"a critical extension that nobody knows",
			await leaf(root, { extensions: [unknownExtension(true)] }),
			refused(
				"the peer's certificate has a critical extension that we do not know (1.3.6.1.4.1.99999.1) (unknown-critical-extension)",
			),
		),
		row(
			"an authority limited to another domain",
			await constrained(0xa0, der(0x82, "abrikam.example")),
			refused(
				'the intermediate authority "CN=Bound" restricts names: a name of the certificate is not among the permitted ones (name-constraint)',
			),
		),
		row(
			"an authority that may not issue for the domain",
			await constrained(0xa1, der(0x82, "FABRIKAM.example")),
			refused(
				'the intermediate authority "CN=Bound" restricts names: a name of the certificate is among the excluded ones (name-constraint)',
			),
		),
		row(
			"constraints of a kind that we do not judge",
			await constrained(0xa0, der(0xa4, der(0x30))),
			refused(
				'the intermediate authority "CN=Bound" restricts names: they speak of directory names, which we do not judge (name-constraint)',
			),
		),
		row(
			"for clients alone",
			clientOnly,
			good,
			refused("the peer's certificate is not for TLS servers but for TLS clients (wrong-purpose)"),
		),
		row(
			"for code signing",
			codeSigning,
			refused("the peer's certificate is not for TLS clients but for code signing (wrong-purpose)"),
			refused("the peer's certificate is not for TLS servers but for code signing (wrong-purpose)"),
		),
		row(
			"below an authority for e-mail",
			await below(mail),
			refused('the intermediate authority "CN=Mail" is not for TLS clients but for e-mail (wrong-purpose)'),
			refused('the intermediate authority "CN=Mail" is not for TLS servers but for e-mail (wrong-purpose)'),
		),
		row("for another name", await named("sip.contoso.example"), wrongName("sip.contoso.example")),
		row("for a longer name that ends alike", await named(`evil${FQDN}`), wrongName(`evil${FQDN}`)),
		row("for a name below", await named(`a.${FQDN}`), wrongName(`a.${FQDN}`)),
		row("for the domain above", await named("fabrikam.example"), wrongName("fabrikam.example")),
		row(
			"for the name with another domain behind",
			await named(`${FQDN}.evil.example`),
			wrongName(`${FQDN}.evil.example`),
		),
		row("a name with NUL in it", await raw(`${FQDN}\0.evil.example`), wrongName("no host name at all")),
		row(
			"a name that prints like a list of names",
			await raw(`evil.example, DNS:${FQDN}`),
			wrongName("no host name at all"),
		),
		row("a name in raw UTF-8", await raw("sip.b\u00c3\u00bccher.example"), wrongName("no host name at all")),
		row(
			"the name as an e-mail address",
			await leaf(root, { alternativeNames: [{ type: "email", value: FQDN }] }),
			wrongName("no host name at all"),
		),
		row(
			"the name in an https URI",
			await leaf(root, { alternativeNames: [{ type: "url", value: `https://${FQDN}` }] }),
			wrongName("no host name at all"),
		),
		row(
			"an address alone",
			await leaf(root, { alternativeNames: [{ type: "ip", value: "127.0.0.1" }] }),
			wrongName("no host name at all"),
		),
		row("a wildcard that is not allowed", await named("*.fabrikam.example"), wrongName("*.fabrikam.example")),
		row("a common name that is not allowed", onlyCommonName, wrongName(`CN=${FQDN}`)),
		row("the SIP domain where it is not allowed", await named("fabrikam.example"), wrongName("fabrikam.example")),
		row("revoked", revoked, refused(`the peer's certificate was revoked by "${rootName}" (revoked)`)),
		row(
			"below an authority that was revoked",
			await below(revokedIssuing),
			refused(`the intermediate authority "CN=Revoked issuing" was revoked by "${rootName}" (revoked)`),
		),
	];
	const crl = `crl = [${JSON.stringify(list)}]\n`;
	const pinned = await world.write("pinned.pem", self.certificate);
	const other = await world.write("stranger.pem", stranger.certificate);
	const oldRoot = await createRootAuthority({ commonName: "Old root", ...past });
	const old = await world.write("old.pem", oldRoot.certificate);
	return [
		{ peer: "", tls: crl, rows: plain },
		{
			peer: "cn_fallback = true\n",
			tls: crl,
			rows: [
				row("a common name that is allowed", onlyCommonName, good),
				row(
					"a common name beside another DNS name",
					await named("sip.contoso.example"),
					wrongName("sip.contoso.example"),
				),
				row(
					"a common name beside an e-mail address",
					await leaf(root, { alternativeNames: [{ type: "email", value: "sip@fabrikam.example" }] }),
					wrongName("no host name at all"),
				),
			],
		},
		{
			peer: "wildcard = true\n",
			tls: crl,
			rows: [
				row("a wildcard that is allowed", await named("*.fabrikam.example"), good),
				row("a wildcard for two labels", await named("*.example"), wrongName("*.example")),
				row("a wildcard for part of a label", await named("si*.fabrikam.example"), wrongName("no host name at all")),
				row("a wildcard in the middle", await named("sip.*.example"), wrongName("no host name at all")),
			],
		},
		{
			peer: "domain_san = true\n",
			tls: crl,
			rows: [
				row("RFC 5922 §7.1: the SIP domain as a DNS name", await named("fabrikam.example"), good),
				row(
					"RFC 5922 §7.1: the SIP domain as a URI",
					await leaf(root, { alternativeNames: [{ type: "url", value: "sip:fabrikam.example" }] }),
					good,
				),
				row(
					"RFC 5922 §7.1: a user's URI",
					await leaf(root, { alternativeNames: [{ type: "url", value: "sip:bob@fabrikam.example" }] }),
					refused(`the certificate is for no host name at all, not for ${FQDN} or fabrikam.example (wrong-name)`),
				),
			],
		},
		{
			peer: "",
			tls: `${crl}client_auth_eku = "require"\n`,
			rows: [
				row(
					"for servers alone, where clients must be named",
					serverOnly,
					refused("the peer's certificate is not for TLS clients but for TLS servers (wrong-purpose)"),
					good,
				),
			],
		},
		{
			peer: "",
			tls: `${crl}client_auth_eku = "ignore"\n`,
			rows: [
				row("for servers alone, where it does not matter", serverOnly, good),
				row(
					"for code signing, where the client purpose does not matter",
					codeSigning,
					refused("the peer's certificate is not for TLS clients but for code signing (wrong-purpose)"),
					refused("the peer's certificate is not for TLS servers but for code signing (wrong-purpose)"),
				),
			],
		},
		{
			peer: `trust = [${JSON.stringify(pinned)}]\n`,
			tls: "",
			rows: [row("signed by itself, and listed as the peer's trust", self, good)],
		},
		{
			peer: `trust = [${JSON.stringify(other)}]\n`,
			tls: "",
			rows: [
				row("under the authority that is set for this peer", with_(foreign), good),
				row(
					"under the edge's authority, which is not this peer's",
					fine,
					refused(
						`the issuer "${rootName}" is neither among our trust anchors nor among the certificates shown (untrusted-issuer)`,
					),
				),
			],
		},
		{
			peer: `trust = [${JSON.stringify(old)}]\n`,
			tls: "",
			rows: [
				row(
					"under a trusted authority that expired",
					with_(await leaf(oldRoot)),
					refused(`the trusted authority "CN=Old root" expired on ${until(past.notAfter)} (expired)`),
				),
			],
		},
	];
}
