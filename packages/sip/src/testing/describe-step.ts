/** Machine steps in words: `completed: start j, send response`. For the tables of tests and for traces. */
import type { ClientEffect, ServerEffect, Step } from "../transaction/machine.ts";
import type { TimerName } from "../transaction/timing.ts";

/** A step in one line, as the tables of the tests have it. */
export function describeStep<Timer extends TimerName>(
	step: Step<string, ClientEffect<Timer> | ServerEffect<Timer>>,
): string {
	const effects = step.effects.map(describeEffect);
	return effects.length === 0 ? `${step.state}:` : `${step.state}: ${effects.join(", ")}`;
}

function describeEffect<Timer extends TimerName>(effect: ClientEffect<Timer> | ServerEffect<Timer>): string {
	if (effect.kind === "send") return `send ${effect.what}`;
	if (effect.kind === "tell-user") return `tell ${effect.what}`;
	const letter = effect.timer.slice("timer-".length);
	if (effect.kind === "stop-timer") return `stop ${letter}`;
	return effect.interval === "initial" ? `start ${letter}` : `start ${letter} ${effect.interval}`;
}
