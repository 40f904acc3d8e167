/** Live policy over HTTP: peers and blocks, what an edit would end, and the record of who did what. */
import type { Peer as ApiPeer, EditEffect, FieldFault, Invite } from "@causeway/admin";
import type { Logger } from "@causeway/sip";
import { formatKeyPath } from "../config/problem.ts";
import type { Federation } from "../federation/federation.ts";
import type { PolicyEdit, StandingBlock, StandingPeer } from "../federation/live-policy.ts";
import type { EditOutcome, PolicyService } from "../federation/policy-service.ts";
import type { PolicyAnswer, PolicyQuestion } from "../federation/policy-test.ts";
import type { ThrottledPeer, Throttles } from "../federation/throttle/throttles.ts";
import type { Audit } from "../store/audit.ts";
import type { PolicyEnforcement } from "../ua/policy-enforcement.ts";
import { type AdminCaller, type ApiHandlers, ApiProblem } from "./handlers.ts";

export type PolicyHandlers = Pick<
	ApiHandlers,
	| "listPeers"
	| "getPeer"
	| "putPeer"
	| "deletePeer"
	| "listDomainBlocks"
	| "putDomainBlock"
	| "deleteDomainBlock"
	| "listAudit"
	| "getPolicyTest"
	| "getInvite"
>;

export interface PolicyHandlerOptions {
	readonly policy: PolicyService;
	readonly enforcement: Pick<PolicyEnforcement, "preview">;
	readonly federation: Pick<Federation, "links" | "lastFailure">;
	/** Whether presence flows with the peer of this name, each way. */
	readonly presence: (name: string) => NonNullable<ApiPeer["presence"]>;
	readonly throttles: Pick<Throttles, "list">;
	readonly test: (question: PolicyQuestion) => Promise<PolicyAnswer>;
	readonly invite: () => Invite;
	readonly audit: Audit;
	readonly log: Logger;
}

const DEFAULT_PAGE = 100;

export function createPolicyHandlers(options: PolicyHandlerOptions): PolicyHandlers {
	const { policy, enforcement, federation, audit, log } = options;

	/** Previews or makes an edit; what it ends is counted before it is made. */
	async function edit(
		caller: AdminCaller,
		what: PolicyEdit,
		isPreview: boolean,
		act: { readonly action: string; readonly target: string },
	): Promise<{ readonly outcome: Extract<EditOutcome, { ok: true }>; readonly effect: EditEffect }> {
		const planned = accept(await policy.preview(what));
		const cut = enforcement.preview(planned.view);
		const effect: EditEffect = {
			preview: isPreview,
			dialogs: cut.usages.filter(({ usage }) => usage === "invite").length,
			subscriptions: cut.usages.filter(({ usage }) => usage === "subscribe").length,
			connections: cut.links.length,
			notes: [...planned.notes],
		};
		if (isPreview) return { outcome: planned, effect };
		const outcome = accept(await policy.apply(what));
		const { preview: _preview, notes, ...ended } = effect;
		await record(caller, act.action, act.target, { ...ended, ...(notes.length === 0 ? {} : { notes }) });
		return { outcome, effect: { ...effect, notes: [...outcome.notes] } };
	}

	/** The act is done and on disk by now: a record that cannot be written is told in the log and undoes nothing. */
	async function record(caller: AdminCaller, action: string, target: string, details: object): Promise<void> {
		try {
			await audit.append({ actor: caller.name, action, target, details: { ...details } });
		} catch (error) {
			log.error("audit record lost", { action, target, detail: String(error) });
		}
	}

	function describe(peer: StandingPeer): ApiPeer {
		const { entry } = peer;
		const failure = entry.domains.map((domain) => federation.lastFailure(domain)).find((found) => found !== undefined);
		const blocked = new Set(policy.standing.blocks.map(({ domain }) => domain));
		const blockedDomains = entry.domains.filter((domain) => blocked.has(domain));
		const { trust, throttle, domains, ...settings } = entry;
		return {
			...settings,
			name: peer.name,
			origin: peer.origin,
			domains: [...domains],
			...(trust === undefined ? {} : { trust: [...trust] }),
			...(throttle === undefined ? {} : { throttle: { ...throttle } }),
			...(blockedDomains.length === 0 ? {} : { blocked_domains: blockedDomains }),
			...(peer.lost.length === 0 ? {} : { moved_domains: [...peer.lost] }),
			...(peer.changedAt === undefined ? {} : { changed_at: instant(peer.changedAt) }),
			connections: [...federation.links].filter(({ network }) => network === peer.name).length,
			...usageOf(throttled(peer.name)),
			presence: options.presence(peer.name),
			...(failure === undefined
				? {}
				: { last_failure: { at: instant(failure.at), code: failure.code, reason: failure.reason } }),
		};
	}

	function throttled(name: string): ThrottledPeer | undefined {
		return options.throttles.list().find((one) => one.fingerprint === undefined && one.name === name);
	}

	/** Discovered peers in use, each certificate by itself. */
	function discovered(): readonly ApiPeer[] {
		const strangers = options.throttles.list().filter(({ fingerprint }) => fingerprint !== undefined);
		return strangers.map((stranger) => ({
			name: stranger.name,
			kind: "discovered",
			origin: "discovery",
			domains: [...stranger.domains],
			connections: [...federation.links].filter(({ identity }) => identity.fingerprint === stranger.fingerprint).length,
			...usageOf(stranger),
		}));
	}

	function find(name: string): StandingPeer | undefined {
		const { peers } = policy.standing;
		return peers.find((peer) => peer.name === name) ?? peers.find(({ entry }) => entry.domains.includes(name));
	}

	function describeAny(name: string): ApiPeer {
		const listed = find(name);
		const found =
			listed === undefined
				? discovered().find((peer) => peer.name === name || peer.domains.includes(name))
				: describe(listed);
		if (found === undefined) throw new ApiProblem("unknown-peer", `There is no peer ${name}.`);
		return found;
	}

	function requirePeer(name: string): StandingPeer {
		const found = find(name);
		if (found === undefined) throw new ApiProblem("unknown-peer", `There is no peer ${name}.`);
		return found;
	}

	function requireBlock(domain: string): StandingBlock {
		const found = policy.standing.blocks.find((block) => block.domain === domain);
		if (found === undefined) throw new ApiProblem("domain-not-blocked", `${domain} is not blocked.`);
		return found;
	}

	return {
		listPeers: () => ({ status: 200, body: { peers: [...policy.standing.peers.map(describe), ...discovered()] } }),
		getPeer: ({ params }) => ({ status: 200, body: describeAny(params.name) }),
		async putPeer({ caller, params: { name }, body, query }) {
			const isPreview = query.preview ?? false;
			const isKnown = policy.standing.peers.some((peer) => peer.name === name);
			const what: PolicyEdit = { kind: "put-peer", name, peer: body };
			const { outcome, effect } = await edit(caller, what, isPreview, { action: "peer.allow", target: name });
			const made = outcome.standing.peers.find((peer) => peer.name === name);
			if (made === undefined) throw new ApiProblem("internal");
			return { status: isPreview || isKnown ? 200 : 201, body: { effect, peer: describe(made) } };
		},
		async deletePeer({ caller, params, query }) {
			const { name } = requirePeer(params.name);
			const { effect } = await edit(caller, { kind: "remove-peer", name }, query.preview ?? false, {
				action: "peer.remove",
				target: name,
			});
			return { status: 200, body: { effect } };
		},
		listDomainBlocks: () => ({ status: 200, body: { blocks: policy.standing.blocks.map(toBlock) } }),
		async putDomainBlock({ caller, params: { domain }, query }) {
			const isPreview = query.preview ?? false;
			const isKnown = policy.standing.blocks.some((block) => block.domain === domain);
			const { outcome, effect } = await edit(caller, { kind: "block", domain }, isPreview, {
				action: "peer.block",
				target: domain,
			});
			const made = outcome.standing.blocks.find((block) => block.domain === domain);
			if (made === undefined) throw new ApiProblem("internal");
			return { status: isPreview || isKnown ? 200 : 201, body: { effect, block: toBlock(made) } };
		},
		async deleteDomainBlock({ caller, params: { domain }, query }) {
			requireBlock(domain);
			const { effect } = await edit(caller, { kind: "unblock", domain }, query.preview ?? false, {
				action: "peer.unblock",
				target: domain,
			});
			return { status: 200, body: { effect } };
		},
		getInvite: () => ({ status: 200, body: options.invite() }),
		async getPolicyTest({ query }) {
			const { isAllowed, status, diagnosticsId, facts, ...told } = await options.test(query);
			return {
				status: 200,
				body: {
					...told,
					allowed: isAllowed,
					...(status === undefined ? {} : { status }),
					...(diagnosticsId === undefined ? {} : { diagnostics: diagnosticsId }),
					facts: [...facts],
				},
			};
		},
		listAudit({ query }) {
			const limit = query.limit ?? DEFAULT_PAGE;
			const found = audit.list({ limit, ...(query.before === undefined ? {} : { before: query.before }) });
			const last = found.at(-1);
			return {
				status: 200,
				body: {
					entries: found.map(({ number, at, actor, action, target, details }) => ({
						number,
						at: instant(at),
						actor,
						action,
						target,
						details: { ...details },
					})),
					...(last !== undefined && found.length === limit ? { next: last.number } : {}),
				},
			};
		},
	};
}

function accept(outcome: EditOutcome): Extract<EditOutcome, { ok: true }> {
	if (outcome.ok) return outcome;
	const sentence = outcome.reason;
	switch (outcome.code) {
		case "invalid": {
			const errors = outcome.findings.map(
				({ path, message, remedy }): FieldFault => ({
					in: "body",
					pointer: path.map((part) => `/${part}`).join(""),
					detail: `${formatKeyPath(path)}: ${message}${remedy === undefined ? "" : `; ${remedy}`}`,
				}),
			);
			throw new ApiProblem("invalid-policy", sentence, { errors });
		}
		case "unknown-peer":
			throw new ApiProblem("unknown-peer", sentence);
		case "not-blocked":
			throw new ApiProblem("domain-not-blocked", sentence);
		case "in-file":
			throw new ApiProblem("in-file", sentence);
	}
}

function usageOf(peer: ThrottledPeer | undefined) {
	if (peer === undefined) return {};
	const { view } = peer;
	return {
		usage: {
			...(view.messagesPerSecond === undefined ? {} : { messages_per_second: view.messagesPerSecond }),
			...(view.tokens === undefined ? {} : { messages_left: view.tokens }),
			suspicious: view.isSuspicious,
			distinct_users: view.distinctUsers,
			...(view.distinctUsersLimit === undefined ? {} : { distinct_users_limit: view.distinctUsersLimit }),
			refused: view.refused,
			delayed: view.delayed,
			dry_run: view.dryRun,
		},
	};
}

function toBlock({ domain, origin, changedAt }: StandingBlock) {
	return { domain, origin, ...(changedAt === undefined ? {} : { blocked_at: instant(changedAt) }) };
}

function instant(atMs: number): string {
	return new Date(atMs).toISOString();
}
