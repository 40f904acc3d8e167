/**
 * What TLS with peers is made of: our certificate with its key, the trust anchors, the revocation lists. All of it is read
 * together and checked together, and takes the place of the old together or not at all.
 */
import { readFile } from "node:fs/promises";
import type { Clock, Logger } from "@causeway/sip";
import { credentialsFault, type TlsCredentials } from "@causeway/sip/node";
import type { Config } from "../config/schema.ts";
import type { CertificateJudge } from "./certificate-judge.ts";
import { FileWatch } from "./file-watch.ts";
import { loadCertificateJudge } from "./judge.ts";
import { judgeOwnCertificate, type OwnCertificateFinding } from "./own-certificate.ts";

export interface CertificateMaterial {
	readonly config: Config;
	readonly credentials: TlsCredentials;
	readonly judge: CertificateJudge;
	/** What partners will find in our certificate. */
	readonly findings: readonly OwnCertificateFinding[];
}

export type MaterialOutcome =
	| { readonly ok: true; readonly material: CertificateMaterial }
	/** One sentence that names key and file. */
	| { readonly ok: false; readonly reason: string };

export interface CertificateKeeperOptions {
	readonly clock: Clock;
	readonly log: Logger;
	/** New material is in place; `isRenewed` where our certificate is another. */
	readonly changed: (material: CertificateMaterial, isRenewed: boolean) => void;
}

/** Revocation lists are read and open connections judged again after this time, whatever the files look like. */
const RECHECK_MS = 3_600_000;

export class CertificateKeeper {
	readonly #options: CertificateKeeperOptions;
	readonly #watch: FileWatch;
	#material: CertificateMaterial;

	constructor(material: CertificateMaterial, options: CertificateKeeperOptions) {
		this.#options = options;
		this.#material = material;
		this.#watch = new FileWatch({
			clock: options.clock,
			files: () => filesOf(this.#material.config),
			changed: async () => {
				await this.reload();
			},
			atLeastEveryMs: RECHECK_MS,
		});
	}

	get material(): CertificateMaterial {
		return this.#material;
	}

	/** Judges by the trust and the lists that stand at the moment of asking. */
	get judge(): CertificateJudge {
		return { judge: (presented, expectation) => this.#material.judge.judge(presented, expectation) };
	}

	/** Begins to look after the files. */
	start(): Promise<void> {
		return this.#watch.start();
	}

	close(): void {
		this.#watch.close();
	}

	/** Reads what another configuration names; changes nothing. */
	prepare(config: Config): Promise<MaterialOutcome> {
		return loadMaterial(config, this.#options.clock, this.#material);
	}

	/** Puts prepared material in place. */
	async replace(material: CertificateMaterial): Promise<void> {
		this.#put(material);
		await this.#watch.taken();
	}

	/** Reads the files of the configuration in use anew and takes them, or keeps the old and says why. */
	async reload(): Promise<MaterialOutcome> {
		const outcome = await this.prepare(this.#material.config);
		if (!outcome.ok) {
			this.#options.log.error("certificates not reloaded; the old ones stay in use", { reason: outcome.reason });
			return outcome;
		}
		const { certificate } = this.#material.credentials;
		this.#put(outcome.material);
		this.#options.log.info("certificates, trust and revocation lists read again", {
			certificate: certificate === outcome.material.credentials.certificate ? "the same" : "replaced",
			...(outcome.material.findings.length === 0
				? {}
				: { findings: outcome.material.findings.map(({ text }) => text) }),
		});
		return outcome;
	}

	#put(material: CertificateMaterial): void {
		const isRenewed = material.credentials.certificate !== this.#material.credentials.certificate;
		this.#material = material;
		this.#options.changed(material, isRenewed);
	}
}

/** Files whose change matters to TLS with peers. */
function filesOf(config: Config): readonly string[] {
	const { certificate, key, trust, crl } = config.edge.tls;
	const others = [...config.domain, ...config.peer].flatMap((entry) => ("trust" in entry ? (entry.trust ?? []) : []));
	return [certificate, key, ...crl, ...new Set([...trust, ...others])].filter((file) => file !== "system");
}

/**
 * Reads everything. Beside `inUse` it refuses a certificate with a fault that the one in use does not have: a renewal that
 * went wrong must not take the place of what works.
 */
export async function loadMaterial(
	config: Config,
	clock: Pick<Clock, "wall">,
	inUse?: CertificateMaterial,
): Promise<MaterialOutcome> {
	const { certificate, key } = config.edge.tls;
	const texts: string[] = [];
	for (const [name, path] of [
		["certificate", certificate],
		["key", key],
	] as const) {
		try {
			texts.push(await readFile(path, "utf8"));
		} catch (error) {
			return { ok: false, reason: `edge.tls.${name}: ${path}: ${reasonOf(error)}` };
		}
	}
	const [certificateText = "", keyText = ""] = texts;
	const credentials = { certificate: certificateText, key: keyText };
	const fault = credentialsFault(credentials);
	if (fault !== undefined) return { ok: false, reason: `edge.tls (${certificate}, ${key}): ${fault}` };
	const loaded = await loadCertificateJudge(config, clock);
	if (!loaded.ok) return { ok: false, reason: `edge.tls.trust: ${loaded.place}: ${loaded.reason}` };
	const findings = judgeOwnCertificate({
		certificate: credentials.certificate,
		fqdn: config.edge.fqdn,
		domains: config.domain.map(({ name }) => name),
		now: clock.wall(),
		trust: loaded.trust,
	});
	const worse = inUse && findings.find(({ code, severity }) => severity === "fault" && !hasFinding(inUse, code));
	if (worse !== undefined) {
		return {
			ok: false,
			reason: `edge.tls.certificate: ${certificate}: the certificate ${worse.text}; ${worse.remedy}`,
		};
	}
	return { ok: true, material: { config, credentials, judge: loaded.judge, findings } };
}

function hasFinding({ findings }: CertificateMaterial, wanted: OwnCertificateFinding["code"]): boolean {
	return findings.some(({ code }) => code === wanted);
}

function reasonOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}
