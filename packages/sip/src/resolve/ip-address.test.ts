import assert from "node:assert/strict";
import { isIPv4, isIPv6 } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { isNumericHost, isPrivateAddress, parseIpv4, parseIpv6 } from "./ip-address.ts";

const privateAddresses = [
	"0.0.0.0",
	"10.0.0.1",
	"100.64.0.1",
	"100.127.255.255",
	"127.0.0.1",
	"127.255.255.254",
	"169.254.169.254",
	"172.16.0.1",
	"172.31.255.255",
	"192.0.0.8",
	"192.168.1.1",
	"198.18.0.1",
	"224.0.0.251",
	"255.255.255.255",
	"::",
	"::1",
	"::7f00:1",
	"::ffff:127.0.0.1",
	"::ffff:7f00:1",
	"::FFFF:10.1.2.3",
	"::127.0.0.1",
	"64:ff9b::10.0.0.1",
	"64:ff9b:1::1",
	"64:ff9b:0:0:1::c000:201",
	"2001::1",
	"2002:7f00:1::",
	"2002:c0a8:101::1",
	"fc00::1",
	"fdff::1",
	"fe80::1",
	"fec0::1",
	"ff02::1",
	"fe80::1%eth0",
	"not an address",
	"",
	"0127.0.0.1",
	"192.168.1",
];

const publicAddresses = [
	"1.1.1.1",
	"100.63.255.255",
	"100.128.0.0",
	"172.15.0.1",
	"172.32.0.1",
	"192.0.2.1",
	"198.17.255.255",
	"198.51.100.7",
	"203.0.113.9",
	"223.255.255.255",
	"2001:db8::1",
	"2606:4700::1111",
	"2002:c000:201::1",
	"64:ff9b::192.0.2.1",
	"::ffff:192.0.2.1",
];

test("security: loopback, private, shared, link-local, multicast and reserved addresses lead inside, embedded ones too", () => {
	for (const address of privateAddresses) assert.equal(isPrivateAddress(address), true, address);
	for (const address of publicAddresses) assert.equal(isPrivateAddress(address), false, address);
});

test("RFC 4291 §2.2: an IPv6 text is read into its eight groups", () => {
	assert.deepEqual(parseIpv6("2001:db8::c000:201"), [0x2001, 0xdb8, 0, 0, 0, 0, 0xc000, 0x201]);
	assert.deepEqual(parseIpv6("::192.0.2.1"), [0, 0, 0, 0, 0, 0, 0xc000, 0x201]);
	assert.deepEqual(parseIpv6("1:2:3:4:5:6:7::"), [1, 2, 3, 4, 5, 6, 7, 0]);
	for (const text of [
		"1:2:3:4:5:6:7:8::",
		"1::2::3",
		":::",
		"12345::",
		"1.2.3.4::",
		"::1.2.3.4:5",
		"1:2",
		":1::2",
		"::g",
	]) {
		assert.equal(parseIpv6(text), undefined, text);
	}
});

test("IPv4 and IPv6 texts are accepted exactly where the platform accepts them", () => {
	const text = fc.oneof(
		fc.ipV4(),
		fc.ipV6(),
		fc.string({ unit: fc.constantFrom("0", "1", "f", ":", "::", ".", "255", "256"), maxLength: 14 }),
	);
	fc.assert(
		fc.property(text, (candidate) => {
			assert.equal(parseIpv4(candidate) !== undefined, isIPv4(candidate), candidate);
			assert.equal(parseIpv6(candidate) !== undefined, isIPv6(candidate), candidate);
		}),
		{ numRuns: 1000 },
	);
});

test("protocol sheet 6.3: whatever a resolver may read as a number is a numeric host", () => {
	for (const host of ["192.0.2.1", "127.1", "2130706433", "0x7f000001", "0X7F.1", "0x", "::1", "[::1]", "1.2.3.4."]) {
		assert.equal(isNumericHost(host), true, host);
	}
	for (const host of ["sip.contoso.example", "1.example", "0x1.example", "192-0-2-1.example", "x0"]) {
		assert.equal(isNumericHost(host), false, host);
	}
});
