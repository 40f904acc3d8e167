import assert from "node:assert/strict";
import { test } from "node:test";
import { createHostPolicy } from "./host-policy.ts";

const local = createHostPolicy({ listen: { host: "127.0.0.1" }, publicUrl: "", https: false });
const open = createHostPolicy({ listen: { host: "0.0.0.0" }, publicUrl: "https://im.contoso.example", https: false });
const six = createHostPolicy({ listen: { host: "2001:db8::1" }, publicUrl: "", https: true });

const hosts: readonly [policy: typeof local, hosts: readonly string[], localAddress: string, refusal?: string][] = [
	[local, ["127.0.0.1:8080"], "127.0.0.1"],
	[local, ["localhost:8080"], "127.0.0.1"],
	[local, ["LOCALHOST"], "127.0.0.1"],
	[local, ["[::1]:8080"], "::1"],
	[local, ["evil.example"], "127.0.0.1", "host-not-allowed"],
	[local, ["evil.example:8080"], "127.0.0.1", "host-not-allowed"],
	[local, ["127.0.0.1.evil.example"], "127.0.0.1", "host-not-allowed"],
	[local, ["localhost.evil.example"], "127.0.0.1", "host-not-allowed"],
	[local, ["localhost@evil.example"], "127.0.0.1", "bad-host"],
	[local, ["localhost:8080:1"], "127.0.0.1", "bad-host"],
	[local, ["localhost "], "127.0.0.1", "bad-host"],
	[local, [""], "127.0.0.1", "bad-host"],
	[local, [], "127.0.0.1", "bad-host"],
	[local, ["localhost", "localhost"], "127.0.0.1", "bad-host"],
	[local, ["localhost", "evil.example"], "127.0.0.1", "bad-host"],
	[open, ["im.contoso.example"], "192.0.2.7"],
	[open, ["192.0.2.7:8080"], "192.0.2.7"],
	[open, ["192.0.2.7:8080"], "::ffff:192.0.2.7"],
	[open, ["192.0.2.8:8080"], "192.0.2.7", "host-not-allowed"],
	[open, ["0.0.0.0:8080"], "192.0.2.7", "host-not-allowed"],
	[open, ["contoso.example"], "192.0.2.7", "host-not-allowed"],
	[six, ["[2001:db8::1]:8080"], "2001:db8::1"],
	[six, ["[2001:DB8::1]"], "2001:db8::1"],
	[six, ["[2001:db8::2]"], "2001:db8::1", "host-not-allowed"],
];
for (const [policy, names, localAddress, refusal] of hosts) {
	test(`Host ${JSON.stringify(names)} at ${localAddress}: ${refusal ?? "comes in"}`, () => {
		const rawHeaders = ["Accept", "host", ...names.flatMap((name) => ["hOsT", name]), "X-Host", "evil.example"];
		assert.equal(policy.checkHost(rawHeaders, localAddress), refusal);
	});
}

const origins: readonly [policy: typeof local, origin: string | undefined, host: string, comesIn: boolean][] = [
	[local, undefined, "localhost:8080", true],
	[local, "http://localhost:8080", "localhost:8080", true],
	[local, "http://LOCALHOST:8080", "localhost:8080", true],
	[local, "http://localhost", "localhost:80", true],
	[local, "http://localhost:3000", "localhost:8080", false],
	[local, "https://localhost:8080", "localhost:8080", false],
	[local, "http://127.0.0.1:8080", "localhost:8080", false],
	[local, "http://evil.example", "localhost:8080", false],
	[local, "null", "localhost:8080", false],
	[local, "", "localhost:8080", false],
	[local, "file://", "localhost:8080", false],
	[open, "https://im.contoso.example", "127.0.0.1:8080", true],
	[open, "http://im.contoso.example", "127.0.0.1:8080", false],
	[open, "https://im.contoso.example.evil.example", "im.contoso.example", false],
	[six, "https://[2001:db8::1]:8080", "[2001:db8::1]:8080", true],
	[six, "http://[2001:db8::1]:8080", "[2001:db8::1]:8080", false],
];
for (const [policy, origin, host, comesIn] of origins) {
	test(`Origin ${origin} with Host ${host}: ${comesIn ? "comes in" : "is refused"}`, () => {
		assert.equal(policy.checkOrigin(origin, host), comesIn ? undefined : "origin-not-allowed");
	});
}
