import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { requirePackages } from "./debian-packages.ts";
import type { Lab } from "./lab.ts";

export interface Credentials {
	readonly certificate: string;
	readonly key: string;
}

export interface LeafOptions {
	/** Names of the SAN; the first is also the subject's common name. */
	readonly names: readonly string[];
	/** Days from now on which the certificate begins and ends; the default is yesterday to 30 days on. */
	readonly fromDay?: number;
	readonly toDay?: number;
}

export interface Authority {
	/** Path of the CA certificate. */
	readonly certificate: string;
	/** Makes an EC P-256 certificate for both TLS purposes; `name` is that of its files. */
	issue(name: string, options: LeafOptions): Credentials;
	/** Answers a request with a certificate for both TLS purposes; gives its path. */
	sign(name: string, request: string, options: LeafOptions): string;
}

/** A certificate authority made by the openssl program: its certificates are no work of the code under test. */
export function createAuthority(lab: Lab, name: string): Authority {
	requirePackages(["openssl"]);
	const folder = lab.path(name);
	mkdirSync(folder);
	const certificate = join(folder, "ca.pem");
	const key = join(folder, "ca.key");
	const config = join(folder, "ca.cnf");
	writeFileSync(join(folder, "index.txt"), "");
	writeFileSync(config, authorityConfig(folder, certificate, key));
	openssl([
		"req",
		"-x509",
		...newKey(key),
		"-out",
		certificate,
		"-subj",
		`/O=Causeway interop/CN=${name}`,
		"-days",
		"30",
	]);

	const sign: Authority["sign"] = (leafName, request, options) => {
		const leaf = join(folder, `${leafName}.pem`);
		const extensions = join(folder, `${leafName}.ext`);
		writeFileSync(extensions, leafExtensions(options.names));
		openssl([
			...["ca", "-batch", "-notext", "-config", config, "-in", request, "-out", leaf, "-extfile", extensions],
			...["-startdate", asn1Time(options.fromDay ?? -1), "-enddate", asn1Time(options.toDay ?? 30)],
		]);
		return leaf;
	};

	return {
		certificate,
		sign,
		issue(leafName, options) {
			const leafKey = join(folder, `${leafName}.key`);
			const request = join(folder, `${leafName}.csr`);
			openssl(["req", "-new", ...newKey(leafKey), "-out", request, "-subj", `/CN=${options.names[0] ?? leafName}`]);
			return { certificate: sign(leafName, request, options), key: leafKey };
		},
	};
}

function openssl(args: readonly string[]): void {
	execFileSync("openssl", args, { stdio: ["ignore", "ignore", "pipe"] });
}

function newKey(path: string): readonly string[] {
	return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", path];
}

function leafExtensions(names: readonly string[]): string {
	const names_ = names.map((name) => `DNS:${name}`).join(",");
	return [
		"basicConstraints=critical,CA:FALSE",
		"keyUsage=critical,digitalSignature",
		"extendedKeyUsage=serverAuth,clientAuth",
		"subjectKeyIdentifier=hash",
		"authorityKeyIdentifier=keyid",
		`subjectAltName=${names_}`,
		"",
	].join("\n");
}

/** `openssl ca` and not `openssl x509`: version 3.0 sets a start date in no other way. */
function authorityConfig(folder: string, certificate: string, key: string): string {
	return `[ca]
default_ca = authority
[authority]
database = ${join(folder, "index.txt")}
new_certs_dir = ${folder}
certificate = ${certificate}
private_key = ${key}
rand_serial = yes
unique_subject = no
default_md = sha256
policy = any
[any]
commonName = supplied
`;
}

function asn1Time(daysFromNow: number): string {
	const digits = new Date(Date.now() + daysFromNow * 86_400_000).toISOString().replaceAll(/[-:T]/g, "");
	return `${digits.slice(0, 14)}Z`;
}
