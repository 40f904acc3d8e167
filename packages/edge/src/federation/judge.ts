/** The certificate judge of an edge: the verifier with the trust anchors of the configuration. */
import { readFile } from "node:fs/promises";
import type { Clock } from "@causeway/sip";
import type { Config } from "../config/schema.ts";
import { parseRevocationLists, type RevocationList } from "./certificate/revocation.ts";
import { createTrust, loadTrust, type TrustAnchors } from "./certificate/trust.ts";
import type { Verdict } from "./certificate/verdict.ts";
import { VerificationMemory } from "./certificate/verification-memory.ts";
import { verifyChain } from "./certificate/verify-chain.ts";
import type { CertificateExpectation } from "./certificate-expectation.ts";
import type { CertificateJudge, CertificateJudgement } from "./certificate-judge.ts";
import { RecentJudgements } from "./recent-judgements.ts";

export type JudgeOutcome =
	/** `trust` are the anchors of `[edge.tls]`. */
	| { readonly ok: true; readonly judge: CertificateJudge; readonly trust: TrustAnchors }
	/** `place` is the file that cannot be used, or `system`. */
	| { readonly ok: false; readonly place: string; readonly reason: string };

/** Reads every trust file that the configuration names. */
export async function loadCertificateJudge(config: Config, clock: Pick<Clock, "wall">): Promise<JudgeOutcome> {
	const bySource = new Map<string, TrustAnchors>();
	const ofPeers = [...config.peer, ...config.domain.filter((domain) => domain.kind === "relay")];
	const sources = [config.edge.tls.trust, ...ofPeers.flatMap(({ trust }) => (trust === undefined ? [] : [trust]))];
	for (const source of sources) {
		const key = source.join("\n");
		if (bySource.has(key)) continue;
		const loaded = await loadTrust(source.length === 1 && source[0] === "system" ? "system" : source);
		if (!loaded.ok) return loaded;
		bySource.set(key, loaded.trust);
	}
	const trustOf = (expectation: CertificateExpectation): TrustAnchors | undefined =>
		bySource.get((expectation.trust ?? config.edge.tls.trust).join("\n"));
	const revocationLists: RevocationList[] = [];
	for (const path of config.edge.tls.crl) {
		const lists = await readRevocationLists(path);
		if (typeof lists === "string") return { ok: false, place: path, reason: lists };
		revocationLists.push(...lists);
	}
	const memory = new VerificationMemory();
	const recent = new RecentJudgements();
	return {
		ok: true,
		trust: bySource.get(config.edge.tls.trust.join("\n")) ?? createTrust([]),
		judge: {
			judge(presented, expectation) {
				const trust = trustOf(expectation);
				// A peer of a policy that was replaced while its connection was made: this judge knows nothing of it.
				if (trust === undefined) return notLoaded(expectation);
				const now = clock.wall();
				const input = {
					chain: presented.chain,
					purpose: expectation.role === "dialled" ? "server" : "client",
					names: expectation.names,
					domains: expectation.domains,
					cnFallback: expectation.cnFallback,
					wildcard: expectation.wildcard,
					trust,
					now,
					clientAuthEku: config.edge.tls.client_auth_eku,
					revocationLists,
				} as const;
				return recent.recall(presented, expectation, now, () => toJudgement(verifyChain(input, memory), expectation));
			},
		},
	};
}

function notLoaded({ names, domains, role, trust }: CertificateExpectation): CertificateJudgement {
	const where = trust?.join(", ") ?? "this trust";
	return {
		ok: false,
		verdict: {
			ok: false,
			expected: { names: [...names, ...domains], purpose: role === "dialled" ? "server" : "client" },
			shown: undefined,
			validUntil: undefined,
			faults: [
				{
					code: "trust-replaced",
					whose: "ours",
					text: `the configuration no longer names ${where}`,
					remedy: "nothing: the next attempt follows the configuration that stands now",
				},
			],
			warnings: [],
		},
	};
}

async function readRevocationLists(path: string): Promise<readonly RevocationList[] | string> {
	try {
		return parseRevocationLists(await readFile(path, "latin1"));
	} catch (error) {
		return error instanceof Error ? error.message : String(error);
	}
}

function toJudgement(verdict: Verdict, expectation: CertificateExpectation): CertificateJudgement {
	const { shown, validUntil } = verdict;
	if (shown === undefined || validUntil === undefined) return { ok: false, verdict };
	// Common names prove nothing unless the expectation lets them.
	const names = shown.names
		.filter((name) => !name.startsWith("CN=") || expectation.cnFallback)
		.map((name) => (name.startsWith("CN=") ? name.slice(3) : name));
	const { subject, issuer, fingerprint } = shown;
	const identity = { names, subject, issuer, fingerprint, notAfter: Date.parse(shown.notAfter), validUntil };
	return { ok: true, verdict, identity };
}
