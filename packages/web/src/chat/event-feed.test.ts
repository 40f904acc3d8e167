import assert from "node:assert/strict";
import { test } from "node:test";
import { EventFeed } from "./event-feed.ts";
import { bob, TestClock, TestServer } from "./testing.ts";

function createFeed() {
	const server = new TestServer();
	const clock = new TestClock();
	const told: string[] = [];
	const feed = new EventFeed(server.client, clock, () => 1, {
		link: ({ kind }) => told.push(kind),
		fresh: () => told.push("fresh"),
		event: ({ kind, seq }) => told.push(`${kind} ${seq}`),
		probe: async () => {
			told.push("probe");
		},
	});
	feed.start();
	return { server, clock, told, feed };
}

const typing = { kind: "typing", with: bob, typing: true } as const;

test("events: the first connection asks for no position, and everything is read anew", () => {
	const { server, told } = createFeed();
	assert.equal(server.socket.url.search, "");
	server.open("welcome", 7);
	server.publish(typing);
	assert.deepEqual(told, ["connecting", "live", "fresh", "typing 8"]);
});

test("events: after a loss it comes back with epoch and number of the last event, and reads nothing anew", () => {
	const { server, clock, told } = createFeed();
	server.open("welcome", 7);
	server.publish(typing);
	server.socket.end();
	told.length = 0;
	clock.advance(500);
	assert.equal(server.socket.url.search, "?epoch=e1&after=8");
	server.open();
	server.publish(typing);
	assert.deepEqual(told, ["connecting", "live", "typing 9"]);
});

test("events: a reset reads everything anew, and the next position is of the new epoch", () => {
	const { server, clock, told } = createFeed();
	server.open("welcome", 7);
	server.socket.end();
	clock.advance(500);
	told.length = 0;
	server.open("reset", 2, "e2");
	assert.deepEqual(told, ["live", "fresh"]);
	server.socket.end();
	clock.advance(30_000);
	assert.equal(server.socket.url.search, "?epoch=e2&after=2");
});

test("events: tries grow apart up to 30 s, and a connection that held makes the next one quick again", () => {
	const { server, clock } = createFeed();
	const waits: number[] = [];
	for (let round = 0; round < 9; round += 1) {
		server.socket.end();
		const count = server.sockets.length;
		const from = clock.now();
		while (server.sockets.length === count) clock.advance(100);
		waits.push(clock.now() - from);
	}
	assert.deepEqual(waits, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
	server.open();
	clock.advance(10_000);
	server.socket.end();
	const count = server.sockets.length;
	clock.advance(500);
	assert.equal(server.sockets.length, count + 1);
});

test("events: a server that takes connections and drops them is not called without a pause", () => {
	const { server, clock } = createFeed();
	for (let round = 0; round < 6; round += 1) {
		server.open();
		server.socket.end();
		clock.advance(500 * 2 ** round);
	}
	assert.equal(server.sockets.length, 7);
});

test("events: where a connection could not be opened the token is asked about, after a loss it is not", () => {
	const { server, clock, told } = createFeed();
	server.socket.end();
	assert.deepEqual(told, ["connecting", "lost", "probe"]);
	clock.advance(500);
	server.open();
	server.socket.end();
	assert.equal(told.filter((word) => word === "probe").length, 1);
});

test("events: a person, or another network, does not wait; a closed one does nothing more", () => {
	const { server, clock, feed } = createFeed();
	server.socket.end();
	feed.tryNow();
	assert.equal(server.sockets.length, 2);
	feed.tryNow();
	assert.equal(server.sockets.length, 2);
	server.open();
	const [, old] = server.sockets;
	feed.renew();
	assert.equal(server.sockets.length, 3);
	assert.equal(old?.isClosed(), true);
	feed.close();
	clock.advance(100_000);
	feed.renew();
	assert.equal(server.sockets.length, 3);
	assert.equal(clock.timerCount, 0);
});
