/** What `causeway demo --script` plays: presence and instant messages between two organisations, each step checked. */
import type { TraceEntry } from "@causeway/admin";
import { ObservedUser } from "./observed.ts";
import type { World } from "./world.ts";

/** One message on the wire, as its sender recorded it. */
export interface Rung {
	/** RFC 3339, UTC. */
	readonly time: string;
	/** FQDNs of the edges. */
	readonly from: string;
	readonly to: string;
	/** A request has a method, a response a status. */
	readonly method?: string;
	readonly status?: number;
	readonly cseq: string;
	readonly callId: string;
	readonly startLine: string;
}

/** Everything both edges sent since they started, in the order of their clocks, which is one on this machine. */
async function readWire({ contoso, fabrikam }: World): Promise<readonly Rung[]> {
	const rungs: Rung[] = [];
	for (const [sender, receiver] of [
		[contoso, fabrikam],
		[fabrikam, contoso],
	] as const) {
		const { entries } = await sender.admin().call("listTrace", { query: { limit: 1000 } });
		for (const entry of entries) {
			if (entry.direction === "out") rungs.push(toRung(entry, sender.fqdn, receiver.fqdn));
		}
	}
	// Stable: what one edge sent in one millisecond keeps its order.
	return rungs.sort((left, right) => (left.time < right.time ? -1 : left.time > right.time ? 1 : 0));
}

function toRung(entry: TraceEntry, from: string, to: string): Rung {
	const words = entry.start_line.split(" ");
	const isResponse = words[0] === "SIP/2.0";
	return {
		time: entry.at,
		from,
		to,
		...(isResponse ? { status: Number(words[1]) } : { method: words[0] ?? "" }),
		cseq: entry.cseq ?? "",
		callId: entry.call_id ?? "",
		startLine: entry.start_line,
	};
}

/** Plays everything; rejects with the first thing that is not as it should be. `told` is called for each step that was seen. */
export async function playScript(world: World, told: (text: string) => void): Promise<readonly Rung[]> {
	const { contoso, fabrikam } = world;
	const alice = new ObservedUser("Alice", await contoso.user());
	const bob = new ObservedUser("Bob", await fabrikam.user());
	const { aor: aliceAor } = contoso.login;
	const { aor: bobAor } = fabrikam.login;
	await Promise.all([alice.open(), bob.open()]);
	try {
		await alice.client.call("putPresence", { body: { state: "available" } });
		await bob.client.call("putPresence", { body: { state: "available" } });

		await alice.client.call("putContact", { params: { aor: bobAor }, body: {} });
		await bob.until("Alice's request", "request", ({ aor }) => aor === aliceAor);
		await alice.until("Bob being pending", "presence", ({ aor, state }) => aor === bobAor && state === "pending");
		told("Alice subscribes to Bob's presence; Bob has to decide, so she sees: pending");

		await bob.client.call("decideRequest", { params: { aor: aliceAor }, body: { decision: "allow" } });
		await alice.until("Bob being available", "presence", ({ aor, state }) => aor === bobAor && state === "available");
		told("Bob allows it; Alice sees: available");

		await bob.client.call("putPresence", { body: { state: "away", note: "Back at four" } });
		await alice.until("Bob being away", "presence", ({ aor, state }) => aor === bobAor && state === "away");
		told("Bob goes away; Alice sees: away");

		await say(alice, bob, aliceAor, bobAor, "Hello Bob, are you there?");
		told("Alice writes; a session is opened, and the message is delivered");

		await bob.client.call("putTyping", { body: { to: aliceAor, typing: true } });
		await alice.until("Bob's typing", "typing", ({ with: other, typing }) => other === bobAor && typing);
		told("Bob types; Alice sees it");
		await say(bob, alice, bobAor, aliceAor, "Yes: caf\u00e9 at four?");
		told("Bob answers in the same session");

		await alice.client.call("putTyping", { body: { to: bobAor, typing: true } });
		await bob.until("Alice's typing", "typing", ({ with: other, typing }) => other === aliceAor && typing);
		await say(alice, bob, aliceAor, bobAor, "See you there \u2615");
		told("Alice types and answers; Bob sees both");

		await alice.client.call("endConversation", { params: { aor: bobAor } });
		await alice.client.call("deleteContact", { params: { aor: bobAor } });
		await untilQuiet(world);
		told("The conversation ends with BYE, the subscription with its last NOTIFY");
		return await readWire(world);
	} finally {
		alice.close();
		bob.close();
	}
}

/** One user writes, the other reads the same text, and the sender learns that it was delivered. */
async function say(from: ObservedUser, to: ObservedUser, fromAor: string, toAor: string, text: string): Promise<void> {
	const { id } = await from.client.call("submitMessage", { body: { to: toAor, text } });
	await to.until(
		`"${text}"`,
		"message",
		(event) => event.direction === "in" && event.with === fromAor && event.text === text,
	);
	const { fate, reason } = await from.until(
		`the fate of "${text}"`,
		"fate",
		(event) => event.id === id && event.fate !== "sending",
	);
	if (fate !== "delivered")
		throw new Error(`"${text}" is ${fate}${reason === undefined ? "" : `: ${reason}`}; it should be delivered`);
}

const QUIET_LIMIT_MS = 10_000;
const QUIET_STEP_MS = 50;

/** Until neither edge has a dialog left. */
async function untilQuiet({ contoso, fabrikam }: World): Promise<void> {
	const until = Date.now() + QUIET_LIMIT_MS;
	for (;;) {
		const states = await Promise.all([contoso, fabrikam].map((side) => side.admin().call("getStatus")));
		if (states.every(({ dialogs }) => dialogs === 0)) return;
		if (Date.now() > until)
			throw new Error(
				`dialogs are left after the end: ${states.map(({ fqdn, dialogs }) => `${fqdn} ${dialogs}`).join(", ")}`,
			);
		await new Promise((resolve) => setTimeout(resolve, QUIET_STEP_MS));
	}
}
