/** A real edge in a process of its own, with the default configuration, one hosted domain and one direct peer. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "@causeway/admin";
import type { ReadyMessage } from "../../src/cli/serve.ts";
import type { Issued } from "../../src/pki/authority.ts";
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
	/** The same, each with a token of its own, and everybody of `watchers` may watch them. */
	createWatchedUsers(
		count: number,
		watchers: string,
	): Promise<readonly { readonly aor: string; readonly token: string }[]>;
	readonly httpUrl: string;
	close(): Promise<void>;
}

/** Makes certificates and configuration in the run's folder and starts the edge. */
export async function startEdgeProcess({ folder, profileFolder, cores }: BenchmarkSettings): Promise<BenchEdge> {
	const credentials = await createCredentials(folder, FQDN);
	const peer = await credentials.issue(PEER_FQDN);
	const config = join(folder, "causeway.toml");
	await writeFile(config, CONFIGURATION);

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
			createWatchedUsers: (count, watchers) => createWatchedUsers(admin, count, watchers),
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

async function createWatchedUsers(admin: Client, count: number, watchers: string) {
	const made: { readonly aor: string; readonly token: string }[] = [];
	for (let number = 1; number <= count; number += 1) {
		const aor = `user${number}@${HOSTED_DOMAIN}`;
		await admin.call("putUser", { params: { aor }, body: { password: PASSWORD, display_name: "User" } });
		const { token } = await admin.call("mintToken", { params: { aor }, body: {} });
		const user = admin.withToken(token);
		await user.call("putPresence", { body: { state: "available" } });
		await user.call("putRule", { params: { who: `@${watchers}` }, body: { decision: "allow" } });
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
