/** Peers found by SRV, and what keeps them to their own domain, over real DNS, TCP and TLS. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { Client } from "@causeway/admin";
import type { SipRequest } from "@causeway/sip";
import { createRootAuthority } from "../../src/pki/authority.ts";
import { DISCOVERY, type PartnerLink, startDiscoveryWorld } from "./discovery-world.ts";
import { formatAnswer, formatRequest } from "./wire-world.ts";

const DAY_MS = 86_400_000;
const FABRIKAM_EDGE = "sip.fabrikam.example";

async function subscribe(link: PartnerLink, from = "lena@fabrikam.example"): Promise<number> {
	link.write(formatRequest({ method: "SUBSCRIBE", from, headers: ["Event: presence", "Expires: 600"] }));
	const answer = await link.next();
	assert.equal(answer.kind, "response");
	return answer.kind === "response" ? answer.statusCode : 0;
}

/** Why a contact is unknown, once that was found out. */
async function contactReason(client: Client, aor: string): Promise<string> {
	const until = Date.now() + 5_000;
	for (;;) {
		const { reason = "", state } = await client.call("getContact", { params: { aor } });
		if (state !== "unknown" || !reason.includes("has not answered yet")) return reason;
		assert.ok(Date.now() < until, `nothing was found out about ${aor}`);
		await setImmediate();
	}
}

test("protocol 1.2, REQ-38: a contact's domain is found by SRV, dialled and verified by the target's name", async (context) => {
	const world = await startDiscoveryWorld(context);
	const partner = await world.partner([FABRIKAM_EDGE]);
	world.publish("fabrikam.example", FABRIKAM_EDGE, partner.port);
	const alice = await world.user();
	await alice.call("putContact", { params: { aor: "lena@fabrikam.example" }, body: {} });
	const link = await partner.accepted();
	const request = await link.next();
	assert.equal(request.kind === "request" && request.method, "SUBSCRIBE");
	link.write(formatAnswer(request as SipRequest, "404 Not Found", { toTag: "n1" }));
});

test("REQ-68: who connects speaks for the domain whose SRV record names its certificate, and for no other", async (context) => {
	const world = await startDiscoveryWorld(context);
	const partner = await world.partner([FABRIKAM_EDGE]);
	const stranger = await world.partner(["sip.stranger.example"]);
	world.publish("fabrikam.example", FABRIKAM_EDGE, partner.port);
	world.publish("outside.example", FABRIKAM_EDGE, partner.port);
	await world.user();
	const link = await partner.connect(world.port);
	// hide_unknown_users = "discovered": a discovered peer is shown a closed document.
	assert.equal(await subscribe(link), 200);
	assert.equal((await link.next()).kind, "request");
	assert.equal(await subscribe(link, "eve@stranger.example"), 403);
	assert.equal(await subscribe(link, "eve@outside.example"), 403, "the target lies outside the domain");
	assert.equal(await subscribe(link, "bob@contoso.example"), 403, "ours");
	const other = await stranger.connect(world.port);
	assert.equal(await subscribe(other), 403, "its certificate does not fit the SRV record");
	assert.ok(world.log.some((line) => line.includes("srv-mismatch")));
});

test("security 1: a discovered edge with another name in its certificate is not told anything", async (context) => {
	const world = await startDiscoveryWorld(context);
	const partner = await world.partner(["sip.stranger.example"]);
	world.publish("fabrikam.example", FABRIKAM_EDGE, partner.port);
	const alice = await world.user();
	await alice.call("putContact", { params: { aor: "lena@fabrikam.example" }, body: {} });
	assert.match(await contactReason(alice, "lena@fabrikam.example"), /^sip\.fabrikam\.example: /);
	assert.ok(world.log.some((line) => line.startsWith("peer not reached") && line.includes("sip.stranger.example")));
});

test("promise 3: without allow_private_addresses no SRV record makes the edge dial inside", async (context) => {
	const world = await startDiscoveryWorld(context, DISCOVERY, false);
	const partner = await world.partner([FABRIKAM_EDGE]);
	world.publish("fabrikam.example", FABRIKAM_EDGE, partner.port);
	const alice = await world.user();
	await alice.call("putContact", { params: { aor: "lena@fabrikam.example" }, body: {} });
	assert.match(await contactReason(alice, "lena@fabrikam.example"), /private network/);
	assert.deepEqual(partner.refused, []);
});

test("REQ-38: an SRV target outside the domain is not dialled", async (context) => {
	const world = await startDiscoveryWorld(context);
	const partner = await world.partner(["sip.stranger.example"]);
	world.publish("fabrikam.example", "sip.stranger.example", partner.port);
	const alice = await world.user();
	await alice.call("putContact", { params: { aor: "lena@fabrikam.example" }, body: {} });
	assert.match(await contactReason(alice, "lena@fabrikam.example"), /outside the domain/);
});

test("REQ-43: of a discovered peer's connections the one too many is closed when it shows its domain", async (context) => {
	const world = await startDiscoveryWorld(
		context,
		`${DISCOVERY}[limits]\nconnections_per_edge = 2\nconnections_per_network = 2\n`,
	);
	const partner = await world.partner([FABRIKAM_EDGE]);
	world.publish("fabrikam.example", FABRIKAM_EDGE, partner.port);
	await world.user();
	const [first, second, third] = [
		await partner.connect(world.port),
		await partner.connect(world.port),
		await partner.connect(world.port),
	];
	assert.equal(await subscribe(first), 200);
	assert.equal(await subscribe(second), 200);
	third.write(formatRequest({ method: "SUBSCRIBE", headers: ["Event: presence", "Expires: 600"] }));
	await third.closed();
});

test("protocol 7.2: a domain that is blocked by a reload loses its subscriptions and its connection", async (context) => {
	const world = await startDiscoveryWorld(context);
	const partner = await world.partner([FABRIKAM_EDGE]);
	world.publish("fabrikam.example", FABRIKAM_EDGE, partner.port);
	await world.user();
	const link = await partner.connect(world.port);
	assert.equal(await subscribe(link), 200);
	const notify = await link.next();
	link.write(formatAnswer(notify as SipRequest, "200 OK"));
	// The answer was taken once the next request is answered.
	link.write(formatRequest({ method: "OPTIONS" }));
	await link.next();
	await world.reload(`${DISCOVERY}[[block]]\ndomain = "fabrikam.example"\n`);
	const last = await link.next();
	assert.match(last.head.text, /Subscription-State: terminated;reason=rejected/);
	await link.closed();
});

test("protocol 1.3: an allowed peer with an authority of its own may connect, and nobody else in its name", async (context) => {
	const spec = { notBefore: new Date(Date.now() - DAY_MS), notAfter: new Date(Date.now() + DAY_MS) };
	const fabrikam = await createRootAuthority({ ...spec, commonName: "Fabrikam authority" });
	const folder = await mkdtemp(join(tmpdir(), "causeway-authority-"));
	context.after(() => rm(folder, { recursive: true, force: true }));
	const file = join(folder, "fabrikam-ca.pem");
	await writeFile(file, fabrikam.certificate);
	const world = await startDiscoveryWorld(
		context,
		`${DISCOVERY}[[peer]]\nkind = "allowed"\ndomains = ["fabrikam.example"]\ntrust = [${JSON.stringify(file)}]\n`,
	);
	const partner = await world.partner([FABRIKAM_EDGE], fabrikam);
	const impostor = await world.partner([FABRIKAM_EDGE]);
	world.publish("fabrikam.example", FABRIKAM_EDGE, partner.port);
	await world.user();
	assert.equal(await subscribe(await partner.connect(world.port)), 200);
	assert.equal(await subscribe(await impostor.connect(world.port)), 403);
});

test("RFC 5626 §3.5.1: many pings at once are answered four times, counted, and the request behind them is served", async (context) => {
	const world = await startDiscoveryWorld(context);
	const partner = await world.partner([FABRIKAM_EDGE]);
	world.publish("fabrikam.example", FABRIKAM_EDGE, partner.port);
	await world.user();
	const link = await partner.connect(world.port);
	link.write("\r\n\r\n".repeat(20));
	assert.equal(await subscribe(link), 200);
	const metrics = await (await fetch(`${world.edge.httpUrl}/metrics`)).text();
	assert.match(metrics, /^causeway_pings_answered 4$/m);
	// The partner of these tests did not ask, and may take our answers for pings of ours and answer those.
	const unanswered = Number(/^causeway_pings_unanswered (\d+)$/m.exec(metrics)?.[1]);
	assert.ok(unanswered === 16 || unanswered === 17, metrics);
});
