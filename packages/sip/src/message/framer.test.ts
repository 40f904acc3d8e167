import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Fault } from "../fault.ts";
import { HeaderId } from "../header/names.ts";
import { Framer, type FramerUser } from "./framer.ts";
import { DEFAULT_FRAMER_LIMITS, type FramerLimits } from "./limits.ts";
import { FIELD_STRIDE, type MessageHead } from "./message.ts";
import type { OctetFrame } from "./octet-frame.ts";

type Told =
	| { readonly kind: "frame"; readonly head: MessageHead; readonly body: string }
	| { readonly kind: "ping" | "pong" }
	| { readonly kind: "fault"; readonly code: string; readonly status: number; readonly head: MessageHead | undefined };

class Recorder implements FramerUser {
	readonly told: Told[] = [];
	frame(frame: OctetFrame): void {
		const { head, body } = frame.decode();
		this.told.push({ kind: "frame", head, body: Buffer.from(body).toString("latin1") });
	}
	ping(): void {
		this.told.push({ kind: "ping" });
	}
	pong(): void {
		this.told.push({ kind: "pong" });
	}
	fault(fault: Fault, head: MessageHead | undefined): void {
		this.told.push({ kind: "fault", code: fault.code, status: fault.status, head });
	}
}

function octets(text: string): Buffer {
	return Buffer.from(text, "latin1");
}

function tell(pieces: readonly Uint8Array[], limits: FramerLimits = DEFAULT_FRAMER_LIMITS): readonly Told[] {
	const framer = new Framer(limits);
	const recorder = new Recorder();
	for (const piece of pieces) framer.push(piece, recorder);
	return recorder.told;
}

function kinds(told: readonly Told[]): readonly string[] {
	return told.map((item) => (item.kind === "fault" ? `${item.kind} ${item.status} ${item.code}` : item.kind));
}

const via = "Via: SIP/2.0/TLS a.example;branch=z9hG4bK1\r\n";
const plain = `OPTIONS sip:b.example SIP/2.0\r\n${via}Content-Length: 0\r\n\r\n`;
const withBody = `MESSAGE sip:b@b.example SIP/2.0\r\nl: 12\r\n${via}X: 1\r\n\r\nbody\r\n\r\nbody`;

function every(text: string): readonly (readonly [string, readonly Buffer[]])[] {
	const whole = octets(text);
	const single = Array.from(whole, (octet) => Buffer.from([octet]));
	return [
		["whole", [whole]],
		["byte by byte", single],
		["with octets behind it", [octets(`${text}${plain}`)]],
	];
}

for (const [name, pieces] of every(withBody)) {
	test(`RFC 3261 §18.3: a message with a body is framed ${name}`, () => {
		const [first] = tell(pieces);
		assert.ok(first?.kind === "frame");
		assert.equal(first.body, "body\r\n\r\nbody");
		assert.equal(first.head.text, withBody.slice(0, -12));
	});
}

for (const [name, pieces] of every(plain)) {
	test(`RFC 3261 §18.3: a message without a body is framed ${name}`, () => {
		assert.equal(kinds(tell(pieces))[0], "frame");
	});
}

test("the index holds id, name, value and end of each field, and where the empty line stands", () => {
	const head = `OPTIONS sip:b.example SIP/2.0\r\nv:SIP/2.0/TLS a.example\r\nX-One \t:  one\r\n two \r\nl: 0\r\nEmpty:\r\n\r\n`;
	const [first] = tell([octets(head)]);
	assert.ok(first?.kind === "frame");
	const { text, fields } = first.head;
	assert.equal((fields.length - 1) / FIELD_STRIDE, 4);
	const seen = [0, 1, 2, 3].map((field) => {
		const [id, name, start, end] = fields.slice(field * FIELD_STRIDE, (field + 1) * FIELD_STRIDE);
		return [id, text.slice(name, (name ?? 0) + 1), text.slice(start, end)];
	});
	assert.deepEqual(seen, [
		[HeaderId.via, "v", "SIP/2.0/TLS a.example"],
		[HeaderId.other, "X", "one\r\n two"],
		[HeaderId.contentLength, "l", "0"],
		[HeaderId.other, "E", ""],
	]);
	assert.equal(fields.at(-1), text.length - 2);
});

const broken: readonly [string, string, string][] = [
	["no Content-Length", `OPTIONS sip:b SIP/2.0\r\n${via}\r\n`, "fault 400 bad-content-length"],
	["no Content-Length, though a Content-Type", `A sip:b SIP/2.0\r\nc: a/b\r\n\r\n`, "fault 400 bad-content-length"],
	[
		"two Content-Lengths, equal",
		`A sip:b SIP/2.0\r\nl: 0\r\nContent-Length: 0\r\n\r\n`,
		"fault 400 bad-content-length",
	],
	["two Content-Lengths, different", `A sip:b SIP/2.0\r\nl: 0\r\nl: 5\r\n\r\nhello`, "fault 400 bad-content-length"],
	["a negative Content-Length", `A sip:b SIP/2.0\r\nl: -999\r\n\r\n`, "fault 400 bad-content-length"],
	["a signed Content-Length", `A sip:b SIP/2.0\r\nl: +1\r\n\r\n`, "fault 400 bad-content-length"],
	["a hexadecimal Content-Length", `A sip:b SIP/2.0\r\nl: 0x1\r\n\r\n`, "fault 400 bad-content-length"],
	["a listed Content-Length", `A sip:b SIP/2.0\r\nl: 1, 1\r\n\r\n`, "fault 400 bad-content-length"],
	["a huge Content-Length", `A sip:b SIP/2.0\r\nl: 99999999\r\n\r\n`, "fault 400 bad-content-length"],
	["an empty Content-Length", `A sip:b SIP/2.0\r\nl:\r\n\r\n`, "fault 400 bad-content-length"],
	["a folded Content-Length", `A sip:b SIP/2.0\r\nl: 1\r\n 2\r\n\r\n`, "fault 400 bad-content-length"],
	["a body past the limit", `A sip:b SIP/2.0\r\nl: 262145\r\n\r\n`, "fault 513 body-too-large"],
	["a LF alone", `A sip:b SIP/2.0\r\nX: a\nl: 0\r\n\r\n`, "fault 400 bad-line-end"],
	["a CR alone", `A sip:b SIP/2.0\r\nX: a\rb\r\nl: 0\r\n\r\n`, "fault 400 bad-line-end"],
	["a CR before the line end", `A sip:b SIP/2.0\r\nX: a\r\r\nl: 0\r\n\r\n`, "fault 400 bad-line-end"],
	["a LF alone in the start line", `A sip:b\n SIP/2.0\r\nl: 0\r\n\r\n`, "fault 400 bad-line-end"],
	["a CR alone in the start line", `A sip:b\r SIP/2.0\r\nl: 0\r\n\r\n`, "fault 400 bad-line-end"],
	["a NUL", `A sip:b SIP/2.0\r\nX: a\0\r\nl: 0\r\n\r\n`, "fault 400 bad-line-end"],
	["a LF alone in a fold", `A sip:b SIP/2.0\r\nX: a\r\n b\nl: 0\r\n\r\n`, "fault 400 bad-line-end"],
	["a LF alone in a line without colon", `A sip:b SIP/2.0\r\nX\nY\r\nl: 0\r\n\r\n`, "fault 400 bad-line-end"],
	["a field without colon", `A sip:b SIP/2.0\r\nnothing\r\nl: 0\r\n\r\n`, "fault 400 bad-field-name"],
	["a field without name", `A sip:b SIP/2.0\r\n: x\r\nl: 0\r\n\r\n`, "fault 400 bad-field-name"],
	["a name that is no token", `A sip:b SIP/2.0\r\nX@Y: x\r\nl: 0\r\n\r\n`, "fault 400 bad-field-name"],
	["a fold behind the start line", `A sip:b SIP/2.0\r\n folded\r\nl: 0\r\n\r\n`, "fault 400 bad-field-name"],
	["octets that begin no message", "\x16\x03\x01", "fault 400 not-sip"],
	["a LF between messages", "\n", "fault 400 not-sip"],
	["a CR alone between messages", "\rA", "fault 400 not-sip"],
];
for (const [name, text, expected] of broken) {
	test(`security, stream confusion: ${name} ends the framer, whatever follows`, () => {
		for (const pieces of [[octets(text + plain)], Array.from(octets(text + plain), (octet) => Buffer.from([octet]))]) {
			assert.deepEqual(kinds(tell(pieces)), [expected]);
		}
	});
}

test("a fault behind the Via comes with the fields before it, so that it can be answered", () => {
	const [told] = tell([octets(`A sip:b SIP/2.0\r\n${via}bad line\r\nl: 0\r\n\r\n`)]);
	assert.ok(told?.kind === "fault" && told.head !== undefined);
	assert.equal(told.head.fields[0], HeaderId.via);
	assert.equal(told.head.fields.length, FIELD_STRIDE + 1);
});

const small: FramerLimits = {
	headBytes: 400,
	bodyBytes: 10,
	head: { startLineBytes: 60, fieldBytes: 100, textFieldBytes: 200, fields: 5, vias: 3 },
};
const limited: readonly [string, string, string][] = [
	["the start line", `A sip:${"b".repeat(60)} SIP/2.0\r\nl: 0\r\n\r\n`, "fault 513 start-line-too-long"],
	["a field", `A sip:b SIP/2.0\r\nX: ${"x".repeat(100)}\r\nl: 0\r\n\r\n`, "fault 513 field-too-long"],
	[
		"a text field under its own limit",
		`A sip:b SIP/2.0\r\nms-text-format: ${"x".repeat(150)}\r\nl: 0\r\n\r\n`,
		"frame",
	],
	["a text field", `A sip:b SIP/2.0\r\nms-im-format: ${"x".repeat(200)}\r\nl: 0\r\n\r\n`, "fault 513 field-too-long"],
	["the number of fields", `A sip:b SIP/2.0\r\n${"X: 1\r\n".repeat(5)}l: 0\r\n\r\n`, "fault 513 too-many-fields"],
	["the number of Via fields", `A sip:b SIP/2.0\r\n${"v: a\r\n".repeat(4)}l: 0\r\n\r\n`, "fault 513 too-many-vias"],
	["the number of Via values", `A sip:b SIP/2.0\r\nv: a, b, c, d\r\nl: 0\r\n\r\n`, "fault 513 too-many-vias"],
	["the number of Via values, not yet", `A sip:b SIP/2.0\r\nv: a, b, "c, d"\r\nl: 0\r\n\r\n`, "frame"],
	["the body", "A sip:b SIP/2.0\r\nl: 11\r\n\r\nhello", "fault 513 body-too-large"],
	[
		"a head that ends past the limit",
		`A sip:b SIP/2.0\r\n${`X: ${"x".repeat(90)}\r\n`.repeat(5)}\r\n`,
		"fault 513 head-too-large",
	],
	["a head too large and malformed", `A sip:b SIP/2.0\r\n${"x".repeat(500)}\r\n\r\n`, "fault 513 head-too-large"],
	["a head that does not end", `A sip:b SIP/2.0\r\n${"x".repeat(500)}`, "fault 513 head-too-large"],
];
for (const [name, text, expected] of limited) {
	test(`product 3 limits: ${name}`, () => {
		for (const pieces of [[octets(text)], Array.from(octets(text), (octet) => Buffer.from([octet]))]) {
			assert.deepEqual(kinds(tell(pieces, small)), [expected]);
		}
	});
}

test("product 3 limits: a head and a body of exactly the limit pass", () => {
	const rest = "A sip:b SIP/2.0\r\nl: 10\r\n\r\n";
	const filler = `X: ${"x".repeat(80)}\r\n`.repeat(4);
	const text = rest
		.replace("\r\n", `\r\n${filler}`)
		.replace("x\r\nl", `x${"y".repeat(400 - rest.length - filler.length)}\r\nl`);
	assert.equal(text.length, 400);
	const limits = { ...small, head: { ...small.head, fieldBytes: 400 } };
	assert.deepEqual(kinds(tell([octets(`${text}0123456789`)], limits)), ["frame"]);
	assert.deepEqual(kinds(tell([octets(`${text}01234`), octets("56789")], limits)), ["frame"]);
});

test("product 3 limits: a head kept so far counts together with its last piece", () => {
	const limits = { ...small, headBytes: 40 };
	const start = "A sip:b SIP/2.0\r\nl: 0\r\n";
	const pieces = (filler: number) => [octets(start), octets(`X: ${"x".repeat(filler)}\r\n\r\n${plain}`)];
	assert.deepEqual(kinds(tell(pieces(41 - start.length - 7), limits)), ["fault 513 head-too-large"]);
	assert.equal(kinds(tell(pieces(40 - start.length - 7), limits))[0], "frame");
});

test("RFC 5626 §3.5.1: a second CRLF in a row is a ping, the first one a pong, however they are cut", () => {
	for (const text of ["\r\n\r\n", "\r\n"]) {
		const expected = text === "\r\n" ? ["pong"] : ["pong", "ping"];
		for (const [, pieces] of every(text).slice(0, 2)) assert.deepEqual(kinds(tell(pieces)), expected);
	}
	assert.deepEqual(kinds(tell([octets(`\r\n${plain}\r\n\r\n\r\n`)])), ["pong", "frame", "pong", "ping", "pong"]);
});

test("progress tells what is unfinished", () => {
	const framer = new Framer(DEFAULT_FRAMER_LIMITS);
	const recorder = new Recorder();
	const seen: string[] = [framer.progress];
	for (const piece of ["\r", "\nMES", withBody.slice(3, -12), "bod", "y\r\n\r\nbody"]) {
		framer.push(octets(piece), recorder);
		seen.push(framer.progress);
	}
	assert.deepEqual(seen, ["idle", "idle", "head", "body", "body", "idle"]);
	framer.push(octets("\n"), recorder);
	assert.equal(framer.progress, "idle");
});

for (const [name, pieces] of every(`${withBody}${plain}`)) {
	test(`a message is told as it stands among the octets: ${name}`, () => {
		const seen: string[] = [];
		const user: FramerUser = {
			frame(frame) {
				const { octets: all, start, headEnd, end } = frame;
				seen.push(Buffer.from(all.subarray(start, end)).toString("latin1"));
				const head = frame.decodeHead();
				assert.equal(head.text, Buffer.from(all.subarray(start, headEnd)).toString("latin1"));
				assert.deepEqual(head.fields, frame.fields.slice(0, frame.fieldsLength));
			},
			ping: () => assert.fail(),
			pong: () => assert.fail(),
			fault: () => assert.fail(),
		};
		const framer = new Framer(DEFAULT_FRAMER_LIMITS);
		for (const piece of pieces) framer.push(piece, user);
		assert.deepEqual(seen.slice(0, 2), [withBody, plain]);
	});
}

test("a message larger than most, in pieces, leaves the memory it needed", () => {
	const large = `A sip:b SIP/2.0\r\nl: 9000\r\n\r\n${"x".repeat(9000)}`;
	const [first, second] = tell([octets(large.slice(0, 5000)), octets(large.slice(5000)), octets(plain)]);
	assert.ok(first?.kind === "frame" && second?.kind === "frame");
	assert.equal(first.body, "x".repeat(9000));
	assert.equal(second.head.text, plain);
});

test("a framer that was ended takes nothing more, not even the rest of a push", () => {
	const framer = new Framer(DEFAULT_FRAMER_LIMITS);
	let frames = 0;
	const user: FramerUser = {
		frame: () => {
			frames++;
			framer.end();
		},
		ping: () => assert.fail(),
		pong: () => assert.fail(),
		fault: () => assert.fail(),
	};
	framer.push(octets(plain + plain), user);
	framer.push(octets(plain), user);
	assert.equal(frames, 1);
});

test("a body stays as it was when the chunk is used again, and bodies do not share octets", () => {
	const framer = new Framer(DEFAULT_FRAMER_LIMITS);
	const bodies: Uint8Array[] = [];
	const user: FramerUser = {
		frame: (frame) => bodies.push(frame.copyBody()),
		ping: () => {},
		pong: () => {},
		fault: () => assert.fail(),
	};
	for (let round = 0; round < 100; round++) {
		const body = String(round)
			.padStart(3, "0")
			.repeat(round < 50 ? 40 : 300);
		const chunk = octets(`A sip:b SIP/2.0\r\nl: ${body.length}\r\n\r\n${body}`);
		framer.push(chunk, user);
		chunk.fill(0);
	}
	for (const [round, body] of bodies.entries()) {
		assert.equal(
			Buffer.from(body).toString(),
			String(round)
				.padStart(3, "0")
				.repeat(round < 50 ? 40 : 300),
		);
	}
});

const streamPiece = fc.constantFrom(
	plain,
	withBody,
	"\r\n",
	"\r\n\r\n",
	"\n",
	"\r",
	"X: 1\r\n",
	"A",
	"\0",
	"l: 3\r\n\r\nabc",
	`A sip:b SIP/2.0\r\nl: 700\r\n\r\n${"\r\n\r".repeat(233)}x`,
);

test("what is told does not depend on how the stream is cut", () => {
	fc.assert(
		fc.property(fc.array(streamPiece, { maxLength: 8 }), fc.array(fc.nat(40), { maxLength: 200 }), (parts, cuts) => {
			const stream = octets(parts.join(""));
			const pieces: Buffer[] = [];
			let at = 0;
			for (const cut of cuts) {
				pieces.push(stream.subarray(at, at + cut));
				at += cut;
			}
			pieces.push(stream.subarray(at));
			assert.deepEqual(tell(pieces), tell([stream]));
		}),
		{ numRuns: 500 },
	);
});

test("whatever octets arrive, nothing throws", () => {
	fc.assert(
		fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 10 }), (pieces) => {
			tell(pieces);
			tell([octets("A sip:b SIP/2.0\r\n"), ...pieces, octets("\r\n\r\n")]);
		}),
		{ numRuns: 500 },
	);
});

/** [what, stream, limits, the rule, the words before which the fault lies or its offset]. */
const places: readonly [string, string, FramerLimits, string, string | number][] = [
	["two Content-Lengths", "A sip:b SIP/2.0\r\nl: 0\r\nContent-Length: 0\r\n\r\n", small, "RFC 3261 §18.3", "Content-L"],
	["no Content-Length", "A sip:b SIP/2.0\r\nX: 0\r\n\r\n", small, "RFC 3261 §18.3", 25],
	["a Content-Length that is none", "A sip:b SIP/2.0\r\nl: x\r\n\r\n", small, "RFC 3261 §18.3", "x\r\n"],
	["a body past the limit", "A sip:b SIP/2.0\r\nl: 11\r\n\r\n", small, "RFC 3261 §21.5.7", 0],
	["a head that does not end", `A sip:b SIP/2.0\r\n${"x".repeat(500)}`, small, "RFC 3261 §7.5", 0],
	["octets that begin no message", "\x16\x03", small, "RFC 3261 §7.5", 0],
	["a field without a name", "A sip:b SIP/2.0\r\nl: 0\r\n:x\r\n\r\n", small, "RFC 3261 §7.3", ":x"],
	["a long field", `A sip:b SIP/2.0\r\nX: ${"x".repeat(98)}\r\nl: 0\r\n\r\n`, small, "RFC 3261 §7.3", "X:"],
];
for (const [what, text, limits, rule, place] of places) {
	test(`${rule}: ${what} is a fault that names the rule and the place`, () => {
		for (const before of ["", plain]) {
			let seen: Fault | undefined;
			const user: FramerUser = {
				frame() {},
				ping() {},
				pong() {},
				fault(fault) {
					seen = fault;
				},
			};
			new Framer(limits).push(octets(before + text), user);
			const offset = typeof place === "number" ? place : text.indexOf(place);
			assert.deepEqual([seen?.rule, seen?.offset], [rule, offset]);
		}
	});
}

test("product 3 limits: a start line and a field of exactly their limits pass", () => {
	const start = `A sip:${"b".repeat(60 - 14)} SIP/2.0`;
	assert.equal(start.length, 60);
	assert.deepEqual(kinds(tell([octets(`${start}\r\nX: ${"x".repeat(97)}\r\nl: 0\r\n\r\n`)], small)), ["frame"]);
	assert.deepEqual(kinds(tell([octets(`${start}b\r\nl: 0\r\n\r\n`)], small)), ["fault 513 start-line-too-long"]);
	const text = (length: number) =>
		octets(`A sip:b SIP/2.0\r\nms-text-format: ${"x".repeat(length - 16)}\r\nl: 0\r\n\r\n`);
	assert.deepEqual(kinds(tell([text(200)], small)), ["frame"]);
	assert.deepEqual(kinds(tell([text(201)], small)), ["fault 513 field-too-long"]);
});

test("RFC 3261 §18.3: bodies of any length are framed, those too long to share memory too", () => {
	for (const length of [511, 512, 513, 4096, 4097, 20_000]) {
		const body = "0123456789".repeat(2_000).slice(0, length);
		const stream = octets(`A sip:b SIP/2.0\r\nl: ${length}\r\n\r\n${body}${plain}`);
		for (const pieces of [[stream], [stream.subarray(0, 60), stream.subarray(60)]]) {
			const [first, second] = tell(pieces);
			assert.equal(first?.kind === "frame" && first.body, body);
			assert.equal(second?.kind, "frame");
		}
	}
});

test("a held framer stops behind the message at hand and goes on where it stopped", () => {
	const framer = new Framer(DEFAULT_FRAMER_LIMITS);
	let frames = 0;
	const user: FramerUser = {
		frame: () => {
			frames++;
			if (frames === 1) framer.hold();
		},
		ping: () => assert.fail(),
		pong: () => assert.fail(),
		fault: () => assert.fail(),
	};
	const stream = octets(withBody + plain + plain);
	const taken = framer.push(stream, user);
	assert.deepEqual([frames, taken], [1, withBody.length]);
	assert.equal(framer.push(stream.subarray(taken), user), 2 * plain.length);
	assert.equal(frames, 3);
});

test("security, stream confusion: CR LF CR LF is found at every place of a chunk, and nothing like it is taken for it", () => {
	for (let shift = 0; shift < 8; shift++) {
		for (const tail of ["", "\r", "\n", "\r\n"]) {
			const first = `A sip:b SIP/2.0\r\nX: ${"x".repeat(shift)}`;
			// Incomplete: the end of the head comes with the second piece.
			for (let cut = 1; cut < 8; cut++) {
				const text = `${first}\r\nl: 0\r\n\r\n`;
				const pieces = [octets(text.slice(0, -cut)), octets(text.slice(-cut) + tail)];
				assert.equal(kinds(tell(pieces))[0], "frame", `${shift} ${cut}`);
			}
			const odd = `${first}\r\n\n\r`;
			assert.deepEqual(kinds(tell([octets(`${odd}\r\n\r\n`)])), ["fault 400 bad-line-end"]);
		}
	}
});
