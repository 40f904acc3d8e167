/** REQ-68, REQ-69, REQ-82: who may send what in whose name to whom, every combination, through the real pipeline. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { diagnostics } from "@causeway/sip";
import type { FixedDnsRecords } from "@causeway/sip/testing";
import type { Peer } from "../../src/federation/peers.ts";
import { createTestPeer } from "../../src/federation/testing.ts";
import { type BoundaryOptions, createBoundaryWorld, formatFarRequest } from "./boundary-world.ts";

const EDGE = "sip.fabrikam.example";
const edge = { host: EDGE, port: 5061 };
/** Lets the connection in where the peer of the row would not: what comes over it is another matter. */
const doorman = createTestPeer({ domains: ["doorman.example"], edge });
const northwind = createTestPeer({
	domains: ["northwind.example"],
	edge: { host: "sip.northwind.example", port: 5061 },
});

type SrvAnswer = "its edge" | "another edge inside" | "an edge outside" | "nothing" | "failure";

const SERVICE = "_sipfederationtls._tcp.fabrikam.example";
const answers: Readonly<Record<SrvAnswer, FixedDnsRecords>> = {
	"its edge": srv(EDGE),
	"another edge inside": srv("sip2.fabrikam.example"),
	"an edge outside": srv("sip.northwind.example"),
	nothing: {},
	failure: { failing: { [SERVICE]: "timeout" } },
};

function srv(target: string): FixedDnsRecords {
	return { srv: { [SERVICE]: [{ priority: 0, weight: 0, port: 5061, target }] } };
}

/** What fabrikam.example is to us, and whether it may send over its connection, by what its SRV record says. */
const kinds: readonly (readonly [
	name: string,
	policy: Omit<BoundaryOptions, "dns">,
	maySend: (answer: SrvAnswer) => boolean,
])[] = [
	["direct", listed(createTestPeer({ domains: ["fabrikam.example"], edge })), () => true],
	[
		"direct, behind another edge",
		listed(doorman, createTestPeer({ domains: ["fabrikam.example"], edge: northwind.edge })),
		() => false,
	],
	["allowed", listed(doorman, createTestPeer({ domains: ["fabrikam.example"] })), (answer) => answer === "its edge"],
	["provider", listed(provider(["fabrikam.example", "second.example"])), () => true],
	["provider that lists others", listed(provider(["second.example"])), () => false],
	["provider without a list", listed(provider([])), (answer) => answer === "its edge"],
	["discovered", { peers: [doorman, northwind], discovery: true }, (answer) => answer === "its edge"],
	["not listed", listed(doorman), () => false],
	[
		"blocked",
		{ ...listed(createTestPeer({ domains: ["fabrikam.example"], edge })), blocked: new Set(["fabrikam.example"]) },
		() => false,
	],
];

function listed(...peers: readonly Peer[]) {
	return { peers: [...peers, ...(peers.some(({ edge: own }) => own === northwind.edge) ? [] : [northwind])] };
}

function provider(domains: readonly string[]): Peer {
	return createTestPeer({ kind: "provider", name: EDGE, domains, edge });
}

/** `maySend`: as the row of the peer says. */
const froms: readonly (readonly [name: string, uri: string, status: number | "as the peer may"])[] = [
	["its domain", "sip:lena@fabrikam.example", "as the peer may"],
	["its domain in capitals", "sip:lena@FABRIKAM.Example", "as the peer may"],
	["a domain below it", "sip:lena@sub.fabrikam.example", 403],
	["a domain that ends alike", "sip:lena@notfabrikam.example", 403],
	["another peer's domain", "sip:lena@northwind.example", 403],
	["our own domain", "sip:mallory@contoso.example", 403],
	["an IP address", "sip:lena@192.0.2.7", 400],
	["a telephone number", "tel:+15551234", 400],
	["a percent sign in the host", "sip:lena@fabrikam%2eexample", 400],
	["a port", "sip:lena@fabrikam.example:5061", 400],
	["no user", "sip:fabrikam.example", 400],
];
const tos: readonly (readonly [uri: string, isOurs: boolean])[] = [
	["sip:alice@contoso.example", true],
	["sip:alice@CONTOSO.example", true],
	["sip:bob@northwind.example", false],
];
const uris: readonly (readonly [uri: string, isOurs: boolean])[] = [
	["sip:alice@contoso.example", true],
	["sip:alice@sip.contoso.example:5061;transport=tls", true],
	["sip:bob@northwind.example", false],
	["sip:alice@contoso.example.northwind.example", false],
];

for (const [kind, policy, maySend] of kinds) {
	for (const answer of Object.keys(answers) as SrvAnswer[]) {
		test(`REQ-68, REQ-82: a peer of kind "${kind}" whose SRV record names ${answer}: every From, To and Request-URI`, async () => {
			const world = createBoundaryWorld({ ...policy, dns: answers[answer] });
			for (const [fromName, from, fromStatus] of froms) {
				for (const [to, isToOurs] of tos) {
					for (const [uri, isUriOurs] of uris) {
						const far = await world.connect(EDGE);
						assert.ok(far.isOpen, "the connection is let in");
						far.write(formatFarRequest({ from, to, uri }));
						await world.settle();
						const [answered, ...others] = far.take();
						const sender = fromStatus === "as the peer may" ? (maySend(answer) ? 200 : 403) : fromStatus;
						const expected = sender !== 200 ? sender : isToOurs && isUriOurs ? 200 : 404;
						const what = `From ${fromName}, To ${to}, Request-URI ${uri}`;
						assert.deepEqual(others, [], what);
						assert.equal(answered?.statusCode, expected, what);
						const said = answered?.response;
						const ids = said === undefined ? [] : diagnostics(said).map(({ id }) => id);
						assert.deepEqual(ids, expected === 404 ? [1005] : [], what);
						far.close();
					}
				}
			}
		});
	}
}
