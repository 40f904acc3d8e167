import type { Blame } from "../schema/common.ts";
import { printable } from "./context.ts";

const blameWords: Readonly<Record<Blame, string>> = {
	us: "on our side",
	peer: "on the partner's side",
	recipient: "with the recipient",
	network: "in the network between",
};

/** Why something is as it is: `504 no such host (in the network between)`; empty where nothing is told. */
export function formatExplanation(told: {
	readonly code?: number | undefined;
	readonly reason?: string | undefined;
	readonly blame?: Blame | undefined;
}): string {
	const parts = [
		told.code === undefined ? "" : String(told.code),
		printable(told.reason ?? ""),
		told.blame === undefined ? "" : `(${blameWords[told.blame]})`,
	];
	return parts.filter((part) => part !== "").join(" ");
}
