/** One verdict, said alike by the log, the trace, the metrics and the API. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createEdgeCertificate } from "../../src/pki/authority.ts";
import { createTrustWorld, dialEdge, FABRIKAM_PEER, until } from "./trust-world.ts";
import { formatRequest } from "./wire-world.ts";

test("REQ-46: log, trace, metrics and API say the same of a refused certificate: what was expected, shown, wrong, and who mends it", async (context) => {
	const world = await createTrustWorld(context);
	const wrong = await createEdgeCertificate(world.authority, {
		names: ["sip.northwind.example"],
		notBefore: world.dates.notBefore,
		notAfter: new Date(Date.now() - 60_000),
	});
	const started = await world.start(FABRIKAM_PEER);
	const peer = await dialEdge(context, started.port, wrong);
	peer.write(formatRequest({ method: "OPTIONS" }));
	await peer.closed;
	assert.equal(peer.text, "");

	const { refused } = await started.admin.call("listRefusedConnections");
	const [refusal] = refused;
	assert.ok(refusal?.verdict);
	assert.deepEqual(
		refusal.verdict.faults.map(({ code, whose }) => [code, whose]),
		[
			["expired", "peer"],
			["wrong-name", "peer"],
		],
	);
	assert.deepEqual([refusal.code, refusal.stage, refusal.whose], ["expired", "certificate", "peer"]);
	assert.deepEqual(refusal.verdict.expected, { names: ["sip.fabrikam.example"], purpose: "client" });
	assert.deepEqual(refusal.verdict.shown?.names, ["sip.northwind.example"]);
	assert.equal(refusal.remote_address, `127.0.0.1:${peer.localPort}`);

	const logged = started.log.find(({ event }) => event === "peer refused")?.fields;
	assert.deepEqual(logged?.["verdict"], refusal.lines);
	assert.deepEqual([logged?.["code"], logged?.["whose"], logged?.["remedy"]], ["expired", "peer", refusal.remedy]);

	const { entries } = await started.admin.call("listTrace", { query: {} });
	assert.deepEqual(
		entries.map(({ kind, note, text, direction }) => [kind, note, text, direction]),
		[["refusal", "expired", refusal.lines.join("\n"), "in"]],
	);

	const metrics = await (await fetch(`${started.edge.httpUrl}/metrics`)).text();
	assert.ok(
		metrics.includes('causeway_refused_connections_total{direction="inbound",stage="certificate",code="expired"} 1'),
		metrics,
	);
});

test("a handshake that fails is in the list too, with what would help", async (context) => {
	const world = await createTrustWorld(context);
	const started = await world.start(FABRIKAM_PEER);
	const answer = await fetch(`http://127.0.0.1:${started.port}/`).catch(() => undefined);
	assert.equal(answer, undefined);
	const refusal = await until("the refusal", async () => {
		const { refused } = await started.admin.call("listRefusedConnections");
		return refused[0];
	});
	assert.deepEqual(
		[refusal.direction, refusal.stage, refusal.code, refusal.whose],
		["inbound", "tls", "not-tls", "peer"],
	);
	assert.equal(refusal.verdict, undefined);
	assert.deepEqual(refusal.lines, [
		"connection refused: what arrived is not TLS but an HTTP request (not-tls)",
		"remedy (for the peer): the peer must speak TLS at once on its federation port",
	]);
});
