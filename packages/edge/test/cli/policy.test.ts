/** `causeway policy test`: what would happen to a request, and which rule decides, as printed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startDiscoveryWorld } from "../wire/discovery-world.ts";
import { runCommand } from "./run-command.ts";

const configuration = `
[federation]
discovery = true
[throttle]
messages_per_second = 20
[[peer]]
kind = "direct"
domains = ["fabrikam.example"]
edge = "sip.fabrikam.example"
connect = "192.0.2.7:5061"
verification = "always-unverified"
[[peer]]
kind = "allowed"
domains = ["allowed.example", "bare.example"]
[[block]]
domain = "spim.example"
`;

const golden: readonly (readonly [from: string, to: string, printed: string])[] = [
	[
		"alice@contoso.example",
		"lena@fabrikam.example",
		`allowed: fabrikam.example is reached through sip.fabrikam.example (direct)
way   from one of our users to a partner's
rule  the direct peer sip.fabrikam.example, written in the configuration file
also  the certificate there must carry sip.fabrikam.example
      192.0.2.7:5061 is dialled in its place
      the sender's verification level is stated
`,
	],
	[
		"lena@fabrikam.example",
		"alice@contoso.example",
		`allowed: lena@fabrikam.example may reach alice@contoso.example (direct)
way   from a partner's user to one of ours
rule  the direct peer sip.fabrikam.example, written in the configuration file
also  only a connection whose certificate carries sip.fabrikam.example may bring it
      the sender counts as unverified, whatever the peer says
      no ceiling holds
`,
	],
	[
		"lena@fabrikam.example",
		"nobody@contoso.example",
		`refused: there is no user nobody@contoso.example (unknown-user)
way     from a partner's user to one of ours
rule    the direct peer sip.fabrikam.example, written in the configuration file
answer  404, ms-diagnostics-public 1003
also    only a connection whose certificate carries sip.fabrikam.example may bring it
        the sender counts as unverified, whatever the peer says
        no ceiling holds
`,
	],
	[
		"mia@found.example",
		"nobody@contoso.example",
		`refused: there is no user nobody@contoso.example, and found.example may not learn that: the user looks absent (unknown-user)
way     from a partner's user to one of ours
rule    discovery is on, and nobody lists the domain
answer  480
also    only a connection whose certificate carries sip.found.example may bring it
        the sender is as verified as the peer says, unverified where it says nothing
        at most 20 messages a second
`,
	],
	[
		"alice@contoso.example",
		"al@allowed.example",
		`allowed: allowed.example is reached through sip.allowed.example (allowed)
way   from one of our users to a partner's
rule  the allowed peer allowed.example, written in the configuration file
also  the certificate there must carry sip.allowed.example
      the sender's verification level is stated
`,
	],
	[
		"alice@contoso.example",
		"bo@bare.example",
		`refused: there is no record _sipfederationtls._tcp.bare.example: nothing says which edge speaks for bare.example (srv-absent)
way     from one of our users to a partner's
rule    the allowed peer allowed.example, written in the configuration file
answer  504, ms-diagnostics-public 1008
`,
	],
	[
		"alice@contoso.example",
		"bo@stray.example",
		`refused: the record _sipfederationtls._tcp.stray.example names sip.found.example, outside stray.example (domain-conflict)
way     from one of our users to a partner's
rule    discovery is on, and nobody lists the domain
answer  504, ms-diagnostics-public 1009
`,
	],
	[
		"sam@spim.example",
		"alice@contoso.example",
		`refused: spim.example is blocked (blocked-domain)
way     from a partner's user to one of ours
rule    the block of spim.example, written in the configuration file
answer  403
`,
	],
	[
		"alice@contoso.example",
		"sam@spim.example",
		`refused: spim.example is blocked (blocked-domain)
way     from one of our users to a partner's
rule    the block of spim.example, written in the configuration file
answer  403, ms-diagnostics-public 1005
`,
	],
	[
		"lena@fabrikam.example",
		"al@allowed.example",
		`refused: neither fabrikam.example nor allowed.example is served here (foreign-target)
way     between two foreign domains
rule    nothing is relayed between two foreign domains
answer  404, ms-diagnostics-public 1005
`,
	],
	[
		"alice@contoso.example",
		"nobody@contoso.example",
		`refused: there is no user nobody@contoso.example (unknown-user)
way     between two of our users
rule    both are ours: no partner is asked
answer  404, ms-diagnostics-public 1003
`,
	],
];

test("policy test says the rule that decides, in words", async (context) => {
	const world = await startDiscoveryWorld(context, configuration);
	await world.user();
	world.publish("allowed.example", "sip.allowed.example", 5061);
	world.publish("found.example", "sip.found.example", 5061);
	world.publish("stray.example", "sip.found.example", 5061);
	for (const [from, to, printed] of golden) {
		const { code, stdout, stderr } = await runCommand(world.admin, ["policy", "test", from, to]);
		assert.deepEqual([code, stdout, stderr], [0, printed, ""], `${from} to ${to}`);
	}
	const live = { kind: "allowed", domains: ["found.example"] } as const;
	await world.admin.call("putPeer", {
		params: { name: "found.example" },
		body: { ...live, domains: [...live.domains] },
	});
	const { stdout } = await runCommand(world.admin, [
		"policy",
		"test",
		"alice@contoso.example",
		"mia@found.example",
		"--json",
	]);
	const { rule, code } = JSON.parse(stdout) as { readonly rule: string; readonly code: string };
	assert.deepEqual([rule, code], ["the allowed peer found.example, written in the live policy", "allowed"]);
	assert.equal((await runCommand(world.admin, ["policy", "test", "no address", "x@y.example"])).code, 2);
});
