/**
 * Product contract 7: memory of 20,000 open message sessions on a real edge, 4 connections of mutual TLS, every session of a
 * partner's user of its own and with one message exchanged: dialog, session, conversation, tables and timers. Prints bytes of heap
 * for each; fails only where they are not all there. `--count N`.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Client } from "@causeway/admin";
import { systemClock, systemRandom } from "@causeway/sip/node";
import { loadConfig } from "../../src/config/load.ts";
import { startEdge } from "../../src/edge.ts";
import { Child } from "../bench/child.ts";
import { createCredentials } from "../bench/credentials.ts";
import type { GeneratorFailed, GeneratorPlan, GeneratorRequest, Opened, RunResult } from "../bench/im-generator.ts";

const { values } = parseArgs({ options: { count: { type: "string", default: "20000" } }, allowPositionals: true });
const COUNT = Number(values.count);
/** Sessions that are there before: tables have grown, code is compiled. */
const BEFORE = 1_000;
const CONNECTIONS = 4;
const USERS = 10;
const FQDN = "sip.contoso.example";
const PARTNERS = ["first", "second"].map((name) => ({ domain: `${name}.example`, fqdn: `sip.${name}.example` }));
const LIMIT_MS = 600_000;
/** RFC 6026: the INVITE transactions are over by then. */
const TRANSACTIONS_END_MS = 40_000;
const GENERATOR = fileURLToPath(new URL("../bench/im-generator.ts", import.meta.url));

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const folder = mkdtempSync(join(tmpdir(), "causeway-held-"));
const credentials = await createCredentials(folder, FQDN);
const peers = PARTNERS.map(
	({ domain, fqdn }) => `[[peer]]\nkind = "direct"\ndomains = ["${domain}"]\nedge = "${fqdn}:5061"\n`,
);
// The trace keeps what it keeps whether sessions are open or not.
const file = join(folder, "causeway.toml");
writeFileSync(
	file,
	`[edge]
fqdn = "${FQDN}"
listen = ["127.0.0.1:0"]
[edge.tls]
trust = ["ca.pem"]
[[domain]]
name = "contoso.example"
kind = "hosted"
${peers.join("")}[http]
listen = "127.0.0.1:0"
[trace]
ring = 10
`,
);
const loaded = loadConfig(file, (path) => readFileSync(path, "utf8"));
assert.ok(loaded.ok, JSON.stringify(loaded));
const log = { debug() {}, info() {}, warn() {}, error() {} };
const edge = await startEdge(loaded.config, { clock: systemClock(), random: systemRandom(), log, version: "0.0.0" });
const admin = new Client({ url: edge.httpUrl, token: readFileSync(join(folder, "admin.token"), "utf8").trim() });
const callees: string[] = [];
for (let number = 1; number <= USERS; number += 1) {
	const aor = `user${number}@contoso.example`;
	await admin.call("putUser", { params: { aor }, body: { password: "correct horse" } });
	const { token } = await admin.call("mintToken", { params: { aor }, body: {} });
	await admin.withToken(token).call("putPresence", { body: { state: "available" } });
	callees.push(aor);
}

const generators: Child[] = [];

/** Opens that many sessions of a partner and writes one message in each. */
async function open({ domain, fqdn }: (typeof PARTNERS)[number], count: number): Promise<void> {
	const { chain, key } = await credentials.issue(fqdn);
	const generator = new Child({
		name: domain,
		script: GENERATOR,
		core: undefined,
		logFile: join(folder, `${domain}.log`),
	});
	generators.push(generator);
	const ask = async <Answer extends Opened | RunResult>(request: GeneratorRequest): Promise<Answer> => {
		generator.send(request);
		const answer = await generator.next<Answer | GeneratorFailed>(LIMIT_MS);
		if (answer.kind === "failed") throw new Error(answer.reason);
		return answer;
	};
	const plan: GeneratorPlan = {
		kind: "open",
		...(edge.sip[0] ?? { address: "", port: 0 }),
		serverName: FQDN,
		certificate: chain,
		key,
		domain,
		fqdn,
		callees,
		connections: CONNECTIONS,
		dialogsPerConnection: count / CONNECTIONS,
		window: 64,
		text: "Could you look at the figures for the northern region before the call at four?",
	};
	await ask<Opened>(plan);
	const { errors, firstError } = await ask<RunResult>({ kind: "run", messages: count, rate: undefined });
	assert.equal(errors, 0, firstError ?? "");
}

async function heldBytes(): Promise<number> {
	await delay(TRANSACTIONS_END_MS);
	collect();
	const { heapUsed, external } = process.memoryUsage();
	return heapUsed + external;
}

try {
	await open(PARTNERS[0] ?? assert.fail(), BEFORE);
	const before = await heldBytes();
	await open(PARTNERS[1] ?? assert.fail(), COUNT);
	const after = await heldBytes();
	const { dialogs } = await admin.call("getStatus");
	assert.equal(dialogs, BEFORE + COUNT, "not every session is open");
	process.stdout.write(`open sessions: ${COUNT}, ${((after - before) / COUNT).toFixed(0)} bytes each (goal: 1000)\n`);
} finally {
	for (const generator of generators) await generator.close();
	await edge.close();
	rmSync(folder, { recursive: true, force: true });
}
