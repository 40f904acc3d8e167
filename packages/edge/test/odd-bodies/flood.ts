/** Thousands of odd bodies from one partner to a real edge, and what came of each: promises 4, 6 and 7 of the product contract. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Client } from "@causeway/admin";
import { createTurnFlusher, TlsDialler } from "@causeway/sip/node";
import type { ReadyMessage } from "../../src/cli/serve.ts";
import { createEdgeCertificate, createRootAuthority } from "../../src/pki/authority.ts";
import { Child } from "../bench/child.ts";
import { FloodLink, FloodSession, type Outcome } from "./flood-link.ts";
import { type Answered, judgeFlood, type Stored } from "./judge-flood.ts";
import { oddBody } from "./odd-bodies.ts";
import type { QuietCommand, QuietNote, QuietReport } from "./quiet-peer.ts";

export interface FloodPlan {
	readonly seed: number;
	readonly bodies: number;
	/** How long the other partner writes before the flood begins. */
	readonly quietMs: number;
}

export interface FloodReport {
	readonly bodies: number;
	readonly octets: number;
	readonly elapsedMs: number;
	/** Status → how many. */
	readonly statuses: Readonly<Record<string, number>>;
	readonly texts: number;
	readonly before: QuietReport;
	readonly during: QuietReport;
	/** Resident memory of the edge in MiB: before the flood, and the most at any time. */
	readonly memoryMiB: { readonly before: number; readonly most: number };
	/** What broke a promise, in words; empty where nothing did. */
	readonly broken: readonly string[];
}

const EDGE = "sip.contoso.example";
const FLOODER = { fqdn: "sip.fabrikam.example", domain: "fabrikam.example" };
const QUIET = { fqdn: "sip.adatum.example", domain: "adatum.example" };
const ALICE = "alice@contoso.example";
const BOB = "bob@contoso.example";
const CONNECTIONS = 4;
const SESSIONS = 40;
/** Of so many bodies one is over the limit that ends a connection. */
const EVERY_TOO_LARGE = 250;
const TOO_LARGE = new Uint8Array(262_145);
const LIMIT_MS = 60_000;
const DAY_MS = 86_400_000;
const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const QUIET_PEER = fileURLToPath(new URL("./quiet-peer.ts", import.meta.url));

export async function runFlood(plan: FloodPlan): Promise<FloodReport> {
	const folder = mkdtempSync(join(tmpdir(), "causeway-flood-"));
	const children: Child[] = [];
	const links: FloodLink[] = [];
	try {
		return await flood(plan, folder, children, links);
	} finally {
		for (const link of links) link.destroy();
		for (const child of children.reverse()) await child.close();
		rmSync(folder, { recursive: true, force: true });
	}
}

async function flood(plan: FloodPlan, folder: string, children: Child[], links: FloodLink[]): Promise<FloodReport> {
	const { issue, trust } = await createAuthority(folder);
	writeFileSync(join(folder, "causeway.toml"), configuration(trust));
	const start = (name: string, script: string, args: readonly string[] = []): Child => {
		const child = new Child({ name, script, args, core: undefined, logFile: join(folder, `${name}.log`) });
		children.push(child);
		return child;
	};
	const edge = start("edge", MAIN, ["serve", "--config", join(folder, "causeway.toml")]);
	const { sip, httpUrl } = await edge.next<ReadyMessage>(LIMIT_MS);
	const port = sip[0]?.port ?? 0;
	const admin = new Client({ url: httpUrl, token: readFileSync(join(folder, "admin.token"), "utf8").trim() });
	const alice = await createUser(admin, ALICE);
	await createUser(admin, BOB);

	const quiet = start("quiet-peer", QUIET_PEER);
	const ask = async <Note extends QuietNote>(command: QuietCommand): Promise<Note> => {
		quiet.send(command);
		return await quiet.next<Note>(LIMIT_MS);
	};
	const quietIssued = await issue(QUIET.fqdn);
	const credentials = { certificate: quietIssued.chain, key: quietIssued.key };
	await ask({ kind: "open", port, serverName: EDGE, callee: BOB, ...credentials, ...QUIET });

	const flooder = await issue(FLOODER.fqdn);
	const dialler = new TlsDialler({
		credentials: { certificate: flooder.chain, key: flooder.key },
		flusher: createTurnFlusher(),
	});
	const dial = async (): Promise<FloodLink> => {
		const outcome = await dialler.dial({ address: "127.0.0.1", port, serverName: EDGE });
		if (!outcome.ok) throw new Error(`not connected: ${outcome.failure.reason}`);
		const link = new FloodLink(outcome.stream);
		links.push(link);
		return link;
	};
	const own = await Promise.all(Array.from({ length: CONNECTIONS }, dial));
	const sessions = await Promise.all(
		Array.from({ length: SESSIONS }, async (_, index) => {
			const link = own[index % own.length];
			if (link === undefined) throw new Error("each session has a connection");
			const session = new FloodSession(link, parties(`odd${index}`));
			const answer = await session.call();
			if (typeof answer === "string" || answer.statusCode !== 200) throw new Error(`a good call was not taken`);
			return session;
		}),
	);

	await ask({ kind: "begin" });
	await delay(plan.quietMs);
	const before = await ask<QuietReport>({ kind: "end" });
	const memoryBefore = residentMiB(edge.pid, "VmRSS");
	await ask({ kind: "begin" });
	const startedAt = performance.now();
	const answered: Answered[] = [];
	let next = 0;
	let tooLarge = 0;
	await Promise.all(
		sessions.map(async (session) => {
			while (next < plan.bodies) {
				const number = next;
				next += 1;
				if (number % EVERY_TOO_LARGE === EVERY_TOO_LARGE - 1) {
					const link = await dial();
					const end = await new FloodSession(link, parties("large")).call(["Content-Type: text/plain"], TOO_LARGE);
					answered.push({
						body: { ...oddBody(plan.seed, number), kind: "too large", statuses: [513], stored: "nothing" },
						outcome: end,
					});
					tooLarge += 1;
					await link.closed();
				} else {
					const body = oddBody(plan.seed, number);
					answered.push({ body, outcome: await deliver(session, body) });
				}
			}
		}),
	);
	const elapsedMs = performance.now() - startedAt;
	const during = await ask<QuietReport>({ kind: "end" });
	const stored = (await Promise.all(sessions.map(({ from }) => readTexts(alice, from)))).flat();
	const health = await fetch(new URL("/healthz", httpUrl));
	const broken = judgeFlood(answered, stored);
	if (health.status !== 200) broken.push(`/healthz says ${health.status}`);
	for (const report of [before, during]) {
		if (report.errors > 0)
			broken.push(`the other partner had ${report.errors} errors, the first: ${report.firstError}`);
	}
	for (const link of own) {
		if (!link.isOpen) broken.push("a connection was closed on the way");
		if (link.requests.length > 0) broken.push(`the edge sent ${link.requests.join()} to the flooding partner`);
	}
	const statuses: Record<string, number> = {};
	for (const { outcome } of answered) {
		const status = typeof outcome === "string" ? outcome : String(outcome.statusCode);
		statuses[status] = (statuses[status] ?? 0) + 1;
	}
	return {
		bodies: answered.length,
		octets: answered.reduce((sum, { body }) => sum + body.body.length, 0) + tooLarge * TOO_LARGE.length,
		elapsedMs,
		statuses,
		texts: stored.length,
		before,
		during,
		memoryMiB: { before: memoryBefore, most: residentMiB(edge.pid, "VmHWM") },
		broken,
	};
}

function parties(name: string) {
	return { fqdn: FLOODER.fqdn, from: `${name}@${FLOODER.domain}`, to: ALICE };
}

async function deliver(
	session: FloodSession,
	{ method, headers, body, number }: ReturnType<typeof oddBody>,
): Promise<Outcome> {
	if (method !== "INVITE") return await session.send(method, headers, body);
	const call = new FloodSession(session.link, parties(`caller${number}`));
	const outcome = await call.call([...headers], body);
	if (typeof outcome !== "string" && outcome.statusCode === 200) await call.hangUp();
	return outcome;
}

async function createAuthority(folder: string) {
	const now = Date.now();
	const validity = { notBefore: new Date(now - DAY_MS), notAfter: new Date(now + DAY_MS) };
	const authority = await createRootAuthority({ commonName: "Flood test authority", ...validity });
	const issue = (name: string) => createEdgeCertificate(authority, { names: [name], ...validity });
	const own = await issue(EDGE);
	writeFileSync(join(folder, "edge.pem"), own.chain);
	writeFileSync(join(folder, "edge.key"), own.key, { mode: 0o600 });
	writeFileSync(join(folder, "ca.pem"), authority.certificate);
	return { issue, trust: "ca.pem" };
}

async function createUser(admin: Client, aor: string): Promise<Client> {
	await admin.call("putUser", { params: { aor }, body: { password: "correct horse" } });
	const { token } = await admin.call("mintToken", { params: { aor }, body: {} });
	const user = admin.withToken(token);
	await user.call("putPresence", { body: { state: "available" } });
	return user;
}

async function readTexts(user: Client, other: string): Promise<readonly Stored[]> {
	const texts: Stored[] = [];
	for (let after: string | undefined; ; ) {
		const query = { with: other, limit: 100, ...(after === undefined ? {} : { after }) };
		const { messages, next } = await user.call("listMessages", { query });
		texts.push(...messages.map(({ text }) => ({ from: other, text })));
		if (next === undefined) return texts;
		after = next;
	}
}

/** A line of `/proc/PID/status`, in kB there (Linux, proc(5)). */
function residentMiB(pid: number, name: "VmRSS" | "VmHWM"): number {
	const line = new RegExp(`^${name}:\\s*(\\d+) kB`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"));
	return Number(line?.[1] ?? Number.NaN) / 1024;
}

function configuration(trust: string): string {
	const peer = ({ fqdn, domain }: typeof FLOODER): string =>
		`[[peer]]\nkind = "direct"\ndomains = ["${domain}"]\nedge = "${fqdn}:5061"\n`;
	return `[edge]
fqdn = "${EDGE}"
listen = ["127.0.0.1:0"]
[edge.tls]
trust = ["${trust}"]
[[domain]]
name = "contoso.example"
kind = "hosted"
${peer(FLOODER)}${peer(QUIET)}[http]
listen = "127.0.0.1:0"
`;
}
