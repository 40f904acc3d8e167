/**
 * A relay domain: Kamailio 5.6 is the inside server (registrar, presence, its own mutual TLS listener), SIPp its users' programs. In front
 * of it stands Causeway, and a second Causeway with hosted users is the partner.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Causeway, startCauseway, type User } from "./harness/causeway.ts";
import { startDns } from "./harness/dnsmasq.ts";
import { type Kamailio, startKamailio } from "./harness/kamailio.ts";
import { createLab, type Lab } from "./harness/lab.ts";
import { CONTOSO, NWTRADERS as PARTNER } from "./harness/names.ts";
import { enterPrivateNamespace } from "./harness/namespace.ts";
import { createAuthority } from "./harness/pki.ts";
import { headerValues } from "./harness/sip-text.ts";
import { type Scenario, type ScenarioOptions, startScenario } from "./harness/sipp.ts";
import { arrived, imCalling, isNotify, isWatchedBy, sendTexts, succeeds, textsBetween } from "./provider-steps.ts";

enterPrivateNamespace(import.meta.filename);

const INSIDE = { domain: "corp.contoso.example", edge: "home.corp.contoso.example", address: "127.0.0.2" } as const;
const INES = `ines@${INSIDE.domain}`;
const BOB = `bob@${PARTNER.domain}`;
const AWAY = "<basic>open</basic><ep:activities><ep:activity>away</ep:activity></ep:activities>";

// Kamailio sends on the newest connection it has with us, whatever dialog the request belongs to.
const FRONT = `[[domain]]
name = "${INSIDE.domain}"
kind = "relay"
inside = "${INSIDE.edge}:5061"

[[peer]]
kind = "direct"
domains = ["${PARTNER.domain}"]
edge = "${PARTNER.edge}:5061"
affinity = "rebind"
`;
const BEHIND = `[[peer]]
kind = "direct"
domains = ["${INSIDE.domain}", "${CONTOSO.domain}"]
edge = "${CONTOSO.edge}:5061"
`;

interface Organisations {
	readonly lab: Lab;
	readonly front: Causeway;
	readonly partner: Causeway;
	readonly kamailio: Kamailio;
	readonly bob: User;
}

async function startOrganisations(lab: Lab): Promise<Organisations> {
	const authority = createAuthority(lab, "authority");
	const trust = authority.certificate;
	const certify = ({ edge }: { readonly edge: string }) => authority.issue(edge, { names: [edge] });
	await startDns(lab, [], { otherEdges: [CONTOSO, PARTNER, INSIDE] });
	const kamailio = await startKamailio(lab, {
		domain: INSIDE.domain,
		fqdn: INSIDE.edge,
		address: INSIDE.address,
		credentials: certify(INSIDE),
		trust,
		behind: CONTOSO,
	});
	const front = await startCauseway(lab, { home: CONTOSO, credentials: certify(CONTOSO), trust, config: FRONT });
	const partner = await startCauseway(lab, {
		name: "partner",
		http: "127.0.0.1:8081",
		home: PARTNER,
		credentials: certify(PARTNER),
		trust,
		config: BEHIND,
	});
	const bob = await partner.createUser(BOB, "Bob of Northwind");
	await bob.publish("available");
	return { lab, front, partner, kamailio, bob };
}

/** A program of a user behind Kamailio. */
function runInside(
	lab: Lab,
	name: string,
	port: number,
	options: Omit<ScenarioOptions, "name" | "local" | "calls">,
): Promise<Scenario> {
	const local = `${INSIDE.address}:${port}`;
	return startScenario(lab, {
		name,
		local,
		calls: 1,
		...options,
		keys: {
			domain: INSIDE.domain,
			contact: `${local};transport=tcp`,
			via: `TCP ${local}`,
			...options.keys,
		},
	});
}

const REGISTRAR = `${INSIDE.address}:5060`;

async function publish(lab: Lab, name: string, port: number, status: string): Promise<void> {
	const keys = { expires: "3600", condition: "Subject: first", name: "Ines of Corp", status };
	await succeeds(await runInside(lab, name, port, { scenario: "publish", remote: REGISTRAR, service: "ines", keys }));
}

test("presence and message sessions go through the relay both ways: users behind Kamailio, and those of another Causeway", async (context) => {
	const { lab, front, kamailio, bob } = await startOrganisations(createLab(context));

	// Presence of the inside, watched from outside.
	await publish(lab, "publish-away", 15_080, AWAY);
	await bob.addContact(INES);
	assert.equal((await bob.sees(INES, "away")).name, "Ines of Corp");

	// Presence of the partner, watched from inside.
	const watcher = await runInside(lab, "watcher", 15_082, {
		scenario: "watch-from-edge",
		remote: REGISTRAR,
		service: "olga",
		keys: { watched: BOB, level: "verified" },
	});
	await isWatchedBy(bob, watcher, `olga@${INSIDE.domain}`, "verified");
	for (const notify of watcher.messages().filter(isNotify)) assert.deepEqual(headerValues(notify, "Record-Route"), []);

	// A session from outside; the program behind Kamailio ends it.
	const contact = `${INSIDE.address}:15084`;
	const called = await runInside(lab, "called", 15_084, { scenario: "im-called" });
	const registered = await runInside(lab, "register", 15_086, {
		scenario: "register",
		remote: REGISTRAR,
		service: "ines",
		keys: { contact: `${contact};transport=tcp` },
	});
	await succeeds(registered);
	await sendTexts(bob, INES);
	await succeeds(called);

	// A session from inside.
	const calling = await runInside(lab, "calling", 15_088, {
		...imCalling(lab, "verified"),
		remote: REGISTRAR,
		keys: { caller: "ivo", called: BOB, level: "verified" },
	});
	await succeeds(calling);
	await arrived(bob, `ivo1@${INSIDE.domain}`, "verified");
	assert.deepEqual(await textsBetween(bob, INES), ["out one", "out two", "out three"]);

	// REQ-50: whatever Causeway put into what reached the inside says TLS.
	const [invite] = called.messages().filter(({ method }) => method === "INVITE");
	assert.ok(invite !== undefined);
	const ours = headerValues(invite, "Record-Route").filter((value) => value.includes(CONTOSO.edge));
	assert.equal(ours.length, 2);
	for (const value of ours) assert.match(value, /^<sip:sip\.contoso\.example:5061;transport=tls;lr;fs=[\w.-]+>$/);
	assert.equal(
		headerValues(invite, "Via").filter((value) => value.startsWith("SIP/2.0/TLS sip.contoso.example:5061;")).length,
		1,
	);
	// Kamailio saw one peer, our edge, whomever it spoke for, and nothing was refused on the way.
	assert.deepEqual([...new Set(kamailio.peerReports().map(({ commonName }) => commonName))], [CONTOSO.edge]);
	assert.deepEqual(
		new Set(kamailio.peerReports().map(({ method }) => method)),
		new Set(["SUBSCRIBE", "NOTIFY", "INVITE", "ACK", "MESSAGE"]),
	);
	assert.deepEqual(
		front.log().filter(({ event }) => event === "request refused"),
		[],
	);
});
