/** The composition root: builds an edge from its configuration and wires the parts. It holds no rules of its own. */
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock, Logger, Random } from "@causeway/sip";
import { createTurnFlusher, TlsDialler, TlsListener } from "@causeway/sip/node";
import { createAccountHandlers, type UserChangeKind } from "./admin/account-handlers.ts";
import { loadAdminToken } from "./admin/admin-token.ts";
import {
	createApiHandlers,
	fateEvent,
	messageEvent,
	presenceEvent,
	presenceFlow,
	requestEvent,
} from "./admin/api-handlers.ts";
import { createAuthenticate } from "./admin/authenticate.ts";
import { createCertificateHandlers } from "./admin/certificate-handlers.ts";
import { EventHub } from "./admin/event-hub.ts";
import { type HttpServer, type HttpServerOptions, type HttpTls, startHttpServer } from "./admin/http-server.ts";
import { createInvite } from "./admin/invite.ts";
import { createKeyHandlers } from "./admin/key-handlers.ts";
import { createMessageRequestHandlers, messageRequestEvent } from "./admin/message-request-handlers.ts";
import { createPolicyHandlers } from "./admin/policy-handlers.ts";
import { createTraceHandlers } from "./admin/trace-handlers.ts";
import { findWebFolder } from "./admin/web-pages.ts";
import { parseHostPort } from "./config/host-port.ts";
import type { Config } from "./config/schema.ts";
import { CertificateKeeper, loadMaterial } from "./federation/certificate-keeper.ts";
import { formatEndpoint } from "./federation/dial-hop.ts";
import { DnsClient } from "./federation/dns/dns-client.ts";
import { Federation } from "./federation/federation.ts";
import { throttleLimits } from "./federation/peer-policy.ts";
import { PolicyService } from "./federation/policy-service.ts";
import { testPolicy } from "./federation/policy-test.ts";
import { traceRefusal } from "./federation/refused-connections.ts";
import { systemKeySource } from "./federation/signature/key-source.ts";
import { SigningKeys } from "./federation/signature/signing-keys.ts";
import { Pacing } from "./federation/throttle/pacing.ts";
import { Throttles } from "./federation/throttle/throttles.ts";
import { isLegacyPeer } from "./federation/tls-version.ts";
import { createContentCheck } from "./im/content-rules.ts";
import { ImService } from "./im/im-service.ts";
import { Metrics } from "./observe/metrics.ts";
import { Trace } from "./observe/trace.ts";
import { subscriptionDialogMs } from "./presence/dialog-age.ts";
import { createIconServices } from "./presence/icon-services.ts";
import { NotifierService } from "./presence/notifier-service.ts";
import { Presentities } from "./presence/presentities.ts";
import { WatcherService } from "./presence/watcher-service.ts";
import { Reception } from "./proxy/reception.ts";
import { Relay } from "./proxy/relay.ts";
import type { ProxyRules } from "./proxy/steps.ts";
import { Store } from "./store/store.ts";
import { userStanding } from "./store/user-standing.ts";
import { DialogKeeper } from "./ua/dialog-keeper.ts";
import { hidesUsers } from "./ua/hidden-users.ts";
import type { LocalIdentity } from "./ua/local-identity.ts";
import { mayTalkWith, refuseOutside } from "./ua/outside-permission.ts";
import { PolicyEnforcement } from "./ua/policy-enforcement.ts";
import { UserAgent } from "./ua/user-agent.ts";

export interface EdgeEnv {
	readonly clock: Clock;
	readonly random: Random;
	readonly log: Logger;
	readonly version: string;
}

/** An edge that listens. */
export interface RunningEdge {
	/** Where the federation listeners are bound, those for old TLS versions last. */
	readonly sip: readonly { readonly address: string; readonly port: number }[];
	/** `http://127.0.0.1:8080`, with the port that was bound. */
	readonly httpUrl: string;
	/** Takes domains, peers, blocks, certificates and trust of a configuration that was read anew. Rejects, and changes nothing, where they cannot be used. */
	reload(config: Config): Promise<void>;
	/** Refuses new dialogs, ends what is open, waits for answers for a while, and stops. */
	close(): Promise<void>;
}

/** Answers to our BYEs and NOTIFYs are awaited this long at a stop. */
const CLOSE_GRACE_MS = 1_000;
const CLOSE_POLL_MS = 20;
const HOUR_MS = 3_600_000;
const DAY_SECONDS_SUBSCRIBED = 3_600;
const DEFAULT_SIP_PORT = 5061;

/** A fault that stops the start, in words for the administrator. */
export class StartFailed extends Error {
	override readonly name = "StartFailed";
}

/** What a set holds from here on; whoever has the set sees it. */
function replaceAll<Item>(set: Set<Item>, items: Iterable<Item>): void {
	set.clear();
	for (const item of items) set.add(item);
}

/** Starts an edge; rejects with {@link StartFailed} where the world is not as the configuration says. */
export async function startEdge(config: Config, env: EdgeEnv): Promise<RunningEdge> {
	const { clock, random, log, version } = env;
	const startedAt = clock.wall();
	const domainsOf = ({ domain }: Config, kind: "hosted" | "relay") =>
		new Set(domain.filter((one) => one.kind === kind).map(({ name }) => name));
	const hostedDomains = domainsOf(config, "hosted");
	const relayDomains = domainsOf(config, "relay");
	let standing = config;
	const icons = new Map(
		config.domain.flatMap((domain) =>
			domain.kind === "hosted" && domain.icon !== undefined ? [[domain.name, domain.icon] as const] : [],
		),
	);
	let keeper: CertificateKeeper | undefined;
	await mkdir(config.edge.data_dir, { recursive: true, mode: 0o700 });
	const store = await Store.open(join(config.edge.data_dir, "causeway.sqlite"), {
		clock,
		random,
		log,
		queueLimit: config.im.queue_limit,
	});
	try {
		const opened = await PolicyService.open(config, {
			store: store.policy,
			clock,
			log,
			prepare: (standing) => loadMaterial(standing, clock, keeper?.material),
		});
		if (!opened.ok) throw new StartFailed(opened.reason);
		const keys = await openSigningKeys(config, env);
		try {
			return await startServices(opened.policy, keys);
		} catch (error) {
			await keys.close();
			throw error;
		}
	} catch (error) {
		await store.close();
		throw error;
	}

	async function startServices(policy: PolicyService, keys: SigningKeys): Promise<RunningEdge> {
		const { material } = policy;
		const { credentials } = material;
		const presentities = new Presentities(store, icons);
		presentities.load();
		const trace = new Trace(Math.max(1, config.trace.ring), clock);
		const metrics = new Metrics();
		const hub = new EventHub({ epoch: random.token(), clock });
		const lookup = new DnsClient({ servers: config.dns.servers.map((text) => endpoint(text, 53)), clock, log });
		const flusher = createTurnFlusher();
		const dialler = new TlsDialler({ credentials, flusher });
		let identity: LocalIdentity = { fqdn: config.edge.fqdn, port: DEFAULT_SIP_PORT };

		const throttles = new Throttles({
			clock,
			directory: () => policy.directory,
			limits: () => throttleLimits(policy.standing.config),
		});
		metrics.watchThrottles(() => throttles.list());
		const pacing = new Pacing({
			clock,
			directory: () => policy.directory,
			requestsPerSecond: () => policy.standing.config.federation.outgoing_requests_per_second,
		});
		const proxyRules: ProxyRules = {
			get identity() {
				return identity;
			},
			keys,
			relayDomains,
			hostedDomains,
			networkOf: (domain) => {
				const found = policy.directory.find(domain);
				return found.kind === "peer" ? found.peer.name : "";
			},
			policy: () => policy.directory,
		};
		const reception = new Reception({
			clock,
			random,
			log,
			findLink: (connectionId) => federation.findLink(connectionId),
			rules: {
				hostedDomains,
				fqdn: config.edge.fqdn,
				bind: (link, domain) => federation.bind(link, domain),
				throttles,
				get proxy() {
					return relayDomains.size === 0 ? undefined : proxyRules;
				},
			},
		});
		const agent = new UserAgent({
			clock,
			random,
			log,
			identity: () => identity,
			reception,
			federation: () => federation,
			hidesUsersFrom: (peer) => hidesUsers(config.federation.hide_unknown_users, peer),
			outsideOf: (user) => store.users.get(user)?.outside ?? "all",
			throttles,
			paceMs: (link) => pacing.reserve(link),
			keys,
			tokenRefused: (code) => metrics.signatureRefused(code),
			counted: (method, status, code) => metrics.answered(method, status, code),
		});
		const certificates = new CertificateKeeper(material, {
			clock,
			log,
			changed({ credentials: renewed }, isRenewed) {
				for (const holder of [listener, legacyListener, dialler]) holder.replaceCredentials(renewed);
				enforcement.enforce();
				if (isRenewed) federation.drain();
			},
		});
		keeper = certificates;
		const federation = new Federation({
			clock,
			random,
			log,
			lookup,
			dialler,
			judge: certificates.judge,
			trace,
			directory: () => policy.directory,
			ownDomains: hostedDomains,
			allowPrivateAddresses: config.dns.allow_private_addresses,
			linkLimits: { perEdge: config.limits.connections_per_edge, perNetwork: config.limits.connections_per_network },
			streamLimits: {
				headBytes: config.limits.head_bytes,
				bodyBytes: config.limits.body_bytes,
				headMs: config.limits.head_seconds * 1000,
				bodyMs: config.limits.body_seconds * 1000,
			},
			handshakeMs: config.limits.handshake_seconds * 1000,
			user: reception,
			refused: (refusal) => {
				metrics.refused(refusal.direction, refusal.stage, refusal.code);
				trace.recordRefusal(traceRefusal(refusal));
			},
		});
		const relay = new Relay({
			clock,
			random,
			log,
			rules: proxyRules,
			keys,
			node: random.token().slice(0, 8),
			markOutgoing: config.federation.mark_outgoing_verification,
			transactions: reception.transactions,
			federation: () => federation,
			answered: (link, status) => throttles?.answered(link, status),
			counted: (method, status, code) => metrics.answered(method, status, code),
		});
		reception.serve(agent, relay);
		const listener = new TlsListener({
			addresses: config.edge.listen.map((text) => endpoint(text, DEFAULT_SIP_PORT)),
			credentials,
			minVersion: `TLSv${config.edge.tls.min_version}`,
			handshakeTimeoutMs: config.limits.handshake_seconds * 1000,
			flusher,
			accepted: (stream, presented) => federation.accepted(stream, presented),
			refused: (refusal) => federation.refused(refusal),
		});
		const legacyListener = new TlsListener({
			addresses: config.edge.legacy_listen.map((text) => endpoint(text, DEFAULT_SIP_PORT)),
			credentials,
			minVersion: "TLSv1",
			handshakeTimeoutMs: config.limits.handshake_seconds * 1000,
			flusher,
			accepted: (stream, presented) => federation.accepted(stream, presented, true),
			refused: (refusal) => federation.refused(refusal),
		});

		const sender = (owner: string) => {
			const user = store.users.get(owner);
			return { displayName: user?.displayName, verification: user?.verification ?? "unverified" } as const;
		};
		const dialogKeeper = new DialogKeeper({ clock, log, kept: store.keptDialogs, dialogMs: keys.dialogMs });
		dialogKeeper.sweep();
		const markVerification = config.federation.mark_outgoing_verification;
		const ownIdentity = () => identity;
		const notifier = new NotifierService({
			clock,
			random,
			log,
			agent,
			store,
			keeper: dialogKeeper,
			presentities,
			rules: {
				minExpiresSeconds: config.presence.min_expires,
				maxExpiresSeconds: config.presence.max_expires,
				notifySpacingMs: config.presence.notify_spacing_seconds * 1000,
				hideUnknownUsers: config.federation.hide_unknown_users,
				longestDialogMs: subscriptionDialogMs(config.signing.dialog_hours),
			},
			requested: (authorization, verification) =>
				hub.publish(authorization.presentity, requestEvent(authorization, verification)),
			stated: (presentity, other, level) => watcher.levelStated(presentity, other, level),
		});
		const iconServices = createIconServices({
			clock,
			log,
			lookup,
			trust: config.edge.tls.trust,
			allowPrivateAddresses: config.dns.allow_private_addresses,
			own: icons,
			showOwn: (domain, url) => presentities.setIcon(domain, url),
			contactIconChanged: (url) => watcher.iconChanged(url),
		});
		const watcher: WatcherService = new WatcherService({
			clock,
			random,
			log,
			agent,
			identity: ownIdentity,
			expiresSeconds: DAY_SECONDS_SUBSCRIBED,
			longestDialogMs: subscriptionDialogMs(config.signing.dialog_hours),
			markVerification,
			sender,
			store,
			presentities,
			ownDomains: hostedDomains,
			icons: iconServices.contacts,
			levelOf: (owner, contact) => notifier.verificationOf(owner, contact),
			changed: (view) => {
				const stored = store.contacts.get(view.owner, view.contact);
				if (stored !== undefined) hub.publish(view.owner, presenceEvent(stored, view));
			},
			requested: (authorization, verification) =>
				hub.publish(authorization.presentity, requestEvent(authorization, verification)),
		});
		const contentCheck = createContentCheck(config.content_rule);
		const im = new ImService({
			clock,
			random,
			log,
			agent,
			identity: ownIdentity,
			markVerification,
			store,
			ownDomains: hostedDomains,
			offline: config.im.offline,
			busy: config.im.busy,
			unverified: config.im.unverified,
			contentCheck,
			hideUnknownUsers: config.federation.hide_unknown_users,
			answerMs: config.im.answer_seconds * 1000,
			idleMs: config.im.idle_minutes * 60_000,
			dialogMs: keys.dialogMs,
			keeper: dialogKeeper,
			queueMs: config.im.queue_hours * 3_600_000,
			publishedState: (owner) => presentities.get(owner).state,
			sender,
			events: {
				message(message) {
					metrics.message("received");
					hub.publish(message.owner, () => messageEvent(message));
				},
				fate(message, fate) {
					if (fate !== "sending") metrics.message(fate.fate);
					const at = clock.wall();
					hub.publish(message.owner, () => fateEvent(message, fate, at));
				},
				typing: (owner, other, typing) => hub.publish(owner, { kind: "typing", with: other, typing }),
				requested: (request) => hub.publish(request.owner, messageRequestEvent(request)),
				stated: (owner, other, level) => watcher.levelStated(owner, other, level),
			},
		});
		metrics.watch({
			connections: () => [...federation.links].length,
			dialogs: () => agent.dialogs.size + relay.dialogs.size,
			subscriptions: () => notifier.size,
			messagesWaiting: () => im.waiting,
			pings: () => federation.pings,
			droppedResponses: () => agent.transactions.counters.droppedResponses,
			signingKeys: () => keys.list().filter(({ state }) => state !== "destroyed").length,
			signingClockBehindSeconds: () => keys.alarms.clockBehindMs / 1000,
			signingKeysNotOnDisk: () => (keys.alarms.notOnDisk ? 1 : 0),
		});

		let isClosing = false;
		const userChanged = (aor: string, kind: UserChangeKind): void => {
			switch (kind) {
				case "added":
				case "resumed":
				case "changed":
					presentities.refreshDocuments(aor);
					notifier.changed(aor);
					if (kind === "resumed") watcher.watchAll(aor);
					break;
				case "outside-changed":
					enforcement.enforce();
					watcher.policyChanged();
					break;
				case "password-set":
					hub.end(aor, "the password was changed");
					break;
				case "suspended":
				case "removed":
					watcher.unwatchAll(aor);
					notifier.removed(aor);
					im.removed(aor);
					if (kind === "removed") {
						presentities.forget(aor);
						hub.forget(aor, "the user was removed");
					} else hub.end(aor, "the user was suspended");
					break;
			}
			watcher.localChanged(aor);
		};

		const enforcement = new PolicyEnforcement({
			view: () => ({ directory: policy.directory, judge: certificates.judge }),
			federation,
			dialogs: agent.dialogs,
			permits: (user, peer) => mayTalkWith(store.users.get(user)?.outside ?? "all", peer),
			log,
		});
		policy.changed = async (standing) => {
			await certificates.replace(standing);
			watcher.policyChanged();
		};

		const adminToken = await loadAdminToken(config.http.admin_token_file, log);
		const https = await readHttpCertificate(config);
		await startListening(listener, config.edge.listen);
		await startListening(legacyListener, config.edge.legacy_listen).catch((error: unknown) => {
			listener.close();
			throw error;
		});
		const sip = [...listener.endpoints, ...legacyListener.endpoints];
		identity = { fqdn: config.edge.fqdn, port: sip[0]?.port ?? DEFAULT_SIP_PORT };
		agent.start({
			invite: (context) => im.invite(context),
			subscribe: (context) => notifier.subscribe(context),
			revive(context, id) {
				if (context.request.method === "SUBSCRIBE") notifier.revive(context, id);
				else im.revive(context, id);
			},
			earlyNotify: (transaction, link) => watcher.earlyNotify(transaction, link),
		});

		const servers: HttpServer[] = [];
		const stopServing = async (reason: string): Promise<void> => {
			listener.close();
			legacyListener.close();
			iconServices.close();
			watcher.close();
			notifier.close();
			federation.close(reason);
			await Promise.all(servers.map((server) => server.close()));
			relay.close();
			reception.close();
		};
		const readiness = () => ({ ready: !isClosing, missing: isClosing ? ["the edge is stopping"] : [] });
		const traceHandlers = createTraceHandlers(trace);
		const account = createAccountHandlers({
			users: store.users,
			tokens: store.tokens,
			audit: store.audit,
			clock,
			log,
			isHostedDomain: (domain) => hostedDomains.has(domain),
			userChanged,
		});
		const httpOptions = {
			publicUrl: config.http.public_url,
			trustedProxies: config.http.trusted_proxies,
			version,
			clock,
			log,
			auth: createAuthenticate({ adminToken, tokens: store.tokens }),
			api: createApiHandlers({
				config,
				domains: () => standing.domain,
				clock,
				version,
				startedAt,
				listeners: () => [
					...listener.endpoints.map(formatEndpoint),
					...legacyListener.endpoints.map((bound) => `${formatEndpoint(bound)} (legacy: TLS 1.0 and later)`),
				],
				readiness,
				store,
				hub,
				dialogs: { agent, federation, relayed: relay.dialogs, relayDomains },
				federation,
				directory: () => policy.directory,
				presentities,
				notifier,
				watcher,
				ownIcon: (domain) => iconServices.own.find(domain),
				im,
				contentCheck,
				messageRequests: createMessageRequestHandlers({
					store,
					im,
					block: (owner, other) => {
						notifier.decided(owner, other, "block");
						watcher.localChanged(owner);
						im.hangUp(owner, other);
					},
				}),
				verificationOf: (presentity, other) => notifier.verificationOf(presentity, other) ?? "unverified",
				trace: traceHandlers,
				certificates: createCertificateHandlers(keeper),
				account,
				policy: createPolicyHandlers({
					policy,
					enforcement,
					federation,
					throttles,
					invite: () =>
						createInvite({
							...identity,
							domains: config.domain.map(({ name }) => name),
							certificate: certificates.material.credentials.certificate,
						}),
					test: (question) =>
						testPolicy(question, {
							directory: policy.directory,
							standing: policy.standing,
							lookup,
							ownDomains: new Set([...hostedDomains, ...relayDomains]),
							userOf: (aor) => userStanding(aor, hostedDomains, store.users),
							decisionOf: (user, other) => store.watchers.standing(user, other)?.decision,
							hidesUsersFrom: (peer) => hidesUsers(config.federation.hide_unknown_users, peer),
							refusesOutside: (user, peer) => refuseOutside(user, store.users.get(user)?.outside ?? "all", peer),
							throttle: throttleLimits(policy.standing.config),
							markOutgoing: config.federation.mark_outgoing_verification,
						}),
					presence: (name) => presenceFlow(name, notifier, watcher),
					audit: store.audit,
					log,
				}),
				keys: createKeyHandlers({ keys, audit: store.audit, log }),
			}),
			channels: {
				watchEvents: ({ caller, query }, sink) => hub.serve(caller.aor, query, sink),
				watchTrace: traceHandlers.watchTrace,
			},
			readiness,
			icon: (id: string) => iconServices.contacts.find(id),
			metricsText: () => metrics.text(),
			webFolder: findWebFolder(),
		} satisfies Omit<HttpServerOptions, "listen">;
		const startHttp = (text: string, serves: NonNullable<HttpServerOptions["serves"]>): Promise<HttpServer> =>
			startHttpServer({
				...httpOptions,
				listen: listenAddress(text),
				serves,
				...(https === undefined ? {} : { tls: https }),
			}).catch(async (error: unknown) => {
				im.close();
				await stopServing("the start failed");
				throw new StartFailed(`cannot listen on ${text} for HTTP: ${reasonOf(error)}`);
			});
		// Before the API is there: what it takes in is delivered once, not once more by what is read from the store.
		iconServices.own.start();
		notifier.start();
		watcher.load();
		im.load();
		const { console_listen: consoleListen } = config.http;
		const http = await startHttp(config.http.listen, consoleListen === "" ? "everything" : "users");
		servers.push(http);
		if (consoleListen !== "") servers.push(await startHttp(consoleListen, "administration"));
		const httpUrl = `${https === undefined ? "http" : "https"}://${http.address.host.includes(":") ? `[${http.address.host}]` : http.address.host}:${http.address.port}`;
		await certificates.start();
		log.info("edge ready", {
			fqdn: config.edge.fqdn,
			listen: listener.endpoints.map(formatEndpoint),
			http: httpUrl,
			version,
		});
		if (config.edge.legacy_listen.length > 0) {
			log.warn("TLS 1.0 and 1.1 are accepted on the legacy listeners", {
				listen: legacyListener.endpoints.map(formatEndpoint),
				peers: policy.directory.policy.peers.filter(isLegacyPeer).map(({ name }) => name),
			});
		}

		return {
			sip,
			httpUrl,
			async reload(next) {
				const reloaded = await policy.reload(next);
				if (!reloaded.ok) throw new StartFailed(reloaded.reason);
				standing = next;
				replaceAll(hostedDomains, domainsOf(next, "hosted"));
				replaceAll(relayDomains, domainsOf(next, "relay"));
				log.info("configuration reloaded");
			},
			async close() {
				if (isClosing) return;
				isClosing = true;
				certificates.close();
				log.info("edge stopping");
				listener.close();
				legacyListener.close();
				agent.drain();
				relay.drain();
				watcher.drain();
				im.close();
				notifier.deactivateAll();
				await settle(() => agent.transactions.counters.activeClientTransactions === 0, clock);
				await stopServing("this edge is stopping");
				await keys.close();
				await store.close();
				log.info("edge stopped");
			},
		};
	}
}

async function openSigningKeys({ edge, signing }: Config, { clock, random, log }: EdgeEnv): Promise<SigningKeys> {
	const opened = await SigningKeys.open({
		clock,
		log,
		folder: edge.data_dir,
		source: systemKeySource(random),
		rules: {
			rotateMs: signing.rotate_hours * HOUR_MS,
			dialogMs: signing.dialog_hours * HOUR_MS,
			expiry: signing.key_expiry,
		},
	});
	if (!opened.ok) throw new StartFailed(`signing keys: ${opened.reason}`);
	return opened.keys;
}

async function startListening(listener: TlsListener, addresses: readonly string[]): Promise<void> {
	try {
		await listener.start();
	} catch (error) {
		throw new StartFailed(`cannot listen on ${addresses.join(", ")}: ${reasonOf(error)}`);
	}
}

/** The certificate for HTTPS of our own; undefined where the file names none. */
async function readHttpCertificate(config: Config): Promise<HttpTls | undefined> {
	const { certificate, key } = config.http;
	if (certificate === "" || key === "") return undefined;
	try {
		return { certificate: await readFile(certificate), key: await readFile(key) };
	} catch (error) {
		throw new StartFailed(`http.certificate, http.key: ${reasonOf(error)}`);
	}
}

function endpoint(text: string, defaultPort: number): { readonly address: string; readonly port: number } {
	const read = parseHostPort(text);
	return { address: read?.host ?? text, port: read?.port ?? defaultPort };
}

function listenAddress(text: string): { readonly host: string; readonly port: number } {
	const { address, port } = endpoint(text, 8080);
	return { host: address, port };
}

function reasonOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}

/** Waits until `isDone`, at most the grace time. */
function settle(isDone: () => boolean, clock: Clock): Promise<void> {
	const until = clock.now() + CLOSE_GRACE_MS;
	return new Promise((resolve) => {
		const check = (): void => {
			if (isDone() || clock.now() >= until) resolve();
			else clock.setTimer(CLOSE_POLL_MS, check);
		};
		check();
	});
}
