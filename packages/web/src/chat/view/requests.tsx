import type { HeldRequest, Message, WatchRequest } from "@causeway/admin";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { ChatSession } from "../session.ts";
import type { ChatState } from "../state/chat-state.ts";
import { VerificationMark } from "./verification-mark.tsx";

/** Who asks to see one's presence, and who has written without being let in. */
export function Requests({
	session,
	state,
}: {
	readonly session: ChatSession;
	readonly state: ChatState;
}): JSX.Element | null {
	if (state.requests.size + state.held.size === 0) return null;
	return (
		<div class="requests">
			{[...state.requests.values()].map((request) => (
				<Request key={request.aor} session={session} request={request} />
			))}
			{[...state.held.values()].map((request) => (
				<Held key={request.aor} session={session} request={request} />
			))}
		</div>
	);
}

function Request({ session, request }: { readonly session: ChatSession; readonly request: WatchRequest }): JSX.Element {
	const [isBusy, setBusy] = useState(false);
	const { aor, name, verification } = request;
	const decide = (decision: "allow" | "deny" | "block"): void => {
		setBusy(true);
		void session.decide(aor, decision).then(() => setBusy(false));
	};
	return (
		<section class="request" aria-label={`Request of ${aor}`}>
			<p>
				{name === undefined ? null : (
					<>
						<bdi>{name}</bdi>,{" "}
					</>
				)}
				<strong>
					<bdi>{aor}</bdi>
				</strong>{" "}
				<VerificationMark level={verification} /> wants to see your presence.
			</p>
			<div class="acts">
				<button class="button primary small" type="button" disabled={isBusy} onClick={() => decide("allow")}>
					Allow
				</button>
				<button
					class="button small"
					type="button"
					disabled={isBusy}
					title="They learn that you refused; they may still write to you"
					onClick={() => decide("deny")}
				>
					Deny
				</button>
				<button
					class="button small grave"
					type="button"
					disabled={isBusy}
					title="They see you as offline and cannot write to you"
					onClick={() => decide("block")}
				>
					Block
				</button>
			</div>
		</section>
	);
}

function Held({ session, request }: { readonly session: ChatSession; readonly request: HeldRequest }): JSX.Element {
	const [isBusy, setBusy] = useState(false);
	const [messages, setMessages] = useState<readonly Message[]>();
	const { aor, verification } = request;
	const decide = (decision: "accept" | "decline" | "block"): void => {
		setBusy(true);
		void session.decideHeld(aor, decision).then(() => setBusy(false));
	};
	return (
		<section class="request" aria-label={`Message request of ${aor}`}>
			<p>
				<strong>
					<bdi>{aor}</bdi>
				</strong>{" "}
				<VerificationMark level={verification} /> has written to you and is not among your contacts.
			</p>
			{messages === undefined ? null : (
				<ul class="held">
					{messages.map(({ id, text }) => (
						<li key={id} dir="auto">
							{text.slice(0, 500)}
							{text.length > 500 ? "…" : ""}
						</li>
					))}
				</ul>
			)}
			<div class="acts">
				{messages === undefined ? (
					<button class="button small" type="button" onClick={() => void session.readHeld(aor).then(setMessages)}>
						Read
					</button>
				) : null}
				<button class="button primary small" type="button" disabled={isBusy} onClick={() => decide("accept")}>
					Accept
				</button>
				<button
					class="button small"
					type="button"
					disabled={isBusy}
					title="Their messages are deleted; the next one asks again"
					onClick={() => decide("decline")}
				>
					Decline
				</button>
				<button
					class="button small grave"
					type="button"
					disabled={isBusy}
					title="Their messages are deleted, and they cannot write to you"
					onClick={() => decide("block")}
				>
					Block
				</button>
			</div>
		</section>
	);
}
