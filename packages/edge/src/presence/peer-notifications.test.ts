import assert from "node:assert/strict";
import { test } from "node:test";
import { PeerNotifications } from "./peer-notifications.ts";

test("the time of the last NOTIFY of each peer is remembered; a peer without one has none", () => {
	const notifications = new PeerNotifications();
	notifications.note("a.example", 1_000);
	notifications.note("b.example", 2_000);
	notifications.note("a.example", 3_000);
	assert.deepEqual(
		["a.example", "b.example", "c.example"].map((peer) => notifications.last(peer)),
		[3_000, 2_000, undefined],
	);
});

test("so many peers are remembered; the one silent longest goes first, whoever came first", () => {
	const notifications = new PeerNotifications(2);
	notifications.note("a.example", 1_000);
	notifications.note("b.example", 2_000);
	notifications.note("a.example", 3_000);
	notifications.note("c.example", 4_000);
	assert.deepEqual(
		["a.example", "b.example", "c.example"].map((peer) => notifications.last(peer)),
		[3_000, undefined, 4_000],
	);
});
