/** Subscriptions over days: dialogs are replaced in time by whichever side minds them, and nobody sees it happen. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { SipMessage } from "@causeway/sip";
import { SimClock, SimRandom } from "@causeway/sip/testing";
import type { ContactView } from "../../src/presence/contact-view.ts";
import { openTestStore } from "../../src/store/testing.ts";
import { SimEdge } from "./presence-edge.ts";

const HOUR_MS = 3_600_000;
const ALICE = "alice@contoso.example";
const LENA = "lena@fabrikam.example";

async function startPair(dialogHours: { readonly watcher: number; readonly notifier: number }) {
	const clock = new SimClock();
	const random = new SimRandom(11);
	const views: ContactView[] = [];
	/** By Call-ID, when its first SUBSCRIBE and its last message left. */
	const dialogs = new Map<string, { readonly from: number; until: number }>();
	const sent = (_edge: SimEdge, message: SipMessage): void => {
		const nowMs = clock.now();
		const known = dialogs.get(message.callId);
		if (known === undefined) dialogs.set(message.callId, { from: nowMs, until: nowMs });
		else known.until = nowMs;
	};
	const make = async (domain: string, user: string, peer: string, hours: number): Promise<SimEdge> => {
		const store = await openTestStore({ clock });
		await store.users.add({ address: user });
		return new SimEdge(
			{ clock, random, domain, store, sent, dialogHours: hours, changed: (view) => views.push(view) },
			peer,
		);
	};
	const contoso = await make("contoso.example", ALICE, "fabrikam.example", dialogHours.watcher);
	const fabrikam = await make("fabrikam.example", LENA, "contoso.example", dialogHours.notifier);
	contoso.connectTo(fabrikam);
	fabrikam.connectTo(contoso);
	await contoso.store.contacts.put(ALICE, { address: LENA });
	await fabrikam.store.watchers.decide(LENA, ALICE, "allow");
	fabrikam.start();
	await fabrikam.publish(LENA, "busy");
	contoso.start();
	const run = async (ms: number): Promise<void> => {
		const atMs = clock.now() + ms;
		await settled();
		while ((clock.nextDueMs ?? Number.POSITIVE_INFINITY) <= atMs) {
			clock.runNext();
			await settled();
		}
		clock.advance(atMs - clock.now());
	};
	await run(60_000);
	return { clock, contoso, fabrikam, views, dialogs, run };
}

/** Lets what was begun on promises and in the store go on. */
function settled(): Promise<void> {
	return new Promise((resolve) => void setImmediate(resolve));
}

for (const [name, dialogHours] of [
	["the watcher replaces its dialog before the 24 hours are over", { watcher: 24, notifier: 48 }],
	["the notifier ends it as deactivated, and the watcher makes another", { watcher: 48, notifier: 24 }],
] as const) {
	test(`REQ-66: ${name}, and the user sees nothing of it`, async () => {
		const { contoso, fabrikam, views, dialogs, run } = await startPair(dialogHours);
		assert.deepEqual(
			views.map(({ state }) => state),
			["busy"],
		);
		await run(96 * HOUR_MS);
		assert.deepEqual(
			views.map(({ state }) => state),
			["busy"],
			"no other state, not for a moment",
		);
		const ages = [...dialogs.values()].map(({ from, until }) => (until - from) / HOUR_MS);
		assert.ok(dialogs.size >= 4 && dialogs.size <= 6, `${dialogs.size} dialogs in 96 hours`);
		assert.ok(Math.max(...ages) < 24, `a dialog of ${Math.max(...ages)} hours`);
		assert.equal(fabrikam.subscriptions, 1, "the old dialog is gone at the notifier");
		await fabrikam.publish(LENA, "away");
		await run(10_000);
		assert.equal(contoso.view(ALICE, LENA)?.state, "away");
	});
}
