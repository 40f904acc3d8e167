import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { MacKey } from "./mac-key.ts";

/** The fields as protocol sheet 4.4 has them: two octets of length, then the text. */
function encoded(fields: readonly string[]): Buffer {
	return Buffer.concat(
		fields.map((field) => {
			const octets = Buffer.from(field, "latin1");
			return Buffer.concat([Buffer.of(octets.length >> 8, octets.length & 0xff), octets]);
		}),
	);
}

function reference(secret: Uint8Array, message: Uint8Array): string {
	return createHmac("sha256", secret).update(message).digest("base64url").slice(0, 22);
}

test("RFC 2104: a MAC is HMAC-SHA-256 over fields with their lengths, cut to 22 characters", () => {
	const octets = fc.string({
		unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
		maxLength: 700,
	});
	fc.assert(
		fc.property(
			fc.uint8Array({ minLength: 32, maxLength: 32 }),
			fc.array(octets, { maxLength: 14 }),
			(secret, fields) => {
				const key = new MacKey(secret);
				assert.equal(key.sign(fields), reference(secret, encoded(fields)));
				assert.equal(key.sign(fields), reference(secret, encoded(fields)));
				assert.equal(key.verifies(fields, key.sign(fields)), true);
			},
		),
	);
});

test("fields do not run into each other", () => {
	const key = new MacKey(new Uint8Array(32).fill(1));
	assert.notEqual(key.sign(["ab", "c"]), key.sign(["a", "bc"]));
	assert.notEqual(key.sign(["ab"]), key.sign(["ab", ""]));
});

test("a field too long for its length stands as its digest, marked by the length 65535", () => {
	const secret = new Uint8Array(32).fill(9);
	const key = new MacKey(secret);
	for (const length of [0xfffe, 0xffff, 0x1_0000, 200_000]) {
		const field = "x".repeat(length);
		const digest = createHash("sha256").update(field).digest();
		const message = length === 0xfffe ? encoded([field]) : Buffer.concat([Buffer.of(0xff, 0xff), digest]);
		assert.equal(key.sign([field]), reference(secret, message), `${length} octets`);
	}
});

test("a MAC that differs in any character is not verified", () => {
	const key = new MacKey(new Uint8Array(32).fill(3));
	const mac = key.sign(["a"]);
	for (let index = 0; index < mac.length; index++) {
		for (const other of ["A", "z", "\u0100", "."]) {
			if (mac[index] === other) continue;
			assert.equal(key.verifies(["a"], mac.slice(0, index) + other + mac.slice(index + 1)), false);
		}
		// A character whose low octet is the right one is another character.
		const twin = String.fromCharCode(mac.charCodeAt(index) + 0x100);
		assert.equal(key.verifies(["a"], mac.slice(0, index) + twin + mac.slice(index + 1)), false);
	}
});

test("a destroyed key does not sign as it did", () => {
	const key = new MacKey(new Uint8Array(32).fill(3));
	const mac = key.sign(["a"]);
	key.destroy();
	assert.notEqual(key.sign(["a"]), mac);
});
