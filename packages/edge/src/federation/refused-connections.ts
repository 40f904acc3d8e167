/** Connections that came to nothing, each told once and alike to the log, the trace, the metrics and the API. */
import type { Clock, Logger } from "@causeway/sip";
import type { TraceRefusal } from "../observe/trace.ts";
import { formatVerdict, type Verdict, type Whose, whoseWords } from "./certificate/verdict.ts";

/** How far a connection came. */
export type RefusalStage = "tcp" | "tls" | "certificate" | "limit";

/** One connection that was refused, or could not be made. */
export interface RefusedConnection {
	/** Milliseconds since 1970. */
	readonly at: number;
	readonly direction: "inbound" | "outbound";
	/** `192.0.2.1:5061`, `[2001:db8::1]:5061`. */
	readonly remote: string;
	/** The edge name that we dialled. */
	readonly dialled: string | undefined;
	/** It was open, and what let it in holds no longer. */
	readonly wasOpen: boolean;
	readonly stage: RefusalStage;
	/** Stable: label of the metric, field of the log and of the API. */
	readonly code: string;
	/** Who can mend it; `network` where nobody answered. */
	readonly whose: Whose | "network";
	/** One sentence without its full stop. */
	readonly text: string;
	/** What to do about it; undefined where nothing is known to help. */
	readonly remedy: string | undefined;
	/** The whole verdict, where there was a certificate to judge. */
	readonly verdict: Verdict | undefined;
}

export interface RefusedConnectionsOptions {
	readonly clock: Pick<Clock, "wall">;
	readonly log: Logger;
	/** Told of each. */
	readonly refused: (refusal: RefusedConnection) => void;
}

/** Kept for the API; the oldest go first. */
const MOST_KEPT = 200;

export class RefusedConnections {
	readonly #options: RefusedConnectionsOptions;
	readonly #kept: RefusedConnection[] = [];

	constructor(options: RefusedConnectionsOptions) {
		this.#options = options;
	}

	/** The latest first. */
	list(): readonly RefusedConnection[] {
		return this.#kept.toReversed();
	}

	/** A certificate was refused; the verdict says why. */
	certificate(
		verdict: Verdict,
		where: Pick<RefusedConnection, "direction" | "remote" | "dialled" | "wasOpen">,
	): RefusedConnection {
		const [main] = verdict.faults;
		return this.record({
			...where,
			stage: "certificate",
			code: main?.code ?? "malformed",
			whose: main?.whose ?? "peer",
			text: main?.text ?? "the certificate cannot be read",
			remedy: main?.remedy,
			verdict,
		});
	}

	record(parts: Omit<RefusedConnection, "at">): RefusedConnection {
		const refusal: RefusedConnection = { ...parts, at: this.#options.clock.wall() };
		this.#kept.push(refusal);
		if (this.#kept.length > MOST_KEPT) this.#kept.shift();
		const { direction, remote, dialled, wasOpen, stage, code, whose, text, remedy, verdict } = refusal;
		const event = wasOpen ? "peer cut off" : direction === "inbound" ? "peer refused" : "peer not reached";
		this.#options.log.warn(event, {
			remote,
			...(dialled === undefined ? {} : { dialled }),
			stage,
			code,
			whose,
			reason: text,
			...(remedy === undefined ? {} : { remedy }),
			...(verdict === undefined
				? {}
				: { expected: verdict.expected.names, shown: verdict.shown?.names ?? [], verdict: formatVerdict(verdict) }),
		});
		this.#options.refused(refusal);
		return refusal;
	}
}

/** A refusal in lines for people: the verdict where there is one. */
export function formatRefusal(refusal: RefusedConnection): readonly string[] {
	const { stage, verdict, text, code, remedy, whose } = refusal;
	if (verdict !== undefined && stage === "certificate") return formatVerdict(verdict);
	const lines = [`connection ${refusal.direction === "inbound" ? "refused" : "not made"}: ${text} (${code})`];
	if (remedy !== undefined)
		lines.push(`remedy (${whose === "network" ? "for the network" : whoseWords(whose)}): ${remedy}`);
	return lines;
}

/** A refusal as the trace keeps it. */
export function traceRefusal(refusal: RefusedConnection): Omit<TraceRefusal, "seq"> {
	const { at, direction, remote, dialled, code, verdict } = refusal;
	return {
		at,
		direction: direction === "inbound" ? "in" : "out",
		peer: dialled ?? verdict?.shown?.names[0],
		remote,
		code,
		lines: formatRefusal(refusal),
	};
}
