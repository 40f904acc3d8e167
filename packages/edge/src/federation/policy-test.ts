/** What would happen to a request, and which rule decides: the rules of `domain-binding.ts` and `federation.ts`, told in words. */
import { type DnsLookup, federationServiceName, isWithinDomain } from "@causeway/sip";
import type { UserStanding } from "../store/user-standing.ts";
import { hostOf } from "./admission.ts";
import type { StandingPolicy } from "./live-policy.ts";
import { openProviderOf } from "./open-provider.ts";
import type { FederationRefusal } from "./outcome.ts";
import type { Peer, PeerDirectory, PeerThrottle } from "./peers.ts";

/** `user@domain`, lower case. */
export interface PolicyQuestion {
	readonly from: string;
	readonly to: string;
}

export interface PolicyAnswer {
	readonly direction: "outbound" | "inbound" | "local" | "transit";
	readonly isAllowed: boolean;
	/** Stable code of the rule that decides; the same as in log and metrics where a request is refused. */
	readonly code: string;
	/** The rule, and where it is written. */
	readonly rule: string;
	/** One sentence for a person. */
	readonly reason: string;
	/** The answer that the sender gets, and its `ms-diagnostics-public` id; undefined where the far end or the user decides. */
	readonly status: number | undefined;
	readonly diagnosticsId: number | undefined;
	/** What else holds for such a request, a sentence each. */
	readonly facts: readonly string[];
}

export interface PolicyTestOptions {
	readonly directory: PeerDirectory;
	readonly standing: StandingPolicy;
	readonly lookup: DnsLookup;
	readonly ownDomains: ReadonlySet<string>;
	readonly userOf: (aor: string) => UserStanding;
	/** What one of our users decided about somebody. */
	readonly decisionOf: (user: string, other: string) => string | undefined;
	/** Why one of our users may not talk with this peer's; undefined where it may. */
	readonly refusesOutside: (user: string, peer: Peer) => FederationRefusal | undefined;
	readonly hidesUsersFrom: (peer: Peer) => boolean;
	readonly throttle: PeerThrottle;
	readonly markOutgoing: boolean;
}

export async function testPolicy({ from, to }: PolicyQuestion, options: PolicyTestOptions): Promise<PolicyAnswer> {
	const isFromOurs = options.ownDomains.has(domainOf(from));
	const isToOurs = options.ownDomains.has(domainOf(to));
	if (isFromOurs && isToOurs) return testLocal(from, to, options);
	if (isFromOurs) return testOutbound(from, to, options);
	if (isToOurs) return testInbound(from, to, options);
	return {
		direction: "transit",
		isAllowed: false,
		code: "foreign-target",
		rule: "nothing is relayed between two foreign domains",
		reason: `neither ${domainOf(from)} nor ${domainOf(to)} is served here`,
		status: 404,
		diagnosticsId: 1005,
		facts: [],
	};
}

function testLocal(from: string, to: string, options: PolicyTestOptions): PolicyAnswer {
	const refused = refuseSender(from, options, "local");
	if (refused !== undefined) return refused;
	const isKnown = options.userOf(to) === "user" || options.userOf(to) === "not-hosted";
	return {
		direction: "local",
		isAllowed: isKnown,
		code: isKnown ? "local" : "unknown-user",
		rule: "both are ours: no partner is asked",
		reason: isKnown ? `${to} is reached within this edge` : `there is no user ${to}`,
		status: isKnown ? undefined : 404,
		diagnosticsId: isKnown ? undefined : 1003,
		facts: [],
	};
}

function refuseSender(
	from: string,
	options: PolicyTestOptions,
	direction: "outbound" | "local",
): PolicyAnswer | undefined {
	const standing = options.userOf(from);
	if (standing === "user" || standing === "not-hosted") return undefined;
	const isSuspended = standing === "suspended";
	return {
		direction,
		isAllowed: false,
		code: isSuspended ? "suspended" : "unknown-user",
		rule: "our own directory of users",
		reason: isSuspended ? `${from} is suspended` : `there is no user ${from}`,
		status: isSuspended ? 403 : 404,
		diagnosticsId: isSuspended ? undefined : 1003,
		facts: [],
	};
}

async function testOutbound(from: string, to: string, options: PolicyTestOptions): Promise<PolicyAnswer> {
	const refused = refuseSender(from, options, "outbound");
	if (refused !== undefined) return refused;
	const found = await findPeer(domainOf(to), options, "outbound");
	if (found.kind === "refused") return found.answer;
	const { peer, rule, targets } = found;
	const denied = options.refusesOutside(from, peer);
	if (denied !== undefined) {
		return {
			direction: "outbound",
			isAllowed: false,
			code: denied.code,
			rule: `whom outside ${from} may talk with`,
			reason: denied.reason,
			status: denied.status,
			diagnosticsId: denied.diagnosticsId,
			facts: [],
		};
	}
	const facts = [
		...routeFacts(peer, targets),
		options.markOutgoing
			? "the sender's verification level is stated"
			: "no verification level is stated: mark_outgoing_verification is off",
	];
	return {
		direction: "outbound",
		isAllowed: true,
		code: peer.kind,
		rule,
		reason: `${domainOf(to)} is reached through ${peer.edge?.host ?? targets.join(" or ")}`,
		status: undefined,
		diagnosticsId: undefined,
		facts,
	};
}

function routeFacts(peer: Peer, targets: readonly string[]): readonly string[] {
	const names = peer.edge === undefined ? targets : [peer.edge.host];
	const address =
		peer.connect === undefined ? [] : [`${peer.connect.host}:${peer.connect.port} is dialled in its place`];
	return [`the certificate there must carry ${names.join(" or ")}`, ...address];
}

async function testInbound(from: string, to: string, options: PolicyTestOptions): Promise<PolicyAnswer> {
	const found = await findPeer(domainOf(from), options, "inbound");
	if (found.kind === "refused") return found.answer;
	const { peer, rule, targets } = found;
	const edges = peer.edge === undefined ? targets : [peer.edge.host];
	const facts = [
		`only a connection whose certificate carries ${edges.join(" or ")} may bring it`,
		verificationFact(peer),
		throttleFact(peer, options.throttle),
	];
	const answer = (isAllowed: boolean, code: string, reason: string, status?: number, id?: number): PolicyAnswer => ({
		direction: "inbound",
		isAllowed,
		code,
		rule,
		reason,
		status,
		diagnosticsId: id,
		facts,
	});
	const isHidden = options.hidesUsersFrom(peer);
	const standing = options.userOf(to);
	const denied = standing === "user" ? options.refusesOutside(to, peer) : undefined;
	if (standing === "unknown" || standing === "suspended" || denied !== undefined) {
		const reason = denied?.reason ?? (standing === "suspended" ? `${to} is suspended` : `there is no user ${to}`);
		return isHidden
			? answer(false, "unknown-user", `${reason}, and ${peer.name} may not learn that: the user looks absent`, 480)
			: answer(false, "unknown-user", reason, 404, 1003);
	}
	if (options.decisionOf(to, from) === "block") {
		return answer(false, "blocked-sender", `${to} blocks ${from}: messages get 480, presence looks offline`, 480);
	}
	return answer(true, peer.kind, `${from} may reach ${to}`);
}

function verificationFact(peer: Peer): string {
	switch (peer.verification) {
		case "as-asserted":
			return "the sender is as verified as the peer says, unverified where it says nothing";
		case "always-verified":
			return "the sender counts as verified, whatever the peer says";
		case "always-unverified":
			return "the sender counts as unverified, whatever the peer says";
	}
}

function throttleFact(peer: Peer, general: PeerThrottle): string {
	const limits = peer.kind === "discovered" ? general : peer.throttle;
	if (limits?.messagesPerSecond === undefined) return "no ceiling holds";
	return `at most ${limits.messagesPerSecond} messages a second${limits.dryRun ? ", counted only" : ""}`;
}

type FoundPeer =
	| { readonly kind: "found"; readonly peer: Peer; readonly rule: string; readonly targets: readonly string[] }
	| { readonly kind: "refused"; readonly answer: PolicyAnswer };

async function findPeer(
	domain: string,
	options: PolicyTestOptions,
	direction: "outbound" | "inbound",
): Promise<FoundPeer> {
	const { directory, lookup, standing } = options;
	const isOutbound = direction === "outbound";
	const refused = (
		code: string,
		rule: string,
		reason: string,
		status: number,
		diagnosticsId: number | undefined,
	): FoundPeer => ({
		kind: "refused",
		answer: { direction, isAllowed: false, code, rule, reason, status, diagnosticsId, facts: [] },
	});
	const found = directory.find(domain);
	if (found.kind === "blocked") {
		const block = standing.blocks.find((one) => one.domain === domain);
		const rule = `the block of ${domain}, written in ${originWords(block?.origin)}`;
		return refused("blocked-domain", rule, `${domain} is blocked`, 403, isOutbound ? 1005 : undefined);
	}
	if (found.kind === "peer" && found.peer.edge !== undefined) {
		return { kind: "found", peer: found.peer, rule: ruleOf(found.peer, standing), targets: [] };
	}
	const isListed = found.kind === "peer" && found.peer.kind !== "discovered";
	if (found.kind === "not-listed" && directory.open.length === 0) {
		const rule = "no peer lists the domain, and discovery is off";
		const reason = `${domain} is no partner of ours`;
		return isOutbound
			? refused("not-listed", rule, reason, 404, 1005)
			: refused("not-listed", rule, reason, 403, undefined);
	}
	const answer = await lookup.srv(federationServiceName(domain));
	const all = answer.kind === "records" ? answer.records.map(({ target }) => hostOf(target)) : [];
	const open = isListed ? undefined : openProviderOf(all, directory);
	if (open !== undefined) return { kind: "found", peer: open, rule: ruleOf(open, standing), targets: all };
	if (found.kind !== "peer") {
		const rule = "no peer lists the domain, its edge is no provider's, and discovery is off";
		const reason = `${domain} is no partner of ours; its edges are ${all.join(", ") || "not in the DNS"}`;
		return isOutbound
			? refused("not-listed", rule, reason, 404, 1005)
			: refused("not-listed", rule, reason, 403, undefined);
	}
	const rule = ruleOf(found.peer, standing);
	const record = federationServiceName(domain);
	if (answer.kind === "failed") {
		const reason = `the record ${record} could not be read: ${answer.reason}`;
		return isOutbound
			? refused("srv-failed", rule, reason, 504, 1008)
			: refused("srv-failed", rule, reason, 403, undefined);
	}
	const targets = all.filter((target) => isWithinDomain(target, domain));
	if (targets.length > 0) return { kind: "found", peer: found.peer, rule, targets };
	if (all.length > 0) {
		const reason = `the record ${record} names ${all.join(", ")}, outside ${domain}`;
		return isOutbound
			? refused("domain-conflict", rule, reason, 504, 1009)
			: refused("srv-mismatch", rule, reason, 403, undefined);
	}
	const reason = `there is no record ${record}: nothing says which edge speaks for ${domain}`;
	return isOutbound
		? refused("srv-absent", rule, reason, 504, 1008)
		: refused("srv-mismatch", rule, reason, 403, undefined);
}

function ruleOf(peer: Peer, standing: StandingPolicy): string {
	if (peer.kind === "discovered") return "discovery is on, and nobody lists the domain";
	const written = standing.peers.find(({ name }) => name === peer.name);
	return `the ${peer.kind} peer ${peer.name}, written in ${originWords(written?.origin)}`;
}

function originWords(origin: "file" | "store" | undefined): string {
	return origin === "store" ? "the live policy" : "the configuration file";
}

function domainOf(aor: string): string {
	return aor.slice(aor.lastIndexOf("@") + 1);
}
