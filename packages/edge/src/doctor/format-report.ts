/** What was found, as a person reads it: the fault to begin with, whose it is and what mends it; then every step. */
import { type Finding, mainFinding, type Owner, type Section, type Severity } from "./finding.ts";

/** Paints a text where the terminal wants it. */
export type Paint = (style: "bold" | "dim" | "green" | "yellow" | "red", text: string) => string;

const marks: Readonly<Record<Severity, readonly [word: string, style: Parameters<Paint>[0]]>> = {
	ok: ["ok", "green"],
	note: ["note", "dim"],
	warning: ["warning", "yellow"],
	fault: ["FAULT", "red"],
	skipped: ["-", "dim"],
};

export function formatReport(
	sections: readonly Section[],
	paint: Paint,
	partner: string | undefined,
): readonly string[] {
	const all = sections.flatMap(({ findings }) => findings);
	const faults = all.filter(({ severity }) => severity === "fault").length;
	const warnings = all.filter(({ severity }) => severity === "warning").length;
	const main = mainFinding(sections);
	const lines: string[] = [];
	if (main === undefined) lines.push(paint("green", "everything is in order"), "");
	else lines.push(...formatMain(main, paint, partner), "");
	for (const { title, findings } of sections) {
		lines.push(paint("bold", title));
		const width = Math.max(...findings.map(({ step }) => step.length));
		for (const finding of findings) {
			const [word, style] = marks[finding.severity];
			const speaksForItself =
				finding.severity === "warning" || finding.severity === "fault" || finding.severity === "note";
			const text = speaksForItself ? finding.text : `${finding.subject}: ${finding.text}`;
			lines.push(`  ${paint(style, word.padEnd(7))}  ${finding.step.padEnd(width)}  ${text}`);
			if (finding === main) continue;
			lines.push(...formatCure(finding, paint, partner).map((line) => `           ${line}`));
		}
	}
	lines.push("", summary(faults, warnings));
	return lines;
}

function formatMain(main: Finding, paint: Paint, partner: string | undefined): readonly string[] {
	const [word, style] = marks[main.severity];
	const details = (main.details ?? []).map((line) => paint("dim", `  ${line}`));
	return [`${paint(style, word)}: ${main.text}`, ...formatCure(main, paint, partner), ...details];
}

function formatCure({ whose, remedy, mend }: Finding, paint: Paint, partner: string | undefined): readonly string[] {
	const lines: string[] = [];
	if (whose !== undefined) lines.push(`whose:  ${ownerWords(whose, partner)}`);
	if (remedy !== undefined) lines.push(`remedy: ${remedy}`);
	for (const line of mend ?? []) lines.push(paint("bold", `  ${line}`));
	return lines;
}

function ownerWords(owner: Owner, partner: string | undefined): string {
	switch (owner) {
		case "us":
			return "ours";
		case "partner":
			return partner === undefined ? "the partner's" : `the partner's (${partner})`;
		case "authority":
			return "the certification authority's";
		case "network":
			return "the network's between";
		case "either":
			return "ours or the partner's";
	}
}

function summary(faults: number, warnings: number): string {
	const count = (number: number, word: string): string => `${number} ${word}${number === 1 ? "" : "s"}`;
	return `${count(faults, "fault")}, ${count(warnings, "warning")}`;
}
