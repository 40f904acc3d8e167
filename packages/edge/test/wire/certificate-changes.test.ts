/** Certificates, keys, trust and revocation lists that change while the edge runs: what is taken, what is refused, what is cut. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { connect } from "node:tls";
import type { Clock } from "@causeway/sip";
import { systemClock } from "@causeway/sip/node";
import { parseCertificate } from "../../src/federation/certificate/certificate.ts";
import { createEdgeCertificate, createIntermediateAuthority, createRevocationList } from "../../src/pki/authority.ts";
import { createTrustWorld, dialEdge, FABRIKAM_PEER, type StartedEdge, type TrustWorld, until } from "./trust-world.ts";
import { formatRequest } from "./wire-world.ts";

const DAY_MS = 86_400_000;

/** Timers run twenty times faster, and the calendar can be set: nothing is awaited for longer than it takes. */
function fastClock(): Clock & { jump(ms: number): void } {
	const clock = systemClock();
	let offsetMs = 0;
	return {
		now: () => clock.now() * 20,
		wall: () => clock.wall() + offsetMs,
		setTimer: (delayMs, run) => clock.setTimer(delayMs / 20, run),
		jump(ms) {
			offsetMs += ms;
		},
	};
}

/** The fingerprint of the certificate that the edge shows to a new connection. */
function shownBy(context: TestContext, port: number): Promise<string> {
	return new Promise((resolve, reject) => {
		const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false });
		context.after(() => socket.destroy());
		socket.on("error", reject);
		socket.once("secureConnect", () => {
			resolve(socket.getPeerX509Certificate()?.fingerprint256 ?? "");
			socket.destroy();
		});
	});
}

async function openLink(context: TestContext, started: StartedEdge, world: TrustWorld) {
	const shown = await createEdgeCertificate(world.authority, { ...world.dates, names: ["sip.fabrikam.example"] });
	const peer = await dialEdge(context, started.port, shown);
	await askOptions(peer);
	return { peer, shown };
}

let asked = 0;

async function askOptions(peer: Awaited<ReturnType<typeof dialEdge>>): Promise<void> {
	asked += 1;
	const callId = `options${asked}@fabrikam.example`;
	peer.write(formatRequest({ method: "OPTIONS", callId }));
	await until("the answer", () => (peer.text.includes(callId) ? true : undefined));
}

/** As an administrator's tool does it: written beside, then renamed into place. */
async function replaceFile(world: TrustWorld, name: string, text: string): Promise<void> {
	await writeFile(join(world.folder, `${name}.new`), text);
	await rename(join(world.folder, `${name}.new`), join(world.folder, name));
}

test("REQ-46: a certificate and key that were replaced on disk are shown to new connections; open ones drain and go on", async (context) => {
	const world = await createTrustWorld(context);
	const started = await world.start(FABRIKAM_PEER, { env: { clock: fastClock() } });
	const { peer } = await openLink(context, started, world);
	const before = await shownBy(context, started.port);
	const renewed = await createEdgeCertificate(world.authority, { ...world.dates, names: ["sip.contoso.example"] });
	await replaceFile(world, "edge.key", renewed.key);
	await replaceFile(world, "edge.pem", renewed.chain);
	const after = await until("the new certificate", async () => {
		const now = await shownBy(context, started.port);
		return now === before ? undefined : now;
	});
	assert.equal(after, parseCertificate(renewed.der)?.fingerprint);
	const { connections } = await started.admin.call("listConnections");
	assert.ok(connections.length === 0 || connections.every(({ state }) => state === "closing"));
	// No dialog holds it: it is closed in good order, and a new one is taken.
	await peer.closed;
	await until("the reason", () => started.log.find(({ fields }) => fields["reason"] === "the connection was replaced"));
	await openLink(context, started, world);
});

const brokenRenewals = [
	["a key of another certificate", "the key does not belong to the certificate"],
	["a certificate that has expired", "expired on"],
	["a certificate without our name", "does not carry sip.contoso.example (edge.fqdn)"],
	["a certificate that cannot be read", "not a readable PEM certificate"],
	["trust that cannot be read", "it holds no certificate"],
	["a revocation list that cannot be read", "it holds no revocation list"],
] as const;

for (const [what, reason] of brokenRenewals) {
	test(`a renewal with ${what} is refused and said; the old one stays, and open connections with it`, async (context) => {
		const world = await createTrustWorld(context);
		await world.write("ca.crl", await createRevocationList(world.authority, { revoked: [], ...validity() }));
		const started = await world.start(FABRIKAM_PEER, { tls: 'crl = ["ca.crl"]', env: { clock: fastClock() } });
		const { peer } = await openLink(context, started, world);
		const before = await shownBy(context, started.port);
		await breakFiles(world, what);
		const line = await until("the refusal", () =>
			started.log.find(({ event }) => event === "certificates not reloaded; the old ones stay in use"),
		);
		assert.ok(String(line.fields["reason"]).includes(reason), JSON.stringify(line.fields));
		assert.equal(await shownBy(context, started.port), before);
		await askOptions(peer);
		await assert.rejects(started.reload(FABRIKAM_PEER, { tls: 'crl = ["ca.crl"]' }), new RegExp(literally(reason)));
		await askOptions(peer);
	});
}

async function breakFiles(world: TrustWorld, what: (typeof brokenRenewals)[number][0]): Promise<void> {
	const names = ["sip.contoso.example"];
	switch (what) {
		case "a key of another certificate":
			return replaceFile(
				world,
				"edge.key",
				(await createEdgeCertificate(world.authority, { ...world.dates, names })).key,
			);
		case "a certificate that has expired":
		case "a certificate without our name": {
			const isExpired = what === "a certificate that has expired";
			const spec = isExpired
				? { names, notBefore: world.dates.notBefore, notAfter: new Date(Date.now() - 60_000) }
				: { ...world.dates, names: ["sip.northwind.example"] };
			const issued = await createEdgeCertificate(world.authority, spec);
			await replaceFile(world, "edge.key", issued.key);
			return replaceFile(world, "edge.pem", issued.chain);
		}
		case "a certificate that cannot be read":
			return replaceFile(world, "edge.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
		case "trust that cannot be read":
			return replaceFile(world, "ca.pem", "nothing");
		case "a revocation list that cannot be read":
			return replaceFile(world, "ca.crl", "nothing");
	}
}

function literally(text: string): string {
	return text.replaceAll(/[.()]/g, "\\$&");
}

function validity() {
	return { thisUpdate: new Date(Date.now() - DAY_MS), nextUpdate: new Date(Date.now() + DAY_MS) };
}

test("REQ-90: a certificate that appears on its issuer's revocation list loses its open connection, and is explained", async (context) => {
	const world = await createTrustWorld(context);
	await world.write("ca.crl", await createRevocationList(world.authority, { revoked: [], ...validity() }));
	const started = await world.start(FABRIKAM_PEER, { tls: 'crl = ["ca.crl"]', env: { clock: fastClock() } });
	const { peer, shown } = await openLink(context, started, world);
	const { peer: innocent } = await openLink(context, started, world);
	await replaceFile(
		world,
		"ca.crl",
		await createRevocationList(world.authority, { revoked: [shown.der], ...validity() }),
	);
	await peer.closed;
	const { refused } = await started.admin.call("listRefusedConnections");
	assert.deepEqual(
		refused.map(({ code, was_open, whose }) => [code, was_open, whose]),
		[["revoked", true, "peer"]],
	);
	assert.ok(started.log.some(({ event, fields }) => event === "peer cut off" && fields["code"] === "revoked"));
	// Another certificate of the same authority goes on, and the revoked one does not come in again.
	await askOptions(innocent);
	const again = await dialEdge(context, started.port, shown);
	await again.closed;
	assert.equal(again.text, "");
});

test("REQ-90: an intermediate authority on its root's list takes its certificates with it", async (context) => {
	const world = await createTrustWorld(context);
	const issuing = await createIntermediateAuthority(world.authority, { ...world.dates, commonName: "Issuing" });
	await world.write("ca.crl", await createRevocationList(world.authority, { revoked: [], ...validity() }));
	const started = await world.start(FABRIKAM_PEER, { tls: 'crl = ["ca.crl"]', env: { clock: fastClock() } });
	const shown = await createEdgeCertificate(issuing, { ...world.dates, names: ["sip.fabrikam.example"] });
	const peer = await dialEdge(context, started.port, shown);
	await askOptions(peer);
	const list = await createRevocationList(world.authority, { revoked: [issuing.der], ...validity() });
	await replaceFile(world, "ca.crl", list);
	await peer.closed;
	const { refused } = await started.admin.call("listRefusedConnections");
	assert.match(refused[0]?.reason ?? "", /the intermediate authority "CN=Issuing" was revoked/);
});

test("REQ-90: a connection ends with the peer's certificate, whatever time the calendar jumps to", async (context) => {
	const world = await createTrustWorld(context);
	const clock = fastClock();
	const started = await world.start(FABRIKAM_PEER, { env: { clock } });
	const { peer } = await openLink(context, started, world);
	clock.jump(31 * DAY_MS);
	await peer.closed;
	await until("the reason", () =>
		started.log.find(({ fields }) => fields["reason"] === "the peer's certificate has expired"),
	);
});

test("REQ-90: an authority that the administrator removes from the trust file loses its open connections", async (context) => {
	const world = await createTrustWorld(context);
	const started = await world.start(FABRIKAM_PEER, { env: { clock: fastClock() } });
	const { peer } = await openLink(context, started, world);
	const other = await createTrustWorld(context);
	await replaceFile(world, "ca.pem", readFileSync(join(other.folder, "ca.pem"), "utf8"));
	await peer.closed;
	const { refused } = await started.admin.call("listRefusedConnections");
	assert.deepEqual([refused[0]?.code, refused[0]?.was_open], ["bad-signature", true]);
});

test("the API takes a new certificate on demand and shows what is in use; one that cannot be used changes nothing and is explained", async (context) => {
	const world = await createTrustWorld(context);
	const started = await world.start(FABRIKAM_PEER);
	const inUse = await started.admin.call("getCertificates");
	assert.deepEqual(inUse.names, ["sip.contoso.example"]);
	const wrong = await createEdgeCertificate(world.authority, { ...world.dates, names: ["www.contoso.example"] });
	await replaceFile(world, "edge.key", wrong.key);
	await replaceFile(world, "edge.pem", wrong.chain);
	await assert.rejects(started.admin.call("reloadCertificates"), ({ code, message }) => {
		assert.equal(code, "certificate-unusable");
		assert.match(message, /edge\.pem: the certificate does not carry sip\.contoso\.example/);
		return true;
	});
	assert.deepEqual(await started.admin.call("getCertificates"), inUse);
	const renewed = await createEdgeCertificate(world.authority, { ...world.dates, names: ["sip.contoso.example"] });
	await replaceFile(world, "edge.key", renewed.key);
	await replaceFile(world, "edge.pem", renewed.chain);
	const taken = await started.admin.call("reloadCertificates");
	assert.equal(taken.chain[0]?.fingerprint_sha256, parseCertificate(renewed.der)?.fingerprint);
	assert.equal(await shownBy(context, started.port), taken.chain[0]?.fingerprint_sha256);
	assert.deepEqual(await started.admin.call("getCertificates"), taken);
});
