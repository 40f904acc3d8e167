/** Hosting providers and public IM networks (protocol sheet 7.1): one edge each, several domains, no SRV record. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { SipMessage, SipRequest } from "@causeway/sip";
import { type PartnerLink, startDiscoveryWorld } from "./discovery-world.ts";
import { formatAnswer, formatRequest } from "./wire-world.ts";

const PROVIDERS = [
	{ edge: "edge.one.example", domains: ["a1.example", "b1.example"], isPublic: true },
	{ edge: "edge.two.example", domains: ["a2.example", "b2.example"], isPublic: true },
	{ edge: "edge.three.example", domains: ["a3.example", "b3.example"], isPublic: false },
] as const;

/** The next message that satisfies; requests before it are answered. */
async function awaitMessage(link: PartnerLink, isIt: (message: SipMessage) => boolean): Promise<SipMessage> {
	for (;;) {
		const message = await link.next();
		if (message.kind === "request" && message.method !== "ACK") {
			link.write(formatAnswer(message, "200 OK", { toTag: "theirs", headers: ["Expires: 3600"] }));
		}
		if (isIt(message)) return message;
	}
}

function isFinal(message: SipMessage): boolean {
	return message.kind === "response" && message.statusCode >= 200;
}

function isRequest(method: string, to: string): (message: SipMessage) => boolean {
	return (message) =>
		message.kind === "request" && message.method === method && message.head.text.includes(`To: <sip:${to}>`);
}

test("protocol 7.1: three providers at once, each with two domains and no SRV record, both ways, verified and unverified", async (context) => {
	const world = await startDiscoveryWorld(context, "");
	const user = await world.user();
	const links: PartnerLink[] = [];
	for (const { edge, domains, isPublic } of PROVIDERS) {
		const partner = await world.partner([edge]);
		await world.admin.call("putPeer", {
			params: { name: edge },
			body: { kind: "provider", edge, connect: `127.0.0.1:${partner.port}`, domains: [...domains], public: isPublic },
		});
		links.push(await partner.connect(world.port));
	}
	const watch = (from: string, level: string) =>
		formatRequest({
			method: "SUBSCRIBE",
			from,
			headers: [
				"Event: presence",
				"Expires: 3600",
				`Ms-asserted-verification-level: ms-source-verification-level=${level}`,
			],
		});
	const statusOf = async (link: PartnerLink, text: string): Promise<number> => {
		link.write(text);
		const answer = await awaitMessage(link, isFinal);
		return answer.kind === "response" ? answer.statusCode : 0;
	};
	const at = (index: number): PartnerLink => links[index] ?? assert.fail("a link for each provider");

	const expected: string[] = [];
	for (const [index, { domains }] of PROVIDERS.entries()) {
		for (const domain of domains) {
			for (const level of ["verified", "unverified"]) {
				assert.equal(await statusOf(at(index), watch(`${level}@${domain}`, level)), 200);
				await awaitMessage(at(index), (message) => message.kind === "request" && message.method === "NOTIFY");
				expected.push(`${level}@${domain} ${level}`);
			}
			const contact = `friend@${domain}`;
			await user.call("putContact", { params: { aor: contact }, body: {} });
			await awaitMessage(at(index), isRequest("SUBSCRIBE", contact));
			await user.call("submitMessage", { body: { to: contact, text: "hello" } });
			const invite = (await awaitMessage(at(index), isRequest("INVITE", contact))) as SipRequest;
			assert.match(invite.head.text, /^ms-asserted-verification-level: ms-source-verification-level=verified\r$/im);
		}
	}
	const { requests } = await user.call("listRequests");
	assert.deepEqual(requests.map(({ aor, verification }) => `${aor} ${verification}`).sort(), expected.sort());

	// A provider speaks for its own list and for nothing else.
	for (const [index] of PROVIDERS.entries()) {
		const others = PROVIDERS[(index + 1) % PROVIDERS.length]?.domains ?? [];
		for (const domain of [...others, "nobody.example", "contoso.example"]) {
			assert.equal(await statusOf(at(index), watch(`mallory@${domain}`, "verified")), 403, domain);
		}
	}

	// One domain moves while running: what was open with the old provider ends, the new one speaks for it from here on.
	const moved = await world.admin.call("putPeer", {
		params: { name: "edge.two.example" },
		body: {
			kind: "provider",
			edge: "edge.two.example",
			domains: ["a2.example", "b2.example", "b1.example"],
			public: true,
		},
	});
	assert.deepEqual(moved.effect.notes, ["b1.example moves here from edge.one.example"]);
	assert.ok(moved.effect.subscriptions >= 2 && moved.effect.connections === 0);
	const { dialogs } = await world.admin.call("listDialogs");
	const left = dialogs.filter(({ remote, peer }) => remote.endsWith("@b1.example") && peer === "edge.one.example");
	assert.deepEqual(left, []);
	assert.equal(await statusOf(at(0), watch("new@b1.example", "verified")), 403);
	assert.equal(await statusOf(at(1), watch("new@b1.example", "verified")), 200);
	assert.equal(await statusOf(at(0), watch("new@a1.example", "verified")), 200);
});
