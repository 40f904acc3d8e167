/** The servers that the relay benchmarks compare: each between a partner's connections and four inside servers. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Child } from "./child.ts";
import { type BenchServer, startKamailio } from "./kamailio.ts";
import { insideName } from "./relay-text.ts";

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
