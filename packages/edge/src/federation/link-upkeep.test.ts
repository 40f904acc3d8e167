import assert from "node:assert/strict";
import { test } from "node:test";
import { SimClock } from "@causeway/sip/testing";
import type { Link } from "./link.ts";
import { LinkUpkeep } from "./link-upkeep.ts";
import { createTestLink, presentTestCertificate } from "./testing.ts";

const presented = presentTestCertificate("public", "sip.fabrikam.example");
const NETWORK = "fabrikam.example";
const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;

interface Bench {
	readonly clock: SimClock;
	readonly upkeep: LinkUpkeep;
	readonly pings: () => number;
	/** Times that a link was told of that proved nothing. */
	readonly nothings: () => number;
	/** Why it ended, and whether what was queued left. */
	readonly ends: (readonly [reason: string, isOrderly: boolean])[];
}

function watch(
	link: Link,
	load: () => number = () => 0,
	outstanding: () => number = () => 0,
	clock = new SimClock(),
): Bench {
	let pings = 0;
	let nothings = 0;
	const ends: (readonly [string, boolean])[] = [];
	const upkeep = new LinkUpkeep({
		clock,
		load,
		outstanding,
		links: {
			*[Symbol.iterator]() {
				if (link.connection.isOpen) yield link;
			},
		},
		provedNothing: () => {
			nothings += 1;
		},
		ping() {
			pings += 1;
			return true;
		},
		end(ended, reason, isOrderly) {
			ends.push([reason, isOrderly]);
			ended.connection.close(reason);
		},
	});
	upkeep.opened(link);
	return { clock, upkeep, pings: () => pings, nothings: () => nothings, ends };
}

const proven = (parts: Partial<Link> = {}): Link => createTestLink(presented, { network: NETWORK, ...parts });

test("REQ-90: a connection ends with the first certificate of its path, to the millisecond, dialogs or not", () => {
	const clock = new SimClock();
	const base = proven();
	const link = proven({ identity: { ...base.identity, validUntil: clock.wall() + 93_210 } });
	const { ends } = watch(link, () => 3, undefined, clock);
	clock.advance(93_210);
	assert.equal(link.connection.isOpen, true, "valid up to and with its last moment");
	clock.advance(1);
	assert.deepEqual(ends, [["the peer's certificate has expired", true]]);
});

test("protocol 7.3: a connection over which no domain was proved ends after a minute", () => {
	const link = createTestLink(presented);
	const { clock, nothings } = watch(link, () => 1);
	clock.advance(MINUTE_MS - 1);
	assert.equal(link.connection.isOpen, true);
	clock.advance(1);
	assert.equal(link.connection.isOpen, false);
	assert.equal(nothings(), 1);
});

test("protocol 1.5: a connection without dialogs and traffic ends after a quarter of an hour, pings or not", () => {
	const link = proven();
	const { clock, upkeep } = watch(link);
	clock.advance(10 * MINUTE_MS);
	link.requestsIn += 1;
	clock.advance(14 * MINUTE_MS);
	upkeep.heard(link, "pong");
	assert.equal(link.connection.isOpen, true);
	clock.advance(2 * MINUTE_MS);
	assert.equal(link.connection.isOpen, false);
	assert.equal(clock.pendingTimers, 0, "without links nothing is looked at");
});

test("protocol 1.5: a peer that does nothing but ping, every second, keeps no connection past its quarter of an hour", () => {
	const link = proven();
	const { clock, upkeep, ends } = watch(link);
	let seconds = 0;
	for (; link.connection.isOpen && seconds < 3_600; seconds += 1) {
		upkeep.heard(link, "ping");
		clock.advance(1_000);
	}
	assert.equal(seconds, 900);
	assert.deepEqual(ends, [["the connection was idle", true]]);
});

test("a connection with dialogs stays, until it is replaced and they are over, and its requests are answered", () => {
	let dialogs = 2;
	let outstanding = 0;
	const link = proven();
	const { clock, upkeep } = watch(
		link,
		() => dialogs,
		() => outstanding,
	);
	clock.advance(60 * MINUTE_MS);
	link.isDraining = true;
	clock.advance(MINUTE_MS);
	assert.equal(link.connection.isOpen, true);
	dialogs = 0;
	outstanding = 1;
	clock.advance(MINUTE_MS);
	assert.equal(link.connection.isOpen, true);
	outstanding = 0;
	clock.advance(MINUTE_MS);
	assert.equal(link.connection.isOpen, false);
	upkeep.close();
	assert.equal(clock.pendingTimers, 0);
});

test("protocol 1.3: a replaced connection ends after a day though a dialog would go on", () => {
	const link = proven();
	const { clock, ends } = watch(link, () => 1);
	link.isDraining = true;
	clock.advance(24 * 60 * MINUTE_MS - MINUTE_MS);
	assert.deepEqual(ends, []);
	clock.advance(2 * MINUTE_MS);
	assert.deepEqual(ends, [["the connection was replaced a day ago", true]]);
});

test("protocol 1.7: a link is pinged when it was silent for 110 s, and one that never answers is not cut for it", () => {
	const link = proven();
	const { clock, pings, upkeep } = watch(link, () => 1);
	clock.advance(109 * SECOND_MS);
	assert.equal(pings(), 0);
	clock.advance(SECOND_MS);
	assert.equal(pings(), 1);
	clock.advance(30 * MINUTE_MS);
	assert.ok(pings() > 10);
	assert.equal(link.connection.isOpen, true);
	const before = pings();
	upkeep.heard(link, "message");
	clock.advance(109 * SECOND_MS);
	assert.equal(pings(), before, "a message is a sign of life");
});

test("protocol 1.7: a peer that answered a ping once is cut when it no longer does, 10 s after the ping", () => {
	const link = proven();
	const { clock, pings, upkeep, ends } = watch(link, () => 1);
	clock.advance(110 * SECOND_MS);
	upkeep.heard(link, "pong");
	clock.advance(110 * SECOND_MS);
	assert.equal(pings(), 2);
	assert.deepEqual(ends, []);
	clock.advance(10 * SECOND_MS);
	assert.deepEqual(ends, [["the peer answered pings and no longer does", false]]);
});

test("protocol 1.7: a peer that pings us and answers none of ours is not cut", () => {
	const link = proven();
	const { clock, upkeep, ends } = watch(link, () => 1);
	clock.advance(110 * SECOND_MS);
	upkeep.heard(link, "ping");
	clock.advance(10 * MINUTE_MS);
	assert.deepEqual(ends, []);
});
