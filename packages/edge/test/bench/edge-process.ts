/** A real edge in a process of its own, with the default configuration, one hosted domain and one direct peer. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "@causeway/admin";
import { systemClock, systemRandom } from "@causeway/sip/node";
import type { ReadyMessage } from "../../src/cli/serve.ts";
import type { Issued } from "../../src/pki/authority.ts";
import { Store } from "../../src/store/store.ts";
import type { BenchmarkSettings } from "./benchmark.ts";
import { Child } from "./child.ts";
import { createCredentials } from "./credentials.ts";

export const HOSTED_DOMAIN = "contoso.example";
export const PEER_DOMAIN = "bench.example";
export const PEER_FQDN = "sip.bench.example";
const FQDN = "sip.contoso.example";
const PASSWORD = "bench-password";
const START_LIMIT_MS = 120_000;
const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

export interface BenchEdge {
	readonly pid: number;
	readonly fqdn: string;
	readonly sip: { readonly address: string; readonly port: number };
	/** The peer's certificate, from the authority that the edge trusts. */
	readonly peer: Issued;
	/** Makes users `user1` … with published presence `available`; their addresses. */
	createUsers(count: number): Promise<readonly string[]>;
	/** A token for each of the users that were there from the start. */
	mintTokens(): Promise<readonly { readonly aor: string; readonly token: string }[]>;
	readonly httpUrl: string;
	close(): Promise<void>;
}

/**
 * Makes certificates and configuration in the run's folder and starts the edge; with so many users whom everybody of the partner may watch.
 * They have no password: hashing that of each would take longer than the rounds.
 */
export async function startEdgeProcess(settings: BenchmarkSettings, watched = 0): Promise<BenchEdge> {
	const { folder, profileFolder, cores } = settings;
	const credentials = await createCredentials(folder, FQDN);
	const peer = await credentials.issue(PEER_FQDN);
	const config = join(folder, "causeway.toml");
	await writeFile(config, CONFIGURATION);
	const aors = Array.from({ length: watched }, (_, index) => `user${index + 1}@${HOSTED_DOMAIN}`);
	await addUsers(join(folder, "data"), aors);

	const child = new Child({
		name: "the edge",
		script: MAIN,
		args: ["serve", "--config", config],
		nodeOptions: profileFolder === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileFolder}`],
		core: cores?.server,
		logFile: join(folder, "causeway.log"),
	});
	try {
		const { sip, httpUrl } = await child.next<ReadyMessage>(START_LIMIT_MS);
		const [listener] = sip;
		if (listener === undefined) throw new Error("the edge has no federation listener");
		const token = (await readFile(join(folder, "data", "admin.token"), "utf8")).trim();
		const admin = new Client({ url: httpUrl, token });
		return {
			pid: child.pid,
			fqdn: FQDN,
			sip: listener,
			peer,
			createUsers: (count) => createUsers(admin, count),
			mintTokens: () => mintTokens(admin, aors),
			httpUrl,
			close: () => child.close(),
		};
	} catch (error) {
		await child.close();
		throw error;
	}
}

async function createUsers(admin: Client, count: number): Promise<readonly string[]> {
	const users: string[] = [];
	for (let number = 1; number <= count; number += 1) {
		const aor = `user${number}@${HOSTED_DOMAIN}`;
		await admin.call("putUser", { params: { aor }, body: { password: PASSWORD, display_name: `User ${number}` } });
		const { token } = await admin.withToken("").call("login", { body: { aor, password: PASSWORD } });
		await admin.withToken(token).call("putPresence", { body: { state: "available" } });
		users.push(aor);
	}
	return users;
}

async function addUsers(folder: string, aors: readonly string[]): Promise<void> {
	if (aors.length === 0) return;
	await mkdir(folder, { mode: 0o700 });
	const log = { debug() {}, info() {}, warn() {}, error() {} };
	const store = await Store.open(join(folder, "causeway.sqlite"), {
		clock: systemClock(),
		random: systemRandom(),
		log,
	});
	await Promise.all(aors.map((address) => store.users.add({ address, displayName: "User" })));
	await Promise.all(aors.map((aor) => store.watchers.decide(aor, `@${PEER_DOMAIN}`, "allow")));
	await store.close();
}

async function mintTokens(admin: Client, aors: readonly string[]) {
	const made: { readonly aor: string; readonly token: string }[] = [];
	for (const aor of aors) {
		const { token } = await admin.call("mintToken", { params: { aor }, body: {} });
		made.push({ aor, token });
	}
	return made;
}

const CONFIGURATION = `[edge]
fqdn = "${FQDN}"
listen = ["127.0.0.1:0"]
data_dir = "./data"

[edge.tls]
certificate = "edge.pem"
key = "edge.key"
trust = ["ca.pem"]

[[domain]]
name = "${HOSTED_DOMAIN}"
kind = "hosted"

[[peer]]
kind = "direct"
domains = ["${PEER_DOMAIN}"]
edge = "${PEER_FQDN}:5061"

[http]
listen = "127.0.0.1:0"
admin_token_file = "data/admin.token"
`;
