/**
 * What no single key can say: rules between keys and between sections. A part that the schema refused is undefined here
 * and counts for nothing, so that every other problem of the file is still found.
 */
import { isLoopback, parseHostPort } from "./host-port.ts";
import type { Finding } from "./problem.ts";
import type { BlockConfig, Config, DomainConfig, PeerConfig } from "./schema.ts";
import type { TomlPath } from "./toml-positions.ts";

export { checkFiles } from "./check-files.ts";

/** The configuration as far as it could be read; lists keep their indices. */
export type ReadableConfig = {
	readonly [Section in Exclude<keyof Config, "domain" | "peer" | "block">]: Config[Section] | undefined;
} & {
	readonly domain: readonly (DomainConfig | undefined)[];
	readonly peer: readonly (PeerConfig | undefined)[];
	readonly block: readonly (BlockConfig | undefined)[];
};

export interface Findings {
	readonly errors: readonly Finding[];
	readonly warnings: readonly Finding[];
}

interface Collector {
	readonly errors: Finding[];
	readonly warnings: Finding[];
}

/** Applies every rule between keys. */
export function checkConfig(config: ReadableConfig): Findings {
	const found: Collector = { errors: [], warnings: [] };
	checkListeners(config, found);
	checkDomains(config, found);
	checkPeers(config, found);
	checkBlocks(config, found);
	checkNumbers(config, found);
	checkHttp(config, found);
	if (config.dns?.allow_private_addresses === true) {
		found.warnings.push({
			path: ["dns", "allow_private_addresses"],
			message: "names of strangers may lead to private addresses",
			remedy: "for tests and labs only",
		});
	}
	return found;
}

function checkListeners({ edge, http, peer }: ReadableConfig, found: Collector): void {
	const federation = (edge?.listen ?? []).map((text, index) => entry(["edge", "listen", index], text));
	const legacy = (edge?.legacy_listen ?? []).map((text, index) => entry(["edge", "legacy_listen", index], text));
	const web = http === undefined ? [] : [entry(["http", "listen"], http.listen)];
	const own =
		http === undefined || http.console_listen === "" ? [] : [entry(["http", "console_listen"], http.console_listen)];
	refuseRepeats(
		[...federation, ...legacy, ...web, ...own].filter((address) => parseHostPort(address.value)?.port !== 0),
		found,
		(first) => ({ message: `${formatName(first)} listens there already` }),
	);
	const [firstLegacy] = legacy;
	if (firstLegacy !== undefined && !peer.some((one) => one === undefined || isLegacy(one))) {
		found.errors.push({
			path: ["edge", "legacy_listen"],
			message: "no peer may come in through this listener",
			remedy: "leave it empty, or give a peer a min_version below 1.2",
		});
	}
}

function checkDomains({ domain, edge }: ReadableConfig, found: Collector): void {
	const names = domain.flatMap((one, index) => (one === undefined ? [] : [entry(["domain", index, "name"], one.name)]));
	refuseRepeats(names, found, (first) => ({ message: `${formatName(first)} is the same domain` }));
	for (const [index, one] of domain.entries()) {
		if (one?.kind !== "relay" || edge === undefined) continue;
		const inside = parseHostPort(one.inside)?.host;
		if (inside === edge.fqdn) {
			found.errors.push({ path: ["domain", index, "inside"], message: "this is our own name (edge.fqdn)" });
		}
	}
	if (domain.length === 0) {
		found.warnings.push({
			path: ["domain"],
			message: "no domain is served",
			remedy: "add a [[domain]] with name and kind",
		});
	}
}

function checkPeers({ domain, edge, peer }: ReadableConfig, found: Collector): void {
	const served = indexDomains(domain);
	const domains = peer.flatMap((one, index) =>
		(one?.domains ?? []).map((name, place) => entry(["peer", index, "domains", place], name)),
	);
	refuseRepeats(domains, found, (first) => ({ message: `${formatName(first)} is the same domain` }));
	for (const { path, value } of domains) {
		const ours = served.get(value);
		if (ours !== undefined) found.errors.push({ path, message: `we serve this domain ourselves (domain[${ours}])` });
	}
	const edges = peer.flatMap((one, index) =>
		one !== undefined && "edge" in one
			? [entry(["peer", index, "edge"], parseHostPort(one.edge)?.host ?? one.edge)]
			: [],
	);
	refuseRepeats(edges, found, (first) => ({
		message: `${formatName(first)} is the same edge`,
		remedy: "list all its domains in one [[peer]]",
	}));
	for (const { path, value } of edges) {
		if (value === edge?.fqdn) found.errors.push({ path, message: "this is our own name (edge.fqdn)" });
	}
	for (const [index, one] of peer.entries()) {
		if (one === undefined || !isLegacy(one)) continue;
		found.warnings.push({
			path: ["peer", index, "min_version"],
			message: `TLS ${one.min_version} is not safe today`,
			remedy: "only for a partner that cannot do better",
		});
	}
}

function checkBlocks({ block, domain, peer }: ReadableConfig, found: Collector): void {
	const blocked = block.flatMap((one, index) =>
		one === undefined ? [] : [entry(["block", index, "domain"], one.domain)],
	);
	for (const { path, value } of repeats(blocked)) {
		found.warnings.push({ path, message: `${value} is blocked already` });
	}
	const names = new Set(blocked.map(({ value }) => value));
	const served = indexDomains(domain);
	for (const { path, value } of blocked) {
		const ours = served.get(value);
		if (ours !== undefined) found.errors.push({ path, message: `we serve this domain ourselves (domain[${ours}])` });
	}
	for (const [index, one] of peer.entries()) {
		for (const [place, name] of (one?.domains ?? []).entries()) {
			if (!names.has(name)) continue;
			found.warnings.push({
				path: ["peer", index, "domains", place],
				message: `${name} is blocked, and a block beats a peer`,
			});
		}
	}
}

function checkThrottle(path: TomlPath, throttle: Throttle | undefined, found: Collector): void {
	const { messages_per_second: usual, suspicious_messages_per_second: suspicious } = throttle ?? {};
	if (usual === undefined || suspicious === undefined || suspicious <= usual) return;
	found.warnings.push({
		path: [...path, "suspicious_messages_per_second"],
		message: `above messages_per_second (${usual}): a suspicious peer may send more than another`,
	});
}

function checkNumbers({ limits, peer, presence, throttle }: ReadableConfig, found: Collector): void {
	checkThrottle(["throttle"], throttle, found);
	for (const [index, one] of peer.entries()) checkThrottle(["peer", index, "throttle"], one?.throttle, found);
	if (limits !== undefined && limits.connections_per_edge > 4) {
		found.warnings.push({
			path: ["limits", "connections_per_edge"],
			message: `${limits.connections_per_edge} connections to one peer edge`,
			remedy: "the profile recommends 4 at most",
		});
	}
	if (limits !== undefined && limits.connections_per_edge > limits.connections_per_network) {
		found.errors.push({
			path: ["limits", "connections_per_edge"],
			message: `above connections_per_network (${limits.connections_per_network})`,
		});
	}
	if (presence !== undefined && presence.min_expires > presence.max_expires) {
		found.errors.push({ path: ["presence", "min_expires"], message: `above max_expires (${presence.max_expires})` });
	}
}

function checkHttp({ http }: ReadableConfig, found: Collector): void {
	if (http === undefined) return;
	if ((http.certificate === "") !== (http.key === "")) {
		const [given, wanted] = http.key === "" ? ["certificate", "key"] : ["key", "certificate"];
		found.errors.push({ path: ["http", given], message: `needs http.${wanted} too` });
	}
	const isPlain = http.certificate === "" && http.trusted_proxies.length === 0;
	for (const name of ["listen", "console_listen"] as const) {
		const host = parseHostPort(http[name])?.host;
		if (!isPlain || host === undefined || isLoopback(host)) continue;
		found.warnings.push({
			path: ["http", name],
			message: "passwords and tokens travel in the clear on this address",
			remedy: "set certificate and key, or listen on 127.0.0.1 behind a reverse proxy",
		});
	}
	if (http.trusted_proxies.length > 0 && http.public_url === "") {
		found.warnings.push({ path: ["http", "trusted_proxies"], message: "has no use without public_url" });
	}
}

type Throttle = NonNullable<PeerConfig["throttle"]>;

/** Our domains by name; of a name given twice the later one. */
function indexDomains(domain: ReadableConfig["domain"]): ReadonlyMap<string, number> {
	return new Map(domain.flatMap((one, index) => (one === undefined ? [] : [[one.name, index] as const])));
}

interface Entry {
	readonly path: TomlPath;
	readonly value: string;
}

function entry(path: TomlPath, value: string): Entry {
	return { path, value };
}

function repeats(entries: readonly Entry[]): readonly (Entry & { readonly first: Entry })[] {
	const firsts = new Map<string, Entry>();
	return entries.flatMap((one) => {
		const first = firsts.get(one.value);
		if (first !== undefined) return [{ ...one, first }];
		firsts.set(one.value, one);
		return [];
	});
}

function refuseRepeats(
	entries: readonly Entry[],
	found: Collector,
	words: (first: Entry) => { readonly message: string; readonly remedy?: string },
): void {
	for (const { path, first } of repeats(entries)) found.errors.push({ path, ...words(first) });
}

/** The table or list that an entry stands in: `peer[0]`, `edge.listen`. */
function formatName({ path }: Entry): string {
	const [section, part] = path;
	return typeof part === "number" ? `${String(section)}[${part}]` : `${String(section)}.${String(part)}`;
}

function isLegacy(peer: PeerConfig): boolean {
	return peer.min_version === "1.0" || peer.min_version === "1.1";
}
