/** Full mutual TLS handshakes that a partner begins: an edge with its own verifier beside a bare Node server with OpenSSL's. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Benchmark, BenchmarkSettings, Contender, Round, Subject } from "./benchmark.ts";
import { Child } from "./child.ts";
import { createCredentials } from "./credentials.ts";
import { PEER_FQDN, startEdgeProcess } from "./edge-process.ts";
import type { HandshakePlan, HandshakeResult } from "./handshake-generator.ts";
import type { HandshakeServerPlan } from "./handshake-server.ts";
import { cpuBetween, readServerCpu } from "./process-cpu.ts";

const WINDOW = 8;
const WARM_UP_HANDSHAKES = 200;
const ROUND_HANDSHAKES = 1_000;
const START_LIMIT_MS = 120_000;
const ROUND_LIMIT_MS = 600_000;
const BARE_FQDN = "sip.contoso.example";

interface Server {
	readonly pid: number;
	readonly port: number;
	readonly peer: { readonly chain: string; readonly key: string };
	close(): Promise<void>;
}

export const handshake: Benchmark = {
	name: "handshake",
	summary: "full mutual TLS handshake that the partner begins, then its close",
	goal: 1.1,
	contenders: [
		contender("Causeway", "subject", startCauseway),
		contender("bare Node TLS server", "reference", startBareServer),
	],
};

function contender(
	name: string,
	role: Contender["role"],
	start: (settings: BenchmarkSettings) => Promise<Server>,
): Contender {
	return { name, role, open: async (settings) => open(settings, await start(settings)) };
}

async function startCauseway(settings: BenchmarkSettings): Promise<Server> {
	const edge = await startEdgeProcess(settings);
	return { pid: edge.pid, port: edge.sip.port, peer: edge.peer, close: () => edge.close() };
}

async function startBareServer({ folder, cores }: BenchmarkSettings): Promise<Server> {
	const credentials = await createCredentials(folder, BARE_FQDN);
	const peer = await credentials.issue(PEER_FQDN);
	const child = new Child({
		name: "the bare server",
		script: fileURLToPath(new URL("./handshake-server.ts", import.meta.url)),
		core: cores?.server,
		logFile: join(folder, "bare-server.log"),
	});
	const read = (name: string): string => readFileSync(join(folder, name), "utf8");
	const plan: HandshakeServerPlan = {
		certificate: read("edge.pem"),
		key: read("edge.key"),
		authority: read("ca.pem"),
	};
	child.send(plan);
	const { port } = await child.next<{ readonly port: number }>(START_LIMIT_MS);
	return { pid: child.pid, port, peer, close: () => child.close() };
}

async function open(settings: BenchmarkSettings, server: Server): Promise<Subject> {
	const generator = new Child({
		name: "the load generator",
		script: fileURLToPath(new URL("./handshake-generator.ts", import.meta.url)),
		core: settings.cores?.generator,
		logFile: join(settings.folder, "generator.log"),
	});
	const close = async (): Promise<void> => {
		await generator.close();
		await server.close();
	};
	const run = async (handshakes: number): Promise<Round> => {
		const plan: HandshakePlan = {
			kind: "run",
			port: server.port,
			serverName: BARE_FQDN,
			certificate: server.peer.chain,
			key: server.peer.key,
			handshakes,
			window: WINDOW,
		};
		const before = readServerCpu(server.pid);
		generator.send(plan);
		const { cpuMs, ...result } = await generator.next<HandshakeResult>(ROUND_LIMIT_MS);
		return { ...result, server: cpuBetween(before, readServerCpu(server.pid)), generatorMs: cpuMs };
	};
	try {
		const warmUp = await run(WARM_UP_HANDSHAKES);
		if (warmUp.errors > 0) throw new Error(`warm-up: ${warmUp.errors} errors, the first: ${warmUp.firstError}`);
		const handshakes = settings.operations ?? ROUND_HANDSHAKES;
		return {
			setup: `${handshakes} handshakes a round, ${WINDOW} at once, P-256 certificates, TLS 1.3, no resumption`,
			round: () => run(handshakes),
			close,
		};
	} catch (error) {
		await close();
		throw error;
	}
}
