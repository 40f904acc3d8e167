/** A partner's users watch ours: new subscriptions, and changes told to ten watchers; each against Kamailio in memory. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Benchmark, BenchmarkSettings, Contender, Round, Subject } from "./benchmark.ts";
import { Child } from "./child.ts";
import { createCredentials } from "./credentials.ts";
import { HOSTED_DOMAIN, PEER_FQDN, startEdgeProcess } from "./edge-process.ts";
import { startKamailio } from "./kamailio.ts";
import type { PresenceAnswer, PresencePlan, PresenceRequest, PresenceRound } from "./presence-generator.ts";
import { cpuBetween, readServerCpu } from "./process-cpu.ts";

const CONNECTIONS = 4;
const FQDN = "sip.contoso.example";
const WATCHERS = 10;
const OPEN_LIMIT_MS = 120_000;
const ROUND_LIMIT_MS = 900_000;
const GENERATOR = fileURLToPath(new URL("./presence-generator.ts", import.meta.url));

interface Work {
	readonly flow: "subscribe" | "change";
	readonly presentities: number;
	readonly window: number;
	readonly operations: number;
	readonly warmUp: number;
}

/** A presence server with people to watch. */
interface Server {
	readonly pid: number;
	readonly plan: Pick<PresencePlan, "address" | "port" | "certificate" | "key" | "presentities" | "httpUrl">;
	close(): Promise<void>;
}

type StartServer = (settings: BenchmarkSettings, presentities: number) => Promise<Server>;

const startCauseway: StartServer = async (settings, presentities) => {
	const edge = await startEdgeProcess(settings, presentities);
	try {
		const users = await edge.mintTokens();
		const { chain, key } = edge.peer;
		return {
			pid: edge.pid,
			plan: { ...edge.sip, certificate: chain, key, presentities: users, httpUrl: edge.httpUrl },
			close: () => edge.close(),
		};
	} catch (error) {
		await edge.close();
		throw error;
	}
};

const startKamailioPresence: StartServer = async ({ folder, cores }, presentities) => {
	const credentials = await createCredentials(folder, FQDN);
	const { chain, key } = await credentials.issue(PEER_FQDN);
	const server = await startKamailio({
		script: "presence",
		switches: ["TCPW=1"],
		values: { FQDN },
		folder,
		core: cores?.server,
	});
	const users = Array.from({ length: presentities }, (_, index) => ({
		aor: `user${index + 1}@${HOSTED_DOMAIN}`,
		token: undefined,
	}));
	const { pid, address, port } = server;
	return {
		pid,
		plan: { address, port, certificate: chain, key, presentities: users, httpUrl: undefined },
		close: () => server.close(),
	};
};

function contender(name: string, role: Contender["role"], start: StartServer, work: Work): Contender {
	return { name, role, open: (settings) => open(settings, start, work) };
}

function row(name: string, summary: string, goal: number, work: Work): Benchmark {
	return {
		name,
		summary,
		goal,
		contenders: [
			contender("Causeway hosted", "subject", startCauseway, work),
			contender("Kamailio presence in memory", "reference", startKamailioPresence, work),
		],
	};
}

export const presenceBenchmarks: readonly Benchmark[] = [
	row(
		"presence-subscribe",
		"a new subscription with hosted users: SUBSCRIBE and its 200, NOTIFY and its 200; 4 connections, saturated",
		0.46,
		{ flow: "subscribe", presentities: 50, window: 128, operations: 10_000, warmUp: 10_000 },
	),
	row(
		"presence-change",
		"a change of state, published and told to 10 watchers, each NOTIFY answered; saturated",
		0.33,
		{
			flow: "change",
			// As many as changes in a round: nobody changes twice within the spacing, and the server always has something to do.
			presentities: 2_000,
			window: 64,
			operations: 2_000,
			warmUp: 2_000,
		},
	),
];

async function open(settings: BenchmarkSettings, start: StartServer, work: Work): Promise<Subject> {
	const server = await start(settings, work.presentities);
	const generator = new Child({
		name: "the load generator",
		script: GENERATOR,
		core: settings.cores?.generator,
		logFile: join(settings.folder, "generator.log"),
	});
	const close = async (): Promise<void> => {
		await generator.close();
		await server.close();
	};
	const ask = async <Kind extends PresenceAnswer["kind"]>(
		request: PresenceRequest,
		kind: Kind,
		limitMs: number,
	): Promise<Extract<PresenceAnswer, { kind: Kind }>> => {
		generator.send(request);
		const message = await generator.next<PresenceAnswer>(limitMs);
		if (message.kind === "failed") throw new Error(`load generator: ${message.reason}`);
		if (message.kind !== kind) throw new Error(`load generator: said ${message.kind} in place of ${kind}`);
		return message as Extract<PresenceAnswer, { kind: Kind }>;
	};
	const run = async (request: PresenceRound): Promise<Round> => {
		if (request.kind === "change") await ask({ kind: "rest" }, "rested", OPEN_LIMIT_MS);
		const before = readServerCpu(server.pid);
		const { cpuMs, kind: _kind, ...result } = await ask(request, "finished", ROUND_LIMIT_MS);
		return { ...result, server: cpuBetween(before, readServerCpu(server.pid)), generatorMs: cpuMs };
	};
	const must = async (what: string, request: PresenceRound): Promise<void> => {
		const { errors, firstError } = await run(request);
		if (errors > 0) throw new Error(`${what}: ${errors} errors, the first: ${firstError}`);
	};
	try {
		await ask(
			{ kind: "open", ...server.plan, serverName: FQDN, connections: CONNECTIONS, window: work.window },
			"opened",
			OPEN_LIMIT_MS,
		);
		const { flow, presentities, window } = work;
		const operations = settings.operations ?? work.operations;
		// Kamailio knows nobody before the first PUBLISH.
		await must("first states", { kind: "change", operations: presentities, watchers: 0 });
		if (flow === "change") {
			await must("watchers", { kind: "subscribe", operations: presentities * WATCHERS });
		}
		const request = (count: number): PresenceRound =>
			flow === "change"
				? { kind: "change", operations: count, watchers: WATCHERS }
				: { kind: "subscribe", operations: count };
		await must("warm-up", request(work.warmUp));
		return {
			setup: `${operations} operations a round, ${presentities} users, ${CONNECTIONS} connections, ${window} outstanding`,
			round: () => run(request(operations)),
			close,
		};
	} catch (error) {
		await close();
		throw error;
	}
}
