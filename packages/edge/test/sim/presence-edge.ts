/** An edge's presence on a simulated clock: everything but sockets and HTTP, started and stopped as often as a run wants. */
import assert from "node:assert/strict";
import type { Clock, Logger, Random, SipMessage, Timer } from "@causeway/sip";
import { DEFAULT_FRAMER_LIMITS, SipConnection } from "@causeway/sip";
import { createMemoryPair, type MemoryStream, readSent, type SimClock } from "@causeway/sip/testing";
import type { LinkOutcome } from "../../src/federation/federation.ts";
import type { Link } from "../../src/federation/link.ts";
import { refusal } from "../../src/federation/outcome.ts";
import { discoveredPeer, type Peer } from "../../src/federation/peers.ts";
import type { ContactView } from "../../src/presence/contact-view.ts";
import { subscriptionDialogMs } from "../../src/presence/dialog-age.ts";
import { NotifierService } from "../../src/presence/notifier-service.ts";
import { Presentities } from "../../src/presence/presentities.ts";
import { WatcherService } from "../../src/presence/watcher-service.ts";
import { Reception } from "../../src/proxy/reception.ts";
import type { PresenceState } from "../../src/store/published-presence.ts";
import type { Store } from "../../src/store/store.ts";
import type { Decision } from "../../src/store/watchers.ts";
import { DialogKeeper } from "../../src/ua/dialog-keeper.ts";
import { createTestContactKeys } from "../../src/ua/testing.ts";
import { UserAgent } from "../../src/ua/user-agent.ts";

const LATENCY_MS = 15;
export const SPACING_MS = 5_000;

const log: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** The clock of one run of a process: its timers die with it. */
class ProcessClock implements Clock {
	readonly #clock: Clock;
	isDead = false;

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	now(): number {
		return this.#clock.now();
	}

	wall(): number {
		return this.#clock.wall();
	}

	setTimer(delayMs: number, run: () => void): Timer {
		return this.#clock.setTimer(delayMs, () => {
			if (!this.isDead) run();
		});
	}
}

/** What of an edge dies with its process. */
interface Running {
	readonly clock: ProcessClock;
	readonly reception: Reception;
	readonly agent: UserAgent;
	readonly presentities: Presentities;
	readonly notifier: NotifierService;
	readonly watcher: WatcherService;
	readonly links: Map<number, { readonly link: Link; readonly stream: MemoryStream }>;
}

export interface SimEdgeOptions {
	readonly clock: SimClock;
	readonly random: Random;
	readonly domain: string;
	readonly store: Store;
	/** Sees every message that leaves, before it leaves. */
	readonly sent: (edge: SimEdge, message: SipMessage) => void;
	/** `[signing] dialog_hours`; 24 unless given. */
	readonly dialogHours?: number;
	/** Watched views as they change. */
	readonly changed?: (view: ContactView) => void;
}

let lastConnectionId = 0;

export class SimEdge {
	readonly domain: string;
	readonly store: Store;
	readonly #options: SimEdgeOptions;
	readonly #peer: Peer;
	#other: SimEdge | undefined;
	#running: Running | undefined;

	constructor(options: SimEdgeOptions, peerDomain: string) {
		this.#options = options;
		this.domain = options.domain;
		this.store = options.store;
		this.#peer = { ...discoveredPeer(peerDomain), kind: "allowed" };
	}

	/** Names the partner; done once. */
	connectTo(other: SimEdge): void {
		this.#other = other;
	}

	get isRunning(): boolean {
		return this.#running !== undefined;
	}

	/** Connections that are open. */
	get streams(): readonly MemoryStream[] {
		return [...(this.#running?.links.values() ?? [])].map(({ stream }) => stream);
	}

	start(): void {
		const clock = new ProcessClock(this.#options.clock);
		const { random, domain, store } = this.#options;
		const identity = () => ({ fqdn: `sip.${domain}`, port: 5061 });
		const links: Running["links"] = new Map();
		const reception = new Reception({
			clock,
			random,
			log,
			findLink: (id) => links.get(id)?.link,
			rules: {
				hostedDomains: new Set([domain]),
				fqdn: identity().fqdn,
				bind: () => ({ ok: true, peer: this.#peer }),
				proxy: undefined,
			},
		});
		const agent = new UserAgent({
			clock,
			random,
			log,
			identity,
			reception,
			outsideOf: () => "all",
			hidesUsersFrom: () => false,
			federation: () => ({
				findLink: (id) => links.get(id)?.link,
				linkTo: (_domain, _user, tried) => Promise.resolve(this.#linkToOther((tried?.size ?? 0) > 0)),
			}),
			keys: createTestContactKeys(clock),
			tokenRefused: () => {},
			counted: () => {},
		});
		const presentities = new Presentities(store, new Map());
		presentities.load();
		const keeper = new DialogKeeper({ clock, log, kept: store.keptDialogs, dialogMs: 24 * 3_600_000 });
		const shared = { clock, random, log, agent, identity, store, keeper, presentities, requested: () => {} };
		const notifier = new NotifierService({
			...shared,
			stated: (presentity, other, level) => watcher.levelStated(presentity, other, level),
			rules: {
				minExpiresSeconds: 300,
				maxExpiresSeconds: 28_800,
				notifySpacingMs: SPACING_MS,
				hideUnknownUsers: "never",
				longestDialogMs: subscriptionDialogMs(this.#options.dialogHours ?? 24),
			},
		});
		const watcher: WatcherService = new WatcherService({
			...shared,
			expiresSeconds: 3_600,
			longestDialogMs: subscriptionDialogMs(this.#options.dialogHours ?? 24),
			markVerification: true,
			sender: () => ({ displayName: undefined, verification: "verified" }),
			ownDomains: new Set([domain]),
			levelOf: (owner, contact) => notifier.verificationOf(owner, contact),
			icons: { want: () => {}, pathOf: () => undefined },
			changed: (view) => this.#options.changed?.(view),
		});
		reception.serve(agent);
		agent.start({
			invite: () => {},
			subscribe: (context) => notifier.subscribe(context),
			revive: (context, id) => notifier.revive(context, id),
			earlyNotify: (transaction, link) => watcher.earlyNotify(transaction, link),
		});
		this.#running = { clock, reception, agent, presentities, notifier, watcher, links };
		notifier.start();
		watcher.load();
	}

	/** Stops as SIGTERM does, or at once as a crash does. */
	stop(how: "drain" | "crash"): void {
		const running = this.#running;
		if (running === undefined) return;
		if (how === "drain") {
			running.agent.drain();
			running.watcher.drain();
			running.notifier.deactivateAll();
			for (const { stream } of running.links.values()) stream.close("this edge is stopping");
		} else for (const { stream } of running.links.values()) stream.breakOff("the process died");
		running.clock.isDead = true;
		running.watcher.close();
		running.notifier.close();
		running.reception.close();
		this.#running = undefined;
	}

	/** As the API does it: on disk first. */
	async publish(aor: string, state: PresenceState): Promise<void> {
		await this.store.presence.publish(aor, state);
		const { presentities, notifier } = this.#running ?? {};
		if (presentities?.set(aor, { state, note: undefined, changedAt: this.#options.clock.wall() }) === true)
			notifier?.changed(aor);
	}

	async decide(aor: string, who: string, decision: Decision): Promise<void> {
		await this.store.watchers.decide(aor, who, decision);
		if (who.startsWith("@")) this.#running?.notifier.rulesChanged(aor);
		else this.#running?.notifier.decided(aor, who, decision);
	}

	view(owner: string, contact: string): ContactView | undefined {
		return this.#running?.watcher.view(owner, contact);
	}

	get subscriptions(): number {
		return this.#running?.notifier.size ?? 0;
	}

	/** An open connection with the partner, or a new one; none where one was tried, for the partner has one address. */
	#linkToOther(isTried: boolean): LinkOutcome {
		const other = this.#other;
		for (const { link } of this.#running?.links.values() ?? []) {
			if (link.connection.isOpen && !isTried) return { ok: true, link, peer: this.#peer };
		}
		if (other?.isRunning !== true || !this.isRunning || isTried) {
			return { ok: false, refusal: refusal(504, 1007, "connect-failed", "the partner's edge does not answer", "peer") };
		}
		const [near, far] = createMemoryPair({
			schedule: (run) => void this.#options.clock.setTimer(LATENCY_MS, run),
		});
		const link = this.#attach(near, "outbound");
		other.#attach(far, "inbound");
		return { ok: true, link, peer: this.#peer };
	}

	#attach(stream: MemoryStream, direction: "inbound" | "outbound"): Link {
		const running = this.#running;
		if (running === undefined) throw new Error("an edge that does not run takes no connection");
		lastConnectionId += 1;
		const id = lastConnectionId;
		const connection = new SipConnection({
			id,
			direction,
			stream,
			clock: running.clock,
			random: this.#options.random,
			limits: DEFAULT_FRAMER_LIMITS,
			times: { headMs: 10_000, bodyMs: 20_000 },
			user: {
				framed(_connection, frame) {
					const recognised = running.reception.recognise(link, frame);
					recognised?.forward();
					return recognised !== undefined;
				},
				received: (_connection, message) => running.reception.received(link, message),
				closed: (_connection, cause) => {
					running.links.delete(id);
					if (!running.clock.isDead) running.reception.closed(link, cause);
				},
			},
			hooks: {
				sent: (_connection, _place, message) => {
					assert(message !== undefined, "without a proxy everything that leaves was made here");
					this.#options.sent(this, readSent(message));
				},
			},
		});
		// What presence asks of a link is its connection and its network.
		const link = {
			connection,
			identity: { names: [`sip.${this.#peer.name}`], subject: "", issuer: "", fingerprint: "", notAfter: 0 },
			network: this.#peer.name,
			requestsIn: 0,
			requestsOut: 0,
		} as unknown as Link;
		running.links.set(id, { link, stream });
		connection.start();
		return link;
	}
}
