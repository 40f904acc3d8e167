import assert from "node:assert/strict";
import { test } from "node:test";
import { type HostPort, isAddressRange, isFqdn, isLoopback, parseHostPort } from "./host-port.ts";

test("host and port: names, IPv4, bracketed IPv6; nothing between them", () => {
	const table: readonly (readonly [string, HostPort | undefined])[] = [
		["SIP.Fabrikam.example:5061", { host: "sip.fabrikam.example", port: 5061, kind: "name" }],
		["localhost", { host: "localhost", port: undefined, kind: "name" }],
		["192.0.2.1:0", { host: "192.0.2.1", port: 0, kind: "ipv4" }],
		["[2001:DB8::1]:5061", { host: "2001:db8::1", port: 5061, kind: "ipv6" }],
		["[::]", { host: "::", port: undefined, kind: "ipv6" }],
		["", undefined],
		[":5061", undefined],
		["::1", undefined],
		["[::1", undefined],
		["[::1]5061", undefined],
		["[192.0.2.1]:5061", undefined],
		["192.0.2.256:5061", undefined],
		["sip.example:", undefined],
		["sip.example:65536", undefined],
		["sip.example:+1", undefined],
		["sip..example:1", undefined],
		["-sip.example:1", undefined],
		["sip_x.example:1", undefined],
		["user@sip.example:1", undefined],
	];
	for (const [text, read] of table) assert.deepEqual(parseHostPort(text), read, text);
});

test("RFC 1123 §2.1: a full host name has two labels or more of letters, digits and inner hyphens", () => {
	for (const good of ["sip.contoso.example", "a-b.example", "xn--bcher-kva.example", `${"a".repeat(63)}.example`]) {
		assert.equal(isFqdn(good), true, good);
	}
	for (const bad of [
		"contoso",
		"192.0.2.1",
		"sip.contoso.example.",
		"a.1",
		`${"a".repeat(64)}.example`,
		"*.example",
		"a b.example",
	]) {
		assert.equal(isFqdn(bad), false, bad);
	}
});

test("an address range: an address, or one with a prefix length of its family", () => {
	for (const good of ["192.0.2.1", "192.0.2.0/24", "2001:db8::/128", "::1"])
		assert.equal(isAddressRange(good), true, good);
	for (const bad of ["192.0.2.0/33", "2001:db8::/129", "example.org", "192.0.2.0/", "192.0.2.0/x", ""]) {
		assert.equal(isAddressRange(bad), false, bad);
	}
});

test("loopback: only what no other machine reaches", () => {
	for (const good of ["127.0.0.1", "127.9.9.9", "::1", "localhost"]) assert.equal(isLoopback(good), true, good);
	for (const bad of ["0.0.0.0", "::", "192.0.2.1", "127.example"]) assert.equal(isLoopback(bad), false, bad);
});
