/** Trust anchors: the certificates that an administrator trusts to vouch for peers (REQ-45). */
import { readFile } from "node:fs/promises";
import { getCACertificates } from "node:tls";
import { type Certificate, parseCertificate } from "./certificate.ts";
import { readPemBlocks } from "./pem.ts";

export interface TrustAnchors {
	readonly anchors: readonly Certificate[];
	/** By the key of their subject's name. */
	readonly bySubject: ReadonlyMap<string, readonly Certificate[]>;
	readonly fingerprints: ReadonlySet<string>;
}

export type TrustResult =
	| { readonly ok: true; readonly trust: TrustAnchors }
	/** `place` is the file, or `system`. */
	| { readonly ok: false; readonly place: string; readonly reason: string };

/** A certificate that stands in several places counts once: system stores hold each of theirs up to three times. */
export function createTrust(certificates: readonly Certificate[]): TrustAnchors {
	const byFingerprint = new Map(certificates.map((certificate) => [certificate.fingerprint, certificate]));
	const anchors = [...byFingerprint.values()];
	const bySubject = Map.groupBy(anchors, (anchor) => anchor.subject.key);
	return { anchors, bySubject, fingerprints: new Set(byFingerprint.keys()) };
}

/**
 * Loads PEM bundles, or the operating system's store for `"system"`. The system's store and not the list built into Node: an
 * authority that the machine's administrator removed must not stay trusted here. A certificate in a file counts as an anchor
 * whatever it is: root, intermediate, or the certificate of one peer.
 */
export async function loadTrust(source: "system" | readonly string[]): Promise<TrustResult> {
	if (source === "system") return loadSystemTrust();
	const anchors: Certificate[] = [];
	for (const path of source) {
		let text: string;
		try {
			text = await readFile(path, "latin1");
		} catch (error) {
			const reason = error instanceof Error ? error.message : "it cannot be read";
			return { ok: false, place: path, reason };
		}
		const result = parseAnchors(text, path);
		if (!result.ok) return result;
		anchors.push(...result.trust.anchors);
	}
	return { ok: true, trust: createTrust(anchors) };
}

/** Anchors from the text of a PEM bundle; `place` names it in a refusal. */
export function parseAnchors(text: string, place: string): TrustResult {
	const anchors: Certificate[] = [];
	const blocks = readPemBlocks(text, "CERTIFICATE");
	if (blocks === undefined) return { ok: false, place, reason: "its PEM text is damaged" };
	for (const [index, der] of blocks.entries()) {
		const anchor = parseCertificate(der);
		if (anchor === undefined) return { ok: false, place, reason: `certificate ${index + 1} in it cannot be read` };
		anchors.push(anchor);
	}
	if (anchors.length === 0) return { ok: false, place, reason: "it holds no certificate" };
	return { ok: true, trust: createTrust(anchors) };
}

function loadSystemTrust(): TrustResult {
	const anchors: Certificate[] = [];
	for (const text of getCACertificates("system")) {
		for (const der of readPemBlocks(text, "CERTIFICATE") ?? []) {
			// Stores hold a few old roots that no modern reader takes; leaving one out trusts less, not more.
			const anchor = parseCertificate(der);
			if (anchor !== undefined) anchors.push(anchor);
		}
	}
	if (anchors.length === 0) {
		return {
			ok: false,
			place: "system",
			reason: "the operating system has no certificate store (on Debian: package ca-certificates)",
		};
	}
	return { ok: true, trust: createTrust(anchors) };
}
