// baresip, registered behind Kamailio, watches our user: what a person would see there.
import assert from "node:assert/strict";
import { test } from "node:test";
import { startBaresip } from "./harness/baresip.ts";
import { startCauseway } from "./harness/causeway.ts";
import { startDns } from "./harness/dnsmasq.ts";
import { startKamailio } from "./harness/kamailio.ts";
import { createLab } from "./harness/lab.ts";
import { CONTOSO, FABRIKAM } from "./harness/names.ts";
import { enterPrivateNamespace } from "./harness/namespace.ts";
import { createAuthority } from "./harness/pki.ts";
import { until } from "./harness/until.ts";

enterPrivateNamespace(import.meta.filename);

const ALICE = "alice@contoso.example";
const LENA = "lena@fabrikam.example";

test("REQ-10, protocol 5.5: baresip behind Kamailio shows our user as open, and as closed, when the user is", async (context) => {
	const lab = createLab(context);
	const authority = createAuthority(lab, "authority");
	await startDns(lab, [CONTOSO, FABRIKAM]);
	await startKamailio(lab, {
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
		config: `[[peer]]\nkind = "allowed"\ndomains = ["${FABRIKAM.domain}"]\n[dns]\nallow_private_addresses = true\n`,
	});
	const alice = await causeway.createUser(ALICE, "Alice of Contoso");
	await alice.publish("available");
	const baresip = await startBaresip(lab, {
		aor: LENA,
		server: `${FABRIKAM.address}:5060`,
		local: `${FABRIKAM.address}:15086`,
		watched: ALICE,
	});
	const shown = (state: string): Promise<string> =>
		until(async () => ((await baresip.shows()) === state ? state : undefined), {
			what: `baresip shows ${state}`,
			deadlineMs: 30_000,
		});
	await until(async () => (await alice.requests()).find(({ aor }) => aor === LENA), {
		what: "alice is asked about lena",
	});
	// Not decided: closed.
	await shown("Offline");
	await alice.decide(LENA, "allow");
	await shown("Online");
	await alice.publish("offline");
	await shown("Offline");
	await alice.publish("away");
	await shown("Online");
	assert.equal((await causeway.subscriptions()).length, 1);
});
