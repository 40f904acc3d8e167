/** A real edge with discovery on, a DNS zone of its own, and partner edges with whatever certificates a test wants. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { Client } from "@causeway/admin";
import {
	type ByteStream,
	DEFAULT_FRAMER_LIMITS,
	type Logger,
	SipConnection,
	type SipMessage,
	type SipRequest,
} from "@causeway/sip";
import { createTurnFlusher, systemClock, systemRandom, TlsDialler, TlsListener } from "@causeway/sip/node";
import { loadConfig } from "../../src/config/load.ts";
import { type RunningEdge, startEdge } from "../../src/edge.ts";
import { ZoneServer } from "../../src/federation/dns/zone-server.ts";
import { type Authority, createEdgeCertificate, createRootAuthority } from "../../src/pki/authority.ts";
import { createRemoteTargets } from "./remote-targets.ts";

const DAY_MS = 86_400_000;
const WAIT_MS = 5_000;

export interface Partner {
	readonly port: number;
	readonly refused: readonly string[];
	connect(port: number): Promise<PartnerLink>;
	/** The next connection of our edge. */
	accepted(): Promise<PartnerLink>;
}

export interface PartnerLink {
	write(text: string): void;
	next(): Promise<SipMessage>;
	closed(): Promise<string>;
	/** Ends the connection. */
	close(): void;
}

export interface DiscoveryWorld {
	readonly edge: RunningEdge;
	readonly port: number;
	readonly zone: ZoneServer;
	readonly authority: Authority;
	readonly log: string[];
	/** A partner's edge whose certificate carries these names. */
	partner(names: readonly string[], authority?: Authority): Promise<Partner>;
	/** Lets a domain's SRV record name a host, and the host live at 127.0.0.1. */
	publish(domain: string, target: string, port: number): void;
	readonly admin: Client;
	user(): Promise<Client>;
	/** Takes another configuration; `rest` stands behind its common part. */
	reload(rest: string): Promise<void>;
}

/** Waits for something that comes over a socket; the limit is reached only by a test that fails. */
function createInbox<Item>() {
	const items: Item[] = [];
	const waiting: ((item: Item) => void)[] = [];
	return {
		put(item: Item): void {
			const take = waiting.shift();
			if (take === undefined) items.push(item);
			else take(item);
		},
		take(what: string): Promise<Item> {
			const first = items.shift();
			if (first !== undefined) return Promise.resolve(first);
			return new Promise((resolve, reject) => {
				const timer = setTimeout(() => reject(new Error(`${what} did not come`)), WAIT_MS);
				waiting.push((item) => {
					clearTimeout(timer);
					resolve(item);
				});
			});
		},
	};
}

/** Two edges of fabrikam.example at one address, sip1 before sip2. */
export async function startTwo(world: DiscoveryWorld): Promise<readonly [Partner, Partner]> {
	const names = ["sip1.fabrikam.example", "sip2.fabrikam.example"] as const;
	const partners = [await world.partner([names[0]]), await world.partner([names[1]])] as const;
	world.zone.setRecords(
		names.flatMap((target, index) => [
			{
				name: "_sipfederationtls._tcp.fabrikam.example",
				type: "SRV" as const,
				priority: index,
				weight: 0,
				port: partners[index]?.port ?? 0,
				target,
			},
			{ name: target, type: "A" as const, address: "127.0.0.1" },
		]),
	);
	return partners;
}

export async function nextRequest(link: PartnerLink): Promise<SipRequest> {
	const message = await link.next();
	assert.ok(message.kind === "request");
	return message;
}

export const DISCOVERY = "[federation]\ndiscovery = true\n";

/** Starts the edge; `rest` stands behind the common part of its configuration. Everything ends with the test. */
export async function startDiscoveryWorld(
	context: TestContext,
	rest = DISCOVERY,
	isPrivateAllowed = true,
): Promise<DiscoveryWorld> {
	const folder = await mkdtemp(join(tmpdir(), "causeway-discovery-"));
	const spec = { notBefore: new Date(Date.now() - DAY_MS), notAfter: new Date(Date.now() + DAY_MS) };
	const authority = await createRootAuthority({ ...spec, commonName: "Discovery test authority" });
	const own = await createEdgeCertificate(authority, { ...spec, names: ["sip.contoso.example"] });
	await writeFile(join(folder, "edge.pem"), own.chain);
	await writeFile(join(folder, "edge.key"), own.key);
	await writeFile(join(folder, "ca.pem"), authority.certificate);
	const stoppers: (() => void)[] = [];
	let edge: RunningEdge | undefined;
	const zone = new ZoneServer({ address: "127.0.0.1", port: 0 });
	context.after(async () => {
		for (const stop of stoppers) stop();
		await edge?.close();
		await zone.close();
		await rm(folder, { recursive: true, force: true });
	});
	const dns = await zone.start();
	const file = join(folder, "causeway.toml");
	const read = async (tail: string) => {
		await writeFile(
			file,
			`[edge]
fqdn = "sip.contoso.example"
listen = ["127.0.0.1:0"]
[edge.tls]
trust = ["ca.pem"]
[[domain]]
name = "contoso.example"
kind = "hosted"
[http]
listen = "127.0.0.1:0"
[dns]
servers = ["127.0.0.1:${dns.port}"]
allow_private_addresses = ${isPrivateAllowed}
${tail}`,
		);
		const loaded = loadConfig(file, (path) => readFileSync(path, "utf8"));
		assert.ok(loaded.ok, JSON.stringify(loaded));
		return loaded.config;
	};
	const lines: string[] = [];
	const keep = (event: string, fields: Readonly<Record<string, unknown>> = {}): void => {
		lines.push(`${event} ${JSON.stringify(fields)}`);
	};
	const log: Logger = { debug() {}, info: keep, warn: keep, error: keep };
	const config = await read(rest);
	edge = await startEdge(config, { clock: systemClock(), random: systemRandom(), log, version: "0.0.0" });
	const running = edge;
	const token = readFileSync(config.http.admin_token_file, "utf8").trim();
	const admin = new Client({ url: running.httpUrl, token });
	const records: Parameters<ZoneServer["setRecords"]>[0][number][] = [];
	return {
		edge: running,
		admin,
		port: running.sip[0]?.port ?? 0,
		zone,
		authority,
		log: lines,
		async partner(names, issuer = authority) {
			const issued = await createEdgeCertificate(issuer, { ...spec, names });
			const { partner, stop } = await startPartner({ certificate: issued.chain, key: issued.key });
			stoppers.push(stop);
			return partner;
		},
		publish(domain, target, port) {
			records.push(
				{ name: `_sipfederationtls._tcp.${domain}`, type: "SRV", priority: 0, weight: 0, port, target },
				{ name: target, type: "A", address: "127.0.0.1" },
			);
			zone.setRecords(records);
		},
		async user() {
			const aor = "alice@contoso.example";
			await admin.call("putUser", { params: { aor }, body: { password: "correct horse", display_name: "Alice" } });
			const login = await admin.call("login", { body: { aor, password: "correct horse" } });
			return admin.withToken(login.token);
		},
		reload: async (tail) => running.reload(await read(tail)),
	};
}

async function startPartner(credentials: { readonly certificate: string; readonly key: string }) {
	const flusher = createTurnFlusher();
	const dialler = new TlsDialler({ credentials, flusher });
	const links = createInbox<PartnerLink>();
	const streams: ByteStream[] = [];
	const targets = createRemoteTargets();
	const refused: string[] = [];
	let lastId = 0;
	const open = (stream: ByteStream): PartnerLink => {
		streams.push(stream);
		const messages = createInbox<SipMessage>();
		const ends = createInbox<string>();
		lastId += 1;
		const connection = new SipConnection({
			id: lastId,
			direction: "inbound",
			stream,
			clock: systemClock(),
			random: systemRandom(),
			limits: DEFAULT_FRAMER_LIMITS,
			times: { headMs: 10_000, bodyMs: 20_000 },
			user: {
				received(_, message) {
					targets.learn(message);
					messages.put(message);
				},
				closed: (_, { reason }) => ends.put(reason),
			},
		});
		connection.start();
		return {
			write: (text) => stream.write(targets.address(text)),
			next: () => messages.take("a message"),
			closed: () => ends.take("the end of the connection"),
			close: () => connection.close("the test wants it so"),
		};
	};
	const listener = new TlsListener({
		addresses: [{ address: "127.0.0.1", port: 0 }],
		credentials,
		flusher,
		accepted: (stream) => links.put(open(stream)),
		refused: ({ code }) => refused.push(code),
	});
	await listener.start();
	const partner: Partner = {
		port: listener.endpoints[0]?.port ?? 0,
		refused,
		accepted: () => links.take("a connection"),
		async connect(port) {
			const outcome = await dialler.dial({ address: "127.0.0.1", port, serverName: "sip.contoso.example" });
			assert.ok(outcome.ok, JSON.stringify(outcome));
			return open(outcome.stream);
		},
	};
	const stop = (): void => {
		for (const stream of streams) stream.destroy("the test is over");
		listener.close();
	};
	return { partner, stop };
}
