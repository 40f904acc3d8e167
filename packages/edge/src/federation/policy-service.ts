/** Keeps the policy that stands, previews and makes live edits, one after the other, and tells when another one stands. */
import type { Clock, Logger } from "@causeway/sip";
import type { Finding } from "../config/problem.ts";
import type { Config } from "../config/schema.ts";
import type { LivePolicy } from "../store/live-policy.ts";
import type { CertificateMaterial, MaterialOutcome } from "./certificate-keeper.ts";
import {
	type LiveEntries,
	layPolicy,
	type PolicyEdit,
	planEdit,
	readLiveEntries,
	type StandingPolicy,
} from "./live-policy.ts";
import { peerPolicyFromConfig } from "./peer-policy.ts";
import { PeerDirectory } from "./peers.ts";
import type { PolicyView } from "./policy-cut.ts";

export interface PolicyServiceOptions {
	readonly store: LivePolicy;
	readonly clock: Pick<Clock, "wall">;
	readonly log: Logger;
	/** Reads our certificate and the trust that a configuration names; changes nothing. */
	readonly prepare: (config: Config) => Promise<MaterialOutcome>;
}

/** A policy with everything that is needed to decide by it. */
interface Loaded extends PolicyView {
	readonly file: Config;
	readonly live: LiveEntries;
	readonly standing: StandingPolicy;
	readonly material: CertificateMaterial;
}

type LoadOutcome = { readonly ok: true; readonly loaded: Loaded } | { readonly ok: false; readonly reason: string };

export type OpenOutcome =
	| { readonly ok: true; readonly policy: PolicyService }
	| { readonly ok: false; readonly reason: string };

export type EditOutcome =
	| {
			readonly ok: true;
			/** The policy as the edit makes it. */
			readonly view: PolicyView;
			readonly standing: StandingPolicy;
			/** What the edit does beside what was asked for, a sentence each. */
			readonly notes: readonly string[];
	  }
	| {
			readonly ok: false;
			readonly code: "invalid" | "unknown-peer" | "not-blocked" | "in-file";
			readonly reason: string;
			readonly findings: readonly Finding[];
	  };

export class PolicyService {
	readonly #options: PolicyServiceOptions;
	#loaded: Loaded;
	/** Called when another policy stands, with what TLS with peers is made of under it. */
	changed: (material: CertificateMaterial) => Promise<void> = async () => {};
	/** Edits and reloads are made one after the other. */
	#turn: Promise<unknown> = Promise.resolve();

	/** Use {@link PolicyService.open}. */
	private constructor(options: PolicyServiceOptions, loaded: Loaded) {
		this.#options = options;
		this.#loaded = loaded;
	}

	/** Reads the live policy over the file's. */
	static async open(file: Config, options: PolicyServiceOptions): Promise<OpenOutcome> {
		const { entries, unreadable } = readLiveEntries(options.store.list());
		for (const peer of unreadable) {
			options.log.error("peer of the live policy left out: this version cannot read it", { peer });
		}
		const outcome = await load(file, entries, options.prepare);
		return outcome.ok ? { ok: true, policy: new PolicyService(options, outcome.loaded) } : outcome;
	}

	get directory(): PeerDirectory {
		return this.#loaded.directory;
	}

	/** What TLS with peers is made of under this policy, as it was read when the policy was put in place. */
	get material(): CertificateMaterial {
		return this.#loaded.material;
	}

	get standing(): StandingPolicy {
		return this.#loaded.standing;
	}

	/** Takes a configuration that was read anew; changes nothing where it cannot be used. */
	reload(file: Config): Promise<{ readonly ok: true } | { readonly ok: false; readonly reason: string }> {
		return this.#inTurn(async () => {
			const outcome = await load(file, this.#loaded.live, this.#options.prepare);
			if (!outcome.ok) return outcome;
			await this.#put(outcome.loaded);
			return { ok: true };
		});
	}

	/** What an edit would make of the policy; nothing is changed. */
	preview(edit: PolicyEdit): Promise<EditOutcome> {
		return this.#inTurn(async () => (await this.#plan(edit)).outcome);
	}

	/** Makes an edit: on disk first, then in force. */
	apply(edit: PolicyEdit): Promise<EditOutcome> {
		return this.#inTurn(async () => {
			const { outcome, commit } = await this.#plan(edit);
			if (commit !== undefined) await commit();
			return outcome;
		});
	}

	async #plan(edit: PolicyEdit): Promise<{ readonly outcome: EditOutcome; readonly commit?: () => Promise<void> }> {
		const { file, live } = this.#loaded;
		const plan = planEdit(file, live, edit, this.#options.clock.wall());
		if (!plan.ok) return { outcome: plan };
		const outcome = await load(file, plan.entries, this.#options.prepare);
		if (!outcome.ok) {
			const findings = [{ path: ["trust"], message: outcome.reason }];
			return { outcome: { ok: false, code: "invalid", reason: "its trust cannot be read", findings } };
		}
		const next = outcome.loaded;
		const { standing, directory, judge } = next;
		return {
			outcome: { ok: true, view: { directory, judge }, standing, notes: plan.notes },
			commit: async () => {
				await this.#options.store.change(plan.changes);
				await this.#put(next);
			},
		};
	}

	async #put(next: Loaded): Promise<void> {
		this.#loaded = next;
		await this.changed(next.material);
	}

	#inTurn<Result>(run: () => Promise<Result>): Promise<Result> {
		const result = this.#turn.then(run, run);
		this.#turn = result.catch(() => undefined);
		return result;
	}
}

async function load(file: Config, live: LiveEntries, prepare: PolicyServiceOptions["prepare"]): Promise<LoadOutcome> {
	const standing = layPolicy(file, live);
	const outcome = await prepare(standing.config);
	if (!outcome.ok) return outcome;
	const { material } = outcome;
	const directory = new PeerDirectory(peerPolicyFromConfig(standing.config));
	return { ok: true, loaded: { file, live, standing, directory, judge: material.judge, material } };
}
