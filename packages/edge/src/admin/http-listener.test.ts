import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { type TestContext, test } from "node:test";
import { type ApiError, Client, type EventFrame } from "@causeway/admin";
import { type HttpServer, type HttpServerOptions, startHttpServer } from "./http-server.ts";
import { adminToken, aliceToken, bob, createFakeAuth, createFakeServerOptions, describeFrames } from "./testing.ts";

const alice = "alice@contoso.example";

async function startFake(context: TestContext, changes: Partial<HttpServerOptions> = {}) {
	const fake = createFakeServerOptions({ getContact: () => ({ status: 200, body: bob }) }, changes);
	const server = await startHttpServer(fake.options);
	context.after(() => server.close());
	const url = `http://127.0.0.1:${server.address.port}`;
	return { ...fake, server, url, client: new Client({ url, token: aliceToken }) };
}

/** Sends octets and reads until the server closes. */
async function exchange(server: HttpServer, text: string): Promise<string> {
	const socket = connect(server.address.port, "127.0.0.1");
	let answer = "";
	socket.setEncoding("utf8").on("data", (chunk) => {
		answer += chunk;
	});
	socket.write(text);
	await once(socket, "close");
	return answer;
}

/** A WebSocket whose frames can be waited for. */
function listen(client: Client, query: { after?: number; epoch?: string } = {}) {
	const frames: EventFrame[] = [];
	let tell = (): void => {};
	const ended = Promise.withResolvers<ApiError>();
	const close = client.open("watchEvents", query, {
		frame: (frame) => {
			frames.push(frame);
			tell();
		},
		closed: (error) => ended.resolve(error),
	});
	const count = async (wanted: number): Promise<readonly string[]> => {
		while (frames.length < wanted) {
			await new Promise<void>((resolve) => {
				tell = resolve;
			});
		}
		return describeFrames(frames);
	};
	return { frames, count, close, ended: ended.promise };
}

const handshake =
	"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
const bearer = `Authorization: Bearer ${aliceToken}\r\n`;

const refusals: readonly [name: string, request: string, status: number, code: string][] = [
	["two Host headers, even equal", "GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n", 400, "bad-host"],
	["a rebound Host", "GET /healthz HTTP/1.1\r\nHost: evil.example\r\n", 403, "host-not-allowed"],
	["no Host", "GET /healthz HTTP/1.1\r\n", 400, "bad-host"],
	["no HTTP", "INVITE sip:bob@fabrikam.example SIP/2.0\r\n", 400, "bad-request"],
	[
		"20,000 octets of header",
		`GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(20_000)}\r\n`,
		431,
		"headers-too-large",
	],
	[
		"a WebSocket of a foreign page",
		`GET /api/v1/me/events HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n${bearer}${handshake}`,
		403,
		"origin-not-allowed",
	],
	[
		"a WebSocket at a rebound Host",
		`GET /api/v1/me/events HTTP/1.1\r\nHost: evil.example\r\n${bearer}${handshake}`,
		403,
		"host-not-allowed",
	],
	[
		"a WebSocket without a token",
		`GET /api/v1/me/events HTTP/1.1\r\nHost: localhost\r\n${handshake}`,
		401,
		"unauthorized",
	],
	[
		"a user's WebSocket on the trace",
		`GET /api/v1/trace HTTP/1.1\r\nHost: localhost\r\n${bearer}${handshake}`,
		403,
		"forbidden",
	],
	[
		"a WebSocket with a bad query",
		`GET /api/v1/me/events?after=x HTTP/1.1\r\nHost: localhost\r\n${bearer}${handshake}`,
		400,
		"validation-failed",
	],
	[
		"a WebSocket where none is spoken",
		`GET /api/v1/me/contacts HTTP/1.1\r\nHost: localhost\r\n${bearer}${handshake}`,
		400,
		"bad-request",
	],
	[
		"a WebSocket where there is nothing",
		`GET /nothing HTTP/1.1\r\nHost: localhost\r\n${bearer}${handshake}`,
		404,
		"not-found",
	],
	[
		"a WebSocket by POST",
		`POST /api/v1/me/messages HTTP/1.1\r\nHost: localhost\r\n${bearer}${handshake}`,
		400,
		"bad-request",
	],
];
for (const [name, request, status, code] of refusals) {
	test(`listener: ${name} is refused with ${status} ${code}`, async (context) => {
		const { server, hub, calls } = await startFake(context);
		const close = request.includes("Upgrade") ? "" : "Connection: close\r\n";
		const answer = await exchange(server, `${request}${close}\r\n`);
		assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `));
		assert.ok(answer.includes(`"code":"${code}"`), answer);
		assert.equal(hub.listenerCount, 0);
		assert.deepEqual(calls, []);
	});
}

test("listener: a client with a token calls an operation over a real socket", async (context) => {
	const { client, calls } = await startFake(context);
	assert.deepEqual(await client.call("getContact", { params: { aor: bob.aor } }), bob);
	assert.deepEqual(calls[0]?.request.params, { aor: bob.aor });
});

test("WS events: frames come in order; a client that comes back with its position misses nothing", async (context) => {
	const { client, hub } = await startFake(context);
	const typing = (on: boolean) => hub.publish(alice, { kind: "typing", with: bob.aor, typing: on });
	const first = listen(client);
	assert.deepEqual(await first.count(1), ["welcome 0"]);
	hub.publish(alice, { ...bob, kind: "presence" });
	typing(true);
	assert.deepEqual(await first.count(3), ["welcome 0", "presence 1", "typing 2"]);
	assert.deepEqual(first.frames[1], { ...bob, kind: "presence", seq: 1, at: "2026-01-01T00:00:00.000Z" });
	first.close();
	await first.ended;
	typing(false);
	const second = listen(client, { epoch: "e1", after: 2 });
	assert.deepEqual(await second.count(2), ["welcome 2", "typing 3"]);
	const other = listen(client, { epoch: "of an earlier process", after: 2 });
	assert.deepEqual(await other.count(1), ["reset 3"]);
	const bare = listen(client, { after: 2 });
	assert.deepEqual(await bare.count(1), ["reset 3"]);
});

test("WS: a browser hands its token in as a subprotocol, and the answer does not repeat it", async (context) => {
	const { server, hub } = await startFake(context);
	const open = async (protocols: string): Promise<string> => {
		const socket = connect(server.address.port, "127.0.0.1");
		socket.setEncoding("utf8");
		const request = handshake.replace("\r\n", `\r\nSec-WebSocket-Protocol: ${protocols}\r\n`);
		socket.write(`GET /api/v1/me/events HTTP/1.1\r\nHost: localhost\r\n${request}\r\n`);
		const [answer] = (await once(socket, "data")) as [string];
		socket.destroy();
		return answer;
	};
	const good = await open(`causeway, causeway.bearer.${aliceToken}`);
	assert.match(good, /^HTTP\/1\.1 101 /);
	assert.match(good, /^Sec-WebSocket-Protocol: causeway\r$/m);
	assert.ok(!good.includes(aliceToken));
	for (const bad of ["causeway", "causeway, causeway.bearer.", "causeway, causeway.bearer.nobody"]) {
		assert.match(await open(bad), /^HTTP\/1\.1 401 /);
	}
	while (hub.listenerCount > 0) await new Promise((resolve) => setImmediate(resolve));
});

test("WS: a subprotocol carries a token to WebSockets alone", async (context) => {
	const { url } = await startFake(context);
	const headers = { "sec-websocket-protocol": `causeway, causeway.bearer.${aliceToken}` };
	assert.equal((await fetch(`${url}/api/v1/me/contacts/${bob.aor}`, { headers })).status, 401);
});

test("WS events: when the client goes its subscription goes", async (context) => {
	const { client, hub } = await startFake(context);
	const one = listen(client);
	const two = listen(client);
	await one.count(1);
	await two.count(1);
	assert.equal(hub.listenerCount, 2);
	one.close();
	await one.ended;
	// The server hears of it in its own time: the other client's next frame comes behind that.
	while (hub.listenerCount === 2) await new Promise((resolve) => setImmediate(resolve));
	assert.equal(hub.listenerCount, 1);
});

test("WS events: a user whose tokens are taken back is cut with a code that says so", async (context) => {
	const { client, hub } = await startFake(context);
	const one = listen(client);
	await one.count(1);
	hub.end(alice, "suspended");
	assert.match((await one.ended).detail, /\(suspended\)$/);
});

test("WS events: a token that has ended is noticed at the next ping", async (context) => {
	const ended = new Set<string>();
	const { client, clock, hub } = await startFake(context, { auth: createFakeAuth(ended) });
	const one = listen(client);
	await one.count(1);
	ended.add(aliceToken);
	clock.advance(30_000);
	assert.match((await one.ended).detail, /\(the token has ended\)$/);
	while (hub.listenerCount > 0) await new Promise((resolve) => setImmediate(resolve));
});

test("WS events: a consumer that reads nothing is cut at 1 MiB, and costs the others nothing", async (context) => {
	const { server, hub, client, lines } = await startFake(context);
	const socket = connect(server.address.port, "127.0.0.1");
	socket.write(`GET /api/v1/me/events HTTP/1.1\r\nHost: localhost\r\n${bearer}${handshake}\r\n`);
	await once(socket, "readable");
	const good = listen(client);
	await good.count(1);
	assert.equal(hub.listenerCount, 2);
	const text = "x".repeat(60_000);
	let published = 0;
	// What the kernel takes comes on top of the limit; 64 MiB are beyond any loopback's buffers.
	while (hub.listenerCount === 2 && published < 1_000) {
		published += 1;
		hub.publish(alice, {
			kind: "message",
			id: "01m",
			direction: "in",
			with: bob.aor,
			text,
			created_at: "2026-11-23T10:00:00.000Z",
			fate: "received",
		});
		await good.count(published + 1);
	}
	assert.equal(hub.listenerCount, 1);
	assert.deepEqual(
		lines.filter((line) => line.level === "warn").map((line) => line.event),
		["slow websocket cut"],
	);
	socket.destroy();
});

test("WS: one caller has at most 64 open; the next is told in HTTP", async (context) => {
	const { client } = await startFake(context);
	const open = Array.from({ length: 64 }, () => listen(client));
	for (const one of open) await one.count(1);
	assert.equal((await listen(client).ended).status, 429);
	open[0]?.close();
	await open[0]?.ended;
});

test("WS trace: the same address answers a GET and a WebSocket", async (context) => {
	const { url, traceSinks } = await startFake(context);
	const admin = new Client({ url, token: adminToken });
	const ended = Promise.withResolvers<ApiError>();
	admin.open("watchTrace", { bodies: true }, { frame: () => {}, closed: (error) => ended.resolve(error) });
	while (traceSinks.length === 0) await new Promise((resolve) => setImmediate(resolve));
	traceSinks[0]?.close(1000, "that is all");
	assert.match((await ended.promise).detail, /\(that is all\)$/);
	await assert.rejects(admin.call("listTrace"), { code: "not-found" });
});

test("listener: closing says goodbye to WebSockets, and the address refuses from then on", async (context) => {
	const { client, server, url } = await startFake(context);
	const one = listen(client);
	await one.count(1);
	await server.close();
	assert.match((await one.ended).detail, /\(the server is stopping\)$/);
	await assert.rejects(client.call("listContacts"), {
		code: "unreachable",
		status: 0,
		message: `no Causeway answers at ${url} (connection refused); start it with \`causeway serve\``,
	});
});

test("client: what answers and is no Causeway is told apart", async (context) => {
	const { server } = await startFake(context);
	const elsewhere = new Client({ url: `http://127.0.0.1:${server.address.port}/healthz/` });
	await assert.rejects(elsewhere.call("getStatus"), { code: "not-found", status: 404 });
	const plain = new Client({ url: "http://x.example", fetch: async () => new Response("<html>", { status: 502 }) });
	await assert.rejects(plain.call("getStatus"), {
		code: "not-causeway",
		message: "what answers at http://x.example is not a Causeway (HTTP status 502)",
	});
	const newer = new Client({ url: "http://x.example", fetch: async () => Response.json({ contacts: 1 }) });
	await assert.rejects(newer.call("listContacts"), {
		code: "not-causeway",
		message: /does not fit this program's version of the API \(\/contacts: .+\)$/,
	});
});
