// The peers among themselves, without Causeway: when these fail, the other files say nothing about Causeway.
import assert from "node:assert/strict";
import { test } from "node:test";
import { startDns } from "./harness/dnsmasq.ts";
import { startKamailio } from "./harness/kamailio.ts";
import { createLab } from "./harness/lab.ts";
import { CONTOSO, FABRIKAM, NWTRADERS } from "./harness/names.ts";
import { enterPrivateNamespace } from "./harness/namespace.ts";
import { createAuthority } from "./harness/pki.ts";
import { createOptions, headerValues, summarizePidf } from "./harness/sip-text.ts";
import { startScenario } from "./harness/sipp.ts";
import { startTunnel } from "./harness/stunnel.ts";
import { tryTlsClient } from "./harness/tls-client.ts";

enterPrivateNamespace(import.meta.filename);

const AWAY = "<basic>open</basic><ep:activities><ep:activity>away</ep:activity></ep:activities>";

test("peers: Kamailio notifies a watching edge over the connection that the edge opened, because of its Via alias", async (context) => {
	const lab = createLab(context);
	const authority = createAuthority(lab, "authority");
	const contoso = authority.issue("contoso", { names: [CONTOSO.edge] });
	await startDns(lab, [CONTOSO, FABRIKAM]);
	const kamailio = await startKamailio(lab, {
		domain: FABRIKAM.domain,
		fqdn: FABRIKAM.edge,
		address: FABRIKAM.address,
		credentials: authority.issue("fabrikam", { names: [FABRIKAM.edge] }),
		trust: authority.certificate,
	});
	await startTunnel(lab, {
		name: "contoso-out",
		role: "client",
		accept: "127.0.0.1:15071",
		connect: `${FABRIKAM.address}:5061`,
		credentials: contoso,
		trust: authority.certificate,
		serverName: FABRIKAM.edge,
	});

	const watcher = await startScenario(lab, {
		name: "watcher",
		scenario: "watch-from-edge",
		local: "127.0.0.1:15072",
		remote: "127.0.0.1:15071",
		calls: 1,
		service: "alice",
		keys: { fqdn: CONTOSO.edge, domain: CONTOSO.domain, watched: "lena@fabrikam.example" },
	});
	await watcher.received("the first document", ({ method }) => method === "NOTIFY");
	const publisher = await startScenario(lab, {
		name: "publisher",
		scenario: "publish",
		local: "127.0.0.2:15080",
		remote: "127.0.0.2:5060",
		calls: 1,
		service: "lena",
		keys: { expires: "3600", status: AWAY, condition: "Subject: first" },
	});

	assert.deepEqual(await publisher.finished(), { successfulCalls: 1, failedCalls: 0 });
	assert.deepEqual(await watcher.finished(), { successfulCalls: 1, failedCalls: 0 });
	const notified = watcher.messages().filter(({ method }) => method === "NOTIFY");
	assert.deepEqual(
		notified.map(({ body }) => summarizePidf(body).activities),
		[[], ["away"], ["away"]],
	);
	assert.deepEqual(
		kamailio.peerReports().map(({ method, verified, commonName }) => ({ method, verified, commonName })),
		Array(2).fill({ method: "SUBSCRIBE", verified: true, commonName: CONTOSO.edge }),
	);
});

test("peers: a watcher behind Kamailio is notified by a far edge that Kamailio found by SRV and reached over mutual TLS", async (context) => {
	const lab = createLab(context);
	const authority = createAuthority(lab, "authority");
	await startDns(lab, [CONTOSO, FABRIKAM]);
	const kamailio = await startKamailio(lab, {
		domain: FABRIKAM.domain,
		fqdn: FABRIKAM.edge,
		address: FABRIKAM.address,
		credentials: authority.issue("fabrikam", { names: [FABRIKAM.edge] }),
		trust: authority.certificate,
	});
	const tunnel = await startTunnel(lab, {
		name: "contoso-in",
		role: "server",
		accept: `${CONTOSO.address}:5061`,
		connect: "127.0.0.1:15090",
		credentials: authority.issue("contoso", { names: [CONTOSO.edge] }),
		trust: authority.certificate,
		clientName: FABRIKAM.edge,
	});
	const notifier = await startScenario(lab, {
		name: "notifier",
		scenario: "notify-watcher",
		local: "127.0.0.1:15090",
		calls: 1,
		keys: { fqdn: CONTOSO.edge },
	});
	const watcher = await startScenario(lab, {
		name: "watcher",
		scenario: "watch-behind-kamailio",
		local: "127.0.0.2:15082",
		remote: "127.0.0.2:5060",
		calls: 1,
		service: "lena",
		keys: { watched: "alice@contoso.example" },
	});

	assert.deepEqual(await watcher.finished(), { successfulCalls: 1, failedCalls: 0 });
	assert.deepEqual(await notifier.finished(), { successfulCalls: 1, failedCalls: 0 });
	assert.deepEqual(
		watcher
			.messages()
			.flatMap((message) => (message.method === "NOTIFY" ? headerValues(message, "Subscription-State") : [])),
		["pending;expires=3600", "active;expires=3600", "active;expires=3600", "terminated;reason=timeout"],
	);
	assert.deepEqual(
		kamailio.peerReports(),
		Array(4).fill({
			method: "NOTIFY",
			verified: true,
			commonName: CONTOSO.edge,
			fromDomain: CONTOSO.domain,
			// The far edge's listening port: the NOTIFYs came on the connection that Kamailio opened.
			sourcePort: CONTOSO.port,
		}),
	);
	assert.equal(tunnel.lines.filter((line) => line.includes("accepted connection from")).length, 1);
});

test("peers: SIPp holds 20 message sessions with SIPp through two TLS tunnels on one connection", async (context) => {
	const lab = createLab(context);
	const authority = createAuthority(lab, "authority");
	await startTunnel(lab, {
		name: "contoso-in",
		role: "server",
		accept: `${CONTOSO.address}:5061`,
		connect: "127.0.0.1:15090",
		credentials: authority.issue("contoso", { names: [CONTOSO.edge] }),
		trust: authority.certificate,
		clientName: NWTRADERS.edge,
	});
	await startTunnel(lab, {
		name: "nwtraders-out",
		role: "client",
		accept: "127.0.0.3:15071",
		connect: `${CONTOSO.address}:5061`,
		credentials: authority.issue("nwtraders", { names: [NWTRADERS.edge] }),
		trust: authority.certificate,
		serverName: CONTOSO.edge,
	});
	const called = await startScenario(lab, {
		name: "called",
		scenario: "im-called-until-bye",
		local: "127.0.0.1:15090",
		calls: 20,
		keys: { fqdn: CONTOSO.edge },
	});
	const calling = await startScenario(lab, {
		name: "calling",
		scenario: "im-calling",
		local: "127.0.0.3:15072",
		remote: "127.0.0.3:15071",
		calls: 20,
		keys: { fqdn: NWTRADERS.edge, domain: NWTRADERS.domain, called: "alice@contoso.example" },
	});

	assert.deepEqual(await calling.finished(), { successfulCalls: 20, failedCalls: 0 });
	assert.deepEqual(await called.finished(), { successfulCalls: 20, failedCalls: 0 });
	const texts = called.messages().flatMap(({ method, body }) => (method === "MESSAGE" ? [body] : []));
	assert.equal(texts.length, 60);
	assert.ok(texts.includes("Second of trader7: Grüße ☎"));
});

test("peers: Kamailio cuts a client with no certificate or a wrong one, and answers one with the right certificate", async (context) => {
	const lab = createLab(context);
	const authority = createAuthority(lab, "authority");
	const stranger = createAuthority(lab, "stranger");
	const names = [CONTOSO.edge];
	await startDns(lab, [CONTOSO, FABRIKAM]);
	await startKamailio(lab, {
		domain: FABRIKAM.domain,
		fqdn: FABRIKAM.edge,
		address: FABRIKAM.address,
		credentials: authority.issue("fabrikam", { names: [FABRIKAM.edge] }),
		trust: authority.certificate,
	});
	const request = createOptions({ from: CONTOSO, to: FABRIKAM });

	for (const credentials of [
		undefined,
		stranger.issue("contoso", { names }),
		authority.issue("expired", { names, fromDay: -9, toDay: -1 }),
		authority.issue("early", { names, fromDay: 2 }),
	]) {
		assert.equal(await tryTlsClient({ to: FABRIKAM, credentials, request }), "");
	}
	const credentials = authority.issue("contoso", { names });
	const answer = await tryTlsClient({ to: FABRIKAM, credentials, request, until: "\r\n\r\n" });
	assert.match(answer, /^SIP\/2\.0 200 /);
});
