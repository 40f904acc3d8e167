/** Another partner, as a process of its own: a message each 20 ms to another user, and how long its 200s took. */
import { createTurnFlusher, TlsDialler } from "@causeway/sip/node";
import { createCaller } from "../bench/caller.ts";
import { createTally, ImConnection, type Tally } from "../bench/im-load.ts";
import { median, percentile } from "../bench/report.ts";

export type QuietCommand =
	| {
			readonly kind: "open";
			readonly port: number;
			readonly serverName: string;
			readonly certificate: string;
			readonly key: string;
			readonly domain: string;
			readonly fqdn: string;
			readonly callee: string;
	  }
	| { readonly kind: "begin" }
	| { readonly kind: "end" };

export interface QuietReport {
	readonly kind: "report";
	readonly messages: number;
	readonly errors: number;
	readonly firstError: string | undefined;
	readonly p50Ms: number;
	readonly p99Ms: number;
	readonly longestMs: number;
}

export type QuietNote = { readonly kind: "opened" } | { readonly kind: "begun" } | QuietReport;

const EVERY_MS = 20;
/** So many that an answer which takes long keeps no message back: each dialog has one outstanding at most. */
const DIALOGS = 200;
const TEXT = "Could you look at the figures for the northern region before the call at four?";

let connection: ImConnection | undefined;
let tally: Tally = createTally(0);
let timer: NodeJS.Timeout | undefined;

function tell(note: QuietNote): void {
	process.send?.(note);
}

async function open(command: Extract<QuietCommand, { kind: "open" }>): Promise<void> {
	const { certificate, key, domain, fqdn, callee, port, serverName } = command;
	const dialler = new TlsDialler({ credentials: { certificate, key }, flusher: createTurnFlusher() });
	const outcome = await dialler.dial({ address: "127.0.0.1", port, serverName });
	if (!outcome.ok) throw new Error(`not connected: ${outcome.failure.reason}`);
	const callers = Array.from({ length: DIALOGS }, (_, number) => createCaller({ domain, fqdn, number, callee }));
	connection = new ImConnection(outcome.stream, callers, 8, TEXT);
	connection.start();
	tally = createTally(DIALOGS);
	await new Promise<void>((resolve) => connection?.invite(tally, () => isSettled() && resolve()));
	if (tally.errors > 0) throw new Error(`${tally.errors} calls were not taken: ${tally.firstError}`);
	tell({ kind: "opened" });
}

function isSettled(): boolean {
	return tally.outstanding === 0 && (timer === undefined || tally.errors > 0);
}

function begin(): void {
	tally = createTally(Number.MAX_SAFE_INTEGER, true);
	connection?.message(tally, () => {}, true);
	timer = setInterval(() => connection?.next(), EVERY_MS);
	tell({ kind: "begun" });
}

function end(): void {
	clearInterval(timer);
	timer = undefined;
	const look = setInterval(() => {
		if (!isSettled()) return;
		clearInterval(look);
		const { errors, firstError, trips = [] } = tally;
		const report = { p50Ms: median(trips), p99Ms: percentile(trips, 0.99), longestMs: Math.max(...trips) };
		tell({ kind: "report", messages: trips.length, errors, firstError, ...report });
	}, EVERY_MS);
}

process.on("message", (command: QuietCommand) => {
	if (command.kind === "open") void open(command);
	else if (command.kind === "begin") begin();
	else end();
});
process.on("disconnect", () => process.exit());
