/**
 * The INVITE usage of a message session: RFC 3261 §13, §14, §15 above the transactions.
 *
 *   caller  init ─invite─→ inviting ─1xx─→ early ─2xx─→ confirmed ─hang-up─→ terminating ─→ terminated
 *   callee  init ─offered─→ invited ─accept─→ accepted ─ACK─→ confirmed
 *
 * MESSAGE and BYE leave in `confirmed` only (REQ-57); a MESSAGE that arrives earlier is tolerated by the caller of this
 * machine. The machine knows no message and no timer: it is told what happened and answers with the next state and the
 * effects, which the caller performs in their order.
 */
import { assertNever, invariant } from "../text/assert.ts";

/** States of an INVITE usage (RFC 5057 §2, RFC 3261 §13). */
export type InviteState =
	| { readonly name: "init" }
	/** Our INVITE left; `closing` says why it was cancelled. */
	| { readonly name: "inviting"; readonly closing: Closing | undefined }
	/** A provisional response came. */
	| { readonly name: "early"; readonly closing: Closing | undefined }
	/** An INVITE came and waits for our answer. */
	| { readonly name: "invited" }
	/** Our 2xx left and waits for its ACK; `closing` ends the session as soon as it may end. */
	| { readonly name: "accepted"; readonly closing: Closing | undefined }
	| {
			readonly name: "confirmed";
			/** Tag of the one dialog of the session where we called; undefined where we were called. */
			readonly remoteTag: string | undefined;
			/** A re-INVITE under way: ours, or the peer's until its ACK. */
			readonly reinvite: "none" | "ours" | "peers";
			/** Ends the session when the re-INVITE under way is done. */
			readonly closing: Closing | undefined;
	  }
	/** Our BYE left. */
	| { readonly name: "terminating"; readonly remoteTag: string | undefined }
	| { readonly name: "terminated"; readonly remoteTag: string | undefined };

/** Why we end a session. */
export type Closing =
	| { readonly kind: "hung-up" }
	/** Nobody answered in time (protocol.md 3.5: 60 s). */
	| { readonly kind: "no-answer" }
	/** The peer's ACK did not come: RFC 3261 §13.3.1.4. */
	| { readonly kind: "no-ack" }
	/** A re-INVITE took the message stream away. */
	| { readonly kind: "stream-removed" }
	/** A request inside the dialog was answered so that the dialog is of no use (protocol.md 3.6). */
	| { readonly kind: "request-failed"; readonly statusCode: number };

/** Why a session is over, as its user is told. */
export type InviteEnd =
	| Closing
	/** A final answer of 300 or above to our INVITE; 408 and 503 where none came (RFC 3261 §8.1.3.1). */
	| { readonly kind: "refused"; readonly statusCode: number }
	/** We answered with this. */
	| { readonly kind: "declined"; readonly statusCode: number }
	/** The caller took its INVITE back. */
	| { readonly kind: "cancelled" }
	| { readonly kind: "bye" }
	| { readonly kind: "connection-lost" };

/** What happens to a session (RFC 3261 §13, §14, §15). */
export type InviteEvent =
	/** The user calls. */
	| { readonly kind: "invite" }
	| { readonly kind: "provisional" }
	/** A 2xx to our INVITE or re-INVITE, its repetitions and those of other branches too. */
	| { readonly kind: "success"; readonly toTag: string; readonly isReinvite: boolean }
	/** The final failure of our INVITE or re-INVITE. */
	| { readonly kind: "failure"; readonly statusCode: number; readonly isReinvite: boolean }
	/** The time for an answer is over. */
	| { readonly kind: "no-answer" }
	/** An INVITE came. */
	| { readonly kind: "offered" }
	/** We take it. */
	| { readonly kind: "accept" }
	/** We refuse it. */
	| { readonly kind: "decline"; readonly statusCode: number }
	/** The CANCEL of the INVITE that waits for our answer; the CANCEL itself is answered already. */
	| { readonly kind: "cancel" }
	/** The ACK to our 2xx. */
	| { readonly kind: "ack" }
	/** 64·T1 passed without it. */
	| { readonly kind: "ack-timeout" }
	/** We send a re-INVITE. */
	| { readonly kind: "reinvite" }
	/** A re-INVITE came; `offer` judges its description. */
	| { readonly kind: "reoffered"; readonly offer: "keeps" | "removes" | "refused" }
	/** A request of ours in the dialog got 408, 480 or 481. */
	| { readonly kind: "request-failed"; readonly statusCode: number }
	/** The user leaves, or the session is idle or too old. */
	| { readonly kind: "hang-up" }
	/** A BYE came. */
	| { readonly kind: "bye" }
	/** The final answer to our BYE, or none. */
	| { readonly kind: "bye-answered" }
	| { readonly kind: "connection-lost" };

/** What the caller has to do after a step, in order. */
export type InviteEffect =
	| { readonly kind: "send-invite" }
	| { readonly kind: "send-reinvite" }
	/** ACK to the 2xx at hand, in the dialog of that tag. */
	| { readonly kind: "send-ack"; readonly toTag: string }
	/** Cancels the INVITE transaction, which waits for a provisional response by itself (RFC 3261 §9.1). */
	| { readonly kind: "send-cancel" }
	/** BYE in the dialog of that tag; in the one dialog there is where we were called. `isStray`: its answer is nobody's. */
	| { readonly kind: "send-bye"; readonly remoteTag: string | undefined; readonly isStray: boolean }
	/** Answer to the INVITE that waits; a 200 is sent again until its ACK comes. */
	| { readonly kind: "answer-invite"; readonly statusCode: number }
	/** The 200 is sent no more. */
	| { readonly kind: "stop-sending-200" }
	/** Answer to the re-INVITE at hand: 200 (sent again until its ACK comes), 488, 491, or 500 with a Retry-After of 0 to 10 s. */
	| { readonly kind: "answer-reinvite"; readonly statusCode: 200 | 481 | 488 | 491 | 500 }
	/** Answer to the BYE at hand. */
	| { readonly kind: "answer-bye"; readonly statusCode: 200 | 481 }
	/** Starts the time for an answer: protocol.md 3.5, 60 s. */
	| { readonly kind: "start-answer-timer" }
	| { readonly kind: "stop-answer-timer" }
	/** MESSAGE may flow. */
	| { readonly kind: "established" }
	/** Our re-INVITE met one of the peer's: try again after `reinvitePauseMs`. */
	| { readonly kind: "reinvite-glare" }
	/** Our re-INVITE came to nothing; the session goes on as it was (RFC 3261 §14.1). */
	| { readonly kind: "reinvite-refused"; readonly statusCode: number }
	/** The user is told once that the session is over. The dialog stays known until `forget`. */
	| { readonly kind: "ended"; readonly end: InviteEnd }
	/** Nothing more of this session is awaited. */
	| { readonly kind: "forget" };

/** The state after an event, and what is to be done. */
export interface InviteStep {
	readonly state: InviteState;
	readonly effects: readonly InviteEffect[];
}

type StateOf<Name extends InviteState["name"]> = Extract<InviteState, { name: Name }>;

/** Before the INVITE. */
export const initialInviteState: InviteState = { name: "init" };

/**
 * One step of the machine. No peer can make it throw: only what our own code asks for (`invite`, `offered`, `accept`,
 * `decline`, `reinvite`) does where it makes no sense.
 */
export function stepInvite(state: InviteState, event: InviteEvent): InviteStep {
	switch (state.name) {
		case "init":
			return stepInit(state, event);
		case "inviting":
		case "early":
			return stepCalling(state, event);
		case "invited":
			return stepInvited(state, event);
		case "accepted":
			return stepAccepted(state, event);
		case "confirmed":
			return stepConfirmed(state, event);
		case "terminating":
			return stepTerminating(state, event);
		case "terminated":
			return stepTerminated(state, event);
		default:
			return assertNever(state);
	}
}

/** Whether MESSAGE, INFO and BYE may leave. */
export function canSendInSession(state: InviteState): boolean {
	return state.name === "confirmed" && state.closing === undefined;
}

function stepInit(state: StateOf<"init">, event: InviteEvent): InviteStep {
	switch (event.kind) {
		case "invite":
			return { state: { name: "inviting", closing: undefined }, effects: [{ kind: "send-invite" }] };
		case "offered":
			return stay({ name: "invited" });
		case "bye":
			return { state, effects: [{ kind: "answer-bye", statusCode: 481 }] };
		case "reoffered":
			return { state, effects: [{ kind: "answer-reinvite", statusCode: 481 }] };
		case "hang-up":
		case "connection-lost":
		case "cancel":
		case "ack":
		case "ack-timeout":
		case "no-answer":
		case "provisional":
		case "success":
		case "failure":
		case "request-failed":
		case "bye-answered":
			return stay(state);
		case "accept":
		case "decline":
		case "reinvite":
			return outOfPlace(state, event);
		default:
			return assertNever(event);
	}
}

/** Our INVITE is under way. */
function stepCalling(state: StateOf<"inviting" | "early">, event: InviteEvent): InviteStep {
	switch (event.kind) {
		case "provisional": {
			const next: InviteState = { name: "early", closing: state.closing };
			// The time runs from the first provisional response; before it the transaction's own time-out rules.
			const isFirst = state.name === "inviting" && state.closing === undefined;
			return { state: next, effects: isFirst ? [{ kind: "start-answer-timer" }] : [] };
		}
		case "success": {
			const { toTag } = event;
			const ack: InviteEffect = { kind: "send-ack", toTag };
			if (state.closing !== undefined) {
				// RFC 3261 §9.1: the 2xx crossed our CANCEL, so the session exists and has to be ended.
				return {
					state: { name: "terminating", remoteTag: toTag },
					effects: [ack, { kind: "send-bye", remoteTag: toTag, isStray: false }],
				};
			}
			return {
				state: { name: "confirmed", remoteTag: toTag, reinvite: "none", closing: undefined },
				effects: [{ kind: "stop-answer-timer" }, ack, { kind: "established" }],
			};
		}
		case "failure": {
			const over: InviteState = { name: "terminated", remoteTag: undefined };
			if (state.closing !== undefined) return { state: over, effects: [{ kind: "forget" }] };
			const end: InviteEnd = { kind: "refused", statusCode: event.statusCode };
			return { state: over, effects: [{ kind: "stop-answer-timer" }, { kind: "ended", end }, { kind: "forget" }] };
		}
		case "no-answer":
		case "hang-up": {
			if (state.closing !== undefined) return stay(state);
			const closing: Closing = { kind: event.kind === "hang-up" ? "hung-up" : "no-answer" };
			return {
				state: { ...state, closing },
				effects: [{ kind: "stop-answer-timer" }, { kind: "send-cancel" }, { kind: "ended", end: closing }],
			};
		}
		case "bye":
			// RFC 3261 §15: the called side sends no BYE before it answered the INVITE.
			return { state, effects: [{ kind: "answer-bye", statusCode: 481 }] };
		case "reoffered":
			return { state, effects: [{ kind: "answer-reinvite", statusCode: 491 }] };
		case "connection-lost": {
			const over: InviteState = { name: "terminated", remoteTag: undefined };
			if (state.closing !== undefined) return { state: over, effects: [{ kind: "forget" }] };
			return { state: over, effects: [{ kind: "stop-answer-timer" }, ...lost()] };
		}
		case "ack":
		case "ack-timeout":
		case "cancel":
		case "request-failed":
		case "bye-answered":
			return stay(state);
		case "invite":
		case "offered":
		case "accept":
		case "decline":
		case "reinvite":
			return outOfPlace(state, event);
		default:
			return assertNever(event);
	}
}

/** An INVITE waits for our answer. */
function stepInvited(state: StateOf<"invited">, event: InviteEvent): InviteStep {
	const over: InviteState = { name: "terminated", remoteTag: undefined };
	switch (event.kind) {
		case "accept":
			return {
				state: { name: "accepted", closing: undefined },
				effects: [{ kind: "answer-invite", statusCode: 200 }],
			};
		case "decline": {
			const { statusCode } = event;
			invariant(statusCode >= 300, "an INVITE is declined with 300 or above");
			return {
				state: over,
				effects: [{ kind: "answer-invite", statusCode }, ...ended({ kind: "declined", statusCode })],
			};
		}
		case "cancel":
			return {
				state: over,
				effects: [{ kind: "answer-invite", statusCode: 487 }, ...ended({ kind: "cancelled" })],
			};
		case "hang-up":
			return {
				state: over,
				effects: [{ kind: "answer-invite", statusCode: 480 }, ...ended({ kind: "declined", statusCode: 480 })],
			};
		case "bye":
			// RFC 3261 §15.1.2: a BYE of the caller on the early dialog; the INVITE is answered with 487.
			return {
				state: over,
				effects: [
					{ kind: "answer-bye", statusCode: 200 },
					{ kind: "answer-invite", statusCode: 487 },
					...ended({ kind: "bye" }),
				],
			};
		case "connection-lost":
			return { state: over, effects: lost() };
		case "reoffered":
			// RFC 3261 §14.2: a second INVITE before the first has its final answer.
			return { state, effects: [{ kind: "answer-reinvite", statusCode: 500 }] };
		case "ack":
		case "ack-timeout":
		case "no-answer":
		case "provisional":
		case "success":
		case "failure":
		case "request-failed":
		case "bye-answered":
			return stay(state);
		case "invite":
		case "offered":
		case "reinvite":
			return outOfPlace(state, event);
		default:
			return assertNever(event);
	}
}

/** Our 2xx waits for its ACK. */
function stepAccepted(state: StateOf<"accepted">, event: InviteEvent): InviteStep {
	switch (event.kind) {
		case "ack": {
			const stop: InviteEffect = { kind: "stop-sending-200" };
			// RFC 3261 §15: the called side waits for the ACK before it sends BYE.
			if (state.closing !== undefined) return sayBye(undefined, [stop]);
			return {
				state: { name: "confirmed", remoteTag: undefined, reinvite: "none", closing: undefined },
				effects: [stop, { kind: "established" }],
			};
		}
		case "ack-timeout":
			if (state.closing !== undefined) return sayBye(undefined, []);
			return sayBye(undefined, [{ kind: "ended", end: { kind: "no-ack" } }]);
		case "hang-up": {
			if (state.closing !== undefined) return stay(state);
			const closing: Closing = { kind: "hung-up" };
			return { state: { name: "accepted", closing }, effects: [{ kind: "ended", end: closing }] };
		}
		case "bye":
			return {
				state: { name: "terminated", remoteTag: undefined },
				effects: [
					{ kind: "stop-sending-200" },
					{ kind: "answer-bye", statusCode: 200 },
					...closedBy(state.closing, { kind: "bye" }),
				],
			};
		case "reoffered":
			return { state, effects: [{ kind: "answer-reinvite", statusCode: 500 }] };
		case "connection-lost":
			return {
				state: { name: "terminated", remoteTag: undefined },
				effects: [{ kind: "stop-sending-200" }, ...closedBy(state.closing, { kind: "connection-lost" })],
			};
		case "cancel":
		case "no-answer":
		case "provisional":
		case "success":
		case "failure":
		case "request-failed":
		case "bye-answered":
			// RFC 3261 §9.2: a CANCEL has no effect once the final response left.
			return stay(state);
		case "invite":
		case "offered":
		case "accept":
		case "decline":
		case "reinvite":
			return outOfPlace(state, event);
		default:
			return assertNever(event);
	}
}

function stepConfirmed(state: StateOf<"confirmed">, event: InviteEvent): InviteStep {
	switch (event.kind) {
		case "success":
			return successWhenConfirmed(state, event);
		case "failure":
			if (!event.isReinvite || state.reinvite !== "ours") return stay(state);
			return reinviteFailed(state, event.statusCode);
		case "ack": {
			if (state.reinvite !== "peers") return stay(state);
			const stop: InviteEffect = { kind: "stop-sending-200" };
			if (state.closing !== undefined) return sayBye(state.remoteTag, [stop]);
			return { state: { ...state, reinvite: "none" }, effects: [stop] };
		}
		case "ack-timeout":
			if (state.reinvite !== "peers") return stay(state);
			return sayBye(state.remoteTag, state.closing === undefined ? [{ kind: "ended", end: { kind: "no-ack" } }] : []);
		case "reinvite":
			invariant(state.reinvite === "none" && state.closing === undefined, "one re-INVITE at a time");
			return { state: { ...state, reinvite: "ours" }, effects: [{ kind: "send-reinvite" }] };
		case "reoffered":
			return reoffered(state, event.offer);
		case "request-failed": {
			const end: Closing = { kind: "request-failed", statusCode: event.statusCode };
			const effects = [
				...stopReinvite(state),
				...(state.closing === undefined ? [{ kind: "ended", end } as const] : []),
			];
			// RFC 3261 §12.2.1.2: after 481 the peer has no dialog that a BYE could end.
			if (event.statusCode !== 481) return sayBye(state.remoteTag, effects);
			return { state: { name: "terminated", remoteTag: state.remoteTag }, effects: [...effects, { kind: "forget" }] };
		}
		case "hang-up":
			if (state.closing !== undefined) return stay(state);
			return sayBye(state.remoteTag, [...stopReinvite(state), { kind: "ended", end: { kind: "hung-up" } }]);
		case "bye":
			return {
				state: { name: "terminated", remoteTag: state.remoteTag },
				effects: [
					...stopReinvite(state),
					{ kind: "answer-bye", statusCode: 200 },
					...closedBy(state.closing, { kind: "bye" }),
				],
			};
		case "connection-lost":
			return {
				state: { name: "terminated", remoteTag: state.remoteTag },
				effects: [...stopReinvite(state), ...closedBy(state.closing, { kind: "connection-lost" })],
			};
		case "cancel":
		case "no-answer":
		case "provisional":
		case "bye-answered":
			return stay(state);
		case "invite":
		case "offered":
		case "accept":
		case "decline":
			return outOfPlace(state, event);
		default:
			return assertNever(event);
	}
}

function stepTerminating(state: StateOf<"terminating">, event: InviteEvent): InviteStep {
	const over: InviteState = { name: "terminated", remoteTag: state.remoteTag };
	switch (event.kind) {
		case "bye-answered":
		case "connection-lost":
			return { state: over, effects: [{ kind: "forget" }] };
		case "bye":
			// The two BYEs crossed; the answer to ours still comes.
			return { state, effects: [{ kind: "answer-bye", statusCode: 200 }] };
		case "success":
			return { state, effects: strayAfterEnd(state, event) };
		case "reoffered":
			return { state, effects: [{ kind: "answer-reinvite", statusCode: 481 }] };
		case "hang-up":
		case "failure":
		case "provisional":
		case "ack":
		case "ack-timeout":
		case "cancel":
		case "no-answer":
		case "request-failed":
			return stay(state);
		case "invite":
		case "offered":
		case "accept":
		case "decline":
		case "reinvite":
			return outOfPlace(state, event);
		default:
			return assertNever(event);
	}
}

function stepTerminated(state: StateOf<"terminated">, event: InviteEvent): InviteStep {
	switch (event.kind) {
		case "success":
			return { state, effects: strayAfterEnd(state, event) };
		case "bye":
			return { state, effects: [{ kind: "answer-bye", statusCode: 481 }] };
		case "reoffered":
			return { state, effects: [{ kind: "answer-reinvite", statusCode: 481 }] };
		case "hang-up":
		case "failure":
		case "provisional":
		case "ack":
		case "ack-timeout":
		case "cancel":
		case "no-answer":
		case "request-failed":
		case "bye-answered":
		case "connection-lost":
		case "accept":
		case "decline":
			// The user may decide after the caller has given up.
			return stay(state);
		case "invite":
		case "offered":
		case "reinvite":
			return outOfPlace(state, event);
		default:
			return assertNever(event);
	}
}

function successWhenConfirmed(
	state: StateOf<"confirmed">,
	event: Extract<InviteEvent, { kind: "success" }>,
): InviteStep {
	const ack: InviteEffect = { kind: "send-ack", toTag: event.toTag };
	if (event.isReinvite && state.reinvite === "ours") {
		if (state.closing !== undefined) return sayBye(state.remoteTag, [ack]);
		return { state: { ...state, reinvite: "none" }, effects: [ack] };
	}
	// A 2xx to an INVITE that we never sent is nobody's.
	if (!event.isReinvite && state.remoteTag === undefined) return stay(state);
	// RFC 3261 §13.2.2.4: each repetition of the 2xx is acknowledged again; a second dialog is acknowledged and ended.
	return { state, effects: event.toTag === state.remoteTag || event.isReinvite ? [ack] : ackAndBye(event.toTag) };
}

function reinviteFailed(state: StateOf<"confirmed">, statusCode: number): InviteStep {
	const next: InviteState = { ...state, reinvite: "none" };
	if (statusCode === 491) return { state: next, effects: [{ kind: "reinvite-glare" }] };
	// RFC 3261 §14.1: 481 and 408 end the dialog, every other refusal leaves the session as it was.
	if (statusCode === 481 || statusCode === 408) return stepConfirmed(next, { kind: "request-failed", statusCode });
	return { state: next, effects: [{ kind: "reinvite-refused", statusCode }] };
}

/** RFC 3261 §14.2. */
function reoffered(state: StateOf<"confirmed">, offer: "keeps" | "removes" | "refused"): InviteStep {
	if (state.reinvite === "ours") return { state, effects: [{ kind: "answer-reinvite", statusCode: 491 }] };
	if (state.reinvite === "peers") return { state, effects: [{ kind: "answer-reinvite", statusCode: 500 }] };
	switch (offer) {
		case "refused":
			return { state, effects: [{ kind: "answer-reinvite", statusCode: 488 }] };
		case "keeps":
			return { state: { ...state, reinvite: "peers" }, effects: [{ kind: "answer-reinvite", statusCode: 200 }] };
		case "removes": {
			const closing: Closing = { kind: "stream-removed" };
			return {
				state: { ...state, reinvite: "peers", closing },
				effects: [
					{ kind: "answer-reinvite", statusCode: 200 },
					{ kind: "ended", end: closing },
				],
			};
		}
		default:
			return assertNever(offer);
	}
}

/** A 2xx that comes after the end: its dialog is ended too, unless our BYE is on its way there already. */
function strayAfterEnd(
	state: StateOf<"terminating" | "terminated">,
	event: Extract<InviteEvent, { kind: "success" }>,
): readonly InviteEffect[] {
	return event.isReinvite || event.toTag === state.remoteTag
		? [{ kind: "send-ack", toTag: event.toTag }]
		: ackAndBye(event.toTag);
}

function ackAndBye(toTag: string): readonly InviteEffect[] {
	return [
		{ kind: "send-ack", toTag },
		{ kind: "send-bye", remoteTag: toTag, isStray: true },
	];
}

function sayBye(remoteTag: string | undefined, before: readonly InviteEffect[]): InviteStep {
	return {
		state: { name: "terminating", remoteTag },
		effects: [...before, { kind: "send-bye", remoteTag, isStray: false }],
	};
}

function stopReinvite(state: StateOf<"confirmed">): readonly InviteEffect[] {
	return state.reinvite === "peers" ? [{ kind: "stop-sending-200" }] : [];
}

/** The user is told once: where we are closing already it knows. */
function closedBy(closing: Closing | undefined, end: InviteEnd): readonly InviteEffect[] {
	return closing === undefined ? ended(end) : [{ kind: "forget" }];
}

function ended(end: InviteEnd): readonly InviteEffect[] {
	return [{ kind: "ended", end }, { kind: "forget" }];
}

function lost(): readonly InviteEffect[] {
	return ended({ kind: "connection-lost" });
}

function stay(state: InviteState): InviteStep {
	return { state, effects: [] };
}

function outOfPlace(state: InviteState, event: InviteEvent): never {
	invariant(false, `an INVITE session in state ${state.name} has no use for ${event.kind}`);
}
