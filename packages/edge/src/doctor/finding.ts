/** What `doctor` found: one step, its verdict, whose it is to mend, and what exactly mends it. */

/** `note`: as the administrator wanted it, and worth remembering. `skipped`: an earlier fault left nothing to look at. */
export type Severity = "ok" | "note" | "warning" | "fault" | "skipped";

/** Who can mend it. `either`: one of the two sides, and only they can find out which. */
export type Owner = "us" | "partner" | "authority" | "network" | "either";

/** The steps in their order; stable, for programs. */
export type StepName =
	| "configuration"
	| "certificate"
	| "clock"
	| "listener"
	| "srv"
	| "address"
	| "policy"
	| "connection"
	| "tls"
	| "options"
	| "admission";

export interface Finding {
	readonly step: StepName;
	/** What the step looked at, where there are several: a domain, a host, an address. */
	readonly subject: string;
	readonly severity: Severity;
	/** One sentence without its full stop. */
	readonly text: string;
	readonly whose?: Owner;
	/** What to do; one sentence without its full stop. */
	readonly remedy?: string;
	/** Lines to paste: records for a zone, commands for a shell, keys for the configuration. */
	readonly mend?: readonly string[];
	/** More for whoever has to convince somebody: names expected and shown, dates, the chain. */
	readonly details?: readonly string[];
}

/** Findings about one side. */
export interface Section {
	/** `this edge`, or the partner's domain. */
	readonly title: string;
	readonly findings: readonly Finding[];
}

/** The finding to begin with: the first fault, else the first warning. */
export function mainFinding(sections: readonly Section[]): Finding | undefined {
	const all = sections.flatMap(({ findings }) => findings);
	return all.find(({ severity }) => severity === "fault") ?? all.find(({ severity }) => severity === "warning");
}

export function ok(step: StepName, subject: string, text: string, details?: readonly string[]): Finding {
	return { step, subject, severity: "ok", text, ...(details === undefined ? {} : { details }) };
}

export function note(step: StepName, subject: string, text: string): Finding {
	return { step, subject, severity: "note", text };
}

export function skipped(step: StepName, subject: string, text: string): Finding {
	return { step, subject, severity: "skipped", text };
}

/** What a fault or a warning says beside its text. */
export type Cure = Required<Pick<Finding, "whose" | "remedy">> & Pick<Finding, "mend" | "details">;

export function fault(step: StepName, subject: string, text: string, cure: Cure): Finding {
	return { step, subject, severity: "fault", text, ...cure };
}

export function warning(step: StepName, subject: string, text: string, cure: Cure): Finding {
	return { step, subject, severity: "warning", text, ...cure };
}
