/**
 * Two edges, their users and a day or two of their lives on a simulated clock: people change their state, decide about each
 * other, processes die, connections are cut. A seed picks everything; the invariants are checked on every message that leaves
 * and, once all is quiet, on every view.
 */
import assert from "node:assert/strict";
import { HeaderId, headerValue, type SipMessage } from "@causeway/sip";
import { SimClock, SimRandom } from "@causeway/sip/testing";
import { PRESENCE_STATES, type PresenceState } from "../../src/store/published-presence.ts";
import { openTestStore } from "../../src/store/testing.ts";
import { SimEdge, SPACING_MS } from "./presence-edge.ts";

export interface PresenceRunPlan {
	readonly seed: number;
	readonly hours: number;
	readonly usersPerEdge: number;
	readonly contactsPerUser: number;
	readonly stateChanges: number;
	readonly decisions: number;
	readonly restarts: number;
	readonly cuts: number;
}

export interface PresenceRunResult {
	readonly stateChanges: number;
	readonly restarts: number;
	readonly cuts: number;
	readonly subscribes: number;
	readonly notifies: number;
	/** Pairs whose view was compared at the end. */
	readonly pairs: number;
}

type Standing = "allow" | "block" | "deny" | "pending";

interface Pair {
	readonly edge: SimEdge;
	readonly owner: string;
	readonly contact: string;
}

const DOMAINS = ["contoso.example", "fabrikam.example"] as const;
const HOUR_MS = 3_600_000;
/** The longest pause before a watcher asks again, with its random part, and a refresh on top. */
const QUIET_MS = 3 * HOUR_MS;
/** Spacing, a tick of the wheel, and the way there and back. */
const COALESCING_MS = SPACING_MS + 250 + 1_000;
const DOWN_MS = 20_000;

export async function runPresence(plan: PresenceRunPlan): Promise<PresenceRunResult> {
	const random = new SimRandom(plan.seed);
	const clock = new SimClock();
	const states = new Map<string, PresenceState>();
	const standings = new Map<string, Standing>();
	const checker = new NotifyChecker(clock, (presentity, watcher) => standings.get(`${presentity} ${watcher}`));
	const edges: SimEdge[] = [];
	for (const domain of DOMAINS) {
		const store = await openTestStore({ clock });
		const peer = DOMAINS[domain === DOMAINS[0] ? 1 : 0];
		edges.push(new SimEdge({ clock, random, domain, store, sent: (_edge, message) => checker.sent(message) }, peer));
	}
	const [first, second] = edges as [SimEdge, SimEdge];
	first.connectTo(second);
	second.connectTo(first);
	const users = edges.map((edge) =>
		Array.from({ length: plan.usersPerEdge }, (_, number) => `user${number}@${edge.domain}`),
	);
	const pairs: Pair[] = [];
	for (const [place, edge] of edges.entries()) {
		for (const owner of users[place] ?? []) {
			await edge.store.users.add({ address: owner });
			states.set(owner, "offline");
		}
		for (const owner of users[place] ?? []) {
			const others = users[1 - place] ?? [];
			const chosen = new Set<string>();
			while (chosen.size < plan.contactsPerUser) chosen.add(others[random.below(others.length)] ?? "");
			for (const contact of chosen) {
				await edge.store.contacts.put(owner, { address: contact });
				pairs.push({ edge, owner, contact });
			}
		}
	}
	const edgeOf = (aor: string): SimEdge => (aor.endsWith(first.domain) ? first : second);
	for (const { owner, contact } of pairs) {
		const drawn = random.below(20);
		const standing: Standing = drawn < 14 ? "allow" : drawn < 16 ? "block" : drawn < 17 ? "deny" : "pending";
		standings.set(`${contact} ${owner}`, standing);
		if (standing !== "pending") await edgeOf(contact).store.watchers.decide(contact, owner, standing);
	}
	for (const edge of edges) edge.start();

	const change = async (): Promise<void> => {
		const side = users[random.below(2)] ?? [];
		const aor = side[random.below(side.length)] ?? "";
		const state = PRESENCE_STATES[random.below(PRESENCE_STATES.length)] ?? "available";
		states.set(aor, state);
		await edgeOf(aor).publish(aor, state);
	};
	const decide = async (): Promise<void> => {
		const { owner, contact } = pairs[random.below(pairs.length)] ?? assert.fail("no pair");
		const key = `${contact} ${owner}`;
		// Who was refused asks again only when a person wants it.
		if (standings.get(key) === "deny") return;
		const decision = random.below(3) === 0 ? "block" : "allow";
		standings.set(key, decision);
		await edgeOf(contact).decide(contact, owner, decision);
	};
	const restart = (): void => {
		const edge = edges[random.below(2)] ?? first;
		if (!edge.isRunning) return;
		edge.stop(random.below(2) === 0 ? "drain" : "crash");
		clock.setTimer(1_000 + random.below(DOWN_MS), () => edge.start());
	};
	const cut = (): void => {
		const { streams } = edges[random.below(2)] ?? first;
		streams[random.below(Math.max(1, streams.length))]?.breakOff("cut");
	};

	const spanMs = plan.hours * HOUR_MS;
	const agenda: (readonly [atMs: number, act: () => void | Promise<void>])[] = [];
	const plant = (count: number, act: () => void | Promise<void>): void => {
		for (let left = count; left > 0; left -= 1) agenda.push([random.below(spanMs), act]);
	};
	plant(plan.stateChanges, change);
	plant(plan.decisions, decide);
	plant(plan.restarts, restart);
	plant(plan.cuts, cut);
	agenda.sort(([left], [right]) => left - right);
	for (const [atMs, act] of agenda) {
		await goTo(clock, atMs);
		await act();
	}
	await goTo(clock, spanMs + QUIET_MS);

	const compare = (when: string): void => {
		for (const { edge, owner, contact } of pairs) {
			const expected = expectedState(standings.get(`${contact} ${owner}`), states.get(contact));
			const view = edge.view(owner, contact);
			assert.equal(
				view?.state,
				expected,
				`seed ${plan.seed}, ${when}: ${owner} sees ${contact} ${JSON.stringify(view)}, should be ${expected}`,
			);
		}
	};
	compare("when all was quiet");
	// Once more for everybody, all at one moment: nothing but the coalescing delay may stand between.
	for (const aor of states.keys()) {
		const state = states.get(aor) === "busy" ? "away" : "busy";
		states.set(aor, state);
		await edgeOf(aor).publish(aor, state);
	}
	await goTo(clock, clock.now() + COALESCING_MS);
	compare("after the coalescing delay");
	for (const edge of edges) {
		edge.stop("crash");
		await edge.store.close();
	}
	return {
		stateChanges: plan.stateChanges,
		restarts: plan.restarts,
		cuts: plan.cuts,
		subscribes: checker.subscribes,
		notifies: checker.notifies,
		pairs: pairs.length,
	};
}

function expectedState(standing: Standing | undefined, state: PresenceState | undefined): string {
	switch (standing) {
		case "allow":
			return state ?? "offline";
		case "block":
			return "offline";
		case "deny":
			return "unknown";
		default:
			return "pending";
	}
}

/** Runs every timer up to a moment; after each, what it began on promises and disks goes on. */
async function goTo(clock: SimClock, atMs: number): Promise<void> {
	await settled();
	for (let due = clock.nextDueMs; due !== undefined && due <= atMs; due = clock.nextDueMs) {
		clock.runNext();
		await settled();
	}
	clock.advance(Math.max(0, atMs - clock.now()));
}

function settled(): Promise<void> {
	return new Promise((resolve) => void setImmediate(resolve));
}

interface DialogRecord {
	lastNotifyMs: number;
	/** SUBSCRIBEs whose NOTIFY has not left: it may leave at once. */
	owed: number;
}

/** Looks at every message: no NOTIFY too soon after the one before, none that tells a watcher what it may not know. */
class NotifyChecker {
	readonly #clock: SimClock;
	readonly #standing: (presentity: string, watcher: string) => Standing | undefined;
	readonly #dialogs = new Map<string, DialogRecord>();
	subscribes = 0;
	notifies = 0;

	constructor(clock: SimClock, standing: (presentity: string, watcher: string) => Standing | undefined) {
		this.#clock = clock;
		this.#standing = standing;
	}

	sent(message: SipMessage): void {
		if (message.kind === "response") {
			if (message.cseq.method === "SUBSCRIBE" && message.statusCode === 200) this.#dialog(message.callId).owed += 1;
			return;
		}
		if (message.method === "SUBSCRIBE") this.subscribes += 1;
		if (message.method === "NOTIFY") this.#notify(message);
	}

	#notify(message: Extract<SipMessage, { kind: "request" }>): void {
		this.notifies += 1;
		const dialog = this.#dialog(message.callId);
		const state = headerValue(message, HeaderId.subscriptionState) ?? "";
		const nowMs = this.#clock.now();
		if (dialog.owed > 0) dialog.owed -= 1;
		else if (!state.startsWith("terminated")) {
			const pauseMs = nowMs - dialog.lastNotifyMs;
			assert.ok(pauseMs >= SPACING_MS, `REQ-83: a NOTIFY ${pauseMs} ms after the one before in ${message.callId}`);
		}
		dialog.lastNotifyMs = nowMs;
		if (state.startsWith("terminated")) this.#dialogs.delete(message.callId);
		const body = Buffer.from(message.body).toString("utf8");
		if (!body.includes("<basic>open<")) return;
		const presentity = aorOf(headerValue(message, HeaderId.from));
		const watcher = aorOf(headerValue(message, HeaderId.to));
		const standing = this.#standing(presentity, watcher);
		assert.equal(standing, "allow", `REQ-92: ${watcher} was shown ${presentity}, which is ${standing}`);
		assert.ok(body.includes(`entity="sip:${presentity}"`), "a document of somebody else");
	}

	#dialog(callId: string): DialogRecord {
		const known = this.#dialogs.get(callId);
		if (known !== undefined) return known;
		const made = { lastNotifyMs: Number.NEGATIVE_INFINITY, owed: 0 };
		this.#dialogs.set(callId, made);
		return made;
	}
}

function aorOf(value: string | undefined): string {
	const text = value ?? "";
	const start = text.indexOf("sip:") + 4;
	return text.slice(start, text.indexOf(">", start));
}
