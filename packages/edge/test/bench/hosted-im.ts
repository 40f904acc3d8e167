/** Instant messages of a partner to hosted users: in-dialog MESSAGE, on disk (synced), 200. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Benchmark, BenchmarkSettings, Contender, Round, Subject } from "./benchmark.ts";
import { Child } from "./child.ts";
import { PEER_DOMAIN, PEER_FQDN, startEdgeProcess } from "./edge-process.ts";
import type { GeneratorFailed, GeneratorPlan, GeneratorRequest, Opened, RunResult } from "./im-generator.ts";
import { cpuBetween, readServerCpu } from "./process-cpu.ts";
import { kamailioRelayedMessages } from "./relay.ts";

const USERS = 10;
const CONNECTIONS = 4;
const DIALOGS_PER_CONNECTION = 250;
const WINDOW = 64;
const WARM_UP_MESSAGES = 5_000;
const ROUND_MESSAGES = 40_000;
const TEXT = "Could you look at the figures for the northern region before the call at four? ".repeat(2).trim();
const OPEN_LIMIT_MS = 60_000;
const ROUND_LIMIT_MS = 600_000;
const GENERATOR = fileURLToPath(new URL("./im-generator.ts", import.meta.url));

interface ImWork {
	/** Messages per second; undefined: saturated. */
	readonly rate: number | undefined;
	readonly messages: number;
}

function contender(work: ImWork): Contender {
	return { name: "Causeway hosted", role: "subject", open: (settings) => open(settings, work) };
}

export const imBenchmarks: readonly Benchmark[] = [
	{
		name: "im",
		summary: "MESSAGE in a dialog to a hosted user, on disk, 200; mutual TLS, saturated",
		goal: 0.6,
		contenders: [contender({ rate: undefined, messages: ROUND_MESSAGES }), kamailioRelayedMessages],
	},
	{
		name: "im-1000",
		summary: "the same at 1,000 a second, with round-trip times",
		goal: undefined,
		contenders: [contender({ rate: 1_000, messages: 5_000 })],
	},
];

async function open(settings: BenchmarkSettings, work: ImWork): Promise<Subject> {
	const edge = await startEdgeProcess(settings);
	const generator = new Child({
		name: "the load generator",
		script: GENERATOR,
		core: settings.cores?.generator,
		logFile: join(settings.folder, "generator.log"),
	});
	const close = async (): Promise<void> => {
		await generator.close();
		await edge.close();
	};
	const run = async (messages: number): Promise<Round> => {
		const before = readServerCpu(edge.pid);
		generator.send({ kind: "run", messages, rate: work.rate } satisfies GeneratorRequest);
		const { cpuMs, ...result } = await answer<RunResult>(generator, ROUND_LIMIT_MS);
		return { ...result, server: cpuBetween(before, readServerCpu(edge.pid)), generatorMs: cpuMs };
	};
	try {
		const plan: GeneratorPlan = {
			kind: "open",
			address: edge.sip.address,
			port: edge.sip.port,
			serverName: edge.fqdn,
			certificate: edge.peer.chain,
			key: edge.peer.key,
			domain: PEER_DOMAIN,
			fqdn: PEER_FQDN,
			callees: await edge.createUsers(USERS),
			connections: CONNECTIONS,
			dialogsPerConnection: DIALOGS_PER_CONNECTION,
			window: WINDOW,
			text: TEXT,
		};
		generator.send(plan);
		const { messageBytes } = await answer<Opened>(generator, OPEN_LIMIT_MS);
		const warmUp = await run(WARM_UP_MESSAGES);
		if (warmUp.errors > 0) throw new Error(`warm-up: ${warmUp.errors} errors, the first: ${warmUp.firstError}`);
		const messages = settings.operations ?? work.messages;
		return {
			setup: `${messages} messages a round of ${messageBytes} octets, ${CONNECTIONS} connections, ${CONNECTIONS * DIALOGS_PER_CONNECTION} dialogs, ${USERS} users, ${work.rate === undefined ? `${WINDOW} outstanding per connection` : `${work.rate} messages a second`}`,
			round: () => run(messages),
			close,
		};
	} catch (error) {
		await close();
		throw error;
	}
}

async function answer<Expected extends Opened | RunResult>(generator: Child, limitMs: number): Promise<Expected> {
	const message = await generator.next<Expected | GeneratorFailed>(limitMs);
	if (message.kind === "failed") throw new Error(`load generator: ${message.reason}`);
	return message;
}
