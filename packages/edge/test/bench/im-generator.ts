/** Process that calls hosted users and sends them MESSAGEs; driven over its channel by `hosted-im.ts`. */
import type { ByteStream } from "@causeway/sip";
import { createTurnFlusher, TlsDialler } from "@causeway/sip/node";
import type { Latency } from "./benchmark.ts";
import { type Caller, createCaller, formatInstantMessage } from "./caller.ts";
import { createTally, ImConnection, type Tally } from "./im-load.ts";
import { median, percentile } from "./report.ts";

export interface GeneratorPlan {
	readonly kind: "open";
	readonly address: string;
	readonly port: number;
	/** Name of the edge that is called. */
	readonly serverName: string;
	readonly certificate: string;
	readonly key: string;
	/** The callers' domain and edge. */
	readonly domain: string;
	readonly fqdn: string;
	/** Addresses called in turn. */
	readonly callees: readonly string[];
	readonly connections: number;
	readonly dialogsPerConnection: number;
	/** Outstanding requests per connection. */
	readonly window: number;
	/** Latin1. */
	readonly text: string;
}

export type GeneratorRequest =
	| GeneratorPlan
	/** `rate`: messages a second over all connections; undefined: saturated. */
	| { readonly kind: "run"; readonly messages: number; readonly rate: number | undefined };

export interface Opened {
	readonly kind: "opened";
	/** Octets of one MESSAGE with its body. */
	readonly messageBytes: number;
}

export interface RunResult {
	readonly kind: "finished";
	readonly succeeded: number;
	readonly errors: number;
	readonly firstError: string | undefined;
	/** From the first octet sent to the last answer read. */
	readonly elapsedMs: number;
	readonly cpuMs: number;
	readonly latency: Latency | undefined;
}

export interface GeneratorFailed {
	readonly kind: "failed";
	readonly reason: string;
}

/** A round in which nothing is answered for so long is over; what is outstanding counts as errors. */
const STALL_LIMIT_MS = 10_000;

async function open(plan: GeneratorPlan): Promise<{ connections: readonly ImConnection[]; sample: Caller }> {
	const dialler = new TlsDialler({
		credentials: { certificate: plan.certificate, key: plan.key },
		flusher: createTurnFlusher(),
	});
	const callers: Caller[] = [];
	const connections: ImConnection[] = [];
	for (let index = 0; index < plan.connections; index += 1) {
		const own = Array.from({ length: plan.dialogsPerConnection }, (_, place) => {
			const number = index * plan.dialogsPerConnection + place;
			const callee = plan.callees[number % plan.callees.length] ?? "";
			return createCaller({ domain: plan.domain, fqdn: plan.fqdn, number, callee });
		});
		callers.push(...own);
		const connection = new ImConnection(await dial(dialler, plan), own, plan.window, plan.text);
		connection.start();
		connections.push(connection);
	}
	const tally = createTally(callers.length);
	await settle(tally, connections, (connection, settled) => connection.invite(tally, settled));
	const [sample] = callers;
	if (tally.errors > 0 || sample === undefined)
		throw new Error(`${tally.errors} dialogs not opened: ${tally.firstError}`);
	return { connections, sample };
}

async function dial(dialler: TlsDialler, { address, port, serverName }: GeneratorPlan): Promise<ByteStream> {
	const outcome = await dialler.dial({ address, port, serverName });
	if (!outcome.ok) throw new Error(`not connected: ${outcome.failure.reason}`);
	return outcome.stream;
}

/** Starts the work on every connection and resolves when all of it is answered, or none of it any more. */
function settle(
	tally: Tally,
	connections: readonly ImConnection[],
	begin: (connection: ImConnection, settled: () => void) => void,
): Promise<void> {
	return new Promise((resolve) => {
		let seen = -1;
		const watch = setInterval(() => {
			if (tally.succeeded + tally.errors !== seen) {
				seen = tally.succeeded + tally.errors;
				return;
			}
			tally.errors += tally.outstanding + tally.remaining;
			tally.firstError ??= `no answer within ${STALL_LIMIT_MS / 1000} s`;
			end();
		}, STALL_LIMIT_MS);
		const end = (): void => {
			clearInterval(watch);
			resolve();
		};
		const settled = (): void => {
			if (tally.remaining === 0 && tally.outstanding === 0) end();
		};
		for (const connection of connections) begin(connection, settled);
	});
}

/** Sends at a fixed rate, evenly: this process has a core of its own and looks at the clock without rest. */
function pace(connections: readonly ImConnection[], tally: Tally, rate: number): void {
	const startedAt = performance.now();
	let sent = 0;
	const step = (): void => {
		const due = Math.floor(((performance.now() - startedAt) * rate) / 1000);
		while (sent < due && tally.remaining > 0 && connections[sent % connections.length]?.next() === true) sent += 1;
		if (tally.remaining > 0) setImmediate(step);
	};
	step();
}

async function run(
	connections: readonly ImConnection[],
	messages: number,
	rate: number | undefined,
): Promise<RunResult> {
	const tally = createTally(messages, rate !== undefined);
	const isPaced = rate !== undefined;
	const cpuBefore = process.cpuUsage();
	const startedAt = performance.now();
	const settled = settle(tally, connections, (connection, one) => connection.message(tally, one, isPaced));
	if (rate !== undefined) pace(connections, tally, rate);
	await settled;
	const elapsedMs = performance.now() - startedAt;
	const { user, system } = process.cpuUsage(cpuBefore);
	const { succeeded, errors, firstError, trips } = tally;
	const latency = trips && { p50Ms: median(trips), p99Ms: percentile(trips, 0.99) };
	return { kind: "finished", succeeded, errors, firstError, elapsedMs, cpuMs: (user + system) / 1000, latency };
}

function tell(message: Opened | RunResult | GeneratorFailed): void {
	process.send?.(message);
}

let connections: readonly ImConnection[] = [];

async function serve(request: GeneratorRequest): Promise<void> {
	if (request.kind === "run") {
		tell(await run(connections, request.messages, request.rate));
		return;
	}
	const opened = await open(request);
	connections = opened.connections;
	tell({ kind: "opened", messageBytes: formatInstantMessage({ ...opened.sample }, request.text).length });
}

process.on("message", (request: GeneratorRequest) => {
	serve(request).catch((error: unknown) => tell({ kind: "failed", reason: String(error) }));
});
process.on("disconnect", () => process.exit());
