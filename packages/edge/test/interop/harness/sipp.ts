import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { requirePackages } from "./debian-packages.ts";
import type { Lab } from "./lab.ts";
import type { Program } from "./process.ts";
import { readSipText, type SipText } from "./sip-text.ts";
import { until } from "./until.ts";

export interface ScenarioOptions {
	/** Name of its files, one for each run of a lab. */
	readonly name: string;
	/** File of `scenarios/`, without the ending … */
	readonly scenario?: string;
	/** … or any other file. */
	readonly file?: string;
	/** Address of its own, `ip:port`. */
	readonly local: string;
	/** Where a calling scenario connects to, `ip:port`; undefined for one that is called. */
	readonly remote?: string;
	/** Calls after which it ends. */
	readonly calls: number;
	readonly callsPerSecond?: number;
	/** Calls open at once; SIPp's own limit where left out. */
	readonly callsAtOnce?: number;
	/** `[name]` → text in the scenario, beside `defaultKeys`. */
	readonly keys?: Readonly<Record<string, string>>;
	/** The user part of the called address: `[service]`. */
	readonly service?: string;
	readonly deadlineMs?: number;
}

export interface ScenarioResult {
	readonly successfulCalls: number;
	readonly failedCalls: number;
}

/** A running SIPp. All its calls share one TCP connection for each direction it is used in. */
export interface Scenario {
	readonly program: Program;
	/** Messages sent and received so far, in order. */
	messages(): readonly SipText[];
	/** Waits until it has received this many messages that match, and gives the last of them. */
	received(what: string, matches: (message: SipText) => boolean, count?: number): Promise<SipText>;
	/** Waits for the last call and reads SIPp's own statistics. */
	finished(): Promise<ScenarioResult>;
}

export async function startScenario(lab: Lab, options: ScenarioOptions): Promise<Scenario> {
	requirePackages(["sip-tester"]);
	const {
		name,
		scenario = "",
		file = fileURLToPath(new URL(`../scenarios/${scenario}.xml`, import.meta.url)),
		local,
		remote,
		calls,
		callsPerSecond = 10,
		callsAtOnce,
		keys = {},
		service,
		deadlineMs = 30_000,
	} = options;
	const [address = "", port = ""] = local.split(":");
	const messageFile = lab.path(`${name}.messages`);
	const statisticsFile = lab.path(`${name}.csv`);
	const program = await lab.run({
		name,
		command: "sipp",
		args: [
			...(remote === undefined ? [] : [remote]),
			...["-sf", file],
			...(callsAtOnce === undefined ? [] : ["-l", String(callsAtOnce)]),
			...["-t", "t1", "-i", address, "-p", port, "-m", String(calls), "-r", String(callsPerSecond), "-nostdin"],
			...["-trace_msg", "-message_file", messageFile, "-trace_stat", "-stf", statisticsFile, "-fd", "1"],
			...["-trace_err", "-error_file", lab.path(`${name}.errors`)],
			...["-timeout", `${Math.ceil(deadlineMs / 1000)}s`, "-timeout_error"],
			...(service === undefined ? [] : ["-s", service]),
			...Object.entries({ ...defaultKeys(keys), ...keys }).flatMap(([key, value]) => ["-key", key, value]),
		],
		env: { TERM: "dumb" },
	});
	// A scenario that is called is of use once its port is open.
	if (remote === undefined) await until(() => isListening(address, Number(port)), { what: `${name} listens` });
	return {
		program,
		messages: () => readMessages(messageFile),
		received(what, matches, count = 1) {
			return until(
				() =>
					readMessages(messageFile).filter((message) => message.direction === "received" && matches(message))[
						count - 1
					],
				{ what: `${name} receives ${what}`, deadlineMs: 20_000 },
			);
		},
		async finished() {
			await program.exited(deadlineMs + 5_000);
			return readStatistics(statisticsFile);
		},
	};
}

/** Whether somebody listens there, by the system's table; a trial connection would be a call to SIPp. */
function isListening(address: string, port: number): true | undefined {
	const octets = address.split(".").reverse();
	const hex = (value: number, digits: number): string => value.toString(16).toUpperCase().padStart(digits, "0");
	const local = `${octets.map((octet) => hex(Number(octet), 2)).join("")}:${hex(port, 4)}`;
	return readFileSync("/proc/net/tcp", "latin1").includes(` ${local} 00000000:0000 0A `) ? true : undefined;
}

/** Where a scenario does not say otherwise, it plays an edge behind a TLS tunnel whose people are verified. */
function defaultKeys({ fqdn = "edge.example" }: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
	return {
		caller: "trader",
		contact: `${fqdn}:5061;transport=tls`,
		domain: "fabrikam.example",
		fqdn,
		level: "verified",
		name: "Lena of Fabrikam",
		via: `TLS ${fqdn}:5061`,
	};
}

/** SIPp writes a line of dashes with the time, a line with direction and octets, an empty line, and the message. */
function readMessages(file: string): readonly SipText[] {
	if (!existsSync(file)) return [];
	// latin1 keeps one character for each octet, as SIPp counts them.
	const log = readFileSync(file, "latin1");
	const messages: SipText[] = [];
	for (const match of log.matchAll(
		/^TCP message (sent|received) (?:\((\d+) bytes\)|[^\n[]*\[(\d+)\] bytes\s*):\n\n/gm,
	)) {
		const start = match.index + match[0].length;
		const octets = log.slice(start, start + Number(match[2] ?? match[3]));
		messages.push(
			readSipText(match[1] === "sent" ? "sent" : "received", Buffer.from(octets, "latin1").toString("utf8")),
		);
	}
	return messages;
}

function readStatistics(file: string): ScenarioResult {
	const rows = readFileSync(file, "utf8").trim().split("\n");
	const names = rows[0]?.split(";") ?? [];
	const values = rows.at(-1)?.split(";") ?? [];
	const column = (name: string): number => Number(values[names.indexOf(name)]);
	return { successfulCalls: column("SuccessfulCall(C)"), failedCalls: column("FailedCall(C)") };
}
