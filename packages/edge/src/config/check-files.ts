/** Looks at the files that a configuration names: certificates, keys, trust anchors, folders. Creates and changes nothing. */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { dirname } from "node:path";
import { describeReadError, type FileAccess, systemFiles } from "./file-access.ts";
import type { Problem } from "./problem.ts";
import type { Config } from "./schema.ts";

export interface FileProblem extends Problem {
	/** The start refuses an error, and says a warning. */
	readonly severity: "error" | "warning";
}

/** A file, and the key that names it. */
interface Named {
	readonly file: string;
	readonly key: string;
}

/**
 * Every problem with the files that the start needs, all at once, in the order of the configuration. `file` of a problem
 * is the file looked at, `key` the key that names it. What a peer's certificate must fulfil is not judged here.
 */
export async function checkFiles(config: Config, io: FileAccess = systemFiles): Promise<readonly FileProblem[]> {
	const { edge, http } = config;
	const { tls } = edge;
	const checks = [
		checkFolder({ file: edge.data_dir, key: "edge.data_dir" }, io),
		checkKeyPair("edge.tls", tls.certificate, tls.key, edge.fqdn, io),
		...checkAnchors("edge.tls.trust", tls.trust, io),
		...tls.crl.map((file, index) => checkRevocationList({ file, key: `edge.tls.crl[${index}]` }, io)),
		...config.domain.flatMap((domain, index) =>
			domain.kind === "relay" ? checkAnchors(`domain[${index}].trust`, domain.trust ?? [], io) : [],
		),
		...config.peer.flatMap((peer, index) => checkAnchors(`peer[${index}].trust`, peer.trust ?? [], io)),
		...(http.certificate === "" ? [] : [checkKeyPair("http", http.certificate, http.key, undefined, io)]),
		checkToken({ file: http.admin_token_file, key: "http.admin_token_file" }, io),
	];
	return (await Promise.all(checks)).flat();
}

function checkAnchors(
	key: string,
	files: readonly string[],
	io: FileAccess,
): readonly Promise<readonly FileProblem[]>[] {
	return files.flatMap((file, index) =>
		file === "system" ? [] : [checkAnchorFile({ file, key: `${key}[${index}]` }, io)],
	);
}

async function checkAnchorFile(named: Named, io: FileAccess): Promise<readonly FileProblem[]> {
	const text = await tryRead(named, io);
	if (typeof text !== "string") return [text];
	const certificates = pemBlocks(text, "CERTIFICATE");
	if (certificates.length === 0) return [fault(named, "holds no certificate in PEM form")];
	return certificates.flatMap((block, index) =>
		parseCertificate(block) === undefined ? [fault(named, `certificate ${index + 1} in it cannot be read`)] : [],
	);
}

async function checkRevocationList(named: Named, io: FileAccess): Promise<readonly FileProblem[]> {
	const text = await tryRead(named, io);
	if (typeof text !== "string") return [text];
	return pemBlocks(text, "X509 CRL").length === 0 ? [fault(named, "holds no revocation list in PEM form")] : [];
}

/** `fqdn` is the name that the certificate must carry, where one is known. */
async function checkKeyPair(
	section: string,
	certificateFile: string,
	keyFile: string,
	fqdn: string | undefined,
	io: FileAccess,
): Promise<readonly FileProblem[]> {
	const namedCertificate = { file: certificateFile, key: `${section}.certificate` };
	const namedKey = { file: keyFile, key: `${section}.key` };
	const [certificateText, keyText] = await Promise.all([tryRead(namedCertificate, io), tryRead(namedKey, io)]);
	const problems: FileProblem[] = [];
	let certificate: X509Certificate | undefined;
	if (typeof certificateText === "string") {
		certificate = parseCertificate(pemBlocks(certificateText, "CERTIFICATE")[0] ?? "");
		if (certificate === undefined) problems.push(fault(namedCertificate, "holds no readable certificate in PEM form"));
		else problems.push(...judgeCertificate(namedCertificate, certificate, fqdn, io.wall()));
	} else problems.push(certificateText);
	if (typeof keyText !== "string") return [...problems, keyText];
	const key = parseKey(keyText);
	if (key === undefined) return [...problems, fault(namedKey, "holds no readable private key without passphrase")];
	if (certificate !== undefined && !certificate.checkPrivateKey(key)) {
		problems.push(
			fault(namedKey, `is not the key of the first certificate in ${certificateFile}`, "put the leaf first"),
		);
	}
	const state = await io.inspect(keyFile).catch(() => undefined);
	// A group of its own for keys is common; everybody is not.
	if (state !== undefined && (state.mode & 0o007) !== 0) {
		problems.push(warning(namedKey, "other users of this machine can reach the private key", `chmod 600 ${keyFile}`));
	}
	return problems;
}

/** What partners will object to: said, never refused, so that an edge with an old certificate still starts. */
function judgeCertificate(
	named: Named,
	certificate: X509Certificate,
	fqdn: string | undefined,
	nowMs: number,
): readonly FileProblem[] {
	const problems: FileProblem[] = [];
	const { validFromDate, validToDate } = certificate;
	if (validToDate.getTime() < nowMs) problems.push(warning(named, `expired on ${isoDay(validToDate)}`, "renew it"));
	if (validFromDate.getTime() > nowMs) {
		problems.push(warning(named, `is not valid before ${isoDay(validFromDate)}`, "check the clock of this machine"));
	}
	const strictly = { subject: "never", wildcards: false, partialWildcards: false } as const;
	if (fqdn !== undefined && certificate.checkHost(fqdn, strictly) === undefined) {
		const names = certificate.subjectAltName ?? "no name at all";
		problems.push(
			warning(
				named,
				`does not carry ${fqdn} (edge.fqdn) as a subject alternative name; it carries ${names}`,
				"get a certificate with this name: partners refuse the other",
			),
		);
	}
	return problems;
}

/** A folder that is there and lets us write, or can be made. */
async function checkFolder(named: Named, io: FileAccess): Promise<readonly FileProblem[]> {
	let folder = named.file;
	try {
		let state = await io.inspect(folder);
		while (state === undefined && dirname(folder) !== folder) {
			folder = dirname(folder);
			state = await io.inspect(folder);
		}
		if (state?.kind !== "folder") return [fault(named, `${folder} is not a folder`)];
	} catch (error) {
		return [fault(named, `cannot be looked at: ${describeReadError(error)}`)];
	}
	if (await io.isWritable(folder)) return [];
	if (folder === named.file) return [fault(named, "this process may not write there")];
	return [fault(named, `cannot be made: this process may not write to ${folder}`)];
}

/** The token is made at the first start: readable where it is there, its folder writable where it is not. */
async function checkToken(named: Named, io: FileAccess): Promise<readonly FileProblem[]> {
	try {
		if ((await io.inspect(named.file)) === undefined) {
			const problems = await checkFolder({ file: dirname(named.file), key: named.key }, io);
			return problems.map((problem) => ({ ...problem, file: named.file }));
		}
	} catch (error) {
		return [fault(named, `cannot be looked at: ${describeReadError(error)}`)];
	}
	const text = await tryRead(named, io);
	return typeof text === "string" ? [] : [text];
}

/** The blocks of one kind in a PEM text, in their order. */
function pemBlocks(text: string, label: string): readonly string[] {
	const begin = `-----BEGIN ${label}-----`;
	const end = `-----END ${label}-----`;
	const blocks: string[] = [];
	for (let start = text.indexOf(begin); start !== -1; ) {
		const stop = text.indexOf(end, start);
		if (stop === -1) break;
		blocks.push(text.slice(start, stop + end.length));
		start = text.indexOf(begin, stop);
	}
	return blocks;
}

function parseCertificate(text: string): X509Certificate | undefined {
	try {
		return new X509Certificate(text);
	} catch {
		return undefined;
	}
}

function parseKey(text: string): KeyObject | undefined {
	try {
		return createPrivateKey(text);
	} catch {
		return undefined;
	}
}

/** The text, or the problem; a pipe or a device, which might never end, is not opened. */
async function tryRead(named: Named, io: FileAccess): Promise<string | FileProblem> {
	try {
		const state = await io.inspect(named.file);
		if (state?.kind === "other") return fault(named, "is not a file");
		return await io.readText(named.file);
	} catch (error) {
		return fault(named, `cannot be read: ${describeReadError(error)}`);
	}
}

function isoDay(date: Date): string {
	return date.toISOString().slice(0, 10);
}

function fault(named: Named, message: string, remedy?: string): FileProblem {
	return createProblem("error", named, message, remedy);
}

function warning(named: Named, message: string, remedy: string): FileProblem {
	return createProblem("warning", named, message, remedy);
}

function createProblem(
	severity: FileProblem["severity"],
	{ file, key }: Named,
	message: string,
	remedy: string | undefined,
): FileProblem {
	const place = { file, line: undefined, column: undefined, key, message };
	return { ...place, severity, ...(remedy !== undefined && { remedy }) };
}
