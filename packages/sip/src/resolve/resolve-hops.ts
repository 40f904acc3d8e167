/**
 * A target becomes an ordered list of hops: RFC 3263 reduced to what the federation profile defines (protocol.md 6.3).
 *
 *   static name and port  ──────────────────────────────→ A, AAAA → hops
 *   domain → _sipfederationtls._tcp SRV → RFC 2782 order → A, AAAA of each target → hops
 *
 * No NAPTR, no fall-back from SRV to A, and no numeric host is ever dialled unless the configuration itself wrote it.
 */
import type { Random } from "../env.ts";
import type { AddressRecord, DnsAnswer, DnsLookup } from "./dns-lookup.ts";
import { isWithinDomain, normaliseHostName } from "./host-name.ts";
import { isPrivateAddress, parseIpv4, parseIpv6 } from "./ip-address.ts";
import { orderSrvRecords, type SrvRecord } from "./srv-order.ts";

/** The owner name's first labels; the profile prints them with a misplaced underscore (protocol.md 10, row 6). */
const SRV_PREFIX = "_sipfederationtls._tcp.";

/** Where a message should go. */
export type ResolveTarget =
	| {
			readonly kind: "static";
			/** Name that the peer's certificate must carry. */
			readonly host: string;
			readonly port: number;
			/** Dialled in place of `host`, from the configuration: a name, or an address in text form without brackets. */
			readonly connect?: { readonly host: string; readonly port: number };
	  }
	| { readonly kind: "domain"; readonly domain: string };

/** One address to try. The transport is always TLS. */
export interface Hop {
	readonly address: string;
	readonly port: number;
	/** Name that the peer's certificate must carry, and that SNI sends; lower case. */
	readonly serverName: string;
	readonly source: "srv" | "static";
}

/** Why a target, or one server of it, cannot be dialled. */
export type ResolveReason =
	| "bad-name"
	| "srv-absent"
	| "srv-failed"
	| "service-absent"
	| "domain-conflict"
	| "address-absent"
	| "address-failed"
	| "address-private";

/** Why a target has no hops. */
export interface ResolveRefusal {
	readonly reason: ResolveReason;
	/** Diagnostics id of protocol.md 7.7: 1008 SRV look-up, 1009 target outside the domain, 1014 address look-up; 1005 no route. */
	readonly diagnosticsId: 1005 | 1008 | 1009 | 1014;
	/** Status code that answers a request which cannot leave. */
	readonly status: 504;
	/** The name that was asked or refused. */
	readonly name: string;
	/** One sentence for a person. */
	readonly detail: string;
}

/** Hops in the order in which they are to be tried, or why there are none. */
export type HopsOutcome =
	| {
			readonly ok: true;
			/** In the order in which they are tried, at least one. */
			readonly hops: readonly Hop[];
			/** Smallest of the answers used; infinite where none was asked. */
			readonly ttlSeconds: number;
			/** Servers of the answer that are not dialled, and why. */
			readonly skipped: readonly ResolveRefusal[];
	  }
	| { readonly ok: false; readonly refusal: ResolveRefusal };

/** How a target is resolved (RFC 3263, reduced to SRV and addresses). */
export interface ResolveOptions {
	readonly lookup: DnsLookup;
	readonly random: Random;
	/** REQ-38: SRV targets outside the domain are refused. */
	readonly requireSameDomain: boolean;
	/** Addresses found through SRV that lead inside ({@link isPrivateAddress}) are refused. */
	readonly refusePrivateAddresses: boolean;
	/** Records of one SRV answer that are used; 32 where absent. */
	readonly maxServers?: number;
	/** Addresses of one server that are used; 16 where absent. */
	readonly maxAddresses?: number;
}

const DEFAULT_MAX_SERVERS = 32;
const DEFAULT_MAX_ADDRESSES = 16;

interface Server {
	readonly serverName: string;
	/** Looked up. */
	readonly host: string;
	readonly port: number;
	readonly source: Hop["source"];
}

/** Resolves a target. Never rejects while the look-up does not. */
export async function resolveHops(target: ResolveTarget, options: ResolveOptions): Promise<HopsOutcome> {
	return target.kind === "static" ? resolveStatic(target, options) : resolveDomain(target.domain, options);
}

/** The name that is asked for a domain's edge servers. */
export function federationServiceName(domain: string): string {
	return SRV_PREFIX + domain;
}

async function resolveStatic(
	target: Extract<ResolveTarget, { kind: "static" }>,
	options: ResolveOptions,
): Promise<HopsOutcome> {
	const serverName = normaliseHostName(target.host);
	if (serverName === undefined) return refuse(badName(target.host));
	const dialled = target.connect ?? { host: serverName, port: target.port };
	if (target.connect !== undefined && isAddress(dialled.host)) {
		const hop: Hop = { address: dialled.host, port: dialled.port, serverName, source: "static" };
		return { ok: true, hops: [hop], ttlSeconds: Number.POSITIVE_INFINITY, skipped: [] };
	}
	const host = normaliseHostName(dialled.host);
	if (host === undefined) return refuse(badName(dialled.host));
	return resolveServers([{ serverName, host, port: dialled.port, source: "static" }], [], options);
}

async function resolveDomain(domainText: string, options: ResolveOptions): Promise<HopsOutcome> {
	const domain = normaliseHostName(domainText);
	if (domain === undefined || !domain.includes(".")) return refuse(badName(domainText));
	const name = federationServiceName(domain);
	const answer = await options.lookup.srv(name);
	switch (answer.kind) {
		case "no-name":
		case "no-data":
			return refuse(describe("srv-absent", 1008, name, "The domain publishes no SRV record for federation."));
		case "failed":
			return refuse(describe("srv-failed", 1008, name, `The SRV look-up failed: ${answer.reason}`));
		case "records": {
			const { servers, skipped } = selectServers(domain, answer.records, options);
			return resolveServers(servers, skipped, options, answer.ttlSeconds);
		}
	}
}

/** Orders an SRV answer and drops the records that may not be dialled. */
function selectServers(
	domain: string,
	records: readonly SrvRecord[],
	options: ResolveOptions,
): { readonly servers: readonly Server[]; readonly skipped: readonly ResolveRefusal[] } {
	const servers: Server[] = [];
	const skipped: ResolveRefusal[] = [];
	const used = records.slice(0, options.maxServers ?? DEFAULT_MAX_SERVERS);
	for (const record of orderSrvRecords(used, options.random)) {
		const host = normaliseHostName(record.target);
		if (record.target === "" || record.target === ".") {
			skipped.push(
				describe("service-absent", 1005, domain, "The domain says in its SRV record that it has no federation."),
			);
		} else if (host === undefined || record.port === 0) {
			skipped.push(describe("bad-name", 1008, record.target, "The SRV record does not name a host and a port."));
		} else if (options.requireSameDomain && !isWithinDomain(host, domain)) {
			skipped.push(
				describe("domain-conflict", 1009, host, `The SRV record of ${domain} names a server outside the domain.`),
			);
		} else if (!servers.some((server) => server.host === host && server.port === record.port)) {
			servers.push({ serverName: host, host, port: record.port, source: "srv" });
		}
	}
	return { servers, skipped };
}

async function resolveServers(
	servers: readonly Server[],
	refused: readonly ResolveRefusal[],
	options: ResolveOptions,
	srvTtlSeconds = Number.POSITIVE_INFINITY,
): Promise<HopsOutcome> {
	const answers = await Promise.all(servers.map((server) => options.lookup.addresses(server.host)));
	const hops: Hop[] = [];
	const skipped = [...refused];
	let ttlSeconds = srvTtlSeconds;
	for (const [index, server] of servers.entries()) {
		const answer = answers[index] ?? { kind: "no-data" };
		const found = serverHops(server, answer, options);
		if ("reason" in found) {
			skipped.push(found);
		} else {
			hops.push(...found);
			if (answer.kind === "records") ttlSeconds = Math.min(ttlSeconds, answer.ttlSeconds);
		}
	}
	if (hops.length > 0) return { ok: true, hops, ttlSeconds, skipped };
	return refuse(skipped[0] ?? describe("srv-absent", 1008, "", "The SRV answer was empty."));
}

function serverHops(
	server: Server,
	answer: DnsAnswer<AddressRecord>,
	options: ResolveOptions,
): readonly Hop[] | ResolveRefusal {
	switch (answer.kind) {
		case "no-name":
		case "no-data":
			return describe("address-absent", 1014, server.host, "The server has no address record.");
		case "failed":
			return describe("address-failed", 1014, server.host, `The address look-up failed: ${answer.reason}`);
		case "records": {
			const guarded = options.refusePrivateAddresses && server.source === "srv";
			const usable = answer.records.filter(
				({ address }) => isAddress(address) && !(guarded && isPrivateAddress(address)),
			);
			if (usable.length === 0) {
				return describe(
					"address-private",
					1014,
					server.host,
					"Every address of the server leads to a private network.",
				);
			}
			return usable.slice(0, options.maxAddresses ?? DEFAULT_MAX_ADDRESSES).map(({ address }) => {
				return { address, port: server.port, serverName: server.serverName, source: server.source };
			});
		}
	}
}

function isAddress(text: string): boolean {
	return parseIpv4(text) !== undefined || parseIpv6(text) !== undefined;
}

function badName(name: string): ResolveRefusal {
	return describe("bad-name", 1005, name, "This is not a host name that may be looked up.");
}

function describe(
	reason: ResolveReason,
	diagnosticsId: ResolveRefusal["diagnosticsId"],
	name: string,
	detail: string,
): ResolveRefusal {
	return { reason, diagnosticsId, status: 504, name, detail };
}

function refuse(refusal: ResolveRefusal): HopsOutcome {
	return { ok: false, refusal };
}
