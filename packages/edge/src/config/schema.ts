/**
 * The one schema of `causeway.toml`: every key with its type, bounds, default, description, and whether it reloads live.
 * The reference page, the JSON Schema and the configuration value all come from here. Keys keep the file's names.
 */
import { z } from "zod";
import { parseHostPort } from "./host-port.ts";
import {
	dialAddress,
	dnsServer,
	domainName,
	fileName,
	flag,
	fqdn,
	httpsUrl,
	key,
	listenAddress,
	oneOf,
	orEmpty,
	proxyAddress,
	serverName,
	trustAnchors,
	wholeNumber,
} from "./key-schema.ts";

const tls = z.strictObject({
	certificate: key(fileName().default("edge.pem"), "live", "Our certificate, PEM, leaf first, then the chain.", {
		path: true,
	}),
	key: key(fileName().default("edge.key"), "live", "The private key, PEM.", { path: true, secret: true }),
	trust: key(
		trustAnchors().prefault("system"),
		"live",
		'Certification authorities that peers\' certificates may come from: PEM files, or "system".',
		{ path: true },
	),
	crl: key(z.array(fileName()).default([]), "live", "PEM files with revocation lists, re-read while running.", {
		path: true,
	}),
	min_version: key(
		oneOf("1.2", "1.3").default("1.2"),
		"restart",
		"The lowest TLS version. Older peers: `peer.min_version`.",
	),
	client_auth_eku: key(
		oneOf("require", "warn", "ignore").default("warn"),
		"live",
		"What to do with a dialling peer whose certificate lacks the client authentication purpose.",
	),
});

const edge = z.strictObject({
	fqdn: key(fqdn(), "restart", "Our name in certificate, Via, Record-Route and Contact."),
	listen: key(
		z.array(listenAddress()).min(1).default(["0.0.0.0:5061"]),
		"restart",
		'Federation listeners, mutual TLS only. IPv6 as `"[::]:5061"`.',
	),
	legacy_listen: key(
		z.array(listenAddress()).default([]),
		"restart",
		"Separate listeners that accept TLS 1.0 and 1.1, for peers with `min_version` below 1.2 alone.",
	),
	data_dir: key(fileName().default("./data"), "restart", "Store and signing keys; only the owner may read it.", {
		path: true,
	}),
	tls: tls.prefault({}).meta({ description: "Certificates and their checks." }),
});

const domainShape = { name: key(domainName(), "live", "The SIP domain: what stands behind the @ of our users.") };

const hostedDomain = z.strictObject({
	kind: key(
		z.literal("hosted"),
		"live",
		'`"hosted"`: its users live here. `"relay"`: they live on an inside SIP server.',
	),
	...domainShape,
	icon: key(
		httpsUrl().optional(),
		"live",
		"Brand icon shown to federated partners: PNG, at most 8 KB, 16 × 16, 32 bits per pixel.",
	),
});

const relayDomain = z.strictObject({
	kind: key(
		z.literal("relay"),
		"live",
		'`"hosted"`: its users live here. `"relay"`: they live on an inside SIP server.',
	),
	...domainShape,
	inside: key(
		serverName(),
		"live",
		"The inside SIP server, reached over mutual TLS with our certificate; its certificate must carry this name. Port 5061 where not given.",
	),
	connect: key(dialAddress().optional(), "live", "Dial this address, still verify the name of `inside`."),
	trust: key(trustAnchors().optional(), "live", "In place of `edge.tls.trust` for this inside server.", { path: true }),
	verification: key(
		oneOf("as-asserted", "verified", "unverified").default("as-asserted"),
		"live",
		"Our users' verification level toward partners: what the inside asserts, or always the same.",
	),
});

const federation = z.strictObject({
	discovery: key(
		flag().default(false),
		"live",
		"Exchange with domains that are not listed, found by DNS SRV and throttled.",
	),
	hide_unknown_users: key(
		oneOf("never", "discovered", "always").default("discovered"),
		"live",
		"From whom to hide whether a user exists: unknown users then look offline.",
	),
	outgoing_requests_per_second: key(
		wholeNumber(1, 100_000).default(20),
		"live",
		"Our own pace toward a peer that is found by SRV and may see us as a stranger.",
	),
	mark_outgoing_verification: key(
		flag().default(true),
		"live",
		"State each sender's verification level to partners; `false` sends no verification header.",
	),
});

const dns = z.strictObject({
	servers: key(z.array(dnsServer()).default([]), "restart", "Name servers; empty for the system's."),
	allow_private_addresses: key(
		flag().default(false),
		"restart",
		"Let discovered peers and icons resolve to private or loopback addresses. For tests and labs.",
	),
});

const throttleShape = {
	messages_per_second: key(
		wholeNumber(1, 100_000).default(20),
		"live",
		"Messages per second from one discovered peer.",
	),
	suspicious_messages_per_second: key(
		wholeNumber(1, 100_000).default(1),
		"live",
		"The same for a peer that behaves suspiciously.",
	),
	distinct_users: key(
		wholeNumber(1, 10_000_000).default(1000),
		"live",
		"Different users of ours that one discovered peer may address.",
	),
	dry_run: key(flag().default(false), "live", "Count and show what would be refused, refuse nothing."),
};

const peerThrottle = z.strictObject({
	messages_per_second: key(
		wholeNumber(1, 100_000).optional(),
		"live",
		"Messages per second from this peer; no ceiling where not given.",
	),
	suspicious_messages_per_second: key(
		wholeNumber(1, 100_000).optional(),
		"live",
		"The same while this peer behaves suspiciously; no ceiling where not given.",
	),
	distinct_users: key(
		wholeNumber(1, 10_000_000).optional(),
		"live",
		"Different users of ours that this peer may address; no ceiling where not given.",
	),
	dry_run: key(flag().default(false), "live", "Count and show what would be refused, refuse nothing."),
});

const PEER_KIND =
	'`"direct"`: domains behind one edge. `"allowed"`: domains whose edge DNS SRV names. `"provider"`: one edge of a hosting or public IM provider, for many domains.';

const peerShape = {
	domains: key(z.array(domainName()).min(1), "live", "The SIP domains this peer may speak for."),
	verification: key(
		oneOf("as-asserted", "always-verified", "always-unverified").default("as-asserted"),
		"live",
		"The verification level of this peer's users: what the peer asserts, or always the same.",
	),
	trust: key(trustAnchors().optional(), "live", "In place of `edge.tls.trust` for this peer.", { path: true }),
	min_version: key(
		oneOf("1.0", "1.1", "1.2", "1.3").default("1.2"),
		"live",
		"The lowest TLS version with this peer; below 1.2 it comes in through `edge.legacy_listen`.",
	),
	cn_fallback: key(
		flag().default(false),
		"live",
		"Accept the common name where the certificate has no subject alternative name.",
	),
	wildcard: key(flag().default(false), "live", "Accept a wildcard name in the certificate."),
	domain_san: key(flag().default(false), "live", "Also accept a certificate that names the SIP domain (RFC 5922)."),
	affinity: key(
		oneOf("strict", "rebind").default("strict"),
		"live",
		'`"strict"`: a dialog ends with its connection. `"rebind"`: it goes on over a new connection of the same peer.',
	),
	im_profile: key(
		oneOf("profile", "lync", "uri").default("profile"),
		"live",
		"The media line we offer: `sip/tcp *`, `sip null`, or `sip` with our Contact URI.",
	),
	presence_profile: key(
		oneOf("profile", "rfc4480").default("profile"),
		"live",
		'Presence documents as in the profile, or with a person element too (`"rfc4480"`), written and read.',
	),
	capability_port: key(
		oneOf("literal", "zero").default("literal"),
		"live",
		"Port of the media line in OPTIONS and 488 answers: the profile's 5060, or 0 as RFC 3264 §9 wants.",
	),
	throttle: peerThrottle.optional().meta({ description: "Ceilings for this peer." }),
};

const edgePeerShape = {
	edge: key(serverName(), "live", "The peer's edge; its certificate must carry this name. Port 5061 where not given."),
	connect: key(dialAddress().optional(), "live", "Dial this address, still verify the name of `edge`."),
	...peerShape,
};

const directPeer = z.strictObject({ kind: key(z.literal("direct"), "live", PEER_KIND), ...edgePeerShape });
const providerPeer = z.strictObject({
	kind: key(z.literal("provider"), "live", PEER_KIND),
	...edgePeerShape,
	domains: key(
		z.array(domainName()).default([]),
		"live",
		"The SIP domains this peer may speak for. A provider with none speaks for every unlisted domain whose SRV record names its edge.",
	),
	public: key(
		flag().default(false),
		"live",
		"A public IM network: users may be let out to partners and not to it, or the other way round.",
	),
});
const allowedPeer = z.strictObject({ kind: key(z.literal("allowed"), "live", PEER_KIND), ...peerShape });

const block = z.strictObject({
	domain: key(domainName(), "live", "Nothing goes to this domain, nothing comes from it; beats every other entry."),
});

const limits = z.strictObject({
	connections_per_edge: key(
		wholeNumber(1, 40).default(4),
		"restart",
		"Connections that we dial to one peer edge. The profile recommends 4 at most.",
	),
	connections_per_network: key(
		wholeNumber(1, 40).default(40),
		"restart",
		"Connections with one peer, counting both directions. The profile allows 40 at most.",
	),
	head_bytes: key(wholeNumber(1024, 65_536).default(65_536), "restart", "The largest message head, in octets."),
	body_bytes: key(
		wholeNumber(1024, 1_048_576).default(262_144),
		"restart",
		"The largest message body, in octets; an instant message never over 65536.",
	),
	handshake_seconds: key(wholeNumber(1, 120).default(10), "restart", "Time for a TLS handshake, from the first octet."),
	head_seconds: key(wholeNumber(1, 120).default(10), "restart", "Time for a message head, from its first octet."),
	body_seconds: key(wholeNumber(1, 120).default(20), "restart", "Time for a message body, from its first octet."),
});

const presence = z.strictObject({
	min_expires: key(wholeNumber(1, 86_400).default(300), "live", "The shortest subscription granted, in seconds."),
	max_expires: key(wholeNumber(60, 86_400).default(28_800), "live", "The longest subscription granted, in seconds."),
	notify_spacing_seconds: key(
		wholeNumber(5, 3600).default(5),
		"live",
		"Least time between two notifications of one watcher about one user.",
	),
});

const im = z.strictObject({
	offline: key(
		oneOf("store", "refuse").default("store"),
		"live",
		"Messages to a user with no published presence: kept for later, or refused with 480.",
	),
	busy: key(
		oneOf("deliver", "refuse").default("deliver"),
		"restart",
		"Messages to a user whose published state is busy: delivered, or refused with 486.",
	),
	idle_minutes: key(
		wholeNumber(1, 1440).default(15),
		"live",
		"A message session without messages ends after this time.",
	),
	unverified: key(
		oneOf("request", "deliver", "refuse").default("request"),
		"restart",
		"Messages of senders whose domain does not call them verified and whom the user has not let in (as a contact, by allowing them, by writing to them): kept apart until the user decides, delivered, or refused with 480.",
	),
	answer_seconds: key(
		wholeNumber(10, 600).default(60),
		"restart",
		"How long the other side may ring before what waits for the session has failed. Some clients answer when a person does.",
	),
	queue_limit: key(
		wholeNumber(1, 100_000).default(1000),
		"restart",
		"Messages that may wait for one recipient; one more is refused when it is submitted.",
	),
	queue_hours: key(
		wholeNumber(1, 720).default(24),
		"restart",
		"A message that has waited for its turn so long, over a stop of the edge for instance, has failed.",
	),
});

const contentRule = z.strictObject({
	contains: key(
		z.array(z.string().min(1).max(200)).min(1).max(500),
		"restart",
		"Words and phrases, one of which suffices. Case, width, invisible characters and the kind of white space make no difference.",
	),
	direction: key(oneOf("in", "out", "both").default("both"), "restart", "Messages of partners, of our users, or both."),
	domains: key(
		z.array(domainName()).default([]),
		"restart",
		"The other side's domains to which the rule applies; empty for all.",
	),
	reason: key(
		z.string().min(1).max(200).default("Policy does not allow this message"),
		"restart",
		"What the sender is told.",
	),
});

const signing = z.strictObject({
	rotate_hours: key(wholeNumber(1, 24).default(6), "restart", "A new signing key is made this often."),
	dialog_hours: key(wholeNumber(1, 24).default(24), "restart", "The longest life of a dialog; the profile allows 24."),
	key_expiry: key(
		oneOf("dialog", "profile").default("dialog"),
		"restart",
		'`"dialog"`: a key verifies as long as a dialog signed by it may live. `"profile"`: a key dies 24 hours after it was made.',
	),
});

const http = z.strictObject({
	listen: key(
		listenAddress().default("127.0.0.1:8080"),
		"restart",
		"Web chat, API, `/metrics`, `/healthz` and `/readyz`.",
	),
	console_listen: key(
		orEmpty(listenAddress()).default(""),
		"restart",
		"An address of its own for the console and the admin API; empty for the same listener.",
	),
	public_url: key(
		orEmpty(
			z.string().refine((text) => {
				const url = URL.parse(text);
				if (url === null || url.username !== "" || url.password !== "") return false;
				return url.protocol === "https:" || url.protocol === "http:";
			}, 'must be an http or https URL such as "https://chat.contoso.example"'),
		).default(""),
		"restart",
		"What browsers use, where a reverse proxy stands in front.",
	),
	trusted_proxies: key(
		z.array(proxyAddress()).default([]),
		"restart",
		"Addresses of reverse proxies whose forwarding headers are believed.",
	),
	certificate: key(
		orEmpty(fileName()).default(""),
		"live",
		"PEM certificate for HTTPS of our own; empty for plain HTTP.",
		{
			path: true,
		},
	),
	key: key(orEmpty(fileName()).default(""), "live", "PEM key of that certificate.", { path: true, secret: true }),
	admin_token_file: key(
		fileName().default("admin.token"),
		"restart",
		"The administrator's token; made at the first start, only the owner may read it.",
		{ path: true, secret: true },
	),
});

const trace = z.strictObject({
	ring: key(
		wholeNumber(0, 10_000_000).default(20_000),
		"restart",
		"Messages kept for the live trace, the newest; fewer where they have more than 64 MiB together.",
	),
	hep: key(
		orEmpty(
			z.string().refine((text) => {
				const collector = text.startsWith("udp:") ? parseHostPort(text.slice(4)) : undefined;
				return (collector?.port ?? 0) > 0;
			}, 'must be "udp:host:port", such as "udp:homer.example:9060"'),
		).default(""),
		"restart",
		"A Homer collector that gets a copy of the trace; empty for none.",
	),
});

const log = z.strictObject({
	level: key(oneOf("debug", "info", "warn", "error").default("info"), "live", "The least weighty events logged."),
});

/** The whole file. Sections that the file leaves out take their defaults; `edge.fqdn` alone has none. */
export const configSchema = z.strictObject({
	edge: edge.meta({ description: "Our edge server: name, listeners, files." }),
	domain: z
		.array(z.discriminatedUnion("kind", [hostedDomain, relayDomain]))
		.default([])
		.meta({ description: "A domain that we serve." }),
	federation: federation.prefault({}).meta({ description: "Rules for federation with everybody." }),
	dns: dns.prefault({}).meta({ description: "Where names are looked up." }),
	peer: z
		.array(z.discriminatedUnion("kind", [directPeer, allowedPeer, providerPeer]))
		.default([])
		.meta({ description: "Partners that we exchange with." }),
	block: z.array(block).default([]).meta({ description: "Domains that we never exchange with." }),
	limits: limits.prefault({}).meta({ description: "What one connection or one peer may take." }),
	throttle: z.strictObject(throttleShape).prefault({}).meta({
		description: "Ceilings for discovered peers; listed peers have none unless `peer.throttle` sets them.",
	}),
	presence: presence.prefault({}).meta({ description: "Presence subscriptions." }),
	im: im.prefault({}).meta({ description: "Instant messages." }),
	content_rule: z
		.array(contentRule)
		.max(100)
		.default([])
		.meta({ description: "Messages that are refused for what they say: with 606 and Warning 309 to partners." }),
	signing: signing.prefault({}).meta({ description: "Keys that sign what comes back to us in dialogs." }),
	http: http.prefault({}).meta({ description: "Web chat, console, API and metrics." }),
	trace: trace.prefault({}).meta({ description: "The live trace of SIP messages." }),
	log: log.prefault({}).meta({ description: "The log on standard error." }),
});

type DeepReadonly<Value> = Value extends object ? { readonly [Key in keyof Value]: DeepReadonly<Value[Key]> } : Value;

/** The configuration: keys named as in the file, defaults filled in, file names absolute, host names in lower case. */
export type Config = DeepReadonly<z.infer<typeof configSchema>>;
/** One `[[domain]]`. */
export type DomainConfig = Config["domain"][number];
/** One `[[peer]]`. */
export type PeerConfig = Config["peer"][number];
/** One `[[block]]`. */
export type BlockConfig = Config["block"][number];
