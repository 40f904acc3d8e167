/** The proxy with nothing around it: links that record, a clock that stands still, and a session that went through. */
import assert from "node:assert/strict";
import {
	createResponse,
	findSips,
	HeaderId,
	headerValues,
	type OctetFrame,
	parseMessage,
	type SipMessage,
} from "@causeway/sip";
import { createFixedDns, frameOf, RecordingConnection, SimClock, SimRandom } from "@causeway/sip/testing";
import { DomainBinding } from "../federation/domain-binding.ts";
import type { LinkOutcome, RefusesPeer } from "../federation/federation.ts";
import type { Link } from "../federation/link.ts";
import type { TriedLinks } from "../federation/outbound-links.ts";
import { refusal } from "../federation/outcome.ts";
import { type Peer, PeerDirectory } from "../federation/peers.ts";
import type { KeyLookup, TokenKey } from "../federation/signature/route-token.ts";
import { createTestKey, createTestLookup } from "../federation/signature/testing.ts";
import { createTestLink, createTestPeer, presentTestCertificate, testJudge } from "../federation/testing.ts";
import { type HostedUser, Reception } from "./reception.ts";
import { Relay } from "./relay.ts";
import {
	type MovingParts,
	readMovingParts,
	readStandingParts,
	type StandingParts,
	scanShortRequest,
} from "./short-request.ts";
import type { ProxyRules } from "./steps.ts";

export const IDENTITY = { fqdn: "sip.contoso.example", port: 5061 } as const;
export const LENA = "lena@fabrikam.example";
export const INES = "ines@corp.contoso.example";
/** Address of every {@link RecordingConnection}. */
export const SOURCE = "192.0.2.1";
const RELAY_DOMAIN = "corp.contoso.example";
const EDGE_OF = {
	partner: { host: "sip.fabrikam.example", port: 5061 },
	inside: { host: "home.corp.contoso.example", port: 5061 },
} as const;

export type Side = "partner" | "inside";

/** A link whose connection records. */
export interface TestLink {
	readonly link: Link;
	/** What was sent on it since the last call, as text in latin1 characters. */
	take(): readonly string[];
	/** The one message that was sent on it since the last call. */
	takeOne(): string;
	/** It is lost, and the proxy hears of it. */
	lose(): void;
	/** Nothing can be sent on it any more; the proxy has not heard of it yet. */
	breakSilently(): void;
}

export interface ProxyFixtureOptions {
	/** False: every message takes the usual way. */
	readonly isShort?: boolean;
	readonly peers?: { readonly [side in Side]?: Partial<Peer> };
	readonly hostedDomains?: readonly string[];
}

/** A session or subscription that both sides know. */
export interface OpenDialog {
	/** Route values of each side, the first of which is for its own side. */
	readonly routes: { readonly [side in Side]: readonly string[] };
	readonly callId: string;
}

export interface OpenDialogParts {
	readonly callId?: string;
	readonly method?: "INVITE" | "SUBSCRIBE";
	readonly by?: Side;
}

export function messageOf(text: string): SipMessage {
	const outcome = parseMessage(frameOf(text).decode());
	assert.ok(outcome.ok, outcome.ok ? "" : outcome.fault.detail);
	return outcome.message;
}

export class ProxyFixture {
	readonly clock = new SimClock();
	readonly partner: TestLink;
	inside: TestLink;
	/** `METHOD status code` of whatever the proxy counted. */
	readonly counted: string[] = [];
	/** `status code` of whatever the pipeline refused. */
	readonly refused: string[] = [];
	readonly relay: Relay;
	/** Messages that took the short way, and first requests and their answers that took that of `opening-way.ts`. */
	shortCount = 0;
	openingCount = 0;
	readonly #reception: Reception;
	readonly #isShort: boolean;
	readonly #links = new Map<number, Link>();
	readonly #rules: { keys: KeyLookup & { now(): number } };
	#directory: PeerDirectory;
	#breaking: TestLink | undefined;

	constructor(options: ProxyFixtureOptions = {}) {
		this.#isShort = options.isShort ?? true;
		this.#directory = new PeerDirectory({
			peers: [
				createTestPeer({
					name: "fabrikam",
					domains: ["fabrikam.example"],
					edge: EDGE_OF.partner,
					...options.peers?.partner,
				}),
				createTestPeer({
					name: "inside",
					domains: [RELAY_DOMAIN],
					edge: EDGE_OF.inside,
					kind: "inside",
					...options.peers?.inside,
				}),
			],
			blocked: new Set(),
			discovery: false,
		});
		const random = new SimRandom(1);
		const log = { debug() {}, info() {}, warn() {}, error: assert.fail };
		const active = createTestKey("test");
		const binding = new DomainBinding(
			{
				clock: this.clock,
				judge: testJudge,
				directory: () => this.#directory,
				ownDomains: new Set(),
				lookup: createFixedDns({}),
			},
			(link, network) => {
				link.network = network;
				return true;
			},
		);
		const rules: ProxyRules & { keys: KeyLookup & { now(): number } } = {
			identity: IDENTITY,
			keys: { ...createTestLookup(active), now: () => this.clock.wall() },
			relayDomains: new Set([RELAY_DOMAIN]),
			hostedDomains: new Set(options.hostedDomains),
			networkOf: (domain) => {
				const found = this.#directory.find(domain);
				return found.kind === "peer" ? found.peer.name : "";
			},
			policy: () => this.#directory,
		};
		this.#rules = rules;
		const federation = {
			findLink: (id: number) => this.#links.get(id),
			linkTo: (domain: string, _refuses?: RefusesPeer, tried?: TriedLinks): Promise<LinkOutcome> => {
				const found = this.#directory.find(domain);
				assert.ok(found.kind === "peer");
				const { link } = domain === RELAY_DOMAIN ? this.inside : this.partner;
				if (tried?.has(link) === true) {
					return Promise.resolve({ ok: false, refusal: refusal(504, 1007, "connect-failed", "no other edge", "peer") });
				}
				return Promise.resolve({ ok: true, link, peer: found.peer });
			},
			openLinkTo: (domain: string) => {
				const found = this.#directory.find(domain);
				const { link } = domain === RELAY_DOMAIN ? this.inside : this.partner;
				if (found.kind !== "peer" || !link.connection.isOpen) return undefined;
				if (this.#breaking?.link === link) this.#breaking.breakSilently();
				return { link, peer: found.peer };
			},
			bind: (link: Link, domain: string) => binding.bind(link, domain),
		};
		this.#reception = new Reception({
			clock: this.clock,
			random,
			log,
			rules: { hostedDomains: new Set(), fqdn: IDENTITY.fqdn, bind: federation.bind, proxy: rules },
			findLink: federation.findLink,
		});
		this.relay = new Relay({
			clock: this.clock,
			random,
			log,
			rules,
			keys: { active },
			node: "n1",
			markOutgoing: true,
			transactions: this.#reception.transactions,
			federation: () => federation,
			counted: (method, status, code) => this.counted.push(`${method} ${status} ${code}`),
		});
		this.#reception.serve(this.#hosted(), this.relay);
		this.partner = this.connect("partner");
		this.inside = this.connect("inside");
	}

	/** One more connection of that side. */
	connect(side: Side): TestLink {
		const link = createTestLink(presentTestCertificate("public", EDGE_OF[side].host), {
			network: side === "inside" ? "inside" : "fabrikam",
		});
		this.#links.set(link.connection.id, link);
		const { connection } = link;
		assert.ok(connection instanceof RecordingConnection);
		const take = (): readonly string[] =>
			connection.take().map(({ head, body }) => head.text + Buffer.from(body).toString("latin1"));
		return {
			link,
			take,
			takeOne() {
				const taken = take();
				assert.equal(taken.length, 1, taken.join("\n---\n"));
				return taken[0] ?? "";
			},
			lose: () => {
				connection.close();
				this.#links.delete(connection.id);
				this.#reception.closed(link, { by: "peer", reason: "gone" });
			},
			breakSilently: () => connection.close(),
		};
	}

	/** What the proxy says to a message: whether it takes the short way. Nothing else happens. */
	isShort(from: TestLink, text: string): boolean {
		return this.#reception.recognise(from.link, frameOf(text)) !== undefined;
	}

	/** A message arrives. */
	receive(from: TestLink, text: string): void {
		const frame = frameOf(text);
		const passage = this.#isShort ? this.#reception.recognise(from.link, frame) : undefined;
		if (passage !== undefined) {
			if ("opensDialog" in passage) this.openingCount += 1;
			else this.shortCount += 1;
			passage.forward();
			return;
		}
		const outcome = parseMessage(frame.decode());
		assert.ok(outcome.ok, outcome.ok ? "" : outcome.fault.detail);
		// REQ-52: the federation lets no such response through.
		if (outcome.message.kind === "response" && findSips(outcome.message) !== undefined) return;
		this.#reception.received(from.link, outcome.message);
	}

	/** It breaks between the moment at which it is found for a new dialog and the one at which the request would leave on it. */
	breakWhenSent(link: TestLink): void {
		this.#breaking = link;
	}

	/** The edge stops. */
	close(): void {
		this.relay.close();
		this.#reception.close();
	}

	/** Another policy: those peers, and what is blocked. */
	edit(change: {
		readonly blocked?: readonly string[];
		readonly discovery?: boolean;
		readonly peers?: readonly Peer[];
	}): void {
		const { policy } = this.#directory;
		this.#directory = new PeerDirectory({
			peers: change.peers ?? policy.peers,
			blocked: new Set(change.blocked),
			discovery: change.discovery ?? false,
		});
		// As the federation does with a policy edit.
		for (const link of this.#links.values()) link.bindings.clear();
	}

	/** Peers of the policy that stands. */
	get peers(): readonly Peer[] {
		return this.#directory.policy.peers;
	}

	/** Keys of the edge from here on. */
	setKeys(...keys: readonly TokenKey[]): void {
		this.#rules.keys = { ...createTestLookup(...keys), now: () => this.clock.wall() };
	}

	/** Begins a dialog, goes through with it, and forgets what was sent. */
	async open({ callId = "c1", method = "INVITE", by = "partner" }: OpenDialogParts = {}): Promise<OpenDialog> {
		const [near, far] = by === "partner" ? [this.partner, this.inside] : [this.inside, this.partner];
		const [from, to] = by === "partner" ? [LENA, INES] : [INES, LENA];
		const branch = `z9hG4bKopen-${callId}`;
		const header = method === "SUBSCRIBE" ? ["Event: presence", "Expires: 3600"] : [];
		this.receive(
			near,
			[
				`${method} sip:${to} SIP/2.0`,
				`Via: SIP/2.0/TLS ${EDGE_OF[by].host}:5061;branch=${branch}`,
				"Max-Forwards: 70",
				`From: <sip:${from}>;tag=a1`,
				`To: <sip:${to}>`,
				`Call-ID: ${callId}`,
				`CSeq: 1 ${method}`,
				"Contact: <sip:x@192.0.2.9:5061;transport=tls>",
				...header,
				"Content-Length: 0",
				"",
				"",
			].join("\r\n"),
		);
		// The way to a connection is a promise.
		for (let turn = 0; turn < 10; turn++) await Promise.resolve();
		const request = far.takeOne();
		this.receive(far, answerTo(request, "200 OK", { toTag: "b1", headers: header.slice(1) }));
		const answers = near.take().map(messageOf);
		const ok = answers.at(-1);
		assert.ok(ok?.kind === "response" && ok.statusCode === 200);
		const values = headerValues(messageOf(request), HeaderId.recordRoute);
		const routes =
			by === "partner"
				? { partner: values.toReversed(), inside: values }
				: { inside: values.toReversed(), partner: values };
		return { routes, callId };
	}

	#hosted(): HostedUser {
		return {
			accept: () => assert.fail("nobody is hosted here"),
			answer: (transaction, status, { code = "", headers = [] }) => {
				this.refused.push(`${status} ${code}`);
				const { request } = transaction;
				const toTag = request.to.tag === undefined ? { toTag: "ours" } : {};
				transaction.respond(createResponse(request, status, { ...toTag, headers }));
			},
			ack() {},
			cancel() {},
			strayResponse() {},
			answered() {},
			closed() {},
			load: () => 0,
		};
	}
}

/** Lines of a request in a dialog, each replaceable by name; an empty text leaves it out. */
export interface RequestLines {
	readonly start?: string;
	readonly via?: string;
	readonly hops?: string;
	readonly routes?: string;
	readonly from?: string;
	readonly to?: string;
	readonly callId?: string;
	readonly cseq?: string;
	readonly more?: string;
	readonly body?: string;
}

let lastBranch = 0;

/** A request of the open dialog as it is usually written. */
export function requestIn(
	dialog: OpenDialog,
	method = "MESSAGE",
	by: Side = "partner",
	lines: RequestLines = {},
): string {
	lastBranch += 1;
	const [from, to] =
		by === "partner"
			? [`<sip:${LENA}>;tag=a1`, `<sip:${INES}>;tag=b1`]
			: [`<sip:${INES}>;tag=b1`, `<sip:${LENA}>;tag=a1`];
	const { body = "" } = lines;
	const isNotify = method === "NOTIFY";
	return [
		lines.start ?? `${method} sip:far@198.51.100.4:5061 SIP/2.0`,
		lines.via ?? `Via: SIP/2.0/TLS ${EDGE_OF[by].host}:5061;branch=z9hG4bK${lastBranch}`,
		lines.hops ?? "Max-Forwards: 70",
		lines.routes ?? dialog.routes[by].map((route) => `Route: ${route}`).join("\r\n"),
		lines.from ?? `From: ${from}`,
		lines.to ?? `To: ${to}`,
		lines.callId ?? `Call-ID: ${dialog.callId}`,
		lines.cseq ?? `CSeq: 7 ${method}`,
		lines.more ?? (isNotify ? "Event: presence\r\nSubscription-State: active" : ""),
		`Content-Length: ${body.length}`,
		"",
		body,
	]
		.filter((line, index, all) => line !== "" || index >= all.length - 2)
		.join("\r\n");
}

/** The answer of whoever got a request. */
export function answerTo(
	request: string,
	status: string,
	parts: { readonly toTag?: string; readonly headers?: readonly string[]; readonly body?: string } = {},
): string {
	const { toTag, headers = [], body = "" } = parts;
	const lines = request
		.slice(0, request.indexOf("\r\n\r\n"))
		.split(/\r\n(?![ \t])/)
		.slice(1);
	const copied = lines.filter((line) => /^(via|v|from|f|to|t|call-id|i|cseq|record-route)[ \t]*:/i.test(line));
	return [
		`SIP/2.0 ${status}`,
		...copied.map((line) => (toTag !== undefined && /^to:/i.test(line) ? `${line};tag=${toTag}` : line)),
		...headers,
		`Content-Length: ${body.length}`,
		"",
		body,
	].join("\r\n");
}

/** Our branches, which nobody can foresee, as one word. */
export function withoutBranches(text: string): string {
	return text.replaceAll(/z9hG4bK1\.test\.[0-9a-z]+\.[\w-]+/g, "OURS");
}

/** Lines that are none of ours, in forms that others write. */
const ODD_LINES: readonly string[] = [
	"X-Empty:",
	"X-Blank:   ",
	"x-TaB:\tvalue\t",
	"X-Colon : spaced name",
	"X-Folded: one\r\n two\r\n\tthree",
	"X-Quoted: \"a, b; <c>\" , 'd'",
	"X-Octets: \u00e9\u00ff\u0080",
	"Subject: sips: is only a word here",
	"s: compact subject",
	"u: presence , dialog",
	"k: 100rel,  timer",
	"User-Agent:UCCAPI/2.0.6362.0   OC/2.0",
	"ms-keep-alive: UAC;hop-hop=yes",
	"Supported: ms-dialog-route-set-update;x=1;;y",
	"ALLOW:INVITE,BYE,,ACK",
	'Contact: "L, ena" <sip:lena@192.0.2.9:49152;maddr=192.0.2.9;transport=tls>;proxy=replace;+sip.instance="<urn:uuid:1>"',
	"m: <sip:lena@fabrikam.example;opaque=user:epid:Aa_-;gruu>",
	"P-Unknown: ;;==,,",
	"Date: Thu, 01 Jan 1970 00:00:00 GMT",
	`X-Long: ${"0123456789".repeat(100)}`,
];
/** Forms of the lines that every request has. */
const FORMS: readonly (readonly string[])[] = [
	[
		'From: "L\\"ena" <sip:lena@fabrikam.example>;tag=a1;epid=1f',
		"To: <sip:ines@corp.contoso.example>;tag=b1",
		"Call-ID: c1",
		"CSeq: 2 MESSAGE",
	],
	[
		"f: <sip:lena@fabrikam.example> ; tag=a1",
		"t:<sip:ines@corp.contoso.example>;epid=ab;tag=b1",
		"i:c1@x",
		"CSEQ:   0002   MESSAGE",
	],
	[
		"CSeq: 2\r\n MESSAGE",
		"CALL-ID: c-1",
		"to: sip:ines@corp.contoso.example;tag=b1",
		"FROM: Lena E <sip:lena@fabrikam.example>;x;tag=a1",
	],
];
const ENDS: readonly (readonly [string, string])[] = [
	["Content-Type: text/plain\r\nContent-Length: 7", "a\r\n\r\nb\u00ff"],
	["l:   0", ""],
];

/** What a MESSAGE of the partner may carry besides the headers that the proxy owns: 120 of them. */
export interface OddMessage {
	/** From, To, Call-ID and CSeq in one of three forms, an odd line among them, and Content-Length at the end. */
	readonly foreign: readonly string[];
	readonly body: string;
}

/** Call-IDs of the three forms. */
export const ODD_CALL_IDS = ["c1", "c1@x", "c-1"] as const;

export function oddMessages(): readonly OddMessage[] {
	return ODD_LINES.flatMap((odd, place) =>
		FORMS.flatMap((form) =>
			ENDS.map(([length, body]) => ({
				foreign: [...form.slice(0, place % 5), odd, ...form.slice(place % 5), length],
				body,
			})),
		),
	);
}

/** Everything that the short way reads of a request. */
export type ShortRequest = MovingParts & StandingParts;

/** The whole of a request as the short way reads it; undefined where anything is not as it usually is. */
export function readShortRequest(frame: OctetFrame, ownSentBy: string, ownHost: string): ShortRequest | undefined {
	const found = scanShortRequest(frame, ownSentBy);
	const head = frame.decodeHead();
	const moving = found && readMovingParts(head, found);
	const standing = moving && readStandingParts(head, found, ownHost);
	return standing && { ...moving, ...standing };
}
