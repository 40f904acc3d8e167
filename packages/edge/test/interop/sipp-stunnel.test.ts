// Message sessions both ways with SIPp behind stunnel as the edge of nwtraders.example.
import assert from "node:assert/strict";
import { test } from "node:test";
import { startCauseway } from "./harness/causeway.ts";
import { createLab } from "./harness/lab.ts";
import { CONTOSO, NWTRADERS } from "./harness/names.ts";
import { enterPrivateNamespace } from "./harness/namespace.ts";
import { createAuthority } from "./harness/pki.ts";
import { headerValues } from "./harness/sip-text.ts";
import { startScenario } from "./harness/sipp.ts";
import { startTunnel } from "./harness/stunnel.ts";

enterPrivateNamespace(import.meta.filename);

const CALLS = 20;
const TRADERS = Array.from({ length: CALLS }, (_, index) => `trader${index + 1}@${NWTRADERS.domain}`);

const PEER = `[[peer]]
kind = "direct"
domains = ["${NWTRADERS.domain}"]
edge = "${NWTRADERS.edge}:${NWTRADERS.port}"
connect = "${NWTRADERS.address}:${NWTRADERS.port}"
`;

test("REQ-24, REQ-28: 20 message sessions from SIPp on one connection bring 60 texts to our user, in order", async (context) => {
	const lab = createLab(context);
	const authority = createAuthority(lab, "authority");
	const causeway = await startCauseway(lab, {
		home: CONTOSO,
		credentials: authority.issue("contoso", { names: [CONTOSO.edge] }),
		trust: authority.certificate,
		config: PEER,
	});
	const alice = await causeway.createUser("alice@contoso.example", "Alice of Contoso");
	await alice.publish("available");
	await startTunnel(lab, {
		name: "nwtraders-out",
		role: "client",
		accept: `${NWTRADERS.address}:15071`,
		connect: `${CONTOSO.address}:${CONTOSO.port}`,
		credentials: authority.issue("nwtraders", { names: [NWTRADERS.edge] }),
		trust: authority.certificate,
		serverName: CONTOSO.edge,
	});

	const calling = await startScenario(lab, {
		name: "calling",
		scenario: "im-calling",
		local: `${NWTRADERS.address}:15072`,
		remote: `${NWTRADERS.address}:15071`,
		calls: CALLS,
		keys: { fqdn: NWTRADERS.edge, domain: NWTRADERS.domain, called: "alice@contoso.example" },
	});
	assert.deepEqual(await calling.finished(), { successfulCalls: CALLS, failedCalls: 0 });

	for (const trader of TRADERS) {
		const user = trader.split("@")[0];
		assert.deepEqual(
			(await alice.messages(trader)).map(({ direction, fate, text }) => ({ direction, fate, text })),
			["First", "Second", "Third"].map((word) => ({
				direction: "in",
				fate: "received",
				text: `${word} of ${user}: Grüße ☎`,
			})),
		);
	}
});

test("REQ-25, REQ-28: our user's texts reach 20 people behind SIPp in sessions of their own and are known as delivered", async (context) => {
	const lab = createLab(context);
	const authority = createAuthority(lab, "authority");
	const causeway = await startCauseway(lab, {
		home: CONTOSO,
		credentials: authority.issue("contoso", { names: [CONTOSO.edge] }),
		trust: authority.certificate,
		config: PEER,
	});
	const alice = await causeway.createUser("alice@contoso.example", "Alice of Contoso");
	await startTunnel(lab, {
		name: "nwtraders-in",
		role: "server",
		accept: `${NWTRADERS.address}:${NWTRADERS.port}`,
		connect: `${NWTRADERS.address}:15090`,
		credentials: authority.issue("nwtraders", { names: [NWTRADERS.edge] }),
		trust: authority.certificate,
		clientName: CONTOSO.edge,
	});
	const called = await startScenario(lab, {
		name: "called",
		scenario: "im-called",
		local: `${NWTRADERS.address}:15090`,
		calls: CALLS,
		keys: { fqdn: NWTRADERS.edge },
	});

	const texts = ["First", "Second: Grüße ☎", "Third"];
	const ids: string[] = [];
	for (const trader of TRADERS) {
		for (const text of texts) ids.push(await alice.send(trader, `${text} for ${trader}`));
	}
	for (const id of ids) assert.equal((await alice.fate(id)).fate, "delivered");
	assert.deepEqual(await called.finished(), { successfulCalls: CALLS, failedCalls: 0 });

	const received = called.messages().filter(({ direction }) => direction === "received");
	for (const trader of TRADERS) {
		const bodies = received.flatMap(({ method, body }) =>
			method === "MESSAGE" && body.endsWith(trader) ? [body] : [],
		);
		assert.deepEqual(
			bodies,
			texts.map((text) => `${text} for ${trader}`),
		);
	}
	const invites = received.filter(({ method }) => method === "INVITE");
	assert.equal(invites.length, CALLS);
	for (const invite of invites) {
		assert.match(headerValues(invite, "Via")[0] ?? "", /^SIP\/2\.0\/TLS sip\.contoso\.example/);
		assert.match(headerValues(invite, "From")[0] ?? "", /<sip:alice@contoso\.example>;tag=/);
		assert.match(headerValues(invite, "Contact")[0] ?? "", /;transport=tls/);
		assert.deepEqual(headerValues(invite, "Record-Route"), []);
	}
});
