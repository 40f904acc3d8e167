// Kamailio 5.6 as presence server over the whole life of a subscription: publication refreshed, replaced and withdrawn, contact
// removed, either side started again.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Causeway, startCauseway } from "./harness/causeway.ts";
import { startDns } from "./harness/dnsmasq.ts";
import { type Kamailio, startKamailio } from "./harness/kamailio.ts";
import { createLab, type Lab } from "./harness/lab.ts";
import { CONTOSO, FABRIKAM } from "./harness/names.ts";
import { enterPrivateNamespace } from "./harness/namespace.ts";
import { createAuthority } from "./harness/pki.ts";
import { headerValues } from "./harness/sip-text.ts";
import { startScenario } from "./harness/sipp.ts";
import { until } from "./harness/until.ts";

enterPrivateNamespace(import.meta.filename);

const ALICE = "alice@contoso.example";
const LENA = "lena@fabrikam.example";
const CONFIGURATION = `[[peer]]
kind = "allowed"
domains = ["${FABRIKAM.domain}"]
affinity = "rebind"

[dns]
allow_private_addresses = true
`;

/** Both edges, each of which can be started again with the certificate and the disk that it had. */
async function createSides(lab: Lab) {
	const authority = createAuthority(lab, "authority");
	await startDns(lab, [CONTOSO, FABRIKAM]);
	const fabrikam = authority.issue("fabrikam", { names: [FABRIKAM.edge] });
	const contoso = authority.issue("contoso", { names: [CONTOSO.edge] });
	const trust = authority.certificate;
	return {
		kamailio: (parameters: Readonly<Record<string, number>> = {}): Promise<Kamailio> =>
			startKamailio(lab, {
				parameters,
				domain: FABRIKAM.domain,
				fqdn: FABRIKAM.edge,
				address: FABRIKAM.address,
				credentials: fabrikam,
				trust,
			}),
		causeway: (): Promise<Causeway> =>
			startCauseway(lab, { home: CONTOSO, credentials: contoso, trust, config: CONFIGURATION }),
	};
}

let lastPublication = 0;

/** Lena's program publishes into Kamailio; gives the tag that the next publication replaces. */
async function publish(
	lab: Lab,
	activity: string,
	replaced: string | undefined,
	expires = 3600,
): Promise<string | undefined> {
	lastPublication += 1;
	const publisher = await startScenario(lab, {
		name: `publish-${lastPublication}`,
		scenario: "publish",
		local: `${FABRIKAM.address}:${15_100 + lastPublication}`,
		remote: `${FABRIKAM.address}:5060`,
		calls: 1,
		service: "lena",
		keys: {
			expires: String(expires),
			status: `<basic>open</basic><ep:activities><ep:activity>${activity}</ep:activity></ep:activities>`,
			condition: replaced === undefined ? "Subject: first" : `SIP-If-Match: ${replaced}`,
		},
	});
	assert.deepEqual(await publisher.finished(), { successfulCalls: 1, failedCalls: 0 });
	const accepted = publisher.messages().find(({ statusCode }) => statusCode === 200);
	return accepted && headerValues(accepted, "SIP-ETag")[0];
}

test("REQ-21, protocol 5.5, 5.6: a contact behind Kamailio is away, on the phone, still so after a refresh, and offline when the publication is withdrawn; a removed contact is unsubscribed there", async (context) => {
	const lab = createLab(context);
	const sides = await createSides(lab);
	const kamailio = await sides.kamailio();
	const causeway = await sides.causeway();
	const alice = await causeway.createUser(ALICE, "Alice of Contoso");
	const away = await publish(lab, "away", undefined);
	await alice.addContact(LENA);
	await alice.sees(LENA, "away");
	const phone = await publish(lab, "on-the-phone", away);
	await alice.sees(LENA, "on-the-phone");
	const refreshed = await publish(lab, "on-the-phone", phone);
	assert.equal((await alice.contact(LENA)).state, "on-the-phone");
	await publish(lab, "on-the-phone", refreshed, 0);
	await alice.sees(LENA, "offline");

	const before = kamailio.peerReports().length;
	await alice.removeContact(LENA);
	await until(() => (kamailio.peerReports().length > before ? "seen" : undefined), {
		what: "Kamailio gets the SUBSCRIBE that ends the subscription",
	});
	assert.equal(kamailio.peerReports().at(-1)?.method, "SUBSCRIBE");
	await until(async () => ((await causeway.subscriptions()).length === 0 ? "none" : undefined), {
		what: "no subscription is left",
	});
});

test("protocol 5.6: a publication that nobody refreshes ends by its time, and our subscription is refreshed before its own", async (context) => {
	const lab = createLab(context);
	const sides = await createSides(lab);
	// Kamailio looks for what has expired every other second, and grants us 20 seconds at a time.
	const kamailio = await sides.kamailio({ "presence.clean_period": 2, "presence.max_expires": 20 });
	const causeway = await sides.causeway();
	const alice = await causeway.createUser(ALICE, "Alice of Contoso");
	// Two programs of Lena's: Kamailio puts what the first says before the second, for as long as it lasts.
	await publish(lab, "away", undefined, 8);
	await publish(lab, "on-the-phone", undefined);
	await alice.addContact(LENA);
	await alice.sees(LENA, "away");
	await alice.sees(LENA, "on-the-phone", 30_000);
	const subscribes = (): number => kamailio.peerReports().filter(({ method }) => method === "SUBSCRIBE").length;
	await until(() => (subscribes() >= 3 ? "three" : undefined), {
		what: "our subscription is refreshed twice",
		deadlineMs: 60_000,
	});
	// In one dialog: Kamailio still tells us what is published now.
	assert.equal((await causeway.subscriptions()).length, 1);
	await publish(lab, "busy", undefined);
	await alice.sees(LENA, "busy");
	const dialogs = (await causeway.trace()).filter(
		({ direction, start_line: startLine }) => direction === "out" && startLine.startsWith("SUBSCRIBE "),
	);
	assert.equal(new Set(dialogs.map(({ text }) => /^Call-ID: (.*)\r$/m.exec(text)?.[1])).size, 1);
});

test("promise 5, protocol 1.6: after a start of either side the contact behind Kamailio is seen again", async (context) => {
	const lab = createLab(context);
	const sides = await createSides(lab);
	const firstKamailio = await sides.kamailio();
	const firstCauseway = await sides.causeway();
	let alice = await firstCauseway.createUser(ALICE, "Alice of Contoso");
	await publish(lab, "away", undefined);
	await alice.addContact(LENA);
	await alice.sees(LENA, "away");

	await firstCauseway.program.close();
	const causeway = await sides.causeway();
	alice = await causeway.logIn(ALICE);
	await alice.sees(LENA, "away");

	await firstKamailio.program.close();
	const lost = await alice.sees(LENA, "unknown");
	assert.match(lost.reason ?? "", /connection/);
	await sides.kamailio();
	await publish(lab, "on-the-phone", undefined);
	// A random pause of up to 30 s, and where that was too soon another of a minute.
	await alice.sees(LENA, "on-the-phone", 150_000);
});
