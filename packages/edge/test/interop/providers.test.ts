/**
 * Hosting providers and public IM networks (protocol sheet 7.1, REQ-40, REQ-41), three at once: SIPp behind stunnel, Kamailio 5.6, and a
 * second Causeway. Each is one edge with one A record and no SRV record, and speaks for several domains.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { EditEffect } from "@causeway/admin";
import { type Causeway, startCauseway, type User } from "./harness/causeway.ts";
import { type FederatedDomain, startDns } from "./harness/dnsmasq.ts";
import { startKamailio } from "./harness/kamailio.ts";
import { createLab, type Lab } from "./harness/lab.ts";
import { CONTOSO } from "./harness/names.ts";
import { enterPrivateNamespace } from "./harness/namespace.ts";
import { createAuthority } from "./harness/pki.ts";
import { headerValues } from "./harness/sip-text.ts";
import { type Scenario, type ScenarioOptions, startScenario } from "./harness/sipp.ts";
import { startTunnel } from "./harness/stunnel.ts";
import { until } from "./harness/until.ts";
import {
	arrived,
	assertOurLevel,
	heldFrom,
	imCalling,
	isNotify,
	isWatchedBy,
	LEVELS,
	people,
	requestFrom,
	sendTexts,
	succeeds,
	textsBetween,
} from "./provider-steps.ts";

enterPrivateNamespace(import.meta.filename);

const ALICE = "alice@contoso.example";
/** The domain that moves from the network of SIPp to the Causeway that hosts. */
const MOVING = "wingtip.example";
/** A domain that Kamailio serves and may not speak for. */
const UNLISTED = "lucerne.example";

/** What a scenario of SIPp plays. */
type Part = Pick<ScenarioOptions, "file" | "keys" | "scenario" | "service">;

interface Provider extends FederatedDomain {
	readonly domains: readonly [string, string];
}

const NETWORK: Provider = {
	domain: "nwtraders.example",
	domains: ["nwtraders.example", "tailspin.example"],
	edge: "edge.network.example",
	address: "127.0.0.3",
	port: 5061,
};
const HOSTER: Provider = {
	domain: "fabrikam.example",
	domains: ["fabrikam.example", "litware.example"],
	edge: "edge.hoster.example",
	address: "127.0.0.2",
	port: 5061,
};
const COHOST: Provider = {
	domain: "adatum.example",
	domains: ["adatum.example", "proseware.example"],
	edge: "edge.cohost.example",
	address: "127.0.0.4",
	port: 5061,
};

// Kamailio sends on the newest connection it has with us, whatever dialog the request belongs to.
const CONFIGURATION = `[[peer]]
kind = "provider"
edge = "${NETWORK.edge}:5061"
domains = [${[...NETWORK.domains, MOVING].map((domain) => `"${domain}"`).join(", ")}]
public = true

[[peer]]
kind = "provider"
edge = "${HOSTER.edge}:5061"
domains = [${HOSTER.domains.map((domain) => `"${domain}"`).join(", ")}]
affinity = "rebind"

[[peer]]
kind = "provider"
edge = "${COHOST.edge}:5061"
domains = [${COHOST.domains.map((domain) => `"${domain}"`).join(", ")}]
`;

test("protocol 7.1, REQ-40, REQ-41: three providers at once, each one edge with several domains and no SRV record", async (context) => {
	const lab = createLab(context);
	const authority = createAuthority(lab, "authority");
	const trust = authority.certificate;
	const certify = ({ edge }: Pick<FederatedDomain, "edge">) => authority.issue(edge, { names: [edge] });
	await startDns(lab, [CONTOSO], { otherEdges: [NETWORK, HOSTER, COHOST] });
	const contoso = await startCauseway(lab, {
		home: CONTOSO,
		credentials: certify(CONTOSO),
		trust,
		config: CONFIGURATION,
	});
	const cohost = await startCauseway(lab, {
		name: "cohost",
		http: "127.0.0.1:8081",
		home: COHOST,
		otherDomains: [COHOST.domains[1], MOVING],
		credentials: certify(COHOST),
		trust,
		config: `[[peer]]\nkind = "direct"\ndomains = ["${CONTOSO.domain}"]\nedge = "${CONTOSO.edge}:5061"\n`,
	});
	await startKamailio(lab, {
		domain: HOSTER.domain,
		otherDomains: [HOSTER.domains[1], UNLISTED],
		fqdn: HOSTER.edge,
		address: HOSTER.address,
		credentials: certify(HOSTER),
		trust,
	});
	const network = certify(NETWORK);
	const tunnel = { credentials: network, trust } as const;
	await startTunnel(lab, {
		...tunnel,
		...{ name: "network-in", role: "server", clientName: CONTOSO.edge },
		...{ accept: `${NETWORK.address}:5061`, connect: `${NETWORK.address}:15090` },
	});
	await startTunnel(lab, {
		...tunnel,
		...{ name: "network-out", role: "client", serverName: CONTOSO.edge },
		...{ accept: `${NETWORK.address}:15071`, connect: `${CONTOSO.address}:5061` },
	});
	const alice = await contoso.createUser(ALICE, "Alice of Contoso");
	await alice.publish("available");

	// What fails ends the test, so that the lab keeps its files.
	const step = async (name: string, run: () => Promise<void>): Promise<void> => {
		let failure: { readonly error: unknown } | undefined;
		await context.test(name, async () => {
			try {
				await run();
			} catch (error) {
				failure = { error };
				throw error;
			}
		});
		if (failure !== undefined) throw failure.error;
	};
	await step("the Causeway that hosts: presence and messages with its users, both ways", () =>
		exchangeWithCohost(contoso, cohost, alice),
	);
	await step("Kamailio: presence and messages with its users, both ways", () => exchangeWithHoster(lab, alice));
	await step("SIPp: presence and messages with its users, both ways", () => exchangeWithNetwork(lab, contoso, alice));
	await step("with a connection of each, none speaks for a domain outside its list", () =>
		refuseOthersDomains(lab, contoso, cohost, alice),
	);
	await step("one domain moves to another provider by a live edit, and what was open with the old one ends", () =>
		moveDomain(lab, contoso, cohost, alice),
	);
});

/** Presence and a text both ways with a user of one domain. */
async function exchangeWithAnna(cohost: Causeway, alice: User, domain: string): Promise<void> {
	const aor = `anna@${domain}`;
	const anna = await cohost.createUser(aor, `Anna of ${domain}`);
	await anna.publish("busy");
	await alice.addContact(aor);
	await anna.addContact(ALICE);
	await requestFrom(anna, ALICE, "verified");
	await anna.decide(ALICE, "allow");
	assert.equal((await alice.sees(aor, "busy")).name, `Anna of ${domain}`);
	await requestFrom(alice, aor, "verified");
	await alice.decide(aor, "allow");
	await anna.sees(ALICE, "available");
	assert.equal((await alice.fate(await alice.send(aor, "to anna"))).fate, "delivered");
	assert.equal((await anna.fate(await anna.send(ALICE, "from anna"))).fate, "delivered");
	assert.deepEqual(await textsBetween(alice, aor), ["out to anna", "in from anna"]);
	assert.deepEqual(await textsBetween(anna, ALICE), ["in to anna", "out from anna"]);
}

async function exchangeWithCohost(contoso: Causeway, cohost: Causeway, alice: User): Promise<void> {
	await Promise.all(COHOST.domains.map((domain) => exchangeWithAnna(cohost, alice, domain)));
	// What the administrator says of a provider goes over what the provider says of its users (REQ-74).
	await putProvider(contoso, COHOST, COHOST.domains, { verification: "always-unverified" });
	for (const domain of COHOST.domains) {
		const aor = `olga@${domain}`;
		const olga = await cohost.createUser(aor, `Olga of ${domain}`);
		await olga.addContact(ALICE);
		await requestFrom(alice, aor, "unverified");
		assert.equal((await olga.fate(await olga.send(ALICE, "from olga"))).fate, "accepted");
		await heldFrom(alice, aor, 1);
	}
	await putProvider(contoso, COHOST, COHOST.domains, { verification: "as-asserted" });
}

async function exchangeWithHoster(lab: Lab, alice: User): Promise<void> {
	const inside = `${HOSTER.address}:5060`;
	for (const [index, domain] of HOSTER.domains.entries()) {
		const run = (name: string, options: Part, port: number) =>
			startScenario(lab, {
				name: `${domain}-${name}`,
				remote: inside,
				local: `${HOSTER.address}:${port}`,
				calls: 1,
				...options,
				keys: {
					domain,
					contact: `${HOSTER.address}:${port};transport=tcp`,
					via: `TCP ${HOSTER.address}:${port}`,
					...options.keys,
				},
			});
		// Presence of theirs.
		const published = await run(
			"publish",
			{
				scenario: "publish",
				service: "lena",
				keys: {
					expires: "3600",
					condition: "Subject: first",
					name: `Lena of ${domain}`,
					status: "<basic>open</basic><ep:activities><ep:activity>away</ep:activity></ep:activities>",
				},
			},
			15_100 + index,
		);
		await succeeds(published);
		await alice.addContact(`lena@${domain}`);
		assert.equal((await alice.sees(`lena@${domain}`, "away")).name, `Lena of ${domain}`);
		// A text of ours.
		const contact = `${HOSTER.address}:${15_110 + index}`;
		const called = await startScenario(lab, {
			name: `${domain}-called`,
			scenario: "im-called",
			local: contact,
			calls: 1,
			keys: { contact: `${contact};transport=tcp`, via: `TCP ${contact}` },
		});
		const registered = await run(
			"register",
			{
				scenario: "register",
				service: "lena",
				keys: { contact: `${contact};transport=tcp` },
			},
			15_120 + index,
		);
		await succeeds(registered);
		await sendTexts(alice, `lena@${domain}`);
		await succeeds(called);
		assertOurLevel(called);
		// Texts of theirs.
		for (const [step, level] of LEVELS.entries()) {
			const caller = `${level}-caller`;
			const calling = await run(
				`calling-${level}`,
				{ ...imCalling(lab, level), keys: { caller, called: ALICE, level } },
				15_130 + 10 * step + index,
			);
			await succeeds(calling);
			await arrived(alice, `${caller}1@${domain}`, level);
		}
	}
	// Watchers of theirs.
	await Promise.all(
		people(HOSTER.domains).map(async ({ domain, level, index }) => {
			const local = `${HOSTER.address}:${15_200 + index}`;
			const watcher = await startScenario(lab, {
				name: `${domain}-watcher-${level}`,
				scenario: "watch-from-edge",
				local,
				remote: inside,
				calls: 1,
				service: `${level}-watcher`,
				keys: { domain, watched: ALICE, level, contact: `${local};transport=tcp`, via: `TCP ${local}` },
			});
			await isWatchedBy(alice, watcher, `${level}-watcher@${domain}`, level);
		}),
	);
}

async function exchangeWithNetwork(lab: Lab, contoso: Causeway, alice: User): Promise<void> {
	const domains = [...NETWORK.domains, MOVING];
	// SIPp plays one part at a time: the connection of one part is gone before the next begins.
	const isAlone = () =>
		until(async () => ((await contoso.connections()).some(({ peer }) => peer === NETWORK.edge) ? undefined : true), {
			what: "no connection with SIPp is left",
		});
	const behind = (name: string, scenario: string) =>
		startScenario(lab, {
			name,
			scenario,
			local: `${NETWORK.address}:15090`,
			calls: domains.length,
			keys: { fqdn: NETWORK.edge },
		});
	const notifying = await behind("network-notifying", "notify-watcher");
	for (const domain of domains) {
		await alice.addContact(`friend@${domain}`);
		await alice.sees(`friend@${domain}`, "offline");
		await alice.removeContact(`friend@${domain}`);
	}
	await succeeds(notifying, domains.length);
	await isAlone();
	const called = await behind("network-called", "im-called");
	for (const domain of domains) await sendTexts(alice, `friend@${domain}`);
	await succeeds(called, domains.length);
	assertOurLevel(called);
	await isAlone();

	for (const { domain, level } of people(domains)) {
		const caller = `${level}-caller`;
		const calling = await fromNetwork(lab, `${domain}-calling-${level}`, {
			...imCalling(lab, level),
			keys: { domain, caller, called: ALICE, level },
		});
		await succeeds(calling);
		await arrived(alice, `${caller}1@${domain}`, level);
	}
	await Promise.all(
		people(domains).map(async ({ domain, level, index }) => {
			const service = `${level}-watcher`;
			const keys = { domain, watched: ALICE, level };
			const part = { scenario: "watch-from-edge", service, keys };
			const watcher = await fromNetwork(lab, `${domain}-watcher-${level}`, part, 15_200 + index);
			await isWatchedBy(alice, watcher, `${service}@${domain}`, level);
		}),
	);
}

async function refuseOthersDomains(lab: Lab, contoso: Causeway, cohost: Causeway, alice: User): Promise<void> {
	for (const [index, domain] of [COHOST.domain, HOSTER.domains[1], CONTOSO.domain, UNLISTED].entries()) {
		const refused = await fromNetwork(lab, `network-refused-${index}`, {
			scenario: "watch-refused",
			service: "mallory",
			keys: { domain, watched: ALICE },
		});
		await succeeds(refused);
	}
	const throughKamailio = await startScenario(lab, {
		name: "hoster-refused",
		scenario: "watch-refused",
		local: `${HOSTER.address}:15300`,
		remote: `${HOSTER.address}:5060`,
		calls: 1,
		service: "mallory",
		keys: {
			domain: UNLISTED,
			watched: ALICE,
			contact: `${HOSTER.address}:15300;transport=tcp`,
			via: `TCP ${HOSTER.address}:15300`,
		},
	});
	await succeeds(throughKamailio);
	const wanda = await cohost.createUser(`wanda@${MOVING}`, "Wanda of Wingtip");
	const { fate, reason } = await wanda.fate(await wanda.send(ALICE, "too early"));
	assert.equal(fate, "failed", reason ?? "");
	const asked = await alice.requests();
	assert.deepEqual(
		asked.filter(({ aor }) => aor.startsWith("mallory@") || aor.startsWith("wanda@")),
		[],
	);
	assert.deepEqual(await alice.messages(`wanda@${MOVING}`), []);
	// The connections of the others stand while this happens.
	const peers = new Set((await contoso.connections()).map(({ peer }) => peer));
	assert.ok(peers.has(HOSTER.edge) && peers.has(COHOST.edge), [...peers].join(" "));
}

async function moveDomain(lab: Lab, contoso: Causeway, cohost: Causeway, alice: User): Promise<void> {
	const watcher = await fromNetwork(lab, "watcher-that-moves", {
		scenario: "watch-from-edge",
		service: "watcher",
		keys: { domain: MOVING, watched: ALICE },
	});
	await watcher.received("the undecided state", isNotify, 1);
	const effect = await putProvider(contoso, COHOST, [...COHOST.domains, MOVING], {});
	assert.deepEqual(
		{ notes: effect.notes, subscriptions: effect.subscriptions },
		{ notes: [`${MOVING} moves here from ${NETWORK.edge}`], subscriptions: 1 },
	);
	const last = await watcher.received("the end of its subscription", isNotify, 2);
	assert.match(headerValues(last, "Subscription-State")[0] ?? "", /^terminated;reason=rejected/);
	await watcher.program.close();

	const refused = await fromNetwork(lab, "network-refused-moved", {
		scenario: "watch-refused",
		service: "watcher",
		keys: { domain: MOVING, watched: ALICE },
	});
	await succeeds(refused);
	const stays = await fromNetwork(lab, "network-goes-on", {
		scenario: "watch-from-edge",
		service: "late-watcher",
		keys: { domain: NETWORK.domain, watched: ALICE },
	});
	await isWatchedBy(alice, stays, `late-watcher@${NETWORK.domain}`, "verified");

	const aor = `wanda@${MOVING}`;
	const wanda = await cohost.logIn(aor);
	await wanda.publish("on-the-phone");
	assert.equal((await wanda.fate(await wanda.send(ALICE, "from wanda"))).fate, "delivered");
	assert.equal((await alice.fate(await alice.send(aor, "to wanda"))).fate, "delivered");
	await alice.addContact(aor);
	await requestFrom(wanda, ALICE, "verified");
	await wanda.decide(ALICE, "allow");
	await alice.sees(aor, "on-the-phone");
}

function fromNetwork(lab: Lab, name: string, { keys, ...options }: Part, port = 15_072): Promise<Scenario> {
	return startScenario(lab, {
		name,
		...options,
		local: `${NETWORK.address}:${port}`,
		remote: `${NETWORK.address}:15071`,
		calls: 1,
		keys: { fqdn: NETWORK.edge, ...keys },
	});
}

async function putProvider(
	contoso: Causeway,
	{ edge }: Provider,
	domains: readonly string[],
	settings: Readonly<Record<string, string>>,
): Promise<EditEffect> {
	const body = { kind: "provider", edge: `${edge}:5061`, domains, ...settings };
	const { effect } = (await contoso.admin("PUT", `/peers/${edge}`, body)) as { effect: EditEffect };
	return effect;
}
