/** REQ-44 to REQ-47 over real TLS: each certificate in both roles, its verdict in words, and no SIP with a peer that is refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createRevocationList } from "../../src/pki/authority.ts";
import { createCertificateTable, type Row } from "./certificate-table.ts";
import { createTrustWorld, dialEdge, FABRIKAM_PEER, startRawEdge, until } from "./trust-world.ts";
import { formatRequest } from "./wire-world.ts";

const DAY_MS = 86_400_000;
const ACCEPTED = "certificate accepted";

test("REQ-44 to REQ-47, security 1: bad and odd certificates, accepted and dialled", async (context) => {
	const world = await createTrustWorld(context);
	const { authority: root, dates } = world;
	const groups = await createCertificateTable({
		root,
		dates,
		write: (name, text) => world.write(name, text),
		revocationList: (revoked) =>
			createRevocationList(root, {
				revoked,
				thisUpdate: new Date(Date.now() - DAY_MS),
				nextUpdate: new Date(Date.now() + DAY_MS),
			}),
	});
	const partner = await startRawEdge(context, world.own);
	const peer = `${FABRIKAM_PEER}connect = "127.0.0.1:${partner.port}"\n`;
	const started = await world.start(peer);
	const aor = "alice@contoso.example";
	await started.admin.call("putUser", { params: { aor }, body: { password: "correct horse" } });
	const { token } = await started.admin.call("login", { body: { aor, password: "correct horse" } });
	const alice = started.admin.withToken(token);

	const messagesInTrace = async (): Promise<number> => {
		const { entries } = await started.admin.call("listTrace", { query: { limit: 1000 } });
		return entries.filter(({ kind }) => kind !== "refusal").length;
	};
	const noConnections = () =>
		until("the end of every connection", async () => {
			const { connections } = await started.admin.call("listConnections");
			return connections.length === 0 ? true : undefined;
		});
	const lastRefusal = async () => {
		const { refused } = await started.admin.call("listRefusedConnections");
		return refused[0];
	};

	async function accept({ shown, accept: expected }: Row): Promise<void> {
		const before = await messagesInTrace();
		const dialled = await dialEdge(context, started.port, shown);
		dialled.write(formatRequest({ method: "OPTIONS" }));
		if (expected === ACCEPTED) {
			await until("an answer", () => (dialled.text.startsWith("SIP/2.0 200 ") ? true : undefined));
			dialled.destroy();
		} else {
			await dialled.closed;
			assert.equal(dialled.text, "", "not an octet of SIP");
			const refusal = await until("the refusal", async () => {
				const last = await lastRefusal();
				return last?.remote_address === `127.0.0.1:${dialled.localPort}` ? last : undefined;
			});
			assert.equal(refusal.lines[0], expected, refusal.lines.join("\n"));
			assert.deepEqual([refusal.direction, refusal.verdict?.expected.purpose], ["inbound", "client"]);
			assert.equal(await messagesInTrace(), before, "nothing was read");
		}
		await noConnections();
	}

	let contacts = 0;
	async function dial({ shown, dial: expected }: Row): Promise<void> {
		assert.ok(shown);
		partner.show(shown);
		partner.reset();
		contacts += 1;
		const contact = `lena${contacts}@fabrikam.example`;
		const before = (await lastRefusal())?.at;
		const { dialled } = partner;
		await alice.call("putContact", { params: { aor: contact }, body: {} });
		if (expected === ACCEPTED) {
			await until("the SUBSCRIBE", () => (partner.text.includes(`SUBSCRIBE sip:${contact}`) ? true : undefined));
		} else {
			const refusal = await until("the refusal", async () => {
				const last = await lastRefusal();
				return last !== undefined && last.at !== before && last.direction === "outbound" ? last : undefined;
			});
			assert.equal(refusal.lines[0], expected, refusal.lines.join("\n"));
			assert.deepEqual([refusal.stage, refusal.verdict?.expected.purpose], ["certificate", "server"]);
			await until("the peer's end of it", () => (partner.ended === partner.dialled ? true : undefined));
			assert.ok(partner.dialled > dialled);
			assert.equal(partner.text, "", "not an octet of SIP");
		}
		await alice.call("deleteContact", { params: { aor: contact } });
		partner.reset();
		await noConnections();
	}

	let refusals = 0;
	for (const group of groups) {
		await started.reload(peer + group.peer, { tls: group.tls });
		for (const row of group.rows) {
			if (row.accept !== undefined) await context.test(`we accept: ${row.what}`, () => accept(row));
			if (row.dial !== undefined) await context.test(`we dial: ${row.what}`, () => dial(row));
			refusals += [row.accept, row.dial].filter((text) => text !== undefined && text !== ACCEPTED).length;
		}
	}
	const rows = groups.flatMap((group) => group.rows);
	assert.ok(rows.length >= 60 && refusals >= 80, `${rows.length} certificates, ${refusals} refusals`);
});
