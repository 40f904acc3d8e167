/** The servers that the relay benchmarks compare: each between a partner's connections and four inside servers. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ReadyMessage } from "../../src/cli/serve.ts";
import { Child } from "./child.ts";
import { type BenchServer, startKamailio } from "./kamailio.ts";
import { insideDomain, insideName, PARTNER_DOMAIN, PARTNER_FQDN } from "./relay-text.ts";

/** Name of every server under test. */
export const RELAY_FQDN = "sip.contoso.example";

export interface RelayServerPlan {
	/** Scratch folder with `edge.pem`, `edge.key` and `ca.pem`. */
	readonly folder: string;
	readonly core: number | undefined;
	readonly profileFolder: string | undefined;
	/** Ports of the inside servers on 127.0.0.1, one for each relayed domain. */
	readonly insidePorts: readonly number[];
}

export type StartRelayServer = (plan: RelayServerPlan) => Promise<BenchServer>;

/** `switches`: `STATELESS`, `WITH_DIALOG`. */
export function kamailioRelay(...switches: readonly string[]): StartRelayServer {
	return ({ folder, core, insidePorts }) =>
		startKamailio({
			script: "relay",
			switches: ["TCPW=1", ...switches],
			values: {
				FQDN: RELAY_FQDN,
				...Object.fromEntries(insidePorts.map((port, index) => [`NEXT${index + 1}`, String(port)])),
			},
			folder,
			core,
		});
}

export const byteCopier: StartRelayServer = async ({ folder, core, insidePorts }) => {
	const child = new Child({
		name: "the byte copier",
		script: fileURLToPath(new URL("./byte-copier.ts", import.meta.url)),
		core,
		logFile: join(folder, "byte-copier.log"),
	});
	child.send({
		credentials: {
			certificate: readFileSync(join(folder, "edge.pem"), "utf8"),
			key: readFileSync(join(folder, "edge.key"), "utf8"),
		},
		targets: insidePorts.map((port, index) => ({ port, name: insideName(index) })),
	});
	const { port } = await child.next<{ readonly port: number }>(20_000);
	return { pid: child.pid, address: "127.0.0.1", port, close: () => child.close() };
};

/** `causeway serve` in its default configuration: trace, signing and domain checks on. */
export const causewayRelay: StartRelayServer = async ({ folder, core, profileFolder, insidePorts }) => {
	const domains = insidePorts.map(
		(port, index) => `[[domain]]
name = "${insideDomain(index)}"
kind = "relay"
inside = "${insideName(index)}:5061"
connect = "127.0.0.1:${port}"
`,
	);
	const config = join(folder, "causeway.toml");
	writeFileSync(
		config,
		`[edge]
fqdn = "${RELAY_FQDN}"
listen = ["127.0.0.1:0"]
data_dir = "./data"

[edge.tls]
certificate = "edge.pem"
key = "edge.key"
trust = ["ca.pem"]

${domains.join("\n")}
[[peer]]
kind = "direct"
domains = ["${PARTNER_DOMAIN}"]
edge = "${PARTNER_FQDN}:5061"

[http]
listen = "127.0.0.1:0"
admin_token_file = "data/admin.token"
`,
	);
	const child = new Child({
		name: "the edge",
		script: fileURLToPath(new URL("../../src/main.ts", import.meta.url)),
		args: ["serve", "--config", config],
		nodeOptions: profileFolder === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileFolder}`],
		core,
		logFile: join(folder, "causeway.log"),
	});
	try {
		const { sip } = await child.next<ReadyMessage>(20_000);
		const [listener] = sip;
		if (listener === undefined) throw new Error("the edge has no federation listener");
		return { pid: child.pid, address: listener.address, port: listener.port, close: () => child.close() };
	} catch (error) {
		await child.close();
		throw error;
	}
};
