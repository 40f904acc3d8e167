/** TLS 1.0 and 1.1: only for a peer that the configuration names, only where it dials the legacy listener, and never unseen. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createEdgeCertificate } from "../../src/pki/authority.ts";
import { createTrustWorld, dialEdge, FABRIKAM_PEER, startRawEdge, until } from "./trust-world.ts";
import { formatRequest } from "./wire-world.ts";

const OLD = { minVersion: "TLSv1", maxVersion: "TLSv1" } as const;
const ELEVEN = { minVersion: "TLSv1.1", maxVersion: "TLSv1.1" } as const;
const OPTIONS = formatRequest({ method: "OPTIONS" });

test("product 3: a peer with min_version below 1.2 comes in over the legacy listener, and everything shows it", async (context) => {
	const world = await createTrustWorld(context);
	const partner = await createEdgeCertificate(world.authority, { ...world.dates, names: ["sip.fabrikam.example"] });
	const modern = await createEdgeCertificate(world.authority, { ...world.dates, names: ["sip.northwind.example"] });
	const started = await world.start(
		`${FABRIKAM_PEER}min_version = "1.1"
[[peer]]
kind = "direct"
domains = ["northwind.example"]
edge = "sip.northwind.example:5061"
`,
		{ edge: 'legacy_listen = ["127.0.0.1:0"]' },
	);
	const legacyPort = started.edge.sip[1]?.port ?? 0;
	assert.ok(started.log.some(({ event }) => event === "TLS 1.0 and 1.1 are accepted on the legacy listeners"));
	const { listeners } = await started.admin.call("getStatus");
	assert.ok(listeners.some((text) => text === `127.0.0.1:${legacyPort} (legacy: TLS 1.0 and later)`));

	// The ordinary listener does not speak it.
	assert.equal((await dialEdge(context, started.port, partner, ELEVEN)).isSecured, false);

	const peer = await dialEdge(context, legacyPort, partner, ELEVEN);
	peer.write(OPTIONS);
	await until("the answer over TLS 1.1", () => (peer.text.startsWith("SIP/2.0 200 ") ? true : undefined));
	const { connections } = await started.admin.call("listConnections");
	assert.deepEqual(
		connections.map(({ tls_version, legacy }) => [tls_version, legacy]),
		[["TLSv1.1", true]],
	);
	assert.ok(connections[0]?.verdict?.warnings.some(({ code }) => code === "old-tls"));
	const open = started.log.find(({ event }) => event === "connection open");
	assert.match(JSON.stringify(open?.fields), /TLSv1\.1, which is no longer safe/);

	// Too old even for its own entry, and a peer without such an entry: cut before anything is read.
	const refused = [
		["tls-too-old", partner, OLD],
		["not-for-legacy", modern, {}],
	] as const;
	for (const [code, shown, options] of refused) {
		const other = await dialEdge(context, legacyPort, shown, options);
		other.write(OPTIONS);
		await other.closed;
		assert.equal(other.text, "");
		const { refused: list } = await started.admin.call("listRefusedConnections");
		assert.equal(list[0]?.code, code);
	}
});

test("protocol 1.1: a peer with min_version below 1.2 is dialled with TLS 1.0, another is not", async (context) => {
	const world = await createTrustWorld(context);
	const shown = await createEdgeCertificate(world.authority, { ...world.dates, names: ["sip.fabrikam.example"] });
	const partner = await startRawEdge(context, shown, OLD);
	const peer = `${FABRIKAM_PEER}connect = "127.0.0.1:${partner.port}"\n`;
	const started = await world.start(peer);
	const aor = "alice@contoso.example";
	await started.admin.call("putUser", { params: { aor }, body: { password: "correct horse" } });
	const { token } = await started.admin.call("login", { body: { aor, password: "correct horse" } });
	const alice = started.admin.withToken(token);
	await alice.call("putContact", { params: { aor: "lena@fabrikam.example" }, body: {} });
	const failure = await until("the refusal", async () => {
		const { refused } = await started.admin.call("listRefusedConnections");
		return refused[0];
	});
	assert.deepEqual([failure.direction, failure.stage, failure.code], ["outbound", "tls", "alert-protocol-version"]);
	assert.match(failure.remedy ?? "", /min_version/);
	assert.equal(partner.text, "");

	await started.reload(`${peer}min_version = "1.0"\n`);
	await alice.call("deleteContact", { params: { aor: "lena@fabrikam.example" } });
	await alice.call("putContact", { params: { aor: "lena@fabrikam.example" }, body: {} });
	await until("the request over TLS 1.0", () => (partner.text.startsWith("SUBSCRIBE ") ? true : undefined));
	const { connections } = await started.admin.call("listConnections");
	assert.deepEqual(
		connections.map(({ direction, tls_version, legacy }) => [direction, tls_version, legacy]),
		[["outbound", "TLSv1", true]],
	);
});
