import assert from "node:assert/strict";
import { test } from "node:test";
import { SimRandom } from "@causeway/sip/testing";
import { derTag, readChildren, readWhole } from "../../src/federation/certificate/der.ts";
import { mutateDer, readDer, writeDer } from "./mutate-der.ts";
import { createCertificateTarget } from "./target/certificate.ts";

const { seeds } = createCertificateTarget();

test("DER that was read and written is the same", () => {
	for (const seed of seeds) {
		const nodes = readDer(seed);
		assert.ok(nodes !== undefined);
		assert.deepEqual(Buffer.concat(nodes.map(writeDer)), Buffer.from(seed));
	}
});

test("a mutated certificate differs, and most often its outermost element is whole", () => {
	const random = new SimRandom(1);
	let whole = 0;
	let changed = 0;
	for (let count = 0; count < 400; count += 1) {
		const seed = seeds[count % seeds.length] ?? new Uint8Array(0);
		const octets = mutateDer(seed, { random, pool: seeds, tokens: [] });
		if (Buffer.compare(octets, seed) !== 0) changed += 1;
		const outermost = readWhole(octets, derTag.sequence);
		if (outermost !== undefined && readChildren(octets, outermost) !== undefined) whole += 1;
	}
	assert.ok(changed > 350 && whole > 350, `${changed} changed, ${whole} whole`);
});

test("what is no DER stays as it is", () => {
	const octets = Uint8Array.of(0x30, 0x80, 0, 0);
	assert.equal(mutateDer(octets, { random: new SimRandom(1), pool: seeds, tokens: [] }), octets);
});
