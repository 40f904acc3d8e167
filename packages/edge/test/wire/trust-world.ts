/** A real edge with any configuration, and partners that show whatever certificate a test wants, over plain `node:tls`. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, createServer, type SecureContextOptions } from "node:tls";
import { Client } from "@causeway/admin";
import type { Clock, Logger } from "@causeway/sip";
import { createTurnFlusher, systemClock, systemRandom, TlsDialler } from "@causeway/sip/node";
import { parseHostPort } from "../../src/config/host-port.ts";
import { loadConfig } from "../../src/config/load.ts";
import { type EdgeEnv, type RunningEdge, startEdge } from "../../src/edge.ts";
import { loadMaterial } from "../../src/federation/certificate-keeper.ts";
import { DnsClient } from "../../src/federation/dns/dns-client.ts";
import { Federation } from "../../src/federation/federation.ts";
import { peerPolicyFromConfig } from "../../src/federation/peer-policy.ts";
import { PeerDirectory } from "../../src/federation/peers.ts";
import { Trace } from "../../src/observe/trace.ts";
import { type Authority, createEdgeCertificate, createRootAuthority, type Issued } from "../../src/pki/authority.ts";

const DAY_MS = 86_400_000;
const PATIENCE_MS = 30_000;
/** Peers of a test may show what OpenSSL's default level would not let them show. */
const ANY_STRENGTH = "DEFAULT:@SECLEVEL=0";

export const FABRIKAM_PEER = `[[peer]]
kind = "direct"
domains = ["fabrikam.example"]
edge = "sip.fabrikam.example:5061"
`;

export interface LogLine {
	readonly event: string;
	readonly fields: Readonly<Record<string, unknown>>;
}

export interface TrustWorld {
	readonly folder: string;
	readonly dates: { readonly notBefore: Date; readonly notAfter: Date };
	readonly authority: Authority;
	/** The edge's own certificate. */
	readonly own: Issued;
	write(name: string, text: string): Promise<string>;
	/** The transport of an edge alone, without listeners: what it looks up, dials and decides. */
	federation(rest: string, options?: FederationParts): Promise<FederationUnderTest>;
	/** Starts the edge; `rest` stands behind its common part. */
	start(rest: string, options?: StartOptions): Promise<StartedEdge>;
}

export interface StartOptions {
	/** Inside `[edge]`. */
	readonly edge?: string;
	/** Inside `[edge.tls]`. */
	readonly tls?: string;
	readonly env?: Partial<EdgeEnv>;
}

export interface FederationParts {
	readonly clock?: Clock;
	/** For one question to a name server. */
	readonly dnsTimeoutMs?: number;
}

export interface FederationUnderTest {
	readonly federation: Federation;
	/** `address:port` of every attempt to connect. */
	readonly dialled: readonly string[];
	readonly lookup: DnsClient;
}

export interface StartedEdge {
	readonly edge: RunningEdge;
	readonly port: number;
	readonly admin: Client;
	readonly adminToken: string;
	readonly log: readonly LogLine[];
	reload(rest: string, options?: StartOptions): Promise<void>;
}

/** Fulfils with the first value that is not undefined; rejects, with what was waited for, only in a test that fails. */
export async function until<Value>(
	what: string,
	read: () => Value | undefined | Promise<Value | undefined>,
): Promise<Value> {
	const limit = Date.now() + PATIENCE_MS;
	for (;;) {
		const value = await read();
		if (value !== undefined) return value;
		assert.ok(Date.now() < limit, `${what} did not come`);
		await sleep(5);
	}
}

export async function createTrustWorld(context: TestContext): Promise<TrustWorld> {
	const folder = await mkdtemp(join(tmpdir(), "causeway-trust-"));
	const dates = { notBefore: new Date(Date.now() - DAY_MS), notAfter: new Date(Date.now() + 30 * DAY_MS) };
	const authority = await createRootAuthority({ ...dates, commonName: "Trust test authority" });
	const own = await createEdgeCertificate(authority, { ...dates, names: ["sip.contoso.example"] });
	const write = async (name: string, text: string): Promise<string> => {
		await writeFile(join(folder, name), text);
		return join(folder, name);
	};
	await write("edge.pem", own.chain);
	await write("edge.key", own.key);
	await write("ca.pem", authority.certificate);
	let running: RunningEdge | undefined;
	context.after(async () => {
		await running?.close();
		await rm(folder, { recursive: true, force: true });
	});
	const read = async (rest: string, { edge = "", tls = "" }: StartOptions) => {
		const file = await write(
			"causeway.toml",
			`[edge]
fqdn = "sip.contoso.example"
listen = ["127.0.0.1:0"]
${edge}
[edge.tls]
${tls.includes("trust = ") ? "" : 'trust = ["ca.pem"]'}
${tls}
[[domain]]
name = "contoso.example"
kind = "hosted"
[http]
listen = "127.0.0.1:0"
${rest}`,
		);
		const loaded = loadConfig(file, (path) => readFileSync(path, "utf8"));
		assert.ok(loaded.ok, JSON.stringify(loaded));
		return loaded.config;
	};
	return {
		folder,
		dates,
		authority,
		own,
		write,
		async federation(rest, { clock = systemClock(), dnsTimeoutMs } = {}) {
			const config = await read(rest, {});
			const loaded = await loadMaterial(config, clock);
			assert.ok(loaded.ok, JSON.stringify(loaded));
			const { credentials, judge } = loaded.material;
			const directory = new PeerDirectory(peerPolicyFromConfig(config));
			const log: Logger = { debug() {}, info() {}, warn() {}, error() {} };
			const servers = config.dns.servers.map((text) => {
				const { host = "", port = 53 } = parseHostPort(text) ?? {};
				return { address: host, port: port ?? 53 };
			});
			const lookup = new DnsClient({
				servers,
				clock,
				log,
				...(dnsTimeoutMs === undefined ? {} : { timeoutMs: dnsTimeoutMs }),
			});
			const dialled: string[] = [];
			const dialler = new TlsDialler({ credentials, flusher: createTurnFlusher() });
			const dial = dialler.dial.bind(dialler);
			dialler.dial = (request) => {
				dialled.push(`${request.address}:${request.port}`);
				return dial(request);
			};
			const federation = new Federation({
				clock,
				random: systemRandom(),
				log,
				lookup,
				dialler,
				judge,
				trace: new Trace(100, clock),
				directory: () => directory,
				ownDomains: new Set(config.domain.map(({ name }) => name)),
				allowPrivateAddresses: config.dns.allow_private_addresses,
				linkLimits: { perEdge: 4, perNetwork: 40 },
				streamLimits: { headBytes: 65_536, bodyBytes: 262_144, headMs: 10_000, bodyMs: 20_000 },
				handshakeMs: 10_000,
				user: { received() {}, closed() {}, load: () => 0, outstanding: () => 0 },
				refused() {},
			});
			context.after(() => federation.close("the test is over"));
			return { federation, dialled, lookup };
		},
		async start(rest, options = {}) {
			const lines: LogLine[] = [];
			const keep = (event: string, fields: Readonly<Record<string, unknown>> = {}): void => {
				lines.push({ event, fields });
			};
			const log: Logger = { debug() {}, info: keep, warn: keep, error: keep };
			const config = await read(rest, options);
			const env = { clock: systemClock(), random: systemRandom(), log, version: "0.0.0", ...options.env };
			const edge = await startEdge(config, env);
			running = edge;
			const adminToken = readFileSync(config.http.admin_token_file, "utf8").trim();
			return {
				edge,
				port: edge.sip[0]?.port ?? 0,
				admin: new Client({ url: edge.httpUrl, token: adminToken }),
				adminToken,
				log: lines,
				reload: async (next, nextOptions = {}) => edge.reload(await read(next, nextOptions)),
			};
		},
	};
}

/** What a peer of a test shows, with its key. */
export type Shown = Pick<Issued, "chain" | "key"> | undefined;

export interface RawPeer {
	write(text: string): void;
	/** Everything that our edge wrote so far. */
	readonly text: string;
	/** Fulfils when the connection is over. */
	readonly closed: Promise<void>;
	/** The handshake stood on this side; a TLS 1.3 client may think so of a connection that is refused. */
	readonly isSecured: boolean;
	readonly isOpen: boolean;
	readonly localPort: number;
	destroy(): void;
}

/** Dials the edge; fulfils when the handshake stands on this side, or the connection is over. */
export function dialEdge(
	context: TestContext,
	port: number,
	shown: Shown,
	options: SecureContextOptions = {},
): Promise<RawPeer> {
	const socket = connect({
		host: "127.0.0.1",
		port,
		servername: "sip.contoso.example",
		rejectUnauthorized: false,
		ciphers: ANY_STRENGTH,
		...(shown === undefined ? {} : { cert: shown.chain, key: shown.key }),
		...options,
	});
	context.after(() => socket.destroy());
	let text = "";
	let isSecured = false;
	let localPort = 0;
	socket.once("connect", () => {
		localPort = socket.localPort ?? 0;
	});
	socket.setEncoding("latin1").on("data", (chunk: string) => {
		text += chunk;
	});
	// The edge may cut the connection at any moment: that is what most of these tests are about.
	socket.on("error", () => undefined);
	const closed = new Promise<void>((resolve) => void socket.once("close", () => resolve()));
	const peer: RawPeer = {
		write: (octets) => void socket.write(octets, "latin1"),
		get text() {
			return text;
		},
		closed,
		get isSecured() {
			return isSecured;
		},
		get isOpen() {
			return !socket.destroyed && socket.readyState === "open";
		},
		get localPort() {
			return localPort;
		},
		destroy: () => socket.destroy(),
	};
	return new Promise((resolve) => {
		socket.once("close", () => resolve(peer));
		socket.once("secureConnect", () => {
			isSecured = true;
			resolve(peer);
		});
	});
}

export interface RawEdge {
	readonly port: number;
	/** Shows another certificate from the next connection on. */
	show(shown: NonNullable<Shown>): void;
	/** Ends its connections and forgets what came. */
	reset(): void;
	/** Ends its connections and takes no more. */
	close(): void;
	/** Every octet of SIP that our edge sent, over all connections. */
	readonly text: string;
	/** Connections whose handshake stood on this side. */
	readonly accepted: number;
	/** TCP connections, and those of them that are over. */
	readonly dialled: number;
	readonly ended: number;
}

/** A partner's edge that takes connections, writes down what comes and says nothing. */
export async function startRawEdge(
	context: TestContext,
	shown: NonNullable<Shown>,
	options: SecureContextOptions = {},
): Promise<RawEdge> {
	let text = "";
	let accepted = 0;
	let dialled = 0;
	let ended = 0;
	const sockets = new Set<{ destroy(): void }>();
	const server = createServer({
		cert: shown.chain,
		key: shown.key,
		requestCert: true,
		rejectUnauthorized: false,
		ciphers: ANY_STRENGTH,
		...options,
	});
	server.on("secureConnection", (socket) => {
		accepted += 1;
		sockets.add(socket);
		socket.on("error", () => undefined);
		socket.setEncoding("latin1").on("data", (chunk: string) => {
			text += chunk;
		});
		context.after(() => socket.destroy());
	});
	server.on("connection", (socket) => {
		dialled += 1;
		socket.once("close", () => {
			ended += 1;
		});
	});
	server.on("tlsClientError", () => undefined);
	await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
	context.after(() => void server.close());
	return {
		port: (server.address() as AddressInfo).port,
		show: (next) => server.setSecureContext({ cert: next.chain, key: next.key, ciphers: ANY_STRENGTH }),
		reset() {
			for (const socket of sockets) socket.destroy();
			sockets.clear();
			text = "";
		},
		close() {
			server.close();
			for (const socket of sockets) socket.destroy();
		},
		get text() {
			return text;
		},
		get accepted() {
			return accepted;
		},
		get dialled() {
			return dialled;
		},
		get ended() {
			return ended;
		},
	};
}
