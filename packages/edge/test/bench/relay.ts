/** A partner's users talk through a relay to users of four inside servers: the rows of the relay, each against Kamailio. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Benchmark, BenchmarkSettings, Contender, Round, Subject } from "./benchmark.ts";
import { Child } from "./child.ts";
import { createCredentials } from "./credentials.ts";
import type { BenchServer } from "./kamailio.ts";
import { cpuBetween, readServerCpu } from "./process-cpu.ts";
import type { RelayAnswer, RelayRequest } from "./relay-generator.ts";
import type { RelayFlow } from "./relay-load.ts";
import { byteCopier, causewayRelay, kamailioRelay, RELAY_FQDN, type StartRelayServer } from "./relay-servers.ts";
import { insideName, PARTNER_FQDN } from "./relay-text.ts";

const CONNECTIONS = 4;
const DIALOGS_PER_CONNECTION = 250;
const WINDOW = 64;
const OPEN_LIMIT_MS = 120_000;
const ROUND_LIMIT_MS = 600_000;
const GENERATOR = fileURLToPath(new URL("./relay-generator.ts", import.meta.url));

export interface RelayWork {
	readonly flow: RelayFlow;
	/** Operations per second; undefined: saturated. */
	readonly rate: number | undefined;
	readonly operations: number;
	readonly warmUp: number;
}

const messages: RelayWork = { flow: "message", rate: undefined, operations: 40_000, warmUp: 10_000 };
const subject = (work: RelayWork): Contender => relayContender("Causeway", "subject", causewayRelay, work);
const stateful = (work: RelayWork): Contender =>
	relayContender("Kamailio stateful", "reference", kamailioRelay(), work);
const stateless = (work: RelayWork): Contender =>
	relayContender("Kamailio stateless", "beside", kamailioRelay("STATELESS"), work);
const copier = (work: RelayWork): Contender => relayContender("byte copier", "beside", byteCopier, work);

/** Kamailio's stateful relay under the work of the row `relay-message`, as a reference for other rows. */
export const kamailioRelayedMessages: Contender = stateful(messages);

function row(name: string, summary: string, goal: number, work: RelayWork): Benchmark {
	return {
		name,
		summary,
		goal,
		contenders: [subject(work), stateful(work), stateless(work), copier(work)],
	};
}

export const relayBenchmarks: readonly Benchmark[] = [
	row(
		"relay-message",
		"MESSAGE in a dialog and its 200 through a relay; mutual TLS on both sides, 4 connections, saturated",
		0.26,
		messages,
	),
	row("relay-message-5000", "the same at 5,000 a second, with round-trip times", 0.7, {
		...messages,
		rate: 5_000,
		operations: 20_000,
		warmUp: 5_000,
	}),
	row("relay-message-1000", "the same at 1,000 a second, with round-trip times; the noise is large: --rounds 9", 1.15, {
		...messages,
		rate: 1_000,
		operations: 5_000,
		warmUp: 3_000,
	}),
	row(
		"relay-subscribe",
		"a new subscription through a relay: SUBSCRIBE and its 200, NOTIFY and its 200; saturated",
		0.33,
		{ flow: "subscribe", rate: undefined, operations: 20_000, warmUp: 5_000 },
	),
	row("relay-dialog", "a short dialog through a relay: INVITE, ACK, MESSAGE, BYE with their answers; saturated", 0.33, {
		flow: "dialog",
		rate: undefined,
		operations: 10_000,
		warmUp: 3_000,
	}),
];

export function relayContender(
	name: string,
	role: Contender["role"],
	start: StartRelayServer,
	work: RelayWork,
): Contender {
	return { name, role, open: (settings) => open(settings, start, work) };
}

async function open(settings: BenchmarkSettings, start: StartRelayServer, work: RelayWork): Promise<Subject> {
	const { folder, cores, profileFolder } = settings;
	const credentials = await createCredentials(folder, RELAY_FQDN);
	const inside = await Promise.all(
		Array.from({ length: CONNECTIONS }, async (_, index) => {
			const { chain, key } = await credentials.issue(insideName(index));
			return { certificate: chain, key };
		}),
	);
	const partner = await credentials.issue(PARTNER_FQDN);
	const generator = new Child({
		name: "the load generator",
		script: GENERATOR,
		core: cores?.generator,
		logFile: join(folder, "generator.log"),
	});
	let server: BenchServer | undefined;
	const close = async (): Promise<void> => {
		await generator.close();
		await server?.close();
	};
	try {
		generator.send({ kind: "listen", inside } satisfies RelayRequest);
		const { ports } = await answer(generator, "listening", OPEN_LIMIT_MS);
		server = await start({ folder, profileFolder, core: cores?.server, insidePorts: ports });
		const { pid, address, port } = server;
		generator.send({
			kind: "open",
			...{ address, port, serverName: RELAY_FQDN },
			credentials: { certificate: partner.chain, key: partner.key },
			dialogsPerConnection: DIALOGS_PER_CONNECTION,
		} satisfies RelayRequest);
		const { messageBytes } = await answer(generator, "opened", OPEN_LIMIT_MS);
		const { flow, rate } = work;
		const run = async (operations: number): Promise<Round> => {
			const before = readServerCpu(pid);
			generator.send({ kind: "run", flow, operations, window: WINDOW, rate } satisfies RelayRequest);
			const { cpuMs, compared, ...result } = await answer(generator, "finished", ROUND_LIMIT_MS);
			const cpu = cpuBetween(before, readServerCpu(pid));
			if (compared === 0) throw new Error("no message was compared octet by octet");
			return { ...result, server: cpu, generatorMs: cpuMs };
		};
		const warmUp = await run(work.warmUp);
		if (warmUp.errors > 0) throw new Error(`warm-up: ${warmUp.errors} errors, the first: ${warmUp.firstError}`);
		const operations = settings.operations ?? work.operations;
		return {
			setup: `${operations} operations a round, MESSAGEs of about ${messageBytes} octets, ${CONNECTIONS} connections on each side, ${CONNECTIONS * DIALOGS_PER_CONNECTION} open dialogs, ${rate === undefined ? `${WINDOW} outstanding per connection` : `${rate} operations a second`}`,
			round: () => run(operations),
			close,
		};
	} catch (error) {
		await close();
		throw error;
	}
}

async function answer<Kind extends RelayAnswer["kind"]>(
	generator: Child,
	kind: Kind,
	limitMs: number,
): Promise<Extract<RelayAnswer, { kind: Kind }>> {
	const message = await generator.next<RelayAnswer>(limitMs);
	if (message.kind === "failed") throw new Error(`load generator: ${message.reason}`);
	if (message.kind !== kind) throw new Error(`load generator: said ${message.kind} in place of ${kind}`);
	return message as Extract<RelayAnswer, { kind: Kind }>;
}
