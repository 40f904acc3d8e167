/** Message sessions of one hosted user on a clock that a test moves: no socket, the store in memory. */
import type { TestContext } from "node:test";
import {
	createRequest,
	createResponse,
	formatMessage,
	type HeaderInput,
	type SipMessage,
	type SipRequest,
	type SipResponse,
} from "@causeway/sip";
import { frameOf, RecordingConnection, SimClock, SimRandom } from "@causeway/sip/testing";
import type { LinkOutcome } from "../federation/federation.ts";
import type { Link } from "../federation/link.ts";
import { type BindingVerdict, refusal } from "../federation/outcome.ts";
import { discoveredPeer, type Peer } from "../federation/peers.ts";
import { Reception } from "../proxy/reception.ts";
import type { Message, MessageFinish } from "../store/messages.ts";
import type { PresenceState } from "../store/published-presence.ts";
import { openTestStore } from "../store/testing.ts";
import { DialogKeeper } from "../ua/dialog-keeper.ts";
import { createTestContactKeys } from "../ua/testing.ts";
import { UserAgent } from "../ua/user-agent.ts";
import { type ContentRule, createContentCheck } from "./content-rules.ts";
import { ImService } from "./im-service.ts";

export const ALICE = "alice@contoso.example";
export const LENA = "lena@fabrikam.example";
export const MESSAGE_SDP = [
	"v=0",
	"o=- 1 1 IN IP4 192.0.2.1",
	"s=-",
	"c=IN IP4 192.0.2.1",
	"t=0 0",
	"m=message 5060 sip/tcp *",
	"",
].join("\r\n");

export interface ImWorldOptions {
	readonly idleMs?: number;
	readonly busy?: "deliver" | "refuse";
	readonly imProfile?: Peer["imProfile"];
	readonly verification?: Peer["verification"];
	readonly unverified?: "request" | "deliver" | "refuse";
	readonly contentRules?: readonly ContentRule[];
	readonly publishedState?: () => PresenceState;
	readonly queueMs?: number;
	readonly hideUnknownUsers?: "always";
	readonly bind?: () => BindingVerdict | Promise<BindingVerdict>;
	readonly linkTo?: (link: Link, peer: Peer) => Promise<LinkOutcome>;
}

export type ImWorld = Awaited<ReturnType<typeof openImWorld>>;

/** Everything ends with the test. */
export async function openImWorld(context: TestContext, options: ImWorldOptions = {}) {
	const clock = new SimClock({ wallMs: Date.UTC(2026, 0, 5, 9) });
	const random = new SimRandom(1);
	const log = { debug() {}, info() {}, warn() {}, error() {} };
	const store = await openTestStore({ clock });
	await store.users.add({ address: ALICE });
	await store.users.add({ address: "carol@contoso.example" });
	const peer: Peer = {
		...discoveredPeer("fabrikam.example"),
		kind: "allowed",
		imProfile: options.imProfile ?? "profile",
		verification: options.verification ?? "always-verified",
	};
	const connection = new RecordingConnection(1);
	const link = {
		connection,
		identity: { names: ["sip.fabrikam.example"], subject: "", issuer: "", fingerprint: "", notAfter: 0 },
		network: peer.name,
		requestsOut: 0,
	} as unknown as Link;
	const identity = { fqdn: "sip.contoso.example", port: 5061 };
	const ownDomains = new Set(["contoso.example"]);
	const reception = new Reception({
		clock,
		random,
		log,
		findLink: () => link,
		rules: {
			hostedDomains: ownDomains,
			fqdn: identity.fqdn,
			bind: options.bind ?? (() => ({ ok: true, peer })),
			proxy: undefined,
		},
	});
	const agent = new UserAgent({
		clock,
		random,
		log,
		identity: () => identity,
		reception,
		federation: () => ({
			findLink: () => link,
			// There is one way to the other side.
			linkTo: (_domain, _refuses, tried): Promise<LinkOutcome> => {
				if (tried?.has(link) === true) {
					const nowhere = refusal(504, 1007, "connect-failed", "no other edge to dial", "peer");
					return Promise.resolve({ ok: false, refusal: nowhere });
				}
				return options.linkTo?.(link, peer) ?? Promise.resolve({ ok: true, link, peer });
			},
		}),
		outsideOf: () => "all",
		hidesUsersFrom: () => false,
		keys: createTestContactKeys(clock),
		tokenRefused: () => {},
		counted: () => {},
	});
	const fates: string[] = [];
	const typing: string[] = [];
	const messages: string[] = [];
	const requests: string[] = [];
	const keeper = new DialogKeeper({ clock, log, kept: store.keptDialogs, dialogMs: 24 * 3_600_000 });
	const im = new ImService({
		clock,
		random,
		log,
		agent,
		identity: () => identity,
		markVerification: true,
		store,
		ownDomains,
		offline: "store",
		unverified: options.unverified ?? "request",
		contentCheck: createContentCheck(options.contentRules ?? []),
		hideUnknownUsers: options.hideUnknownUsers ?? "never",
		busy: options.busy ?? "deliver",
		answerMs: 60_000,
		idleMs: options.idleMs ?? 900_000,
		dialogMs: 24 * 3_600_000,
		keeper,
		queueMs: options.queueMs ?? 24 * 3_600_000,
		publishedState: options.publishedState ?? (() => "available"),
		sender: () => ({ displayName: undefined, verification: "verified" }),
		events: {
			message(message: Message) {
				messages.push(message.body);
			},
			stated() {},
			requested({ peer: other, verification, messages: count }) {
				requests.push(`${other} (${verification}): ${count}`);
			},
			fate(message: Message, fate: "sending" | MessageFinish) {
				fates.push(`${message.body}: ${fate === "sending" ? fate : `${fate.fate} ${fate.code ?? ""}`}`);
			},
			typing(owner, other, isTyping) {
				typing.push(`${other} to ${owner}: ${isTyping ? "writes" : "stopped"}`);
			},
		},
	});
	reception.serve(agent);
	agent.start({
		invite: (request) => im.invite(request),
		subscribe() {},
		revive: (request, id) => im.revive(request, id),
		earlyNotify: () => false,
	});
	context.after(async () => {
		im.close();
		reception.close();
		await store.close();
	});
	let lastBranch = 0;
	return {
		clock,
		store,
		agent,
		reception,
		im,
		fates,
		/** Texts that Alice's programs were told of, and who asked to write, since the last look. */
		messages: (): readonly string[] => messages.splice(0),
		requests: (): readonly string[] => requests.splice(0),
		/** What Alice's programs were told, since the last look. */
		typing: (): readonly string[] => typing.splice(0),
		/** What the edge sent since the last look, by method or status. */
		sent: (): readonly string[] => connection.take().map(nameOf),
		/** The same, and it stays to be taken. */
		peek: (): readonly string[] => connection.sent.map(nameOf),
		/** The next message that the edge sent; whatever was sent before it is passed over. */
		take(name: string): SipMessage {
			for (let next = connection.sent.shift(); next !== undefined; next = connection.sent.shift()) {
				if (nameOf(next) === name) return next;
			}
			throw new Error(`the edge has sent no ${name}`);
		},
		receive: (message: SipMessage): void => reception.received(link, message),
		/** A request arrives as the connection hands it on. True where it was known, and not read. */
		arrive(request: SipRequest): boolean {
			const passage = reception.recognise(link, frameOf(formatMessage(request)));
			if (passage === undefined) reception.received(link, request);
			else passage.forward();
			return passage !== undefined;
		},
		/** The octets of what the edge sent since the last look. */
		octets: (): readonly string[] =>
			connection.take().map(({ head, body }) => head.text + Buffer.from(body).toString("latin1")),
		/** Loses the connection. */
		lose(): void {
			connection.close();
			reception.closed(link, { by: "peer", reason: "lost" });
		},
		/** Answers a request of the edge. */
		answer(request: SipMessage, status: number, body = "", toTag = "lena"): void {
			if (request.kind !== "request") throw new Error("only a request is answered");
			reception.received(link, answerTo(request, status, body, toTag));
		},
		/** A request of Lena's to Alice. */
		request(
			method: string,
			parts: {
				readonly toTag?: string;
				readonly cseq?: number;
				readonly branch?: string;
				readonly callId?: string;
				readonly to?: string;
				readonly body?: string;
				readonly type?: string;
				readonly headers?: readonly HeaderInput[];
			} = {},
		): SipRequest {
			lastBranch += 1;
			const headers: HeaderInput[] = [
				["Via", `SIP/2.0/TLS sip.fabrikam.example:5061;branch=z9hG4bK${parts.branch ?? `lena${lastBranch}`}`],
				["From", `<sip:${LENA}>;tag=lena`],
				["To", `<sip:${parts.to ?? ALICE}>${parts.toTag === undefined ? "" : `;tag=${parts.toTag}`}`],
				["Call-ID", parts.callId ?? "lenas-call"],
				["CSeq", `${parts.cseq ?? 1} ${method}`],
				["Contact", "<sip:lena@sip.fabrikam.example:5061;transport=tls>"],
			];
			headers.push(...(parts.headers ?? []));
			if (parts.body !== undefined) {
				headers.push(["Content-Type", parts.type ?? (method === "INVITE" ? "application/sdp" : "text/plain")]);
			}
			const id = { callId: parts.callId ?? "lenas-call", localTag: parts.toTag ?? "", remoteTag: "lena" };
			const contact = agent.dialogs.find(id)?.entry.localContact;
			return createRequest({
				method,
				requestUri: contact?.slice(1, -1) ?? `sip:${parts.to ?? ALICE}`,
				headers,
				...(parts.body === undefined ? {} : { body: Buffer.from(parts.body) }),
			});
		},
		/** Alice writes to somebody. */
		async write(text: string, to = LENA): Promise<Message> {
			const result = await store.messages.submit({ owner: ALICE, to, contentType: "text/plain", body: text });
			if (result.kind !== "queued") throw new Error(`the message is ${result.kind}`);
			im.deliver(result.message);
			await settled();
			return result.message;
		},
		settled,
	};
}

/** Lets promises and the store's writes run. */
async function settled(): Promise<void> {
	for (let turn = 0; turn < 20; turn += 1) await new Promise<void>((resolve) => void setImmediate(resolve));
}

function nameOf(message: SipMessage): string {
	return message.kind === "request" ? message.method : `${message.statusCode} ${message.cseq.method}`;
}

function answerTo(request: SipRequest, status: number, body: string, toTag: string): SipResponse {
	const makesDialog = request.method === "INVITE" && status >= 200 && status < 300;
	return createResponse(request, status, {
		...(status === 100 ? {} : { toTag }),
		headers: makesDialog ? [["Contact", "<sip:lena@sip.fabrikam.example:5061;transport=tls>"]] : [],
		...(body === "" ? {} : { contentType: "application/sdp", body: Buffer.from(body) }),
	});
}
