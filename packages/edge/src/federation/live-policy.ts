/**
 * The policy as it stands: what the configuration file says, and above it what was edited live. The store wins where both
 * name the same domain or the same edge (product contract 3). Everything here is data; `policy-service.ts` keeps and applies it.
 */
import { isAbsolute } from "node:path";
import { checkConfig } from "../config/check.ts";
import type { Finding } from "../config/problem.ts";
import { type Config, configSchema, type PeerConfig } from "../config/schema.ts";
import { describeIssues } from "../config/schema-findings.ts";
import type { PolicyChange, PolicyEntry } from "../store/live-policy.ts";
import { peerName } from "./peer-policy.ts";

export type PolicyOrigin = "file" | "store";

/** A peer that stands, and where it was written. */
export interface StandingPeer {
	readonly name: string;
	readonly origin: PolicyOrigin;
	readonly entry: PeerConfig;
	/** When it was edited; undefined for the file's. */
	readonly changedAt: number | undefined;
	/** Domains that its entry in the file names and that live edits gave to others. */
	readonly lost: readonly string[];
}

/** A domain that is blocked, and where that was written. */
export interface StandingBlock {
	readonly domain: string;
	readonly origin: PolicyOrigin;
	readonly changedAt: number | undefined;
}

export interface StandingPolicy {
	readonly peers: readonly StandingPeer[];
	readonly blocks: readonly StandingBlock[];
	/** The configuration with the peers and blocks that stand in place of the file's. */
	readonly config: Config;
}

/** Peers and blocks that were edited live, as the store keeps them. */
export interface LiveEntries {
	readonly peers: ReadonlyMap<string, { readonly entry: PeerConfig; readonly changedAt: number }>;
	readonly blocks: ReadonlyMap<string, number>;
}

export const NO_LIVE_ENTRIES: LiveEntries = { peers: new Map(), blocks: new Map() };

/** What an administrator changes: one thing at a time. */
export type PolicyEdit =
	/** `peer` as in the file, `[[peer]]`; it takes its domains from whoever has them, and lifts live blocks of them. */
	| { readonly kind: "put-peer"; readonly name: string; readonly peer: unknown }
	/** Takes back what was edited live about the network of this name; the file's entry, where there is one, stands again. */
	| { readonly kind: "remove-peer"; readonly name: string }
	| { readonly kind: "block"; readonly domain: string }
	| { readonly kind: "unblock"; readonly domain: string };

export type PlannedEdit =
	| {
			readonly ok: true;
			readonly entries: LiveEntries;
			readonly changes: readonly PolicyChange[];
			/** What the edit does beside the change that was asked for, a sentence each. */
			readonly notes: readonly string[];
	  }
	| {
			readonly ok: false;
			readonly code: "invalid" | "unknown-peer" | "not-blocked" | "in-file";
			readonly reason: string;
			/** What is wrong with the peer, by its keys. */
			readonly findings: readonly Finding[];
	  };

/** Reads what the store keeps. What this version cannot read any more is left out and named. */
export function readLiveEntries(stored: readonly PolicyEntry[]): {
	readonly entries: LiveEntries;
	readonly unreadable: readonly string[];
} {
	const peers = new Map<string, { entry: PeerConfig; changedAt: number }>();
	const blocks = new Map<string, number>();
	const unreadable: string[] = [];
	for (const { kind, domain, value, changedAt } of stored) {
		if (kind === "block") {
			blocks.set(domain, changedAt);
			continue;
		}
		const read = configSchema.shape.peer.unwrap().element.safeParse(value);
		if (read.success) peers.set(domain, { entry: read.data, changedAt });
		else unreadable.push(domain);
	}
	return { entries: { peers, blocks }, unreadable };
}

/** Lays the live entries over the file's. Domains of our own are no peer's, whatever the store says. */
export function layPolicy(file: Config, live: LiveEntries): StandingPolicy {
	const own = new Set(file.domain.map(({ name }) => name));
	const taken = new Set([...live.peers.values()].flatMap(({ entry }) => entry.domains));
	const peers: StandingPeer[] = [];
	for (const [name, { entry, changedAt }] of live.peers) {
		const domains = entry.domains.filter((domain) => !own.has(domain));
		if (domains.length === 0 && entry.domains.length > 0) continue;
		peers.push({ name, origin: "store", entry: { ...entry, domains }, changedAt, lost: [] });
	}
	for (const entry of file.peer) {
		if (live.peers.has(peerName(entry)) && entry.kind !== "allowed") continue;
		const domains = entry.domains.filter((domain) => !taken.has(domain));
		if (domains.length === 0 && entry.domains.length > 0) continue;
		const left = { ...entry, domains };
		const lost = entry.domains.filter((domain) => taken.has(domain));
		peers.push({ name: peerName(left), origin: "file", entry: left, changedAt: undefined, lost });
	}
	const blocks: StandingBlock[] = [];
	for (const [domain, changedAt] of live.blocks) {
		if (!own.has(domain)) blocks.push({ domain, origin: "store", changedAt });
	}
	for (const domain of new Set(file.block.map((block) => block.domain))) {
		if (live.blocks.has(domain) || taken.has(domain)) continue;
		blocks.push({ domain, origin: "file", changedAt: undefined });
	}
	peers.sort((left, right) => compare(left.name, right.name));
	blocks.sort((left, right) => compare(left.domain, right.domain));
	const config = {
		...file,
		peer: peers.map(({ entry }) => entry),
		block: blocks.map(({ domain }) => ({ domain })),
	};
	return { peers, blocks, config };
}

/** What an edit would make of the live entries; nothing is changed. */
export function planEdit(file: Config, live: LiveEntries, edit: PolicyEdit, now: number): PlannedEdit {
	switch (edit.kind) {
		case "put-peer":
			return planPeer(file, live, edit, now);
		case "remove-peer":
			return planRemoval(file, live, edit.name);
		case "block": {
			const own = file.domain.some(({ name }) => name === edit.domain);
			if (own) return refuse("invalid", `${edit.domain} is a domain of ours`);
			const blocks = new Map(live.blocks).set(edit.domain, now);
			return planned({ ...live, blocks }, [{ kind: "block", domain: edit.domain, value: "{}" }]);
		}
		case "unblock": {
			if (!live.blocks.has(edit.domain)) {
				return layPolicy(file, live).blocks.some(({ domain }) => domain === edit.domain)
					? refuse("in-file", `the configuration file blocks ${edit.domain}: take it out there and reload`)
					: refuse("not-blocked", `${edit.domain} is not blocked`);
			}
			const blocks = new Map(live.blocks);
			blocks.delete(edit.domain);
			const notes = file.block.some(({ domain }) => domain === edit.domain)
				? [`${edit.domain} stays blocked by the configuration file`]
				: [];
			return planned({ ...live, blocks }, [{ kind: "block", domain: edit.domain, value: undefined }], notes);
		}
	}
}

function planPeer(
	file: Config,
	live: LiveEntries,
	{ name, peer: value }: Extract<PolicyEdit, { kind: "put-peer" }>,
	now: number,
): PlannedEdit {
	const read = configSchema.shape.peer.unwrap().element.safeParse(value);
	if (!read.success) {
		const findings = describeIssues(
			read.error.issues.map((issue) => ({ ...issue, path: ["peer", 0, ...issue.path] })),
			{ peer: [value] },
		);
		return invalid(findings);
	}
	const entry = read.data;
	if (peerName(entry) !== name) {
		const key = entry.kind === "allowed" ? "domains" : "edge";
		return invalid([
			{ path: ["peer", 0, key], message: `describes the peer ${peerName(entry)}, while ${name} is to be changed` },
		]);
	}
	const relative = (entry.trust ?? []).filter((path) => path !== "system" && !isAbsolute(path));
	if (relative.length > 0) {
		const message = "must be absolute paths on the edge's machine";
		return invalid([{ path: ["peer", 0, "trust"], message }]);
	}
	const changes: PolicyChange[] = [];
	const notes: string[] = [];
	const peers = new Map(live.peers);
	const blocks = new Map(live.blocks);
	const domains = new Set(entry.domains);
	for (const other of layPolicy(file, live).peers) {
		const isSame = other.name === name && (other.entry.kind === "allowed") === (entry.kind === "allowed");
		const moved = other.entry.domains.filter((domain) => domains.has(domain));
		if (isSame || moved.length === 0) continue;
		notes.push(`${moved.join(", ")} ${moved.length === 1 ? "moves" : "move"} here from ${other.name}`);
		if (other.origin === "file") continue;
		const rest = other.entry.domains.filter((domain) => !domains.has(domain));
		const before = peers.get(other.name);
		peers.delete(other.name);
		changes.push({ kind: "peer", domain: other.name, value: undefined });
		if (rest.length === 0 || before === undefined) continue;
		const left = { ...before.entry, domains: rest };
		peers.set(peerName(left), { entry: left, changedAt: now });
		changes.push({ kind: "peer", domain: peerName(left), value: JSON.stringify(left) });
	}
	for (const domain of domains) {
		if (blocks.delete(domain)) {
			changes.push({ kind: "block", domain, value: undefined });
			notes.push(`${domain} is no longer blocked`);
		} else if (file.block.some((block) => block.domain === domain) && !live.peers.has(name)) {
			notes.push(`${domain} is blocked in the configuration file; this edit wins over it`);
		}
	}
	peers.set(name, { entry, changedAt: now });
	changes.push({ kind: "peer", domain: name, value: JSON.stringify(entry) });
	// The rules between keys are those of the file; the edited peer alone can break them here.
	const standing = layPolicy({ ...file, domain: [] }, { peers, blocks }).peers;
	const index = standing.findIndex((peer) => peer.name === name && peer.origin === "store");
	const { errors } = checkConfig({ ...file, peer: standing.map((peer) => peer.entry), block: [] });
	const findings = errors.filter(({ path }) => path[0] === "peer" && path[1] === index);
	if (findings.length > 0) return invalid(findings);
	return planned({ peers, blocks }, changes, notes);
}

function planRemoval(file: Config, live: LiveEntries, name: string): PlannedEdit {
	if (!live.peers.has(name)) {
		return layPolicy(file, live).peers.some((peer) => peer.name === name)
			? refuse("in-file", `${name} is in the configuration file: take it out there and reload, or block its domains`)
			: refuse("unknown-peer", `there is no peer ${name}`);
	}
	const peers = new Map(live.peers);
	peers.delete(name);
	const next = { ...live, peers };
	const back = layPolicy(file, next).peers.filter(
		({ origin, name: other, entry }) =>
			origin === "file" &&
			(other === name || entry.domains.some((domain) => live.peers.get(name)?.entry.domains.includes(domain))),
	);
	const notes = back.map((peer) => `${peer.name} stands again as the configuration file has it`);
	return planned(next, [{ kind: "peer", domain: name, value: undefined }], notes);
}

function planned(entries: LiveEntries, changes: readonly PolicyChange[], notes: readonly string[] = []): PlannedEdit {
	return { ok: true, entries, changes, notes };
}

function refuse(code: Extract<PlannedEdit, { ok: false }>["code"], reason: string): PlannedEdit {
	return { ok: false, code, reason, findings: [] };
}

function invalid(findings: readonly Finding[]): PlannedEdit {
	const own = findings.map((finding) => ({ ...finding, path: finding.path.slice(2) }));
	return { ok: false, code: "invalid", reason: "the peer is not valid", findings: own };
}

function compare(left: string, right: string): number {
	return left < right ? -1 : left > right ? 1 : 0;
}
