import assert from "node:assert/strict";
import { test } from "node:test";
import { createFixedDns } from "@causeway/sip/testing";
import { type AdmissionOptions, admitAccepted, admitDialled } from "./admission.ts";
import { type Peer, PeerDirectory } from "./peers.ts";
import { createTestPeer, presentTestCertificate, testJudge } from "./testing.ts";

const edge = { host: "sip.northwind.example", port: 5061 };
const northwind = createTestPeer({ domains: ["northwind.example"], edge });
const fabrikam = createTestPeer({ domains: ["fabrikam.example"] });
const dns = {
	srv: {
		"_sipfederationtls._tcp.fabrikam.example": [
			{ priority: 0, weight: 0, port: 5061, target: "sip.fabrikam.example" },
			{ priority: 0, weight: 0, port: 5061, target: "edge.elsewhere.example" },
		],
	},
};

function optionsFor(peers: readonly Peer[], discovery = false) {
	const lookup = createFixedDns(dns);
	const directory = new PeerDirectory({ peers, blocked: new Set(), discovery });
	return { lookup, judge: testJudge, directory: () => directory } satisfies AdmissionOptions;
}

const withCa = (peer: Peer, trust: string): Peer => ({ ...peer, trust: [trust] });

const table: readonly [
	rule: string,
	authority: string,
	names: readonly string[],
	peers: readonly Peer[],
	discovery: boolean,
	expected: string,
][] = [
	["a listed edge", "public", [edge.host], [northwind], false, "northwind.example"],
	["a name nobody listed", "public", ["sip.stranger.example"], [northwind], false, "wrong-name"],
	["nobody is listed at all", "public", ["sip.stranger.example"], [], false, "no-peers"],
	["a stranger where discovery is on", "public", ["sip.stranger.example"], [northwind], true, ""],
	["a stranger that nobody trusts", "other", ["sip.stranger.example"], [northwind], true, "untrusted-issuer"],
	["an allowed domain's SRV target", "public", ["sip.fabrikam.example"], [fabrikam], false, "fabrikam.example"],
	["an SRV target outside the domain", "public", ["edge.elsewhere.example"], [fabrikam], false, "wrong-name"],
	[
		"an allowed domain with its own authority",
		"fabrikam-ca",
		["sip.fabrikam.example"],
		[withCa(fabrikam, "fabrikam-ca")],
		false,
		"fabrikam.example",
	],
	[
		"its name under the edge's general trust is not enough then",
		"public",
		["sip.fabrikam.example"],
		[withCa(fabrikam, "fabrikam-ca")],
		false,
		"untrusted-issuer",
	],
	[
		"an authority of one peer vouches for no other",
		"northwind-ca",
		["sip.fabrikam.example"],
		[withCa(northwind, "northwind-ca"), fabrikam],
		true,
		"untrusted-issuer",
	],
];

for (const [rule, authority, names, peers, discovery, expected] of table) {
	test(`REQ-44 to REQ-47, accepted: ${rule}`, async () => {
		const admission = await admitAccepted(presentTestCertificate(authority, ...names), optionsFor(peers, discovery));
		assert.equal(
			admission.ok ? admission.admittedAs.map(({ name }) => name).join(" ") : admission.verdict.faults[0]?.code,
			expected,
			JSON.stringify(admission),
		);
		assert.equal(admission.ok, expected === "" || peers.some(({ name }) => name === expected));
	});
}

test("security 1: a certificate that no trust reaches makes nobody ask the DNS", async () => {
	const options = optionsFor([fabrikam]);
	assert.equal((await admitAccepted(presentTestCertificate("other", "sip.fabrikam.example"), options)).ok, false);
	assert.deepEqual(options.lookup.asked, []);
});

test("REQ-46: a server that we dialled carries the name we dialled, under its peer's trust", () => {
	const options = optionsFor([northwind]);
	const verdict = (authority: string, name: string): boolean =>
		admitDialled(presentTestCertificate(authority, name), withCa(northwind, "northwind-ca"), edge.host, options).ok;
	assert.equal(verdict("northwind-ca", edge.host), true);
	assert.equal(verdict("public", edge.host), false);
	assert.equal(verdict("northwind-ca", "sip.fabrikam.example"), false);
});

test("security 1: however many peers are listed, a certificate is judged for those alone that it may be", async () => {
	const crowd = Array.from({ length: 500 }, (_, index) =>
		createTestPeer({
			domains: [`d${index}.example`],
			...(index % 2 === 0 ? { edge: { host: `sip.d${index}.example`, port: 5061 } } : {}),
		}),
	);
	const options = optionsFor([...crowd, northwind]);
	for (const [name, isAdmitted] of [
		[edge.host, true],
		["sip.stranger.example", false],
	] as const) {
		let judged = 0;
		const judge: AdmissionOptions["judge"] = {
			judge(presented, expectation) {
				judged += 1;
				return testJudge.judge(presented, expectation);
			},
		};
		const admission = await admitAccepted(presentTestCertificate("public", name), { ...options, judge });
		assert.equal(admission.ok, isAdmitted);
		assert.ok(judged <= 4, `${judged} verdicts`);
	}
});
