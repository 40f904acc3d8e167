/** Looks at the files that a configuration names: certificates, keys, trust anchors, revocation lists. Changes nothing. */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Problem } from "./problem.ts";
import type { Config } from "./schema.ts";

export interface FileProblem extends Problem {
	/** The start refuses an error, and says a warning. */
	readonly severity: "error" | "warning";
}

export type ReadText = (path: string) => Promise<string>;

/**
 * Reads every file that the configuration names and that must be there before the start. `file` of a problem is the file
 * looked at, `key` the key that names it. What is inside the certificates (names, dates, purpose) is not judged here.
 */
export async function checkFiles(
	config: Config,
	read: ReadText = (path) => readFile(path, "utf8"),
): Promise<readonly FileProblem[]> {
	const { tls } = config.edge;
	const lists = [
		...anchorChecks("edge.tls.trust", tls.trust),
		...config.domain.flatMap((domain, index) =>
			domain.kind === "relay" ? anchorChecks(`domain[${index}].trust`, domain.trust ?? []) : [],
		),
		...config.peer.flatMap((peer, index) => anchorChecks(`peer[${index}].trust`, peer.trust ?? [])),
		...tls.crl.map((file, index) => ({ file, key: `edge.tls.crl[${index}]`, label: "X509 CRL" })),
	];
	const pairs = [
		checkKeyPair("edge.tls", tls.certificate, tls.key, read),
		...(config.http.certificate === "" ? [] : [checkKeyPair("http", config.http.certificate, config.http.key, read)]),
	];
	const found = await Promise.all([...pairs, ...lists.map((list) => checkPemList(list, read))]);
	return found.flat();
}

interface PemList {
	readonly file: string;
	readonly key: string;
	readonly label: string;
}

function anchorChecks(key: string, files: readonly string[]): readonly PemList[] {
	return files.flatMap((file, index) =>
		file === "system" ? [] : [{ file, key: `${key}[${index}]`, label: "CERTIFICATE" }],
	);
}

async function checkPemList({ file, key, label }: PemList, read: ReadText): Promise<readonly FileProblem[]> {
	const text = await tryRead(file, key, read);
	if (typeof text !== "string") return [text];
	if (!text.includes(`-----BEGIN ${label}-----`)) {
		return [fault(file, key, `holds no ${label} in PEM form`)];
	}
	return [];
}

async function checkKeyPair(
	section: string,
	certificateFile: string,
	keyFile: string,
	read: ReadText,
): Promise<readonly FileProblem[]> {
	const certificateKey = `${section}.certificate`;
	const privateKey = `${section}.key`;
	const [certificateText, keyText] = await Promise.all([
		tryRead(certificateFile, certificateKey, read),
		tryRead(keyFile, privateKey, read),
	]);
	const problems: FileProblem[] = [];
	const certificate = typeof certificateText === "string" ? parseCertificate(certificateText) : undefined;
	const key = typeof keyText === "string" ? parseKey(keyText) : undefined;
	if (typeof certificateText !== "string") problems.push(certificateText);
	else if (certificate === undefined) {
		problems.push(fault(certificateFile, certificateKey, "holds no readable certificate in PEM form"));
	}
	if (typeof keyText !== "string") problems.push(keyText);
	else if (key === undefined)
		problems.push(fault(keyFile, privateKey, "holds no readable private key without passphrase"));
	if (certificate !== undefined && key !== undefined && !certificate.checkPrivateKey(key)) {
		problems.push(
			fault(keyFile, privateKey, `is not the key of the first certificate in ${certificateFile}`, "put the leaf first"),
		);
	}
	return problems;
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

async function tryRead(file: string, key: string, read: ReadText): Promise<string | FileProblem> {
	try {
		return await read(file);
	} catch (error) {
		return fault(file, key, `cannot be read: ${describeReadError(error)}`);
	}
}

/** The reason a file could not be read, without its path. */
export function describeReadError(error: unknown): string {
	const code = error instanceof Error && "code" in error ? error.code : undefined;
	if (code === "ENOENT") return "there is no such file";
	if (code === "EACCES" || code === "EPERM") return "permission denied";
	if (code === "EISDIR") return "it is a folder";
	return typeof code === "string" ? code : "reading failed";
}

function fault(file: string, key: string, message: string, remedy?: string): FileProblem {
	const place = { file, line: undefined, column: undefined, key, message };
	return { ...place, severity: "error", ...(remedy !== undefined && { remedy }) };
}
