// Presence both ways with Kamailio 5.6 as the federation edge and presence server of fabrikam.example.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Causeway, startCauseway, type User } from "./harness/causeway.ts";
import { startDns } from "./harness/dnsmasq.ts";
import { type Kamailio, startKamailio } from "./harness/kamailio.ts";
import { createLab, type Lab } from "./harness/lab.ts";
import { CONTOSO, FABRIKAM } from "./harness/names.ts";
import { enterPrivateNamespace } from "./harness/namespace.ts";
import { createAuthority } from "./harness/pki.ts";
import { headerValues, type SipText, summarizePidf } from "./harness/sip-text.ts";
import { type Scenario, startScenario } from "./harness/sipp.ts";
import { until } from "./harness/until.ts";

enterPrivateNamespace(import.meta.filename);

function configuration(affinity: "strict" | "rebind"): string {
	return `[[peer]]
kind = "allowed"
domains = ["${FABRIKAM.domain}"]
affinity = "${affinity}"

[dns]
allow_private_addresses = true
`;
}

const AWAY = "<basic>open</basic><ep:activities><ep:activity>away</ep:activity></ep:activities>";

async function startBothEdges(
	lab: Lab,
	affinity: "strict" | "rebind" = "strict",
): Promise<{ readonly causeway: Causeway; readonly kamailio: Kamailio }> {
	const authority = createAuthority(lab, "authority");
	await startDns(lab, [CONTOSO, FABRIKAM]);
	const kamailio = await startKamailio(lab, {
		domain: FABRIKAM.domain,
		fqdn: FABRIKAM.edge,
		address: FABRIKAM.address,
		credentials: authority.issue("fabrikam", { names: [FABRIKAM.edge] }),
		trust: authority.certificate,
	});
	const causeway = await startCauseway(lab, {
		home: CONTOSO,
		credentials: authority.issue("contoso", { names: [CONTOSO.edge] }),
		trust: authority.certificate,
		config: configuration(affinity),
	});
	return { causeway, kamailio };
}

/** Lena's program publishes into Kamailio over TCP; gives the tag that the next publication replaces. */
async function publish(lab: Lab, name: string, status: string, replaced: string | undefined): Promise<string> {
	const publisher = await startScenario(lab, {
		name,
		scenario: "publish",
		local: `${FABRIKAM.address}:15080`,
		remote: `${FABRIKAM.address}:5060`,
		calls: 1,
		service: "lena",
		keys: {
			expires: "3600",
			status,
			condition: replaced === undefined ? "Subject: first" : `SIP-If-Match: ${replaced}`,
		},
	});
	assert.deepEqual(await publisher.finished(), { successfulCalls: 1, failedCalls: 0 });
	const accepted = publisher.messages().find(({ statusCode }) => statusCode === 200);
	assert.ok(accepted !== undefined);
	return headerValues(accepted, "SIP-ETag")[0] ?? assert.fail("no SIP-ETag");
}

/** Lena's program registers with Kamailio and watches alice until it has seen three documents. */
function startWatcher(lab: Lab): Promise<Scenario> {
	return startScenario(lab, {
		name: "watcher",
		scenario: "watch-behind-kamailio",
		local: `${FABRIKAM.address}:15082`,
		remote: `${FABRIKAM.address}:5060`,
		calls: 1,
		service: "lena",
		keys: { watched: "alice@contoso.example" },
	});
}

function isNotify({ method }: SipText): boolean {
	return method === "NOTIFY";
}

/** Waits until our user is asked about lena, and allows her. */
async function allowLena(alice: User): Promise<void> {
	await until(async () => (await alice.requests()).find(({ aor }) => aor === "lena@fabrikam.example"), {
		what: "alice is asked about lena",
	});
	await alice.decide("lena@fabrikam.example", "allow");
}

test("REQ-05, REQ-21: our user sees a contact behind Kamailio as away and then as offline, over one mutually authenticated connection", async (context) => {
	const lab = createLab(context);
	const { causeway, kamailio } = await startBothEdges(lab);
	const alice = await causeway.createUser("alice@contoso.example", "Alice of Contoso");

	const first = await publish(lab, "publish-away", AWAY, undefined);
	await alice.addContact("lena@fabrikam.example");
	const contact = await alice.sees("lena@fabrikam.example", "away");
	assert.equal(contact.name, "Lena of Fabrikam");
	await publish(lab, "publish-closed", "<basic>closed</basic>", first);
	await alice.sees("lena@fabrikam.example", "offline");

	const reports = kamailio.peerReports();
	assert.ok(reports.length > 0);
	for (const report of reports) {
		assert.deepEqual(
			{ method: report.method, verified: report.verified, commonName: report.commonName },
			{ method: "SUBSCRIBE", verified: true, commonName: CONTOSO.edge },
		);
	}
	assert.deepEqual(
		(await causeway.connections()).map(({ direction, peer }) => ({ direction, peer })),
		[{ direction: "outbound", peer: FABRIKAM.edge }],
	);
});

test("REQ-09 to REQ-12, REQ-48: a watcher behind Kamailio gets the profile's documents through it: none before the decision, then each state", async (context) => {
	const lab = createLab(context);
	const { causeway, kamailio } = await startBothEdges(lab);
	const alice = await causeway.createUser("alice@contoso.example", "Alice of Contoso");
	await alice.publish("available");
	const watcher = await startWatcher(lab);
	await watcher.received("the undecided state", isNotify, 1);
	await allowLena(alice);
	await watcher.received("the state after the decision", isNotify, 2);
	await alice.publish("busy");
	assert.deepEqual(await watcher.finished(), { successfulCalls: 1, failedCalls: 0 });

	const [undecided, allowed, changed, last, ...others] = watcher.messages().filter(isNotify);
	assert.ok(undecided !== undefined && allowed !== undefined && changed !== undefined && last !== undefined);
	assert.deepEqual(others, []);
	assert.match(headerValues(undecided, "Subscription-State")[0] ?? "", /^pending/);
	assert.doesNotMatch(undecided.body, /open|Alice/);
	assert.match(headerValues(allowed, "Subscription-State")[0] ?? "", /^active/);
	assert.deepEqual(headerValues(allowed, "Content-Type"), ["application/pidf+xml"]);
	assert.deepEqual(summarizePidf(allowed.body), {
		entity: "sip:alice@contoso.example",
		basic: "open",
		activities: [],
		tuples: 1,
		displayName: "Alice of Contoso",
		namespaces: [
			"urn:ietf:params:xml:ns:pidf",
			"urn:ietf:params:xml:ns:pidf:status:rpid-status",
			"urn:ietf:params:xml:ns:pidf:rpid-tuple",
			"urn:ietf:params:xml:ns:pidf:cipid",
		],
	});
	assert.deepEqual(summarizePidf(changed.body).activities, ["busy"]);
	assert.match(headerValues(last, "Subscription-State")[0] ?? "", /^terminated/);
	for (const notify of [undecided, allowed, changed, last]) assert.deepEqual(headerValues(notify, "Record-Route"), []);
	// What SIPp has in its log is octet for octet what our trace says we sent.
	const traced = (await causeway.trace()).filter(
		({ direction, start_line: startLine }) => direction === "out" && startLine.startsWith("NOTIFY "),
	);
	assert.deepEqual(
		[undecided, allowed, changed, last].map(({ body }) => body),
		traced.map(({ text }) => text.slice(text.indexOf("\r\n\r\n") + 4)),
	);

	// Our listening port: the dialog stayed on the connection that Kamailio opened.
	assert.deepEqual(
		kamailio.peerReports(),
		Array(4).fill({
			method: "NOTIFY",
			verified: true,
			commonName: CONTOSO.edge,
			fromDomain: CONTOSO.domain,
			sourcePort: CONTOSO.port,
		}),
	);
});

// Kamailio sends a request for our name on the newest connection it has with us, whatever dialog the request belongs to
// (RFC 5923 alias): once both sides have dialled, dialogs of the older connection move to the newer one.
test("product contract 3: with affinity rebind both edges watch each other's user at once over whichever connection Kamailio picks", async (context) => {
	const lab = createLab(context);
	const { causeway } = await startBothEdges(lab, "rebind");
	const alice = await causeway.createUser("alice@contoso.example", "Alice of Contoso");
	await alice.publish("available");
	const watcher = await startWatcher(lab);
	await watcher.received("the undecided state", isNotify, 1);

	const first = await publish(lab, "publish-away", AWAY, undefined);
	await alice.addContact("lena@fabrikam.example");
	await alice.sees("lena@fabrikam.example", "away");
	await allowLena(alice);
	await watcher.received("the state after the decision", isNotify, 2);
	await alice.publish("busy");
	assert.deepEqual(await watcher.finished(), { successfulCalls: 1, failedCalls: 0 });
	await publish(lab, "publish-closed", "<basic>closed</basic>", first);
	await alice.sees("lena@fabrikam.example", "offline");
});
