import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { createEdgeCertificate, createRootAuthority } from "../../pki/authority.ts";
import { parseCertificate } from "./certificate.ts";
import {
	type DerElement,
	derTag,
	readChildren,
	readElement,
	readObjectIdentifier,
	readTime,
	readWhole,
} from "./der.ts";

const dates = { notBefore: new Date(Date.UTC(2026, 0, 1)), notAfter: new Date(Date.UTC(2051, 0, 1)) };
const root = await createRootAuthority({ commonName: "Contoso root", ...dates });
const edge = await createEdgeCertificate(root, { names: ["sip.contoso.example"], ...dates });

test("what we read of a certificate is what OpenSSL reads", () => {
	const ours = parseCertificate(edge.der);
	const theirs = new X509Certificate(edge.der);
	assert(ours !== undefined);
	assert.equal(ours.fingerprint, theirs.fingerprint256);
	// OpenSSL prints the number, DER keeps the octet that says that it is not negative.
	assert.equal(BigInt(`0x${ours.serialNumber}`), BigInt(`0x${theirs.serialNumber}`));
	assert.equal(ours.notBefore, theirs.validFromDate.getTime());
	assert.equal(ours.notAfter, theirs.validToDate.getTime());
	assert.equal(ours.subject.text, theirs.subject);
	assert.equal(ours.issuer.text, theirs.issuer);
	assert.equal(ours.version, 3);
	assert.deepEqual(ours.alternativeNames, [{ kind: "dns", value: "sip.contoso.example" }]);
	assert.deepEqual(ours.purposes, theirs.keyUsage);
});

test("no change of a few octets makes the reader throw", () => {
	const change = fc.tuple(fc.nat(edge.der.length - 1), fc.nat(255));
	fc.assert(
		fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
			const octets = Uint8Array.from(edge.der);
			for (const [at, value] of changes) octets[at] = value;
			parseCertificate(octets);
		}),
		{ numRuns: 2_000 },
	);
});

test("no octets at all make the element reader leave its limits", () => {
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(45), (octets, offset) => {
			const element = readElement(octets, offset, octets.length);
			if (element === undefined) return;
			assert(element.start === offset && element.contentStart <= element.end && element.end <= octets.length);
			readChildren(octets, element);
			readTime(octets, element);
			readObjectIdentifier(octets, element);
		}),
	);
});

const lengths: readonly (readonly [name: string, octets: readonly number[], readable: boolean])[] = [
	["a short length", [0x04, 1, 0xff], true],
	["a long length for what fits a short one", [0x04, 0x81, 1, 0xff], false],
	["a long length with a leading zero", [0x04, 0x82, 0, 200, ...Array.from({ length: 200 }, () => 0)], false],
	["a long length", [0x04, 0x81, 200, ...Array.from({ length: 200 }, () => 0)], true],
	["an indefinite length", [0x24, 0x80, 0, 0], false],
	["a length past the end", [0x04, 2, 0xff], false],
	["a tag of several octets", [0x1f, 0x81, 0, 0], false],
	["nothing behind the tag", [0x04], false],
];
for (const [name, octets, readable] of lengths) {
	test(`X.690 §10.1: ${name} is ${readable ? "read" : "refused"}`, () => {
		assert.equal(readElement(Uint8Array.from(octets), 0, octets.length) !== undefined, readable);
	});
}

function whole(octets: Uint8Array, tag: number): DerElement {
	const element = readWhole(octets, tag);
	assert(element !== undefined);
	return element;
}

const times: readonly (readonly [tag: number, text: string, time: number | undefined])[] = [
	[derTag.utcTime, "500101000000Z", Date.UTC(1950, 0, 1)],
	[derTag.utcTime, "491231235959Z", Date.UTC(2049, 11, 31, 23, 59, 59)],
	[derTag.generalizedTime, "20500101000000Z", Date.UTC(2050, 0, 1)],
	[derTag.generalizedTime, "99991231235959Z", Date.UTC(9999, 11, 31, 23, 59, 59)],
	[derTag.utcTime, "491231235959+0100", undefined],
	[derTag.utcTime, "4912312359Z", undefined],
	[derTag.utcTime, "491331235959Z", undefined],
	[derTag.generalizedTime, "20500101000000.5Z", undefined],
	[derTag.octetString, "20500101000000Z", undefined],
];
for (const [tag, text, time] of times) {
	test(`RFC 5280 §4.1.2.5: ${text} with tag ${tag} is ${time === undefined ? "refused" : new Date(time).toISOString()}`, () => {
		const octets = Uint8Array.from([tag, text.length, ...Buffer.from(text)]);
		assert.equal(readTime(octets, whole(octets, tag)), time);
	});
}
