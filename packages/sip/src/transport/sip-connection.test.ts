import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Fault } from "../fault.ts";
import { createResponse } from "../message/build.ts";
import { formatMessage } from "../message/format.ts";
import { DEFAULT_FRAMER_LIMITS } from "../message/limits.ts";
import type { MessageHead, SipMessage } from "../message/message.ts";
import { createMemoryPair, type MemoryStream } from "../testing/memory-stream.ts";
import { createSampleRequest } from "../testing/sample-messages.ts";
import { SimClock } from "../testing/sim-clock.ts";
import { SimRandom } from "../testing/sim-random.ts";
import type { CloseCause } from "./byte-stream.ts";
import type { Connection } from "./connection.ts";
import { DEFAULT_ARRIVAL_TIMES, SipConnection } from "./sip-connection.ts";

interface Bench {
	readonly clock: SimClock;
	readonly connection: SipConnection;
	readonly far: MemoryStream;
	readonly received: SipMessage[];
	readonly closed: CloseCause[];
	/** What the far end got, as one text. */
	readonly got: () => string;
	readonly farClosed: CloseCause[];
	readonly malformed: [Fault, MessageHead | undefined, MessageHead | undefined][];
	readonly traced: string[];
	readonly say: (text: string) => void;
}

function setUp(
	onReceived: (connection: Connection, message: SipMessage) => void = () => {},
	maxQueuedBytes?: number,
): Bench {
	const clock = new SimClock();
	const [near, far] = createMemoryPair({ schedule: (run) => run() });
	const received: SipMessage[] = [];
	const closed: CloseCause[] = [];
	const farClosed: CloseCause[] = [];
	const malformed: Bench["malformed"] = [];
	const traced: string[] = [];
	let got = "";
	const connection = new SipConnection({
		id: 7,
		direction: "inbound",
		stream: near,
		clock,
		random: new SimRandom(1),
		limits: DEFAULT_FRAMER_LIMITS,
		times: DEFAULT_ARRIVAL_TIMES,
		...(maxQueuedBytes === undefined ? {} : { maxQueuedBytes }),
		user: {
			received: (from, message) => {
				received.push(message);
				onReceived(from, message);
			},
			closed: (_, cause) => closed.push(cause),
		},
		hooks: {
			received: (_, _place, message) => traced.push(`received ${message.kind}`),
			sent: (_, { octets, start, headEnd }) => {
				const head = Buffer.from(octets.subarray(start, headEnd)).toString("latin1");
				assert.ok(head.endsWith("\r\n\r\n"), "where the head stands");
				traced.push(`sent ${head.startsWith("SIP/") ? "response" : "request"}`);
			},
			pinged: (_, asked, answered) =>
				traced.push(asked === 1 && answered === 1 ? "pinged" : `pinged ${asked} ${answered}`),
			ponged: () => traced.push("ponged"),
			malformed: (_, fault, head, answer) => malformed.push([fault, head, answer]),
		},
	});
	connection.start();
	far.start({
		data: (chunk) => {
			got += Buffer.from(chunk).toString("latin1");
		},
		closed: (cause) => farClosed.push(cause),
	});
	const say = (text: string) => void far.write(text);
	return { clock, connection, far, received, closed, farClosed, malformed, traced, got: () => got, say };
}

const message = createSampleRequest();
const wire = Buffer.from(formatMessage(message)).toString("latin1");

test("a message arrives whole, one sent leaves as its octets, and the trace sees both", () => {
	const bench = setUp((connection, request) => {
		if (request.kind === "request") connection.send(createResponse(request, 200, { toTag: "t" }));
	});
	bench.say(wire + wire);
	assert.equal(bench.received.length, 2);
	assert.equal(
		bench.got(),
		Buffer.from(formatMessage(createResponse(message, 200, { toTag: "t" })))
			.toString("latin1")
			.repeat(2),
	);
	assert.deepEqual(bench.traced, ["received request", "sent response", "received request", "sent response"]);
	assert.deepEqual([bench.connection.id, bench.connection.direction, bench.connection.isOpen], [7, "inbound", true]);
	assert.deepEqual(bench.connection.remote, bench.far.local);
	assert.deepEqual(bench.connection.local, bench.far.remote);
});

test("a body leaves behind its head", () => {
	const bench = setUp();
	bench.connection.send(
		createResponse(message, 488, { toTag: "t", contentType: "text/plain", body: Buffer.from("no") }),
	);
	assert.ok(bench.got().endsWith("Content-Length: 2\r\n\r\nno"));
});

test("RFC 5626 §3.5.1: a ping is answered with one CRLF, a pong with nothing", () => {
	const bench = setUp();
	bench.say("\r\n");
	assert.equal(bench.got(), "");
	bench.say("\r\n");
	assert.equal(bench.got(), "\r\n");
});

test("RFC 5626 §3.5.1: what answers a ping of ours is told apart from a ping of the peer, however often both ask", () => {
	const bench = setUp();
	for (let round = 0; round < 3; round += 1) {
		assert.equal(bench.connection.ping(), true);
		assert.equal(bench.got(), "\r\n\r\n".repeat(round + 1));
		bench.say("\r\n");
		assert.deepEqual(bench.traced.splice(0), ["ponged"]);
	}
	bench.connection.ping();
	bench.say("\r\n\r\n");
	assert.deepEqual(bench.traced.splice(0), ["pinged"], "a peer that asks meanwhile has not answered");
	bench.say("\r\n");
	assert.deepEqual(bench.traced.splice(0), ["ponged"]);
	bench.say(`\r\n\r\n${wire}\r\n\r`);
	bench.say("\n");
	assert.deepEqual(bench.traced.splice(0), ["pinged", "received request", "pinged"]);
	bench.connection.close("done");
	assert.equal(bench.connection.ping(), false);
});

test("RFC 5626 §3.5.1: of many pings in a second four are answered, however they come, and all are counted", () => {
	for (const pieceLength of [80, 12, 4, 3, 2, 1]) {
		const bench = setUp();
		const octets = "\r\n\r\n".repeat(20);
		for (let at = 0; at < octets.length; at += pieceLength) bench.say(octets.slice(at, at + pieceLength));
		assert.equal(bench.got(), "\r\n".repeat(4));
		const counts = bench.traced.map((line) =>
			/^pinged(?: (\d+) (\d+))?$/
				.exec(line)
				?.slice(1)
				.map((text) => Number(text ?? 1)),
		);
		const sum = (index: number): number => counts.reduce((total, pair) => total + (pair?.[index] ?? 0), 0);
		assert.deepEqual([sum(0), sum(1)], [20, 4]);
		bench.clock.advance(1_000);
		bench.say("\r\n\r\n");
		assert.equal(bench.got(), "\r\n".repeat(5));
	}
});

test("security.md G12: a peer that sends line ends as fast as it can is read once a second, gets four answers in it, and is heard again", () => {
	const bench = setUp();
	const flood = "\r\n".repeat(16_384);
	for (let second = 0; second < 60; second += 1) {
		// What comes while nothing is read waits for the peer: here a flood that arrives ten times a second.
		for (let part = 0; part < 10; part += 1) {
			if (bench.far.queuedBytes === 0) bench.say(flood);
			bench.clock.advance(100);
		}
	}
	const asked = bench.traced.reduce((sum, line) => sum + Number(/^pinged (\d+) /.exec(line)?.[1] ?? 0), 0);
	// The first at once, and one at the end of each second.
	assert.equal(asked, 61 * 8_192);
	assert.equal(bench.got(), "\r\n".repeat(61 * 4));
	assert.equal(bench.connection.isOpen, true);
	bench.clock.advance(1_000);
	bench.say(wire);
	assert.equal(bench.received.length, 1);
});

test("a message behind too many line ends is read when the second is over, and not lost", () => {
	const bench = setUp();
	bench.say(`${"\r\n".repeat(1_002)}${wire}\r\n${wire}`);
	assert.equal(bench.received.length, 1, "the one at hand is finished");
	bench.clock.advance(999);
	assert.equal(bench.received.length, 1);
	bench.clock.advance(1);
	assert.equal(bench.received.length, 2);
});

test("protocol sheet 1.7: any number of line ends between messages is passed over", () => {
	const bench = setUp();
	for (let round = 0; round < 50; round += 1) {
		bench.say(`${"\r\n".repeat(round)}${wire}`);
		bench.clock.advance(100);
	}
	assert.equal(bench.received.length, 50);
});

test("protocol sheet 6.1: a malformed request is answered and the connection goes on", () => {
	const bench = setUp();
	bench.say(wire.replace("CSeq: 1 MESSAGE", "CSeq: 1 INVITE") + wire);
	assert.ok(bench.got().startsWith("SIP/2.0 400 "));
	assert.match(bench.got(), /\r\nTo: <sip:bob@fabrikam.example>;tag=[0-9a-z]+\r\n/);
	assert.equal(bench.received.length, 1);
	assert.equal(bench.connection.isOpen, true);
	assert.equal(bench.malformed[0]?.[2]?.text, bench.got());
});

test("a malformed ACK and a malformed response are dropped and told", () => {
	const bench = setUp();
	bench.say(
		wire.replaceAll("MESSAGE", "ACK").replace("CSeq: 1", "CSeq: x") +
			wire.replace("MESSAGE sip:bob@fabrikam.example SIP/2.0", "SIP/2.0 200 OK").replace("CSeq", "X") +
			wire,
	);
	assert.equal(bench.got(), "");
	assert.deepEqual(
		bench.malformed.map(([fault, , answer]) => [fault.code, answer]),
		[
			["bad-cseq", undefined],
			["missing-header", undefined],
		],
	);
	assert.equal(bench.received.length, 1);
});

test("product 9: what cannot be framed is answered when it has a Via, then the connection closes", () => {
	const bench = setUp();
	bench.say(wire.replace("Content-Length: 0", "Content-Length: 0\r\nl: 0") + wire);
	assert.ok(bench.got().startsWith("SIP/2.0 400 The message has more than one Content-Length.\r\n"));
	assert.equal(bench.received.length, 0);
	assert.deepEqual(bench.closed, [{ by: "us", reason: "cannot be framed: bad-content-length" }]);
	assert.equal(bench.farClosed[0]?.by, "peer");
	bench.say(wire);
	assert.equal(bench.received.length, 0);
});

test("product 9: a body too large is 513, octets that are no SIP are closed without a word", () => {
	const large = setUp();
	large.say(wire.replace("Content-Length: 0", "Content-Length: 262145"));
	assert.ok(large.got().startsWith("SIP/2.0 513 Message Too Large\r\n"));
	assert.equal(large.closed.length, 1);
	const noise = setUp();
	noise.say("\x16\x03\x01");
	assert.equal(noise.got(), "");
	assert.equal(noise.closed.length, 1);
	assert.equal(noise.malformed[0]?.[1], undefined);
});

test("G8: a head takes ten seconds from its first octet, however it dribbles", () => {
	const bench = setUp();
	for (const octet of wire.slice(0, 9)) {
		bench.say(octet);
		bench.clock.advance(1100);
	}
	assert.equal(bench.connection.isOpen, true);
	bench.say("x");
	bench.clock.advance(99);
	assert.equal(bench.closed.length, 0);
	bench.clock.advance(1);
	assert.deepEqual(bench.closed, [{ by: "us", reason: "head of a message took too long" }]);
});

test("G8: a message with its body takes twenty seconds from its first octet", () => {
	const bench = setUp();
	bench.say(wire.slice(0, 5));
	bench.clock.advance(9999);
	bench.say(wire.slice(5).replace("Content-Length: 0", "Content-Type: a/b\r\nContent-Length: 10"));
	for (let second = 10; second < 19; second++) {
		bench.say("x");
		bench.clock.advance(1000);
	}
	assert.equal(bench.closed.length, 0);
	bench.clock.advance(1001);
	assert.deepEqual(bench.closed, [{ by: "us", reason: "body of a message took too long" }]);
});

test("G8: messages in time cost no deadline, and the next one counts from its own first octet", () => {
	const bench = setUp();
	const withBody = wire.replace("Content-Length: 0", "Content-Type: a/b\r\nContent-Length: 1");
	bench.say(withBody);
	bench.clock.advance(6000);
	bench.say(`x${wire.slice(0, 9)}`);
	bench.clock.advance(9999);
	assert.equal(bench.closed.length, 0);
	bench.say(wire.slice(9));
	bench.clock.advance(60_000);
	assert.equal(bench.closed.length, 0);
	assert.equal(bench.received.length, 2);
	bench.say("M");
	bench.clock.advance(9_999);
	assert.equal(bench.closed.length, 0);
	bench.clock.advance(1);
	assert.equal(bench.closed.length, 1);
});

test("G8: line ends between messages start no deadline", () => {
	const bench = setUp();
	bench.say("\r\n\r\n\r");
	bench.clock.advance(100_000);
	assert.equal(bench.connection.isOpen, true);
});

test("security: a peer that does not read is dropped past its queue", () => {
	const bench = setUp(() => {}, 1000);
	bench.far.pause();
	let sent = 0;
	while (bench.connection.send(message) && sent < 100) sent++;
	assert.ok(sent > 0 && sent < 100);
	assert.deepEqual(bench.closed, [{ by: "us", reason: "peer does not read" }]);
	assert.equal(bench.connection.send(message), false);
	assert.deepEqual(bench.traced.length, sent);
});

test("REQ-60: a closed connection sends nothing, and its end is told once", () => {
	const bench = setUp();
	bench.connection.close("idle");
	assert.equal(bench.connection.isOpen, false);
	assert.equal(bench.connection.send(message), false);
	bench.connection.close("again");
	bench.connection.destroy("again");
	assert.deepEqual(bench.closed, [{ by: "us", reason: "idle" }]);
	assert.equal(bench.got(), "");
});

test("nothing is received after the user closed, not even what came in the same octets", () => {
	const bench = setUp((connection) => connection.close("enough"));
	bench.say(wire + wire + wire.slice(0, 20));
	assert.equal(bench.received.length, 1);
	bench.clock.advance(100_000);
	assert.deepEqual(bench.closed, [{ by: "us", reason: "enough" }]);
});

test("what was sent before a close still leaves; the peer's close and the network's end are told as theirs", () => {
	const bench = setUp();
	bench.connection.send(message);
	bench.connection.close("done");
	assert.equal(bench.got(), wire);
	const other = setUp();
	other.far.close("bye");
	assert.equal(other.closed[0]?.by, "peer");
	const lost = setUp();
	lost.say(wire.slice(0, 4));
	lost.far.breakOff("cable cut");
	assert.deepEqual(lost.closed, [{ by: "network", reason: "cable cut" }]);
	lost.clock.advance(100_000);
	assert.equal(lost.closed.length, 1);
});

test("whatever octets arrive, nothing throws and the connection is open or told closed", () => {
	const piece = fc.constantFrom(
		wire,
		"\r\n",
		"\r\n\r\n",
		"A",
		"\n",
		wire.slice(0, 50),
		wire.slice(50),
		wire.replace("Via", "X"),
		"\0",
	);
	fc.assert(
		fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
			const bench = setUp();
			for (const text of pieces) bench.say(text);
			assert.equal(bench.connection.isOpen, bench.closed.length === 0);
		}),
		{ numRuns: 200 },
	);
});
