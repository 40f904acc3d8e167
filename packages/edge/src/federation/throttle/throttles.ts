/**
 * Who is throttled: discovered peers, each certificate by itself, so that nobody multiplies its share with domains
 * (protocol sheet 7.3); and listed peers whose entry says so.
 */
import { createHmac, randomBytes } from "node:crypto";
import type { Clock } from "@causeway/sip";
import type { Link } from "../link.ts";
import type { Peer, PeerDirectory } from "../peers.ts";
import { PeerThrottle, type ThrottleDecision, type ThrottleLimits, type ThrottleView } from "./peer-throttle.ts";

export interface ThrottlesOptions {
	readonly clock: Pick<Clock, "now">;
	readonly directory: () => PeerDirectory;
	/** `[throttle]`. */
	readonly limits: () => ThrottleLimits;
}

/** What a request asks for, as far as ceilings count it. */
export interface CountedRequest {
	readonly opensDialog: boolean;
	/** `user@domain` that it is for; undefined for the edge itself. */
	readonly target: string | undefined;
}

/** Who has which ceilings, as the way of a request asks. */
export interface ThrottleRules {
	stranger(link: Link, domain: string, request: CountedRequest): ThrottleDecision;
	listed(link: Link, peer: Peer, request: CountedRequest): ThrottleDecision;
}

/** A peer with ceilings, for listings. */
export interface ThrottledPeer {
	/** The listed peer's name; for a discovered one the first name in its certificate. */
	readonly name: string;
	/** SHA-256 of a discovered peer's certificate. */
	readonly fingerprint: string | undefined;
	/** Domains that a discovered peer spoke for. */
	readonly domains: readonly string[];
	readonly view: ThrottleView;
}

interface Entry {
	readonly name: string;
	readonly fingerprint: string | undefined;
	readonly domains: Set<string>;
	readonly throttle: PeerThrottle;
}

const PASS: ThrottleDecision = { kind: "pass" };
/** Protocol sheet 1.3: 1,000 certificates, and the fifth that was silent longest goes when there is no room. */
const MOST_ENTRIES = 1_000;
const PURGED_AT_ONCE = MOST_ENTRIES / 5;
const MOST_DOMAINS_SHOWN = 20;
/** Octets of the keyed hash under which a target is counted: whom a stranger writes to is kept nowhere. */
const TARGET_OCTETS = 12;

export class Throttles implements ThrottleRules {
	readonly #options: ThrottlesOptions;
	readonly #entries = new Map<string, Entry>();
	readonly #byLink = new WeakMap<Link, Entry>();
	readonly #secret = randomBytes(32);

	constructor(options: ThrottlesOptions) {
		this.#options = options;
	}

	/** A request in the name of a domain, before anything is looked up for it: strangers are counted by their certificate. */
	stranger(link: Link, domain: string, request: CountedRequest): ThrottleDecision {
		const directory = this.#options.directory();
		const found = directory.find(domain);
		if (found.kind === "peer" && found.peer.kind !== "discovered") return PASS;
		// A listed peer's connection is not held back for what else comes over it; the binding refuses what is not its own.
		if (link.admittedAs.length > 0) return PASS;
		const { fingerprint, names, subject } = link.identity;
		const entry = this.#entry(`certificate ${fingerprint}`, names[0] ?? subject, fingerprint, this.#options.limits);
		if (entry.domains.size < MOST_DOMAINS_SHOWN) entry.domains.add(domain);
		return this.#decide(entry, link, request);
	}

	/** A request of a peer that proved its domain: one that is listed has the ceilings of its own entry, or none. */
	listed(link: Link, peer: Peer, request: CountedRequest): ThrottleDecision {
		if (peer.kind === "discovered" || peer.throttle === undefined) return PASS;
		const limits = (): ThrottleLimits => {
			const now = this.#options.directory().policy.peers.find(({ name }) => name === peer.name);
			return now?.throttle ?? UNLIMITED;
		};
		return this.#decide(this.#entry(`peer ${peer.name}`, peer.name, undefined, limits), link, request);
	}

	/** A request for a new dialog that came on this link got its final answer; refusals for speed do not count. */
	answered(link: Link, statusCode: number): void {
		if (statusCode === 503) return;
		this.#byLink.get(link)?.throttle.answered(statusCode, this.#options.clock.now());
	}

	list(): readonly ThrottledPeer[] {
		const now = this.#options.clock.now();
		return [...this.#entries.values()].map(({ name, fingerprint, domains, throttle }) => ({
			name,
			fingerprint,
			domains: [...domains],
			view: throttle.view(now),
		}));
	}

	#decide(entry: Entry, link: Link, { opensDialog, target }: CountedRequest): ThrottleDecision {
		this.#byLink.set(link, entry);
		const now = this.#options.clock.now();
		return opensDialog ? entry.throttle.opening(target && this.#keyOf(target), now) : entry.throttle.inside(now);
	}

	#keyOf(target: string): string {
		return createHmac("sha256", this.#secret).update(target).digest("latin1").slice(0, TARGET_OCTETS);
	}

	#entry(key: string, name: string, fingerprint: string | undefined, limits: () => ThrottleLimits): Entry {
		const known = this.#entries.get(key);
		if (known !== undefined) return known;
		if (this.#entries.size >= MOST_ENTRIES) this.#purge();
		const throttle = new PeerThrottle(limits, this.#options.clock.now());
		const made = { name, fingerprint, domains: new Set<string>(), throttle };
		this.#entries.set(key, made);
		return made;
	}

	#purge(): void {
		const oldest = [...this.#entries].sort(
			([, left], [, right]) => left.throttle.lastUsedAt - right.throttle.lastUsedAt,
		);
		for (const [key] of oldest.slice(0, PURGED_AT_ONCE)) this.#entries.delete(key);
	}
}

const UNLIMITED: ThrottleLimits = {
	messagesPerSecond: undefined,
	suspiciousMessagesPerSecond: undefined,
	distinctUsers: undefined,
	dryRun: false,
};
