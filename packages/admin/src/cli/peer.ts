import { type Command, InvalidArgumentError } from "commander";
import { ApiError } from "../api-error.ts";
import type { Client } from "../client.ts";
import { readPeerSettings } from "../peer-settings.ts";
import { hostNameSchema, type Peer, type PeerRequest } from "../schema/policy.ts";
import { formatExamples } from "./arguments.ts";
import { CommandFailed } from "./command-failed.ts";
import { addConnectionFlags, type ConnectionFlags } from "./connection.ts";
import { type CommandContext, formatInstant, writeJson } from "./context.ts";
import { registerListing } from "./listing.ts";
import { addEditFlags, type EditFlags, runEdit } from "./peer-edit.ts";
import { registerInvite } from "./peer-invite.ts";
import { type Column, writeFields } from "./table.ts";

export const name = "peer";
export const summary = "list and change who may federate with us";

interface AllowFlags extends EditFlags {
	readonly edge?: string;
	readonly provider?: boolean;
	readonly public?: boolean;
	readonly connect?: string;
	readonly verification?: "as-asserted" | "always-verified" | "always-unverified";
	readonly trust?: readonly string[];
	readonly affinity?: "strict" | "rebind";
	readonly minVersion?: "1.0" | "1.1" | "1.2" | "1.3";
}

/** A peer, or a domain that is blocked and that no peer has. */
interface Row {
	readonly name: string;
	readonly kind: string;
	readonly domains: string;
	readonly origin: string;
	readonly state: string;
	readonly connections: number | undefined;
}

const columns: readonly Column<Row>[] = [
	{ title: "PEER", value: (row) => row.name },
	{ title: "KIND", value: (row) => row.kind },
	{ title: "DOMAINS", value: (row) => row.domains },
	{ title: "ORIGIN", value: (row) => row.origin },
	{ title: "STATE", value: (row) => row.state, style: (row) => (row.state === "allowed" ? "green" : "red") },
	{ title: "CONNECTIONS", value: (row) => row.connections, align: "right" },
];

export function register(program: Command, context: CommandContext): void {
	const peer = program
		.command(name)
		.summary(summary)
		.description(
			"Lists and changes who may federate with us. Changes are made while running, are kept over a restart, and win over\nthe configuration file.",
		);
	registerList(peer, context);
	registerShow(peer, context);
	registerAllow(peer, context);
	registerBlock(peer, context);
	registerRemove(peer, context);
	registerInvite(peer, context);
}

function registerList(parent: Command, context: CommandContext): void {
	registerListing(
		parent,
		context,
		{
			name: "list",
			summary: "list peers and blocked domains, and where each was written",
			none: "no peers and no blocked domains",
			columns,
			read: async (client): Promise<readonly Row[]> => {
				const [{ peers }, { blocks }] = await Promise.all([client.call("listPeers"), client.call("listDomainBlocks")]);
				return [
					...peers.map((peer) => ({
						name: peer.name,
						kind: peer.public === true ? "provider (public)" : peer.kind,
						domains: peer.domains.join(" "),
						origin: peer.origin,
						state: stateOf(peer),
						connections: peer.connections,
					})),
					...blocks.map(({ domain, origin }) => ({
						name: domain,
						kind: "block",
						domains: domain,
						origin,
						state: "blocked",
						connections: undefined,
					})),
				];
			},
		},
		"causeway peer list",
	);
}

function stateOf({ blocked_domains: blocked = [], domains }: Peer): string {
	if (blocked.length === 0) return "allowed";
	return blocked.length === domains.length ? "blocked" : `${blocked.join(" ")} blocked`;
}

function registerShow(parent: Command, context: CommandContext): void {
	addConnectionFlags(parent.command("show").summary("show one peer"))
		.description("Shows a peer, by one of its domains or the name of its edge.")
		.argument("<peer>", "domain or edge", readHostName)
		.option("--json", "print JSON")
		.addHelpText("after", formatExamples("causeway peer show fabrikam.example"))
		.action(async (wanted: string, flags: ConnectionFlags & { readonly json?: boolean }) => {
			const client = await context.connect(flags);
			const found = await findPeer(client, wanted);
			const block = (await client.call("listDomainBlocks")).blocks.find(({ domain }) => domain === wanted);
			if (found === undefined && block === undefined) {
				throw new CommandFailed(`there is no peer ${wanted}, and it is not blocked; causeway policy test tells more`);
			}
			if (flags.json === true) writeJson(context, { peer: found, block });
			else writeFields(context, [...(found === undefined ? [] : describePeer(found)), ...describeBlock(block)]);
		});
}

function describePeer(peer: Peer): readonly (readonly [string, string | number])[] {
	const optional = (title: string, value: string | undefined): readonly (readonly [string, string])[] =>
		value === undefined || value === "" ? [] : [[title, value]];
	const isWritten = peer.changed_at === undefined ? "" : `, ${formatInstant(peer.changed_at)}`;
	return [
		["peer", peer.name],
		["kind", peer.public === true ? "provider (public)" : peer.kind],
		["domains", peer.domains.join(", ") || "those whose SRV record names its edge"],
		["written in", `${originWords[peer.origin]}${isWritten}`],
		...optional("edge", peer.edge),
		...optional("dialled at", peer.connect),
		...optional("trust", peer.trust?.join(", ")),
		...optional("verification", peer.verification),
		...optional("affinity", peer.affinity),
		...optional("blocked", peer.blocked_domains?.join(", ")),
		...optional("moved away", peer.moved_domains?.join(", ")),
		["connections", peer.connections],
		...optional("we see them", peer.presence && formatFlow(peer.presence.we_see_them)),
		...optional("they see us", peer.presence && formatFlow(peer.presence.they_see_us)),
		...optional("ceilings", peer.usage && formatUsage(peer.usage)),
		...optional(
			"last failure",
			peer.last_failure &&
				`${formatInstant(peer.last_failure.at)} ${peer.last_failure.code}: ${peer.last_failure.reason}`,
		),
	];
}

const originWords = {
	file: "the configuration file",
	store: "the live policy",
	discovery: "nothing: found by SRV",
} as const;

/** Presence with a peer, one way: subscriptions that stand, and when the last NOTIFY came or went. */
function formatFlow({ subscriptions, last_notify_at }: NonNullable<Peer["presence"]>["we_see_them"]): string {
	const last =
		last_notify_at === undefined ? "no NOTIFY since the start" : `last NOTIFY ${formatInstant(last_notify_at)}`;
	return `${subscriptions} ${subscriptions === 1 ? "subscription" : "subscriptions"}, ${last}`;
}

function formatUsage(usage: NonNullable<Peer["usage"]>): string {
	const rate =
		usage.messages_per_second === undefined
			? []
			: [`${usage.messages_left ?? 0} of ${usage.messages_per_second} messages a second left`];
	const users =
		usage.distinct_users_limit === undefined
			? []
			: [`${usage.distinct_users} of ${usage.distinct_users_limit} users addressed`];
	return [
		...rate,
		...users,
		`${usage.refused} refused, ${usage.delayed} delayed`,
		...(usage.suspicious ? ["suspicious"] : []),
		...(usage.dry_run ? ["dry run"] : []),
	].join("; ");
}

function describeBlock(
	block: { readonly domain: string; readonly origin: string; readonly blocked_at?: string | undefined } | undefined,
): readonly (readonly [string, string])[] {
	if (block === undefined) return [];
	const where = block.origin === "file" ? "the configuration file" : "the live policy";
	const since = block.blocked_at === undefined ? "" : ` since ${formatInstant(block.blocked_at)}`;
	return [["blocked", `${block.domain}, by ${where}${since}`]];
}

function registerAllow(parent: Command, context: CommandContext): void {
	addEditFlags(parent.command("allow").summary("allow domains, or change how they are reached"))
		.description(
			"Allows domains. Without --edge their edge is found by SRV; with --edge they are behind that edge, beside the domains\nit has already. A domain that another peer has moves; one that is blocked live is no longer.",
		)
		.argument("[domains...]", "SIP domains; a provider may go without", collectHostNames, [])
		.option("--edge <edge>", "name of the peer's edge, with a port where it is not 5061")
		.option("--provider", "the edge is a hosting or public IM provider's")
		.option("--public", "the provider is a public IM network")
		.option("--connect <address>", "dial this address; the certificate must still carry the name of the edge")
		.option("--verification <level>", "as-asserted, always-verified or always-unverified", readVerification)
		.option("--trust <files...>", "authorities for this peer: files on the edge's machine, or system")
		.option("--affinity <affinity>", "strict or rebind", readAffinity)
		.option("--min-version <version>", "lowest TLS version: 1.0, 1.1, 1.2 or 1.3", readTlsVersion)
		.addHelpText(
			"after",
			formatExamples(
				"causeway peer allow fabrikam.example",
				"causeway peer allow fabrikam.example --edge sip.fabrikam.example",
				"causeway peer allow im.example mail.example --edge edge.network.example --provider --public",
				"causeway peer allow fabrikam.example --edge sip.fabrikam.example --dry-run",
			),
		)
		.action(async (domains: readonly string[], flags: AllowFlags) => {
			const client = await context.connect(flags);
			const body = await describeAllowed(client, domains, flags);
			const target = body.edge === undefined ? (domains[0] ?? "") : edgeName(body.edge);
			const words = domains.length === 0 ? target : domains.join(", ");
			await runEdit(context, flags, `${words} allowed`, (preview) =>
				client.call("putPeer", { params: { name: target }, query: { preview }, body }),
			);
		});
}

/** The peer as it shall be: what the flags say, over what is known of it already. */
async function describeAllowed(client: Client, domains: readonly string[], flags: AllowFlags): Promise<PeerRequest> {
	if (flags.edge === undefined && (flags.provider === true || flags.connect !== undefined)) {
		throw new CommandFailed("--provider and --connect go with --edge", 2);
	}
	if (domains.length === 0 && flags.provider !== true) {
		throw new CommandFailed("name a domain; only a provider goes without", 2);
	}
	const changes = {
		...(flags.connect === undefined ? {} : { connect: flags.connect }),
		...(flags.verification === undefined ? {} : { verification: flags.verification }),
		...(flags.trust === undefined ? {} : { trust: isSystem(flags.trust) ? ("system" as const) : [...flags.trust] }),
		...(flags.affinity === undefined ? {} : { affinity: flags.affinity }),
		...(flags.minVersion === undefined ? {} : { min_version: flags.minVersion }),
		...(flags.public === true ? { public: true } : {}),
	};
	if (flags.edge === undefined) {
		const known = await findPeer(client, domains[0] ?? "");
		const isKept = known?.kind === "allowed" && known.name === domains[0];
		const kept = isKept ? readPeerSettings(known) : undefined;
		return { ...kept, ...changes, kind: "allowed", domains: merge(kept?.domains, domains) };
	}
	const known = await findPeer(client, edgeName(flags.edge));
	const kept = known !== undefined && known.name === edgeName(flags.edge) ? readPeerSettings(known) : undefined;
	const isProvider = flags.provider === true || kept?.kind === "provider";
	return {
		...kept,
		...changes,
		kind: isProvider ? "provider" : "direct",
		edge: flags.edge,
		domains: merge(kept?.domains, domains),
	};
}

function registerBlock(parent: Command, context: CommandContext): void {
	addEditFlags(parent.command("block").summary("block a domain, both ways and at once"))
		.description("Blocks a domain: nothing goes to it, nothing comes from it, and what is live with it ends.")
		.argument("<domain>", "SIP domain", readHostName)
		.addHelpText(
			"after",
			formatExamples("causeway peer block spim.example", "causeway peer block spim.example --dry-run"),
		)
		.action(async (domain: string, flags: EditFlags) => {
			const client = await context.connect(flags);
			await runEdit(context, flags, `${domain} blocked`, (preview) =>
				client.call("putDomainBlock", { params: { domain }, query: { preview } }),
			);
		});
}

function registerRemove(parent: Command, context: CommandContext): void {
	addEditFlags(parent.command("remove").summary("take back what was allowed or blocked while running"))
		.description(
			"Takes back a live edit: lifts the block of a domain; else takes the domain from its peer, or removes the peer whose\nedge is named. What the configuration file says stands again.",
		)
		.argument("<domain-or-edge>", "domain or edge", readHostName)
		.addHelpText("after", formatExamples("causeway peer remove fabrikam.example"))
		.action(async (wanted: string, flags: EditFlags) => {
			const client = await context.connect(flags);
			const { blocks } = await client.call("listDomainBlocks");
			if (blocks.some(({ domain, origin }) => domain === wanted && origin === "store")) {
				await runEdit(context, flags, `${wanted} is no longer blocked`, (preview) =>
					client.call("deleteDomainBlock", { params: { domain: wanted }, query: { preview } }),
				);
				return;
			}
			const known = await findPeer(client, wanted);
			if (known === undefined) throw new CommandFailed(`there is no peer ${wanted}, and it is not blocked`);
			const kept = readPeerSettings(known);
			const rest = known.domains.filter((domain) => domain !== wanted);
			if (kept === undefined || known.name === wanted || rest.length === 0) {
				await runEdit(context, flags, `${known.name} removed`, (preview) =>
					client.call("deletePeer", { params: { name: known.name }, query: { preview } }),
				);
				return;
			}
			await runEdit(context, flags, `${wanted} taken from ${known.name}`, (preview) =>
				client.call("putPeer", {
					params: { name: known.name },
					query: { preview },
					body: { ...kept, domains: rest },
				}),
			);
		});
}

async function findPeer(client: Client, wanted: string): Promise<Peer | undefined> {
	try {
		return await client.call("getPeer", { params: { name: wanted } });
	} catch (error) {
		if (error instanceof ApiError && error.code === "unknown-peer") return undefined;
		throw error;
	}
}

function merge(known: readonly string[] = [], added: readonly string[]): string[] {
	return [...new Set([...known, ...added])];
}

function isSystem(trust: readonly string[]): boolean {
	return trust.length === 1 && trust[0] === "system";
}

/** The name of an edge without its port. */
function edgeName(edge: string): string {
	return edge.replace(/:[0-9]+$/, "").toLowerCase();
}

function readHostName(text: string): string {
	const read = hostNameSchema.safeParse(text);
	if (!read.success) throw new InvalidArgumentError("It must be a name such as fabrikam.example.");
	return read.data;
}

function collectHostNames(text: string, before: readonly string[]): readonly string[] {
	return [...before, readHostName(text)];
}

function oneOf<const Words extends readonly string[]>(...words: Words) {
	return (text: string): Words[number] => {
		const found = words.find((word) => word === text);
		if (found === undefined) throw new InvalidArgumentError(`It must be one of ${words.join(", ")}.`);
		return found;
	};
}

const readVerification = oneOf("as-asserted", "always-verified", "always-unverified");
const readAffinity = oneOf("strict", "rebind");
const readTlsVersion = oneOf("1.0", "1.1", "1.2", "1.3");
