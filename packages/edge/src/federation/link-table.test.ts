import assert from "node:assert/strict";
import { test } from "node:test";
import type { Link } from "./link.ts";
import { LinkTable } from "./link-table.ts";
import { createTestLink, presentTestCertificate } from "./testing.ts";

const EDGE = "sip.fabrikam.example";
const NETWORK = "fabrikam.example";
const presented = presentTestCertificate("public", EDGE);
const idle = { toEdge: 0, toNetwork: 0 };

function tableWith(...links: readonly Link[]): LinkTable {
	const table = new LinkTable({ perEdge: 4, perNetwork: 40 });
	for (const link of links) table.add(link);
	return table;
}

function dialled(): Link {
	return createTestLink(presented, { dialledName: EDGE, network: NETWORK });
}

function accepted(network = NETWORK): Link {
	return createTestLink(presented, { network });
}

function unproven(name = "sip.another.example"): Link {
	return createTestLink(presentTestCertificate("public", name));
}

test("REQ-42: four connections are dialled to one edge, attempts under way counted; inbound ones do not count", () => {
	const three = tableWith(dialled(), dialled(), dialled(), accepted(), accepted());
	assert.equal(three.mayDial(EDGE, NETWORK, idle), true);
	assert.equal(three.mayDial(EDGE, NETWORK, { toEdge: 1, toNetwork: 1 }), false);
	three.add(dialled());
	assert.equal(three.mayDial(EDGE, NETWORK, idle), false);
	assert.equal(three.mayDial("sip2.fabrikam.example", NETWORK, idle), true);
});

test("REQ-43: forty connections with one network, both directions and attempts under way counted", () => {
	const table = tableWith(...Array.from({ length: 38 }, () => accepted()), dialled());
	assert.equal(table.mayDial(EDGE, NETWORK, idle), true);
	assert.equal(table.hasRoom(NETWORK, 0), true);
	assert.equal(table.hasRoom(NETWORK, 1), false, "an attempt under way has its place");
	table.add(accepted());
	assert.equal(table.countNetwork(NETWORK), 40);
	assert.equal(table.mayDial("sip2.fabrikam.example", NETWORK, idle), false);
	assert.equal(table.hasRoom("contoso.example", 0), true);
});

test("REQ-43: a link whose network shows later is counted then, and refused as the 41st", () => {
	const table = tableWith(...Array.from({ length: 39 }, () => accepted()));
	const [fortieth, next] = [unproven(), unproven("sip.third.example")];
	table.add(fortieth);
	table.add(next);
	assert.equal(table.countNetwork(NETWORK), 39);
	assert.equal(table.join(fortieth, NETWORK), true);
	assert.equal(table.join(fortieth, NETWORK), true, "counted once");
	assert.equal(table.countNetwork(NETWORK), 40);
	assert.equal(table.join(next, NETWORK), false);
	assert.equal(next.network, undefined);
	table.remove(fortieth.connection.id);
	assert.equal(table.join(next, NETWORK), true);
	assert.equal(table.find(fortieth.connection.id), undefined);
	assert.equal(table.remove(fortieth.connection.id), undefined);
});

test("a link that ended while its network was found out is not counted", () => {
	const table = tableWith();
	const gone = unproven();
	assert.equal(table.join(gone, NETWORK), true);
	assert.equal(table.countNetwork(NETWORK), 0);
});

test("protocol 1.5: a new dialog goes to the least loaded link, never to one that drains or closes", () => {
	const [busy, quiet, draining, closed] = [dialled(), accepted(), dialled(), dialled()];
	draining.isDraining = true;
	closed.connection.close("over");
	const table = tableWith(busy, quiet, draining, closed);
	const load = (link: Link): number => (link === busy ? 5 : link === quiet ? 2 : 0);
	assert.equal(table.findOpen(EDGE, NETWORK, load), quiet);
	table.remove(quiet.connection.id);
	assert.equal(table.findOpen(EDGE, NETWORK, load), busy);
	assert.equal(table.findOpen("sip2.fabrikam.example", NETWORK, load), undefined);
});

test("REQ-46: a link that only carries the edge's name, and proved no domain, is not used for it", () => {
	const table = tableWith(unproven(), accepted("other.example"));
	assert.equal(
		table.findOpen(EDGE, NETWORK, () => 0),
		undefined,
	);
});

test("REQ-43: a peer found by SRV has no more connections by saying nothing on them: its certificate counts", () => {
	const silent = Array.from({ length: 40 }, () => unproven());
	const table = tableWith(...silent);
	const { fingerprint } = silent[0]?.identity ?? { fingerprint: "" };
	assert.equal(table.unproven, 40);
	assert.deepEqual(table.countsFor(fingerprint), { network: undefined, isFull: true });
	assert.deepEqual(table.countsFor("another"), { network: undefined, isFull: false });
	const [first] = silent;
	assert.ok(first);
	assert.equal(table.join(first, "another.example"), true);
	assert.equal(table.unproven, 39);
	assert.equal(table.countNetwork("another.example"), 40, "one proved it, and the others have the same certificate");
	assert.deepEqual(table.countsFor(fingerprint), { network: "another.example", isFull: true });
	assert.equal(
		table.findOpen("sip.another.example", "another.example", () => 0),
		first,
		"but what carries a dialog has proved its own network",
	);
	for (const link of silent) table.remove(link.connection.id);
	assert.equal(table.unproven, 0);
	assert.deepEqual(table.countsFor(fingerprint), { network: undefined, isFull: false });
});

test("REQ-43: a certificate whose silent connections would make a network too large proves nothing for it", () => {
	const table = tableWith(...Array.from({ length: 38 }, () => accepted()));
	const [one, two, three] = [unproven(), unproven(), unproven()];
	for (const link of [one, two, three]) table.add(link);
	assert.equal(table.join(one, NETWORK), false);
	assert.equal(one.network, undefined);
	table.remove(three.connection.id);
	assert.equal(table.join(two, NETWORK), true);
	assert.equal(table.countNetwork(NETWORK), 40);
});
