/** A contact's network icon from its document to the user's page: fetched by the edge, shown at a path of ours. */
import assert from "node:assert/strict";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { SipRequest } from "@causeway/sip";
import { createEdgeCertificate } from "../../src/pki/authority.ts";
import { createPng } from "../../src/presence/testing.ts";
import { type PartnerLink, startDiscoveryWorld } from "./discovery-world.ts";
import { until } from "./trust-world.ts";
import { formatAnswer, formatRequest } from "./wire-world.ts";

const CONTACT = { aor: "lena@fabrikam.example" };
const DAY_MS = 86_400_000;

async function nextRequest(link: PartnerLink): Promise<SipRequest> {
	for (;;) {
		const message = await link.next();
		if (message.kind === "request") return message;
	}
}

test("REQ-14 to REQ-18, protocol 5.4: a contact's icon is fetched by the edge, checked, and served from a path of ours with no word of the foreign host", async (context) => {
	const world = await startDiscoveryWorld(context);
	const validity = { notBefore: new Date(Date.now() - DAY_MS), notAfter: new Date(Date.now() + DAY_MS) };
	const issued = await createEdgeCertificate(world.authority, { names: ["icons.fabrikam.example"], ...validity });
	const png = createPng({ extra: [["tEXt", Buffer.from("Comment\0left out")]] });
	const asked: string[] = [];
	const web = createServer({ cert: issued.chain, key: issued.key }, (request, response) => {
		asked.push(request.url ?? "");
		response.writeHead(200, { "content-type": "image/png" }).end(png);
	});
	await new Promise<void>((resolve) => void web.listen(0, "127.0.0.1", resolve));
	context.after(() => web.close());
	const { port } = web.address() as AddressInfo;
	const partner = await world.partner(["sip.fabrikam.example"]);
	world.publish("icons.example", "icons.fabrikam.example", port);
	world.publish("fabrikam.example", "sip.fabrikam.example", partner.port);
	const alice = await world.user();
	await alice.call("putContact", { params: CONTACT, body: {} });
	const link = await partner.accepted();
	const subscribe = await nextRequest(link);
	link.write(formatAnswer(subscribe, "200 OK", { toTag: "l1", headers: ["Expires: 3600"] }));
	const body = `<?xml version="1.0"?><presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:ci="urn:ietf:params:xml:ns:pidf:cipid" entity="sip:lena@fabrikam.example"><tuple id="0"><status><basic>open</basic></status></tuple><ci:icon>https://icons.fabrikam.example:${port}/net16.png</ci:icon></presence>`;
	link.write(
		formatRequest({
			method: "NOTIFY",
			fromTag: "l1",
			to: "alice@contoso.example",
			toTag: subscribe.from.tag ?? "",
			callId: subscribe.callId,
			headers: ["Event: presence", "Subscription-State: active;expires=3600"],
			contentType: "application/pidf+xml",
			body,
		}),
	);
	const contact = await until("the icon", async () => {
		const now = await alice.call("getContact", { params: CONTACT });
		return now.icon === undefined ? undefined : { ...now, icon: now.icon };
	});
	assert.equal(contact.state, "available");
	assert.match(contact.icon, /^\/api\/v1\/icons\/[0-9a-f]{32}$/);
	assert.deepEqual(asked, ["/net16.png"]);

	const shown = await fetch(`${world.edge.httpUrl}${contact.icon}`);
	assert.equal(shown.status, 200);
	assert.equal(shown.headers.get("content-type"), "image/png");
	assert.equal(shown.headers.get("x-content-type-options"), "nosniff");
	const octets = Buffer.from(await shown.arrayBuffer());
	assert.deepEqual(octets, createPng({}));
	assert.equal((await fetch(`${world.edge.httpUrl}/api/v1/icons/${"0".repeat(32)}`)).status, 404);
});
