/**
 * REQ-91: probes over a real socket for an unknown, a blocked, an undecided and an offline user, in turns, where users are hidden.
 * The times to the 200 of each pair of kinds are compared by rank (Mann-Whitney); prints medians and z, fails where a rank test
 * tells two kinds apart (|z| >= 4, about one false alarm in 16,000 comparisons). `--probes N` of each kind (1000).
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseArgs } from "node:util";
import { formatAnswer, formatRequest, startWireWorld } from "../wire/wire-world.ts";

const { values } = parseArgs({ options: { probes: { type: "string", default: "1000" } }, allowPositionals: true });
const PROBES = Number(values.probes);
const KINDS = ["nobody", "blocker", "undecided", "offline"] as const;
const TOO_SURE = 4;
const LENA = "lena@fabrikam.example";

interface Probe {
	readonly kind: (typeof KINDS)[number];
	readonly ms: number;
}

void test("REQ-91: a rank test cannot tell unknown, blocked, undecided and offline users apart", async (context) => {
	const world = await startWireWorld(context, '[federation]\nhide_unknown_users = "always"\n[trace]\nring = 100\n');
	for (const kind of KINDS.slice(1)) {
		const user = await world.createUser(`${kind}@contoso.example`, kind);
		if (kind !== "offline") await user.client.call("putPresence", { body: { state: "available" } });
		if (kind === "blocker") await user.client.call("putBlock", { params: { aor: LENA } });
		if (kind === "offline") await user.client.call("putRule", { params: { who: LENA }, body: { decision: "allow" } });
	}
	const link = await world.connect();
	const probes: Probe[] = [];
	const probe = async (kind: Probe["kind"], number: number): Promise<void> => {
		const to = `${kind}@contoso.example`;
		const callId = `probe-${kind}-${number}`;
		const headers = ["Event: presence", "Expires: 600"];
		const startedAt = performance.now();
		link.write(formatRequest({ method: "SUBSCRIBE", to, callId, headers }));
		const answer = await link.response();
		const ms = performance.now() - startedAt;
		assert.equal(answer.statusCode, 200);
		link.write(formatAnswer(await link.request(), "200 OK"));
		// The subscription ends, so that the next probe finds everything as this one did.
		link.write(
			formatRequest({
				method: "SUBSCRIBE",
				to,
				callId,
				toTag: answer.to.tag ?? "",
				cseq: 2,
				headers: ["Event: presence", "Expires: 0"],
			}),
		);
		assert.equal((await link.response()).statusCode, 200);
		link.write(formatAnswer(await link.request(), "200 OK"));
		if (number >= 0) probes.push({ kind, ms });
	};
	for (let number = -20; number < PROBES; number += 1) {
		// In another order each time, so that no kind always follows the same one.
		for (let place = 0; place < KINDS.length; place += 1) {
			const kind = KINDS[(place * (number % 2 === 0 ? 1 : 3) + Math.abs(number)) % KINDS.length];
			if (kind !== undefined) await probe(kind, number);
		}
	}
	for (const kind of KINDS) {
		const times = probes.flatMap((one) => (one.kind === kind ? [one.ms] : [])).sort((left, right) => left - right);
		process.stdout.write(
			`${kind.padEnd(10)} ${times.length} probes, median ${times[times.length >> 1]?.toFixed(2)} ms, from ${times[0]?.toFixed(1)} to ${times.at(-1)?.toFixed(1)} ms\n`,
		);
	}
	for (const [index, left] of KINDS.entries()) {
		for (const right of KINDS.slice(index + 1)) {
			const z = rankTest(probes, left, right);
			process.stdout.write(`${left} against ${right}: z = ${z.toFixed(2)}\n`);
			assert.ok(Math.abs(z) < TOO_SURE, `${left} and ${right} can be told apart by time: z = ${z}`);
		}
	}
});

/** Mann-Whitney's U as a standard score: near 0 where both kinds are drawn from one distribution. */
function rankTest(probes: readonly Probe[], left: Probe["kind"], right: Probe["kind"]): number {
	const both = probes.filter(({ kind }) => kind === left || kind === right).sort((one, other) => one.ms - other.ms);
	let ranks = 0;
	let count = 0;
	for (const [place, { kind }] of both.entries()) {
		if (kind !== left) continue;
		ranks += place + 1;
		count += 1;
	}
	const others = both.length - count;
	const u = ranks - (count * (count + 1)) / 2;
	const deviation = Math.sqrt((count * others * (both.length + 1)) / 12);
	return (u - (count * others) / 2) / deviation;
}
