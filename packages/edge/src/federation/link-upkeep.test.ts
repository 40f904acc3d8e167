import assert from "node:assert/strict";
import { test } from "node:test";
import { SimClock } from "@causeway/sip/testing";
import type { Link } from "./link.ts";
import { LinkUpkeep } from "./link-upkeep.ts";
import { createTestLink, presentTestCertificate } from "./testing.ts";

const presented = presentTestCertificate("public", "sip.fabrikam.example");
const NETWORK = "fabrikam.example";
const MINUTE_MS = 60_000;

function watch(link: Link, load: () => number = () => 0): { readonly clock: SimClock; readonly upkeep: LinkUpkeep } {
	const clock = new SimClock();
	const upkeep = new LinkUpkeep({
		clock,
		load,
		links: {
			*[Symbol.iterator]() {
				if (link.connection.isOpen) yield link;
			},
		},
	});
	upkeep.start();
	upkeep.start();
	return { clock, upkeep };
}

test("REQ-90: a connection ends with the peer's certificate, dialogs or not", () => {
	const base = createTestLink(presented, { network: NETWORK });
	const { clock } = watch(
		{ ...base, identity: { ...base.identity, notAfter: new SimClock().wall() + 90_000 } },
		() => 3,
	);
	clock.advance(MINUTE_MS);
	assert.equal(base.connection.isOpen, true);
	clock.advance(MINUTE_MS);
	assert.equal(base.connection.isOpen, false);
});

test("protocol 7.3: a connection over which no domain was proved ends after a minute", () => {
	const link = createTestLink(presented);
	const { clock } = watch(link, () => 1);
	clock.advance(MINUTE_MS - 1);
	assert.equal(link.connection.isOpen, true);
	clock.advance(1);
	assert.equal(link.connection.isOpen, false);
});

test("protocol 1.5: a connection without dialogs and traffic ends after a quarter of an hour", () => {
	const link = createTestLink(presented, { network: NETWORK });
	const { clock } = watch(link);
	clock.advance(10 * MINUTE_MS);
	link.requestsIn += 1;
	clock.advance(14 * MINUTE_MS);
	assert.equal(link.connection.isOpen, true);
	clock.advance(2 * MINUTE_MS);
	assert.equal(link.connection.isOpen, false);
	assert.equal(clock.pendingTimers, 0, "without links nothing is looked at");
});

test("a connection with dialogs stays, until it is replaced and they are over", () => {
	let dialogs = 2;
	const link = createTestLink(presented, { network: NETWORK });
	const { clock, upkeep } = watch(link, () => dialogs);
	clock.advance(60 * MINUTE_MS);
	link.isDraining = true;
	clock.advance(MINUTE_MS);
	assert.equal(link.connection.isOpen, true);
	dialogs = 0;
	clock.advance(MINUTE_MS);
	assert.equal(link.connection.isOpen, false);
	upkeep.close();
	assert.equal(clock.pendingTimers, 0);
});
