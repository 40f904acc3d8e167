import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Avatar } from "../../ui/avatar.tsx";
import { Icon } from "../../ui/icon.tsx";
import type { ChatSession } from "../session.ts";
import type { ChatState } from "../state/chat-state.ts";
import { ownStates, stateWords } from "../words.ts";

/** Oneself: address, published state and note, and the way out. */
export function OwnCard(props: {
	readonly session: ChatSession;
	readonly state: ChatState;
	readonly logOut: () => void;
}): JSX.Element {
	const { session, state, logOut } = props;
	const published = state.presence;
	const [note, setNote] = useState("");
	useEffect(() => setNote(published?.note ?? ""), [published?.note]);
	const isChanged = published !== undefined && note.trim() !== (published.note ?? "");
	return (
		<header class="own">
			<div class="own-name">
				<Avatar aor={state.me} name={state.me} state={published?.state} />
				<span class="own-aor">
					<bdi>{state.me}</bdi>
				</span>
				<button
					class="button quiet square"
					type="button"
					aria-label="Log out"
					title="Log out; you are then shown as offline"
					onClick={logOut}
				>
					<Icon name="leave" />
				</button>
			</div>
			<form
				class="own-presence"
				onSubmit={(event) => {
					event.preventDefault();
					if (published !== undefined) void session.setPresence(published.state, note.trim());
				}}
			>
				<select
					aria-label="My presence"
					disabled={published === undefined}
					value={published?.state ?? ""}
					onChange={(event) => {
						const chosen = ownStates.find((word) => word === event.currentTarget.value);
						if (chosen !== undefined) void session.setPresence(chosen, note.trim());
					}}
				>
					{published === undefined ? <option value="">…</option> : null}
					{ownStates.map((word) => (
						<option key={word} value={word}>
							{stateWords[word]}
						</option>
					))}
				</select>
				<input
					aria-label="My note"
					placeholder="Add a note"
					maxLength={500}
					disabled={published === undefined}
					value={note}
					onInput={(event) => setNote(event.currentTarget.value)}
				/>
				{isChanged ? (
					<button class="button square" type="submit" aria-label="Publish the note" title="Publish the note">
						<Icon name="check" />
					</button>
				) : null}
			</form>
		</header>
	);
}
