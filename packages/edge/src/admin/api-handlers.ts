/** What the HTTP API does with users' presence, contacts and messages, and what it shows administrators. */
import {
	type Message as ApiMessage,
	type Contact,
	previewLength,
	type UserEventContent,
	type WatchRequest,
} from "@causeway/admin";
import type { Clock } from "@causeway/sip";
import type { Config } from "../config/schema.ts";
import type { Federation } from "../federation/federation.ts";
import { linkName } from "../federation/link.ts";
import type { PeerDirectory } from "../federation/peers.ts";
import { tlsVersionWarning } from "../federation/tls-version.ts";
import type { Verification } from "../federation/verification.ts";
import type { ContentCheck } from "../im/content-rules.ts";
import type { ImService } from "../im/im-service.ts";
import type { ContactView } from "../presence/contact-view.ts";
import { type NotifierService, REQUEST_LIFETIME_MS } from "../presence/notifier-service.ts";
import type { OwnIcon } from "../presence/own-icons.ts";
import type { Presentities } from "../presence/presentities.ts";
import type { WatcherService } from "../presence/watcher-service.ts";
import type { Contact as StoredContact } from "../store/contacts.ts";
import type { Message, MessageFinish } from "../store/messages.ts";
import type { Store } from "../store/store.ts";
import type { Authorization, Decision } from "../store/watchers.ts";
import { domainOf } from "../ua/local-identity.ts";
import type { AccountHandlers } from "./account-handlers.ts";
import { countDialogs, countOnConnection, type DialogSources, listDialogs } from "./dialog-view.ts";
import type { EventHub } from "./event-hub.ts";
import { type ApiHandlers, ApiProblem } from "./handlers.ts";
import type { KeyHandlers } from "./key-handlers.ts";
import type { MessageRequestHandlers } from "./message-request-handlers.ts";
import type { PolicyHandlers } from "./policy-handlers.ts";
import { createRuleHandlers } from "./rule-handlers.ts";
import { toRefusedConnection, toVerdict } from "./verdict-view.ts";

export interface ApiHandlerOptions {
	readonly config: Config;
	/** Domains that are served now. */
	readonly domains: () => Config["domain"];
	readonly clock: Clock;
	readonly version: string;
	readonly startedAt: number;
	readonly listeners: () => readonly string[];
	readonly readiness: () => { readonly ready: boolean; readonly missing: readonly string[] };
	readonly store: Store;
	readonly hub: EventHub;
	readonly dialogs: DialogSources;
	readonly federation: Federation;
	readonly directory: () => PeerDirectory;
	readonly presentities: Presentities;
	readonly notifier: NotifierService;
	readonly watcher: WatcherService;
	/** What is known of the icon of one of our domains. */
	readonly ownIcon: (domain: string) => OwnIcon | undefined;
	readonly im: ImService;
	/** Level of a watcher as it stated it last. */
	readonly verificationOf: (presentity: string, watcher: string) => Verification;
	readonly trace: Pick<ApiHandlers, "listTrace">;
	readonly certificates: Pick<ApiHandlers, "getCertificates" | "reloadCertificates">;
	readonly account: AccountHandlers;
	readonly messageRequests: MessageRequestHandlers;
	readonly contentCheck: ContentCheck;
	readonly policy: PolicyHandlers;
	readonly keys: KeyHandlers;
}

const DEFAULT_PAGE = 100;
/** Conversations told at once, the latest ones. */
const CONVERSATIONS = 200;

export function createApiHandlers(options: ApiHandlerOptions): ApiHandlers {
	const { store, presentities, notifier, watcher, im, hub, federation, dialogs } = options;

	const contactOf = (stored: StoredContact): Contact => toContact(stored, watcher.view(stored.owner, stored.contact));
	const findContact = (owner: string, aor: string): StoredContact => {
		const found = store.contacts.get(owner, aor);
		if (found === undefined) throw new ApiProblem("unknown-contact", `${aor} is no contact of yours.`);
		return found;
	};
	const decide = async (owner: string, other: string, decision: Decision): Promise<void> => {
		const result = await store.watchers.decide(owner, other, decision);
		if (result.kind !== "decided") throw new ApiProblem("queue-full", "Too many decisions are recorded already.");
		notifier.decided(owner, other, decision);
		watcher.localChanged(owner);
	};

	return {
		...options.account,
		...options.policy,
		...options.keys,
		...options.trace,
		...options.certificates,
		...createRuleHandlers({ store, notifier, watcher }),
		...options.messageRequests,

		getPresence: ({ caller }) => ({ status: 200, body: toPresence(presentities.get(caller.aor)) }),
		async putPresence({ caller, body }) {
			await store.presence.publish(caller.aor, body.state, body.note);
			const published = { state: body.state, note: body.note, changedAt: options.clock.wall() };
			// Removed while the state was written: nothing of the user may come back.
			if (store.users.get(caller.aor) === undefined) throw new ApiProblem("unknown-user");
			if (presentities.set(caller.aor, published)) {
				notifier.changed(caller.aor);
				watcher.localChanged(caller.aor);
			}
			return { status: 200, body: toPresence(published) };
		},

		listContacts: ({ caller }) => ({
			status: 200,
			body: { contacts: store.contacts.list(caller.aor).map(contactOf) },
		}),
		getContact: ({ caller, params }) => ({ status: 200, body: contactOf(findContact(caller.aor, params.aor)) }),
		async putContact({ caller, params, body }) {
			const result = await store.contacts.put(caller.aor, {
				address: params.aor,
				...(body.name === undefined ? {} : { name: body.name }),
			});
			if (result.kind === "too-many")
				throw new ApiProblem("queue-full", `A contact list holds ${result.limit} entries at most.`);
			if (result.kind === "no-owner") throw new ApiProblem("unknown-user");
			await im.letIn(caller.aor, params.aor);
			watcher.watch(result.contact.owner, result.contact.contact, result.contact.address);
			return { status: result.kind === "added" ? 201 : 200, body: contactOf(result.contact) };
		},
		async deleteContact({ caller, params }) {
			findContact(caller.aor, params.aor);
			await store.contacts.remove(caller.aor, params.aor);
			watcher.unwatch(caller.aor, params.aor);
			return { status: 204 };
		},

		listRequests: ({ caller }) => ({
			status: 200,
			body: {
				requests: store.watchers.list(caller.aor, "pending").map((request) =>
					toWatchRequest(request, {
						verification: options.verificationOf(caller.aor, request.watcher),
						isLive: notifier.isWatched(caller.aor, request.watcher),
					}),
				),
			},
		}),
		async decideRequest({ caller, params, body }) {
			if (store.watchers.get(caller.aor, params.aor) === undefined) {
				throw new ApiProblem("unknown-request", `${params.aor} has not asked to see your presence.`);
			}
			await decide(caller.aor, params.aor, body.decision);
			if (body.decision === "allow") await im.letIn(caller.aor, params.aor);
			return { status: 204 };
		},

		listBlocks: ({ caller }) => ({
			status: 200,
			body: {
				blocks: store.watchers
					.list(caller.aor, "block")
					.filter(({ watcher: who }) => !who.startsWith("@"))
					.map(toBlock),
			},
		}),
		getBlock({ caller, params }) {
			const found = store.watchers.get(caller.aor, params.aor);
			if (found?.decision !== "block") throw new ApiProblem("not-blocked", `${params.aor} is not blocked.`);
			return { status: 200, body: toBlock(found) };
		},
		async putBlock({ caller, params }) {
			const before = store.watchers.get(caller.aor, params.aor);
			await decide(caller.aor, params.aor, "block");
			im.hangUp(caller.aor, params.aor);
			const found = store.watchers.get(caller.aor, params.aor);
			if (found === undefined) throw new ApiProblem("store-unavailable");
			return { status: before?.decision === "block" ? 200 : 201, body: toBlock(found) };
		},
		async deleteBlock({ caller, params }) {
			if (!(await store.watchers.forget(caller.aor, params.aor, "block"))) {
				throw new ApiProblem("not-blocked", `${params.aor} is not blocked.`);
			}
			notifier.forgotten(caller.aor, params.aor);
			watcher.localChanged(caller.aor);
			return { status: 204 };
		},

		async submitMessage({ caller, headers, body }) {
			const domain = domainOf(body.to);
			if (options.directory().find(domain).kind === "blocked") {
				throw new ApiProblem("blocked-domain", `${domain} is blocked here.`);
			}
			const refusal = options.contentCheck("out", domain, body.text);
			if (refusal !== undefined) throw new ApiProblem("content-refused", refusal);
			await im.letIn(caller.aor, body.to);
			const key = headers["idempotency-key"];
			const result = await store.messages.submit({
				owner: caller.aor,
				to: body.to,
				contentType: "text/plain",
				body: body.text,
				...(key === undefined ? {} : { idempotencyKey: key }),
			});
			switch (result.kind) {
				case "conflict":
					throw new ApiProblem("idempotency-conflict", `The key was used for another message (${result.id}).`);
				case "queue-full":
					throw new ApiProblem("queue-full", `${result.limit} messages wait for this recipient already.`);
				case "queued":
					hub.publish(caller.aor, messageEvent(result.message));
					im.deliver(result.message);
					return { status: 202, body: { id: result.message.id, fate: "queued" } };
				case "repeated": {
					const { id, fate } = result.message;
					return { status: 202, body: { id, fate: fate === "received" ? "queued" : fate } };
				}
			}
		},
		listMessages({ caller, query }) {
			const limit = query.limit ?? DEFAULT_PAGE;
			const { after, before, latest = false } = query;
			if ([after !== undefined, before !== undefined, latest].filter(Boolean).length > 1) {
				throw new ApiProblem("validation-failed", "one of after, before and latest can be given");
			}
			const forwards = before === undefined && !latest;
			const found = store.messages.list(caller.aor, {
				limit,
				...(forwards ? { after: after ?? "" } : before === undefined ? {} : { before }),
				...(query.with === undefined ? {} : { with: query.with }),
				held: query.folder === "requests",
			});
			const [first] = found;
			const last = found.at(-1);
			return {
				status: 200,
				body: {
					messages: found.map(toMessage),
					...(forwards && last !== undefined && found.length === limit ? { next: last.id } : {}),
					...(!forwards && first !== undefined && found.length === limit ? { previous: first.id } : {}),
				},
			};
		},
		getMessage({ caller, params }) {
			const found = store.messages.get(caller.aor, params.id);
			if (found === undefined) throw new ApiProblem("unknown-message", `There is no message ${params.id} of yours.`);
			return { status: 200, body: toMessage(found) };
		},
		listConversations: ({ caller }) => ({
			status: 200,
			body: {
				conversations: store.messages
					.conversations(caller.aor, { limit: CONVERSATIONS, previewLength })
					.map(({ peer, preview, createdAt, ...last }) => ({
						with: peer,
						...last,
						preview,
						created_at: instant(createdAt),
					})),
			},
		}),
		putTyping({ caller, body }) {
			im.typing(caller.aor, body.to, body.typing);
			return { status: 204 };
		},
		endConversation({ caller, params }) {
			im.hangUp(caller.aor, params.aor);
			return { status: 204 };
		},

		getStatus() {
			const { ready, missing } = options.readiness();
			return {
				status: 200,
				body: {
					version: options.version,
					fqdn: options.config.edge.fqdn,
					ready,
					not_ready: [...missing],
					started_at: instant(options.startedAt),
					domains: options.domains().map(({ name, kind }) => ({ name, kind, ...toIcon(options.ownIcon(name)) })),
					listeners: [...options.listeners()],
					users: store.users.count(),
					connections: [...federation.links].length,
					dialogs: countDialogs(dialogs),
					subscriptions: notifier.size + [...watcher.remoteWatches].filter(isLive).length,
					messages_waiting: im.waiting,
				},
			};
		},
		listConnections: () => ({
			status: 200,
			body: { connections: [...federation.links].map((link) => toConnection(link, dialogs)) },
		}),
		listRefusedConnections: () => ({
			status: 200,
			body: { refused: federation.refusals.map(toRefusedConnection) },
		}),
		listDialogs: () => ({ status: 200, body: { dialogs: listDialogs(dialogs) } }),
		listSubscriptions: () => ({
			status: 200,
			body: { subscriptions: [...inboundSubscriptions(notifier), ...outboundSubscriptions(watcher)] },
		}),
	};
}

/** A contact's change as its owner's programs are told. */
export function presenceEvent(stored: StoredContact, view: ContactView): UserEventContent {
	return { kind: "presence", ...toContact(stored, view) };
}

export function messageEvent(message: Message): UserEventContent {
	return { kind: "message", ...toMessage(message) };
}

export function fateEvent(message: Message, fate: "sending" | MessageFinish, at: number): UserEventContent {
	if (fate === "sending") return { kind: "fate", id: message.id, with: message.peer, fate };
	return {
		kind: "fate",
		id: message.id,
		with: message.peer,
		fate: fate.fate,
		finished_at: instant(at),
		...explanation(fate),
	};
}

export function requestEvent(authorization: Authorization, verification: Verification): UserEventContent {
	return { kind: "request", wants: "presence", ...toWatchRequest(authorization, { verification, isLive: true }) };
}

function toPresence(published: {
	readonly state: Contact["state"];
	readonly note: string | undefined;
	readonly changedAt: number | undefined;
}) {
	const state = published.state === "pending" || published.state === "unknown" ? "offline" : published.state;
	return {
		state,
		...(published.note === undefined ? {} : { note: published.note }),
		...(published.changedAt === undefined ? {} : { changed_at: instant(published.changedAt) }),
	};
}

function toContact(stored: StoredContact, view: ContactView): Contact {
	const name = stored.name ?? view.shownName;
	return {
		aor: stored.contact,
		state: view.state,
		...(name === undefined ? {} : { name }),
		...(view.note === undefined ? {} : { note: view.note }),
		...(view.icon === undefined ? {} : { icon: view.icon }),
		...(view.verification === undefined ? {} : { verification: view.verification }),
		...(view.changedAt === undefined ? {} : { changed_at: instant(view.changedAt) }),
		...(view.why === undefined ? {} : whyUnknown(view.why)),
	};
}

/** The reason in words always; the code where it is a SIP status. */
function whyUnknown({ code, reason, blame }: NonNullable<ContactView["why"]>) {
	const status = Number(code);
	return { reason, blame, ...(Number.isInteger(status) && status >= 100 ? { code: status } : {}) };
}

function toMessage(message: Message): ApiMessage {
	return {
		id: message.id,
		direction: message.direction,
		with: message.peer,
		text: message.body,
		...(message.contentType === "text/plain" ? {} : { content_type: message.contentType }),
		created_at: instant(message.createdAt),
		fate: message.fate,
		...(message.finishedAt === undefined ? {} : { finished_at: instant(message.finishedAt) }),
		...explanation(message),
	};
}

/** Why a message has its fate; nothing where it went well. */
function explanation(why: {
	readonly fate: string;
	readonly code?: number | undefined;
	readonly reason?: string | undefined;
	readonly blame?: ApiMessage["blame"];
}) {
	if (why.fate !== "failed" && why.fate !== "unknown") return {};
	return {
		...(why.code === undefined ? {} : { code: why.code }),
		...(why.reason === undefined ? {} : { reason: why.reason }),
		...(why.blame === undefined ? {} : { blame: why.blame }),
	};
}

function toWatchRequest(
	request: Authorization,
	{ verification, isLive }: { readonly verification: Verification; readonly isLive: boolean },
): WatchRequest {
	const requestedAt = request.requestedAt ?? request.decidedAt ?? 0;
	return {
		aor: request.watcher,
		verification,
		requested_at: instant(requestedAt),
		state: isLive ? "pending" : "waiting",
		...(isLive ? {} : { expires_at: instant(requestedAt + REQUEST_LIFETIME_MS) }),
	};
}

function toBlock(authorization: Authorization) {
	return { aor: authorization.watcher, blocked_at: instant(authorization.decidedAt ?? authorization.requestedAt ?? 0) };
}

function toConnection(link: Federation["links"] extends Iterable<infer One> ? One : never, dialogs: DialogSources) {
	const { connection, identity } = link;
	return {
		id: String(connection.id),
		direction: connection.direction,
		state: link.isDraining || !connection.isOpen ? ("closing" as const) : ("open" as const),
		peer: linkName(link),
		domains: [...link.bindings].filter(([, { verdict }]) => verdict.ok).map(([domain]) => domain),
		remote_address: hostPort(connection.remote),
		local_address: hostPort(connection.local),
		opened_at: instant(link.openedAt),
		last_received_at: instant(link.lastReceivedAt),
		dialogs: countOnConnection(dialogs, connection.id),
		requests_in: link.requestsIn,
		requests_out: link.requestsOut,
		tls_version: link.tlsVersion,
		legacy: link.isLegacy || tlsVersionWarning(link.tlsVersion) !== undefined,
		cipher: link.cipher,
		certificate: {
			subject: identity.subject,
			names: [...identity.names],
			issuer: identity.issuer,
			not_after: instant(identity.notAfter),
			fingerprint_sha256: identity.fingerprint,
		},
		verdict: toVerdict(link.verdict),
	};
}

function inboundSubscriptions(notifier: NotifierService) {
	return [...notifier.list()].map((one) => ({
		direction: "inbound" as const,
		watcher: one.watcher,
		presentity: one.presentity,
		state: one.state.name === "pending" ? ("pending" as const) : ("active" as const),
		peer: one.peer.name,
		connection: String(one.link.connection.id),
		verification: one.verification,
		created_at: instant(one.createdAt),
		...(one.expiresAt === undefined ? {} : { expires_at: instant(one.expiresAt) }),
		...(one.lastNotifyAt === undefined ? {} : { last_notify_at: instant(one.lastNotifyAt) }),
	}));
}

function outboundSubscriptions(watcher: WatcherService) {
	return [...watcher.remoteWatches].filter(isLive).map((one) => ({
		direction: "outbound" as const,
		watcher: one.owner,
		presentity: one.contact,
		state: one.state === "active" ? ("active" as const) : ("pending" as const),
		...(one.link === undefined ? {} : { peer: linkName(one.link), connection: String(one.link.connection.id) }),
		created_at: instant(one.createdAt),
		...(one.expiresAt === undefined ? {} : { expires_at: instant(one.expiresAt) }),
		...(one.lastNotifyAt === undefined ? {} : { last_notify_at: instant(one.lastNotifyAt) }),
	}));
}

function toIcon(icon: OwnIcon | undefined) {
	if (icon === undefined) return {};
	const { url, state, reason, checkedAt } = icon;
	return {
		icon: {
			url,
			state,
			...(reason === undefined ? {} : { reason }),
			...(checkedAt === undefined ? {} : { checked_at: instant(checkedAt) }),
		},
	};
}

/** Each way: how many subscriptions stand, and when the last NOTIFY went or came. */
/** Whether presence flows with a peer, each way. */
export function presenceFlow(peer: string, notifier: NotifierService, watcher: WatcherService) {
	const flow = (subscriptions: number, at: number | undefined) => ({
		subscriptions,
		...(at === undefined ? {} : { last_notify_at: instant(at) }),
	});
	return {
		we_see_them: flow(watcher.countOfPeer(peer), watcher.lastNotifyFrom(peer)),
		they_see_us: flow(notifier.countOfPeer(peer), notifier.lastNotifyTo(peer)),
	};
}

function isLive(watch: { readonly state: string }): boolean {
	return watch.state !== "terminated" && watch.state !== "init";
}

function hostPort(endpoint: { readonly address: string; readonly port: number }): string {
	return endpoint.address.includes(":")
		? `[${endpoint.address}]:${endpoint.port}`
		: `${endpoint.address}:${endpoint.port}`;
}

function instant(ms: number): string {
	return new Date(ms).toISOString();
}
