/** Process that plays both sides of a relay; driven over its channel by `relay.ts`. */
import type { ByteStream } from "@causeway/sip";
import { createTurnFlusher, TlsDialler, TlsListener } from "@causeway/sip/node";
import type { Latency } from "./benchmark.ts";
import {
	CalleeConnection,
	CallerConnection,
	createRelayTally,
	failed,
	type RelayFlow,
	type RelayTally,
	Sample,
} from "./relay-load.ts";
import { createDialog, formatInstantMessage, insideDomain } from "./relay-text.ts";
import { median, percentile } from "./report.ts";

interface Credentials {
	readonly certificate: string;
	readonly key: string;
}

export type RelayRequest =
	| { readonly kind: "listen"; readonly inside: readonly Credentials[] }
	| {
			readonly kind: "open";
			readonly address: string;
			readonly port: number;
			readonly serverName: string;
			readonly credentials: Credentials;
			readonly dialogsPerConnection: number;
	  }
	| {
			readonly kind: "run";
			readonly flow: RelayFlow;
			readonly operations: number;
			/** Outstanding per connection; 0 with a rate. */
			readonly window: number;
			/** Operations per second over all connections; undefined: saturated. */
			readonly rate: number | undefined;
	  };

export type RelayAnswer =
	| { readonly kind: "listening"; readonly ports: readonly number[] }
	| { readonly kind: "opened"; readonly messageBytes: number }
	| {
			readonly kind: "finished";
			readonly succeeded: number;
			readonly errors: number;
			readonly firstError: string | undefined;
			readonly elapsedMs: number;
			readonly cpuMs: number;
			readonly compared: number;
			readonly latency: Latency | undefined;
	  }
	| { readonly kind: "failed"; readonly reason: string };

const STALL_LIMIT_MS = 10_000;
const OPEN_ATTEMPTS = 50;

const flusher = createTurnFlusher();
const sample = new Sample();
const callers: CallerConnection[] = [];
let tally: RelayTally = createRelayTally(0, false);
let lastNumber = -1;
const nextNumber = (): number => {
	lastNumber += 1;
	return lastNumber;
};
const notified = (number: number): void => {
	for (const caller of callers) caller.notified(number);
};

async function listen(inside: readonly Credentials[]): Promise<readonly number[]> {
	const ports: number[] = [];
	for (const credentials of inside) {
		const listener = new TlsListener({
			addresses: [{ address: "127.0.0.1", port: 0 }],
			credentials,
			flusher,
			accepted: (stream) => new CalleeConnection(stream, sample, () => tally, notified),
			refused: () => {},
		});
		await listener.start();
		ports.push(listener.endpoints[0]?.port ?? 0);
	}
	return ports;
}

async function open(request: Extract<RelayRequest, { kind: "open" }>, connections: number): Promise<void> {
	const { address, port, serverName, credentials, dialogsPerConnection } = request;
	const dialler = new TlsDialler({ credentials, flusher });
	for (let index = 0; index < connections; index += 1) {
		const stream = await dial(dialler, address, port, serverName);
		const caller = new CallerConnection(stream, insideDomain(index), nextNumber, sample);
		callers.push(caller);
		await warmUp(caller);
		tally = createRelayTally(dialogsPerConnection - caller.dialogs, false);
		await settle((settled) => caller.begin("open", tally, 32, settled));
		if (tally.errors > 0) throw new Error(`${tally.errors} dialogs not opened: ${tally.firstError}`);
	}
}

/** Servers refuse what arrives while their first connection to the next hop is being made. */
async function warmUp(caller: CallerConnection): Promise<void> {
	for (let attempt = 0; attempt < OPEN_ATTEMPTS; attempt += 1) {
		tally = createRelayTally(1, false);
		await settle((settled) => caller.begin("open", tally, 1, settled));
		if (tally.errors === 0) return;
		await new Promise((resolve) => setTimeout(resolve, 100));
	}
	throw new Error(`no dialog could be opened: ${tally.firstError}`);
}

async function dial(dialler: TlsDialler, address: string, port: number, serverName: string): Promise<ByteStream> {
	const outcome = await dialler.dial({ address, port, serverName });
	if (!outcome.ok) throw new Error(`not connected: ${outcome.failure.reason}`);
	return outcome.stream;
}

/** Starts work and resolves when all of it is answered, or none of it any more. */
function settle(begin: (settled: () => void) => void): Promise<void> {
	return new Promise((resolve) => {
		let seen = -1;
		const watch = setInterval(() => {
			if (tally.succeeded + tally.errors !== seen) {
				seen = tally.succeeded + tally.errors;
				return;
			}
			const missing = tally.outstanding + tally.remaining;
			failed(tally, `no answer within ${STALL_LIMIT_MS / 1000} s`);
			tally.errors += missing - 1;
			end();
		}, STALL_LIMIT_MS);
		const end = (): void => {
			clearInterval(watch);
			resolve();
		};
		begin(() => {
			if (tally.remaining === 0 && tally.outstanding === 0) end();
		});
	});
}

/** Sends at a fixed rate, evenly: this process has a core of its own and looks at the clock without rest. */
function pace(rate: number): void {
	const startedAt = performance.now();
	let sent = 0;
	let turn = 0;
	const step = (): void => {
		const due = Math.floor(((performance.now() - startedAt) * rate) / 1000);
		while (sent < due && tally.remaining > 0) {
			turn = (turn + 1) % callers.length;
			if (callers[turn]?.next() !== true) break;
			sent += 1;
		}
		if (tally.remaining > 0) setImmediate(step);
	};
	step();
}

async function run(request: Extract<RelayRequest, { kind: "run" }>): Promise<RelayAnswer> {
	const { flow, operations, window, rate } = request;
	tally = createRelayTally(operations, rate !== undefined);
	const cpuBefore = process.cpuUsage();
	const startedAt = performance.now();
	await settle((settled) => {
		for (const caller of callers) caller.begin(flow, tally, rate === undefined ? window : 0, settled);
		if (rate !== undefined) pace(rate);
	});
	const elapsedMs = performance.now() - startedAt;
	const { user, system } = process.cpuUsage(cpuBefore);
	const { succeeded, errors, firstError, compared, latencies } = tally;
	return {
		kind: "finished",
		...{ succeeded, errors, firstError, compared, elapsedMs, cpuMs: (user + system) / 1000 },
		latency: latencies && { p50Ms: median(latencies), p99Ms: percentile(latencies, 0.99) },
	};
}

let connections = 0;

async function serve(request: RelayRequest): Promise<RelayAnswer> {
	if (request.kind === "run") return run(request);
	if (request.kind === "listen") {
		connections = request.inside.length;
		return { kind: "listening", ports: await listen(request.inside) };
	}
	await open(request, connections);
	const dialog = createDialog(1, insideDomain(0), "127.0.0.1:5061");
	return { kind: "opened", messageBytes: formatInstantMessage(dialog).length };
}

process.on("message", (request: RelayRequest) => {
	serve(request).then(
		(answer) => process.send?.(answer),
		(error: unknown) => process.send?.({ kind: "failed", reason: String(error) }),
	);
});
process.on("disconnect", () => process.exit());
