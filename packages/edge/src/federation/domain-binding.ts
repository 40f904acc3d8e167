/** Binds a connection to the SIP domains it may speak for: no peer speaks for a domain that its certificate and routing do not give it (REQ-68). */
import type { Clock, DnsLookup } from "@causeway/sip";
import { detach, federationServiceName, isWithinDomain } from "@causeway/sip";
import { hostOf } from "./admission.ts";
import { expectationOf } from "./certificate-expectation.ts";
import type { CertificateJudge } from "./certificate-judge.ts";
import type { Link } from "./link.ts";
import { openProviderOf } from "./open-provider.ts";
import type { BindingVerdict } from "./outcome.ts";
import type { Peer, PeerDirectory } from "./peers.ts";
import { tlsVersionFault } from "./tls-version.ts";

/** A verdict from DNS is asked again after this time at most, one from the configuration after a policy edit. */
const LONGEST_MEMORY_MS = 3_600_000;
const FAILURE_MEMORY_MS = 60_000;
/** Domains remembered for one connection: a peer that claims more is no peer. */
const MOST_DOMAINS = 1_000;

export interface DomainBindingOptions {
	readonly clock: Clock;
	readonly lookup: DnsLookup;
	readonly judge: CertificateJudge;
	readonly directory: () => PeerDirectory;
	/** Domains of ours, lower case. */
	readonly ownDomains: ReadonlySet<string>;
}

export class DomainBinding {
	readonly #options: DomainBindingOptions;
	readonly #join: (link: Link, network: string) => boolean;
	readonly #underWay = new Map<string, Promise<BindingVerdict>>();

	/** `join` counts a link for the network it proved to be of; false where the network has too many. */
	constructor(options: DomainBindingOptions, join: (link: Link, network: string) => boolean) {
		this.#options = options;
		this.#join = join;
	}

	/** Whether requests from `domain` (lower case) may come over this link; a promise only where the DNS must be asked. */
	bind(link: Link, domain: string): BindingVerdict | Promise<BindingVerdict> {
		const now = this.#options.clock.now();
		const known = link.bindings.get(domain);
		if (known !== undefined && known.until > now) return known.verdict;
		const decided = this.#decide(link, domain);
		if (decided !== undefined) return this.#remember(link, domain, decided, LONGEST_MEMORY_MS);
		const key = `${link.connection.id} ${domain}`;
		const pending = this.#underWay.get(key);
		if (pending !== undefined) return pending;
		const asked = this.#ask(link, domain).finally(() => this.#underWay.delete(key));
		this.#underWay.set(key, asked);
		return asked;
	}

	/** What policy and certificate say without the DNS; undefined where the DNS must say which edge speaks for the domain. */
	#decide(link: Link, domain: string): BindingVerdict | undefined {
		if (this.#options.ownDomains.has(domain)) {
			return refuse(403, "own-domain", `${domain} is ours: a peer may not send in its name`);
		}
		const found = this.#options.directory().find(domain);
		if (found.kind === "blocked") return refuse(403, "blocked-domain", `${domain} is blocked`);
		if (found.kind === "not-listed") {
			if (this.#options.directory().open.length > 0) return undefined;
			return refuse(403, "not-listed", `${domain} is not listed, and discovery is off`);
		}
		const { peer } = found;
		if (peer.edge === undefined) return undefined;
		if (this.#proves(link, peer, [peer.edge.host])) return { ok: true, peer };
		return refuse(403, "wrong-edge", `${domain} belongs to ${peer.edge.host}; ${carries(link)}`);
	}

	async #ask(link: Link, domain: string): Promise<BindingVerdict> {
		const answer = await this.#options.lookup.srv(federationServiceName(domain));
		// The policy may have changed while the DNS was asked: what is remembered follows the one that stands now.
		const decided = this.#decide(link, domain);
		if (decided !== undefined) return this.#remember(link, domain, decided, LONGEST_MEMORY_MS);
		const directory = this.#options.directory();
		const found = directory.find(domain);
		if (answer.kind === "failed") {
			const verdict = refuse(403, "srv-failed", `the SRV record of ${domain} could not be read: ${answer.reason}`);
			return this.#remember(link, domain, verdict, FAILURE_MEMORY_MS);
		}
		const targets = answer.kind === "records" ? answer.records.map(({ target }) => hostOf(target)) : [];
		const ttlMs = Math.min(answer.kind === "records" ? answer.ttlSeconds * 1000 : 0, LONGEST_MEMORY_MS);
		const isListed = found.kind === "peer" && found.peer.kind !== "discovered";
		const open = isListed ? undefined : openProviderOf(targets, directory);
		if (open?.edge !== undefined) {
			const verdict: BindingVerdict = this.#proves(link, open, [open.edge.host])
				? { ok: true, peer: open }
				: refuse(403, "wrong-edge", `${domain} belongs to ${open.edge.host}; ${carries(link)}`);
			return this.#remember(link, domain, verdict, ttlMs);
		}
		if (found.kind !== "peer") {
			const where = targets.join(", ") || "not in the DNS";
			const verdict = refuse(403, "not-listed", `${domain} is not listed, and its edges are no provider's: ${where}`);
			return this.#remember(link, domain, verdict, FAILURE_MEMORY_MS);
		}
		const inside = targets.filter((target) => isWithinDomain(target, domain));
		if (inside.length > 0 && this.#proves(link, found.peer, inside)) {
			return this.#remember(link, domain, { ok: true, peer: found.peer }, ttlMs);
		}
		const verdict = refuse(
			403,
			"srv-mismatch",
			`the edges of ${domain} are ${targets.join(", ") || "not in the DNS"}; ${carries(link)}`,
		);
		return this.#remember(link, domain, verdict, FAILURE_MEMORY_MS);
	}

	/**
	 * Whether the certificate is good for one of these edges under the settings of this very peer. Another peer's own authority,
	 * which let the connection in, may write any name into a certificate.
	 */
	#proves(link: Link, peer: Peer, edgeNames: readonly string[]): boolean {
		if (tlsVersionFault(peer, link.presented.protocol, link.isLegacy) !== undefined) return false;
		const role = link.connection.direction === "outbound" ? "dialled" : "accepted";
		return this.#options.judge.judge(link.presented, expectationOf(peer, role, edgeNames)).ok;
	}

	#remember(link: Link, domain: string, verdict: BindingVerdict, forMs: number): BindingVerdict {
		const counted =
			verdict.ok && !this.#join(link, verdict.peer.name)
				? refuse(403, "connection-limit", `${verdict.peer.name} has too many connections with us`)
				: verdict;
		if (link.bindings.size >= MOST_DOMAINS) link.bindings.clear();
		link.bindings.set(detach(domain), { verdict: counted, until: this.#options.clock.now() + forMs });
		return counted;
	}
}

function carries(link: Link): string {
	return `this certificate carries ${link.identity.names.join(", ") || "no name"}`;
}

function refuse(status: number, code: string, reason: string): BindingVerdict {
	return { ok: false, status, code, reason };
}
