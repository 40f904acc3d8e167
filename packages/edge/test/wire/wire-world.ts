/** One real edge in this process, and a partner's edge that a test plays by hand over real mutual TLS. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { Client, type UserEvent } from "@causeway/admin";
import {
	type ByteStream,
	type Clock,
	DEFAULT_FRAMER_LIMITS,
	type Logger,
	SipConnection,
	type SipMessage,
	type SipRequest,
	type SipResponse,
} from "@causeway/sip";
import { createTurnFlusher, systemClock, systemRandom, TlsDialler, TlsListener } from "@causeway/sip/node";
import { loadConfig } from "../../src/config/load.ts";
import { type RunningEdge, startEdge } from "../../src/edge.ts";
import { type Authority, createEdgeCertificate, createRootAuthority } from "../../src/pki/authority.ts";
import { createRemoteTargets, type RemoteTargets } from "./remote-targets.ts";

const DAY_MS = 86_400_000;
const WAIT_MS = 30_000;

export interface LoggedEvent {
	readonly event: string;
	readonly fields: Readonly<Record<string, unknown>>;
}

export interface WireWorld {
	/** The edge that runs, and the port of its listener. */
	readonly edge: RunningEdge;
	readonly port: number;
	readonly log: readonly LoggedEvent[];
	/** With the administrator's token. */
	readonly admin: Client;
	/** A connection that the partner opens, its certificate good for `sip.fabrikam.example`. */
	connect(): Promise<Link>;
	/** Stops our edge and starts it again from the same files; its ports are others. */
	restart(): Promise<void>;
	/** Our Contact in the dialogs of a Call-ID, as the partner learned it. */
	targetOf(callId: string): string;
	/** The next connection that our edge opens to the partner. */
	accepted(): Promise<Link>;
	createUser(aor: string, displayName: string): Promise<WireUser>;
}

/** One connection as the partner sees it. What it writes in a dialog goes to our Contact, unless the test names another URI. */
export interface Link {
	/** Sends octets as they are; lines end with CRLF, Content-Length is added where `{length}` stands. */
	write(text: string): void;
	/** The same, with a body of octets behind it. */
	writeOctets(text: string, body: readonly number[]): void;
	/** The next message from our edge. */
	next(): Promise<SipMessage>;
	request(): Promise<SipRequest>;
	/** The next response, awaited for `waitMs`, a while that only a failing test needs where left out. */
	response(waitMs?: number): Promise<SipResponse>;
	/** Fulfils when our edge has closed the connection. */
	closed(): Promise<string>;
	readonly isOpen: boolean;
	/** Of the partner's end. */
	readonly localPort: number;
	destroy(): void;
}

export interface WireUser {
	readonly aor: string;
	readonly client: Client;
	/** The next event of this kind that satisfies `isIt`. */
	event<Kind extends UserEvent["kind"]>(
		kind: Kind,
		isIt?: (event: Extract<UserEvent, { kind: Kind }>) => boolean,
	): Promise<Extract<UserEvent, { kind: Kind }>>;
}

/** A queue of things that come, awaited with a limit that only a failing test reaches. */
class Inbox<Item> {
	readonly #items: Item[] = [];
	readonly #waiting = new Set<() => void>();

	put(item: Item): void {
		this.#items.push(item);
		for (const look of [...this.#waiting]) look();
	}

	take<Found extends Item>(what: string, isIt: (item: Item) => item is Found, waitMs?: number): Promise<Found>;
	take(what: string, isIt?: (item: Item) => boolean, waitMs?: number): Promise<Item>;
	take(what: string, isIt: (item: Item) => boolean = () => true, waitMs = WAIT_MS): Promise<Item> {
		return new Promise((resolve, reject) => {
			const timer = setTimeout(() => {
				this.#waiting.delete(look);
				reject(new Error(`nothing came while waiting for ${what}; ${this.#items.length} other things did`));
			}, waitMs);
			const look = (): void => {
				const index = this.#items.findIndex(isIt);
				const item = this.#items[index];
				if (index === -1 || item === undefined) return;
				this.#items.splice(index, 1);
				clearTimeout(timer);
				this.#waiting.delete(look);
				resolve(item);
			};
			this.#waiting.add(look);
			look();
		});
	}
}

/**
 * Starts the edge; `toml` is added to its configuration, `peer` to the entry of the partner, `prepare` sees its folder first,
 * and the edge has the time from `clock`.
 * Everything ends with the test.
 */
export async function startWireWorld(
	context: TestContext,
	toml = "",
	prepare: (folder: string) => void = () => {},
	peer = "",
	clock: Clock = systemClock(),
): Promise<WireWorld> {
	const folder = await mkdtemp(join(tmpdir(), "causeway-wire-"));
	prepare(folder);
	const now = Date.now();
	const spec = { notBefore: new Date(now - DAY_MS), notAfter: new Date(now + DAY_MS) };
	const authority = await createRootAuthority({ ...spec, commonName: "Wire test authority" });
	const own = await createEdgeCertificate(authority, { ...spec, names: ["sip.contoso.example"] });
	await writeFile(join(folder, "edge.pem"), own.chain);
	await writeFile(join(folder, "edge.key"), own.key);
	await writeFile(join(folder, "ca.pem"), authority.certificate);
	const partner = await createPartner(authority, spec);
	const file = join(folder, "causeway.toml");
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
[[peer]]
kind = "direct"
domains = ["fabrikam.example"]
edge = "sip.fabrikam.example:5061"
connect = "127.0.0.1:${partner.port}"
${peer}
[http]
listen = "127.0.0.1:0"
${toml}`,
	);
	const loaded = loadConfig(file, (path) => readFileSync(path, "utf8"));
	assert.ok(loaded.ok, JSON.stringify(loaded));
	const lines: LoggedEvent[] = [];
	const keep = (event: string, fields: Readonly<Record<string, unknown>> = {}): void => {
		lines.push({ event, fields });
	};
	const log: Logger = { debug() {}, info: keep, warn: keep, error: keep };
	const start = () => startEdge(loaded.config, { clock, random: systemRandom(), log, version: "0.0.0" });
	let edge = await start();
	const stoppers: (() => void)[] = [];
	context.after(async () => {
		for (const stop of stoppers) stop();
		partner.close();
		await edge.close();
		await rm(folder, { recursive: true, force: true });
	});
	const adminToken = readFileSync(loaded.config.http.admin_token_file, "utf8").trim();
	let admin = new Client({ url: edge.httpUrl, token: adminToken });
	return {
		get edge() {
			return edge;
		},
		get port() {
			return edge.sip[0]?.port ?? 0;
		},
		log: lines,
		get admin() {
			return admin;
		},
		async restart() {
			await edge.close();
			edge = await start();
			admin = new Client({ url: edge.httpUrl, token: adminToken });
		},
		connect: () => partner.connect(edge.sip[0]?.port ?? 0),
		targetOf: (callId) => partner.targetOf(callId),
		accepted: () => partner.accepted(),
		async createUser(aor, displayName) {
			await admin.call("putUser", { params: { aor }, body: { password: "correct horse", display_name: displayName } });
			const { token } = await admin.call("login", { body: { aor, password: "correct horse" } });
			const client = admin.withToken(token);
			const events = new Inbox<UserEvent>();
			await new Promise<void>((resolve, reject) => {
				stoppers.push(
					client.open(
						"watchEvents",
						{},
						{
							frame: (frame) => ("epoch" in frame ? resolve() : events.put(frame)),
							closed: reject,
						},
					),
				);
			});
			return {
				aor,
				client,
				event: (kind, isIt = () => true) =>
					events.take(
						`the event ${kind}`,
						(event): event is Extract<UserEvent, { kind: typeof kind }> =>
							event.kind === kind && isIt(event as Extract<UserEvent, { kind: typeof kind }>),
					),
			};
		},
	};
}

export async function createPartner(
	authority: Authority,
	spec: { readonly notBefore: Date; readonly notAfter: Date },
	name = "sip.fabrikam.example",
) {
	const issued = await createEdgeCertificate(authority, { ...spec, names: [name] });
	const credentials = { certificate: issued.chain, key: issued.key };
	const flusher = createTurnFlusher();
	const dialler = new TlsDialler({ credentials, flusher });
	const waiting = new Inbox<Link>();
	const links: Link[] = [];
	const targets = createRemoteTargets();
	const open = (stream: ByteStream): Link => {
		const link = createLink(stream, targets);
		links.push(link);
		return link;
	};
	const listener = new TlsListener({
		addresses: [{ address: "127.0.0.1", port: 0 }],
		credentials,
		flusher,
		accepted: (stream) => waiting.put(open(stream)),
		refused: () => {},
	});
	await listener.start();
	return {
		port: listener.endpoints[0]?.port ?? 0,
		accepted: () => waiting.take("a connection of our edge"),
		targetOf(callId: string): string {
			const target = targets.of(callId);
			assert.ok(target !== undefined, `our edge has sent a Contact in ${callId}`);
			return target;
		},
		async connect(port: number): Promise<Link> {
			const outcome = await dialler.dial({ address: "127.0.0.1", port, serverName: "sip.contoso.example" });
			assert.ok(outcome.ok, JSON.stringify(outcome));
			return open(outcome.stream);
		},
		close() {
			for (const link of links) link.destroy();
			listener.close();
		},
	};
}

let lastId = 0;

function createLink(stream: ByteStream, targets: RemoteTargets): Link {
	const inbox = new Inbox<SipMessage>();
	let reason: string | undefined;
	const ends = new Inbox<string>();
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
			received: (_connection, message) => {
				targets.learn(message);
				inbox.put(message);
			},
			closed: (_connection, cause) => {
				reason = cause.reason;
				ends.put(cause.reason);
			},
		},
	});
	connection.start();
	return {
		write(text) {
			const octets = Buffer.from(targets.address(text).replaceAll(/\r?\n/g, "\r\n"), "utf8");
			stream.write(octets.toString("latin1"));
		},
		writeOctets(text, body) {
			stream.write(Buffer.from(targets.address(text), "utf8").toString("latin1") + String.fromCharCode(...body));
		},
		next: () => inbox.take("a message"),
		request: () => inbox.take("a request", (message): message is SipRequest => message.kind === "request"),
		response: (waitMs) =>
			inbox.take("a response", (message): message is SipResponse => message.kind === "response", waitMs),
		closed: () => (reason === undefined ? ends.take("the end of the connection") : Promise.resolve(reason)),
		get isOpen() {
			return stream.isOpen;
		},
		localPort: stream.local.port,
		destroy: () => stream.destroy("the test is over"),
	};
}

/** Parts of a request that a test cares about; the rest is what a good partner writes. */
export interface RequestParts {
	readonly method: string;
	readonly uri?: string;
	readonly from?: string;
	readonly fromTag?: string;
	readonly to?: string;
	readonly toTag?: string;
	readonly callId?: string;
	readonly cseq?: number;
	readonly headers?: readonly string[];
	/** What the partner says of its user in an INVITE; `verified` where left out. */
	readonly verification?: "verified" | "unverified" | "none";
	readonly body?: string;
	readonly contentType?: string;
}

let lastBranch = 0;

/** A request of the partner, as text. */
export function formatRequest(parts: RequestParts): string {
	const { method, from = "lena@fabrikam.example", to = "alice@contoso.example", body = "" } = parts;
	lastBranch += 1;
	const needsContact = method === "INVITE" || method === "SUBSCRIBE" || method === "NOTIFY";
	const lines = [
		`${method} ${parts.uri ?? `sip:${to}`} SIP/2.0`,
		`Via: SIP/2.0/TLS sip.fabrikam.example:5061;branch=z9hG4bKtest${lastBranch}`,
		"Max-Forwards: 70",
		`From: <sip:${from}>;tag=${parts.fromTag ?? "f1"}`,
		`To: <sip:${to}>${parts.toTag === undefined ? "" : `;tag=${parts.toTag}`}`,
		`Call-ID: ${parts.callId ?? `call${lastBranch}@fabrikam.example`}`,
		`CSeq: ${parts.cseq ?? 1} ${method}`,
		...(needsContact ? ["Contact: <sip:lena@sip.fabrikam.example:5061;transport=tls>"] : []),
		...(method === "INVITE" && parts.verification !== "none"
			? [`Ms-asserted-verification-level: ms-source-verification-level=${parts.verification ?? "verified"}`]
			: []),
		...(parts.headers ?? []),
		...(body === "" ? [] : [`Content-Type: ${parts.contentType ?? "application/sdp"}`]),
		`Content-Length: ${Buffer.byteLength(body.replaceAll(/\r?\n/g, "\r\n"))}`,
		"",
		body,
	];
	return lines.join("\r\n");
}

/** An answer to a request of our edge, as text. */
export function formatAnswer(
	request: SipRequest,
	status: string,
	parts: {
		readonly toTag?: string;
		readonly headers?: readonly string[];
		readonly body?: string;
		readonly contentType?: string;
	} = {},
): string {
	const { text } = request.head;
	const copied = text
		.split("\r\n")
		.filter((line) => /^(via|from|call-id|cseq):/i.test(line))
		.join("\r\n");
	const to = text.split("\r\n").find((line) => /^to:/i.test(line)) ?? "";
	const { body = "" } = parts;
	return [
		`SIP/2.0 ${status}`,
		copied,
		parts.toTag === undefined || request.to.tag !== undefined ? to : `${to};tag=${parts.toTag}`,
		"Contact: <sip:lena@sip.fabrikam.example:5061;transport=tls>",
		...(parts.headers ?? []),
		...(body === "" ? [] : [`Content-Type: ${parts.contentType ?? "application/sdp"}`]),
		`Content-Length: ${Buffer.byteLength(body.replaceAll(/\r?\n/g, "\r\n"))}`,
		"",
		body,
	].join("\r\n");
}

/** An offer or answer with these media lines. */
export function sdp(...media: readonly string[]): string {
	return [
		"v=0",
		"o=- 1 1 IN IP4 192.0.2.1",
		"s=-",
		"c=IN IP4 192.0.2.1",
		"t=0 0",
		...media.map((line) => `m=${line}`),
		"",
	].join("\r\n");
}

export const MESSAGE_LINE = "message 5060 sip/tcp *";

export function bodyText(message: SipMessage): string {
	return Buffer.from(message.body).toString("utf8");
}
