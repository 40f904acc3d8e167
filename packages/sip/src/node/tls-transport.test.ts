import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { once } from "node:events";
import { connect as connectTcp, createServer as createTcpServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import {
	type ConnectionOptions,
	connect as connectTls,
	createServer as createTlsServer,
	type TLSSocket,
} from "node:tls";
import type { ByteStream, CloseCause } from "../transport/byte-stream.ts";
import type { PresentedPeer, TlsCredentials } from "./tls-context.ts";
import { type DialOutcome, type DialRequest, TlsDialler } from "./tls-dialler.ts";
import { createTurnFlusher, type Flushable, type Flusher } from "./tls-flusher.ts";
import { type RefusedHandshake, TlsListener, type TlsListenerOptions } from "./tls-listener.ts";

function der(tag: number, ...parts: readonly (Uint8Array | string)[]): Buffer {
	const content = Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : part)));
	const length = content.length < 128 ? [content.length] : [0x82, content.length >> 8, content.length & 0xff];
	return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

/** A self-signed certificate of the smallest form; nothing here verifies it. */
function createCredentials(name: string): TlsCredentials & { readonly der: Buffer } {
	const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
	const algorithm = Buffer.from("300a06082a8648ce3d040302", "hex");
	const subject = der(0x30, der(0x31, der(0x30, Buffer.from("0603550403", "hex"), der(0x0c, name))));
	const validity = der(0x30, der(0x17, "260101000000Z"), der(0x18, "99991231235959Z"));
	const key = publicKey.export({ type: "spki", format: "der" });
	const body = der(0x30, der(0x02, Buffer.from([1])), algorithm, subject, validity, subject, key);
	const signature = sign("sha256", body, privateKey);
	const whole = der(0x30, body, algorithm, der(0x03, Buffer.from([0]), signature));
	return {
		der: whole,
		certificate: `-----BEGIN CERTIFICATE-----\n${whole.toString("base64")}\n-----END CERTIFICATE-----\n`,
		key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
	};
}

const server = createCredentials("sip.contoso.example");
const client = createCredentials("sip.fabrikam.example");
const other = createCredentials("sip.nwtraders.example");

interface Accepted {
	readonly stream: ByteStream;
	readonly presented: PresentedPeer;
}

/** A queue that is waited for: what happens on sockets arrives in its own time. */
class Inbox<Item> {
	readonly #items: Item[] = [];
	readonly #waiting: ((item: Item) => void)[] = [];

	put(item: Item): void {
		const next = this.#waiting.shift();
		if (next === undefined) this.#items.push(item);
		else next(item);
	}

	take(): Promise<Item> {
		const item = this.#items.shift();
		return item === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(item);
	}

	get size(): number {
		return this.#items.length;
	}
}

async function listen(context: TestContext, options: Partial<TlsListenerOptions> = {}) {
	const accepted = new Inbox<Accepted>();
	const refused = new Inbox<RefusedHandshake>();
	const listener = new TlsListener({
		addresses: [{ address: "127.0.0.1", port: 0 }],
		credentials: server,
		flusher: createTurnFlusher(),
		accepted: (stream, presented) => {
			context.after(() => stream.destroy("the test is over"));
			accepted.put({ stream, presented });
		},
		refused: (refusal) => refused.put(refusal),
		...options,
	});
	await listener.start();
	context.after(() => listener.close());
	const port = listener.endpoints[0]?.port ?? 0;
	return { listener, accepted, refused, port };
}

function dial(
	port: number,
	request: Partial<DialRequest> = {},
	credentials: TlsCredentials = client,
	flusher = createTurnFlusher(),
): Promise<DialOutcome> {
	return new TlsDialler({ credentials, flusher }).dial({
		address: "127.0.0.1",
		port,
		serverName: "SIP.contoso.example",
		...request,
	});
}

async function dialled(context: TestContext, port: number, flusher?: Flusher): Promise<ByteStream> {
	const outcome = await dial(port, {}, client, flusher);
	assert(outcome.ok, JSON.stringify(outcome));
	context.after(() => outcome.stream.destroy("the test is over"));
	return outcome.stream;
}

/** Starts a stream and gathers what arrives. */
function collect(stream: ByteStream) {
	const closed = new Inbox<CloseCause>();
	const state = { text: "", closed, arrived: new Inbox<string>() };
	stream.start({
		data: (chunk) => {
			state.text += Buffer.from(chunk).toString("latin1");
			state.arrived.put(state.text);
		},
		closed: (cause) => closed.put(cause),
	});
	return state;
}

async function until(
	state: { readonly text: string; readonly arrived: Inbox<string> },
	length: number,
): Promise<string> {
	while (state.text.length < length) await state.arrived.take();
	return state.text;
}

/** A TLS client that is not ours. */
function rawClient(context: TestContext, port: number, options: ConnectionOptions = {}): TLSSocket {
	const socket = connectTls({
		host: "127.0.0.1",
		port,
		rejectUnauthorized: false,
		cert: client.certificate,
		key: client.key,
		...options,
	});
	socket.on("error", () => undefined);
	context.after(() => socket.destroy());
	return socket;
}

function rawTcp(context: TestContext, port: number): Socket {
	const socket = connectTcp(port, "127.0.0.1");
	socket.on("error", () => undefined);
	context.after(() => socket.destroy());
	return socket;
}

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
	test(`REQ-44: with ${version} each side gets what the other presented, whole and in its order`, async (context) => {
		const { accepted, port } = await listen(context, {
			credentials: { ...server, certificate: server.certificate + other.certificate },
		});
		const chain = client.certificate + other.certificate + server.certificate;
		const socket = rawClient(context, port, {
			cert: chain,
			minVersion: version,
			maxVersion: version,
			servername: "Sip.Contoso.example",
		});
		const { presented, stream } = await accepted.take();
		assert.deepEqual(
			presented.chain.map((one) => Buffer.from(one)),
			[client.der, other.der, server.der],
		);
		assert.equal(presented.protocol, version);
		assert.equal(presented.serverName, "sip.contoso.example");
		assert.equal(stream.remote.port, socket.localPort);
		assert.equal(stream.local.port, port);
		const outcome = await dial(port);
		assert(outcome.ok);
		context.after(() => outcome.stream.destroy("the test is over"));
		assert.deepEqual(
			outcome.presented.chain.map((one) => Buffer.from(one)),
			[server.der, other.der],
		);
		assert.equal(outcome.presented.serverName, "sip.contoso.example");
		assert.equal((await accepted.take()).presented.serverName, "sip.contoso.example");
	});

	test(`security.md 1: with ${version} a session is never resumed`, async (context) => {
		const { accepted, port } = await listen(context);
		const versions = { minVersion: version, maxVersion: version };
		const first = rawClient(context, port, versions);
		const session = new Inbox<Buffer>();
		first.on("session", (value) => session.put(value));
		const answered = collect((await accepted.take()).stream);
		first.write("x");
		await until(answered, 1);
		const second = rawClient(context, port, { ...versions, session: await session.take() });
		await once(second, "secureConnect");
		assert.equal(second.isSessionReused(), false);
		assert.equal((await accepted.take()).presented.chain.length, 1);
	});
}

test("REQ-44: a peer without a certificate shows an empty chain", async (context) => {
	const { accepted, port } = await listen(context);
	connectWithout(context, port);
	assert.deepEqual((await accepted.take()).presented.chain, []);
});

function connectWithout(context: TestContext, port: number): void {
	const socket = connectTls({ host: "127.0.0.1", port, rejectUnauthorized: false });
	socket.on("error", () => undefined);
	context.after(() => socket.destroy());
}

test("security.md 1: a client may not renegotiate: the identity is bound to the first handshake", async (context) => {
	const { accepted, port } = await listen(context);
	const socket = rawClient(context, port, { maxVersion: "TLSv1.2" });
	const { stream } = await accepted.take();
	// Node's client waits for the first octets before it may renegotiate.
	stream.write("hello");
	await once(socket, "data");
	const refusal = new Promise<Error>((resolve) => socket.once("error", resolve));
	assert.equal(
		socket.renegotiate({}, () => undefined),
		true,
	);
	assert.match((await refusal).message, /no renegotiation/);
});

test("octets that arrive before the stream is started are not lost", async (context) => {
	const { accepted, port } = await listen(context);
	const stream = await dialled(context, port);
	const peer = (await accepted.take()).stream;
	stream.write("before ");
	// An answer on another connection shows that the loop has been round while the octets lay there.
	await dialled(context, port);
	await accepted.take();
	const user = collect(peer);
	stream.write("after");
	assert.equal(await until(user, 12), "before after");
});

test("performance.md 1: what is written in one turn waits for one flush and is counted exactly", async (context) => {
	const { accepted, port } = await listen(context);
	const waiting: Flushable[] = [];
	const stream = await dialled(context, port, { add: (item) => waiting.push(item) });
	const user = collect((await accepted.take()).stream);
	assert.equal(stream.write("MESSAGE \u00ff\r\n", Buffer.from([0, 255])), true);
	assert.equal(stream.write("", Buffer.from("two")), true);
	assert.equal(stream.write("three"), true);
	assert.equal(waiting.length, 1);
	assert.equal(stream.queuedBytes, 21);
	waiting[0]?.flush();
	assert.equal(stream.queuedBytes, 21);
	// A write is on its way: this one follows when it has left, without another flush.
	stream.write("four");
	assert.equal(waiting.length, 1);
	assert.equal(stream.queuedBytes, 25);
	assert.equal(await until(user, 25), "MESSAGE \u00ff\r\n\u0000\u00fftwothreefour");
	assert.equal(stream.queuedBytes, 0);
});

test("ten thousand writes of every size arrive whole and in order, and the buffers grow with them", async (context) => {
	const { accepted, port } = await listen(context);
	const stream = await dialled(context, port);
	const user = collect((await accepted.take()).stream);
	let expected = "";
	for (let index = 0; index < 10_000; index += 1) {
		const head = `${index} ${"x".repeat(index % 97)}\r\n`;
		expected += head;
		stream.write(head);
		if (index % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve));
	}
	assert.equal(await until(user, expected.length), expected);
});

test("close sends what is queued, takes nothing more, and each side hears of the end once", async (context) => {
	const { accepted, port } = await listen(context);
	const stream = await dialled(context, port);
	const peer = (await accepted.take()).stream;
	const own = collect(stream);
	const user = collect(peer);
	const body = Buffer.alloc(3_000_000, 0x61);
	stream.write("head", body);
	stream.close("idle");
	assert.equal(stream.isOpen, false);
	assert.equal(stream.write("late"), false);
	assert.deepEqual(await own.closed.take(), { by: "us", reason: "idle" });
	assert.deepEqual(await user.closed.take(), { by: "peer", reason: "the peer closed the connection" });
	assert.equal(user.text.length, 3_000_004);
	assert.equal(peer.write("late"), false);
	assert.equal(own.closed.size + user.closed.size, 0);
});

test("security.md 2: an answer given when the peer has already ended its side is still sent", async (context) => {
	const { accepted, port } = await listen(context);
	const socket = rawClient(context, port);
	socket.allowHalfOpen = true;
	const { stream } = await accepted.take();
	const closed = new Inbox<CloseCause>();
	stream.start({ data: () => stream.write("answer"), closed: (cause) => closed.put(cause) });
	socket.end("request");
	const [answer] = await once(socket, "data");
	assert.equal(String(answer), "answer");
	assert.equal((await closed.take()).by, "peer");
});

test("destroy ends at once and says what was not sent", async (context) => {
	const { accepted, port } = await listen(context);
	const stream = await dialled(context, port, { add: () => undefined });
	await accepted.take();
	const user = collect(stream);
	stream.write("four");
	stream.destroy("queue too long");
	assert.deepEqual(await user.closed.take(), { by: "us", reason: "queue too long; 4 octets were not sent" });
	assert.equal(stream.write("x"), false);
});

test("a stream that ended before it was started tells its user all the same", async (context) => {
	const { accepted, port } = await listen(context);
	const stream = await dialled(context, port);
	await accepted.take();
	stream.destroy("certificate refused");
	await new Promise((resolve) => setImmediate(resolve));
	assert.deepEqual(await collect(stream).closed.take(), { by: "us", reason: "certificate refused" });
});

test("a connection that the peer resets ends by the network", async (context) => {
	const { accepted, port } = await listen(context);
	const relay = createTcpServer();
	relay.listen(0, "127.0.0.1");
	await once(relay, "listening");
	context.after(() => relay.close());
	const address = relay.address();
	assert(address !== null && typeof address === "object");
	const sides = new Inbox<Socket>();
	relay.on("connection", (socket) => {
		const onward = connectTcp(port, "127.0.0.1");
		socket
			.on("error", () => undefined)
			.pipe(onward)
			.on("error", () => undefined)
			.pipe(socket);
		context.after(() => onward.destroy());
		sides.put(socket);
	});
	const stream = await dialled(context, address.port);
	await accepted.take();
	const user = collect(stream);
	(await sides.take()).resetAndDestroy();
	assert.deepEqual(await user.closed.take(), { by: "network", reason: "the connection was reset" });
});

test("back-pressure: nothing is delivered between pause and resume", async (context) => {
	const { accepted, port } = await listen(context);
	const stream = await dialled(context, port);
	const peer = (await accepted.take()).stream;
	const user = collect(peer);
	const answers = collect(stream);
	stream.write("1");
	await until(user, 1);
	peer.pause();
	stream.write("2");
	for (let round = 1; round <= 3; round += 1) {
		peer.write("r");
		await until(answers, round);
	}
	assert.equal(user.text, "1");
	peer.resume();
	assert.equal(await until(user, 2), "12");
});

const stalls: readonly (readonly [name: string, begin: (socket: Socket) => void])[] = [
	["sends nothing", () => undefined],
	[
		"sends one octet of its hello after the other",
		(socket) => {
			const hello = Buffer.from("1603010200010001fc0303", "hex");
			let sent = 0;
			const timer = setInterval(() => {
				socket.write(hello.subarray(sent, sent + 1));
				sent += 1;
				if (sent === hello.length) clearInterval(timer);
			}, 20);
			socket.on("close", () => clearInterval(timer));
		},
	],
];
for (const [name, begin] of stalls) {
	test(`security.md 2: a client that ${name} is cut by the deadline of its handshake`, async (context) => {
		const { refused, port, listener } = await listen(context, { handshakeTimeoutMs: 100 });
		const socket = rawTcp(context, port);
		begin(socket);
		const refusal = await refused.take();
		assert.equal(refusal.stage, "timeout");
		assert.equal(refusal.code, "handshake-timeout");
		assert.equal(refusal.remote.port, socket.localPort);
		assert.equal(listener.handshakes, 0);
		// `once` of node:events would reject where the cut arrives as a reset.
		await new Promise((resolve) => socket.once("close", resolve));
		assert.equal(refused.size, 0);
	});
}

test("security.md G8: where too many handshakes are under way the oldest gives way, and an honest one gets through", async (context) => {
	const { listener, refused, accepted, port } = await listen(context, { maxHandshakes: 2 });
	const ports: (number | undefined)[] = [];
	for (let index = 0; index < 2; index += 1) {
		const socket = rawTcp(context, port);
		await once(socket, "connect");
		ports.push(socket.localPort);
	}
	await dialled(context, port);
	await accepted.take();
	const refusal = await refused.take();
	assert.equal(refusal.stage, "limit");
	assert.equal(refusal.remote.port, ports[0]);
	assert.equal(listener.handshakes, 1);
});

const refusals: readonly (readonly [
	name: string,
	code: string,
	begin: (context: TestContext, port: number) => void,
])[] = [
	["speaks HTTP", "not-tls", (context, port) => rawTcp(context, port).write("GET / HTTP/1.1\r\n\r\n")],
	[
		"speaks SIP",
		"not-tls",
		(context, port) => rawTcp(context, port).write("OPTIONS sip:contoso.example SIP/2.0\r\n\r\n"),
	],
	["ends before its hello", "closed-during-handshake", (context, port) => rawTcp(context, port).end()],
	[
		"resets before its hello",
		"closed-during-handshake",
		(context, port) => {
			const socket = rawTcp(context, port);
			socket.on("connect", () => socket.resetAndDestroy());
		},
	],
	[
		"speaks only TLS 1.2 where 1.3 is wanted",
		"unsupported-protocol",
		(context, port) => rawClient(context, port, { maxVersion: "TLSv1.2" }),
	],
	[
		"knows no cipher of ours",
		"no-shared-cipher",
		(context, port) => rawClient(context, port, { maxVersion: "TLSv1.2", ciphers: "ECDHE-RSA-AES128-GCM-SHA256" }),
	],
];
for (const [name, code, begin] of refusals) {
	test(`a client that ${name} is refused with the code ${code}`, async (context) => {
		const { refused, port, listener } = await listen(context, {
			minVersion: code === "unsupported-protocol" ? "TLSv1.3" : "TLSv1.2",
		});
		begin(context, port);
		const refusal = await refused.take();
		assert.equal(refusal.code, code);
		assert.equal(refusal.stage, "tls");
		assert.notEqual(refusal.reason, "");
		assert.equal(refusal.remote.address, "127.0.0.1");
		assert.equal(listener.handshakes, 0);
	});
}

test("new credentials count for new connections, and open ones live on", async (context) => {
	const { listener, accepted, port } = await listen(context);
	const old = await dialled(context, port);
	const user = collect((await accepted.take()).stream);
	listener.replaceCredentials(other);
	const outcome = await dial(port);
	assert(outcome.ok);
	assert.deepEqual(
		outcome.presented.chain.map((one) => Buffer.from(one)),
		[other.der],
	);
	outcome.stream.destroy("done");
	old.write("still here");
	assert.equal(await until(user, 10), "still here");
	assert.throws(() => listener.replaceCredentials({ certificate: other.certificate, key: server.key }));
});

test("a dialler's new credentials count for its next connection", async (context) => {
	const { accepted, port } = await listen(context);
	const dialler = new TlsDialler({ credentials: client, flusher: createTurnFlusher() });
	for (const credentials of [client, other]) {
		dialler.replaceCredentials(credentials);
		const outcome = await dialler.dial({ address: "127.0.0.1", port, serverName: "sip.contoso.example" });
		assert(outcome.ok);
		context.after(() => outcome.stream.destroy("the test is over"));
		assert.deepEqual(
			(await accepted.take()).presented.chain.map((one) => Buffer.from(one)),
			[credentials.der],
		);
	}
});

test("a listener takes several addresses, IPv6 among them, and says which ports it got", async (context) => {
	const { listener } = await listen(context, {
		addresses: [
			{ address: "127.0.0.1", port: 0 },
			{ address: "::1", port: 0 },
		],
	});
	assert.deepEqual(
		listener.endpoints.map(({ address }) => address),
		["127.0.0.1", "::1"],
	);
	for (const { address, port } of listener.endpoints) {
		const outcome = await dial(port, { address });
		assert(outcome.ok);
		assert.equal(outcome.stream.remote.address, address);
		outcome.stream.destroy("done");
	}
});

test("a listener that cannot have one of its addresses has none", async (context) => {
	const { port } = await listen(context);
	const free = await listen(context);
	free.listener.close();
	const second = new TlsListener({
		addresses: [
			{ address: "127.0.0.1", port: free.port },
			{ address: "127.0.0.1", port },
		],
		credentials: server,
		flusher: createTurnFlusher(),
		accepted: () => undefined,
		refused: () => undefined,
	});
	await assert.rejects(second.start(), { code: "EADDRINUSE" });
	const outcome = await dial(free.port);
	assert(!outcome.ok);
	assert.equal(outcome.failure.code, "connection-refused");
});

test("a closed listener takes no connection, cuts handshakes and leaves streams alone", async (context) => {
	const { listener, accepted, port } = await listen(context);
	const stream = await dialled(context, port);
	const user = collect((await accepted.take()).stream);
	const idle = rawTcp(context, port);
	await once(idle, "connect");
	// The listener has taken the idle connection when it has taken one that came after it.
	await dialled(context, port);
	await accepted.take();
	assert.equal(listener.handshakes, 1);
	listener.close();
	await once(idle, "close");
	stream.write("on");
	assert.equal(await until(user, 2), "on");
	const outcome = await dial(port);
	assert(!outcome.ok);
	assert.equal(outcome.failure.stage, "tcp");
});

async function silentServer(context: TestContext, answer?: string): Promise<number> {
	const tcp = createTcpServer((socket) => {
		socket.on("error", () => undefined);
		if (answer !== undefined) socket.end(answer);
		context.after(() => socket.destroy());
	});
	tcp.listen(0, "127.0.0.1");
	await once(tcp, "listening");
	context.after(() => tcp.close());
	const address = tcp.address();
	assert(address !== null && typeof address === "object");
	return address.port;
}

test("a dial ends by its deadline where the other side says nothing", async (context) => {
	const outcome = await dial(await silentServer(context), { timeoutMs: 100 });
	assert.deepEqual(outcome, {
		ok: false,
		failure: { stage: "timeout", code: "tls-timeout", reason: "no end of the TLS handshake within 100 ms" },
	});
});

test("a dial that is given up ends at once, before and after it began", async (context) => {
	const port = await silentServer(context);
	const controller = new AbortController();
	const pending = dial(port, { signal: controller.signal });
	controller.abort();
	for (const outcome of [await pending, await dial(port, { signal: controller.signal })]) {
		assert(!outcome.ok);
		assert.equal(outcome.failure.stage, "aborted");
	}
});

const answers: readonly (readonly [name: string, answer: string, code: string])[] = [
	["answers in HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n", "not-tls"],
	["closes", "", "closed-during-handshake"],
];
for (const [name, answer, code] of answers) {
	test(`a dial to a server that ${name} fails in its TLS stage with the code ${code}`, async (context) => {
		const outcome = await dial(await silentServer(context, answer));
		assert(!outcome.ok);
		assert.deepEqual([outcome.failure.stage, outcome.failure.code], ["tls", code]);
	});
}

test("a peer that refuses our certificate in TLS 1.3 does so after the dial: the stream's end says so", async (context) => {
	const strict = createTlsServer({
		cert: server.certificate,
		key: server.key,
		requestCert: true,
		rejectUnauthorized: true,
		ca: [other.certificate],
	});
	strict.on("tlsClientError", () => undefined);
	strict.listen(0, "127.0.0.1");
	await once(strict, "listening");
	context.after(() => strict.close());
	const address = strict.address();
	assert(address !== null && typeof address === "object");
	const stream = await dialled(context, address.port);
	const cause = await collect(stream).closed.take();
	assert.equal(cause.by, "peer");
	assert.match(cause.reason, /may mean that it refused our certificate/);
});
