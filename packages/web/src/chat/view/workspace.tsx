import type { JSX } from "preact";
import { useState } from "preact/hooks";
import markUrl from "../../ui/causeway.svg";
import { Icon } from "../../ui/icon.tsx";
import type { ChatSession } from "../session.ts";
import type { ChatState } from "../state/chat-state.ts";
import { Conversation } from "./conversation.tsx";
import { AddDialog, BlocksDialog } from "./dialogs.tsx";
import { LinkStatus } from "./link-status.tsx";
import { OwnCard } from "./own-card.tsx";
import { PeopleList } from "./people-list.tsx";
import { Requests } from "./requests.tsx";

/** The chat of whoever is logged in: people on one side, a conversation on the other; on a narrow screen one of them. */
export function Workspace(props: {
	readonly session: ChatSession;
	readonly state: ChatState;
	readonly select: (aor: string | undefined) => void;
	readonly logOut: () => void;
}): JSX.Element {
	const { session, state, select, logOut } = props;
	const [dialog, setDialog] = useState<"add" | "blocks">();
	const isReady = state.loading === "ready" || state.presence !== undefined;
	return (
		<div class={state.selected === undefined ? "workspace" : "workspace has-selected"}>
			<div class="sidebar">
				<OwnCard session={session} state={state} logOut={logOut} />
				<LinkStatus session={session} state={state} />
				<Requests session={session} state={state} />
				<div class="sidebar-acts">
					<button class="button" type="button" onClick={() => setDialog("add")}>
						<Icon name="add" />
						Add a contact
					</button>
					<button class="button quiet" type="button" onClick={() => setDialog("blocks")}>
						<Icon name="block" />
						Blocked
						{state.blocks.size === 0 ? null : <span class="count">{state.blocks.size}</span>}
					</button>
				</div>
				{isReady ? (
					<PeopleList state={state} select={select} />
				) : (
					<p class="empty">
						{typeof state.loading === "object" ? state.loading.reason : "Reading your contacts and conversations…"}
					</p>
				)}
			</div>
			<main class="stage">
				{state.selected === undefined ? (
					<div class="empty-stage">
						<img src={markUrl} alt="" width={72} height={72} />
						<p>
							{state.contacts.size === 0
								? "Add a contact to see their presence and write to them."
								: "Choose somebody on the list to write to them."}
						</p>
					</div>
				) : (
					<Conversation key={state.selected} session={session} state={state} aor={state.selected} select={select} />
				)}
			</main>
			<div class="notices" role="alert">
				{state.notices.map(({ number, text }) => (
					<p key={number} class="notice">
						<Icon name="warning" />
						<span>{text}</span>
						<button
							class="button quiet square"
							type="button"
							aria-label="Dismiss"
							onClick={() => session.dismiss(number)}
						>
							<Icon name="close" />
						</button>
					</p>
				))}
			</div>
			{dialog === "add" ? <AddDialog session={session} close={() => setDialog(undefined)} select={select} /> : null}
			{dialog === "blocks" ? <BlocksDialog session={session} state={state} close={() => setDialog(undefined)} /> : null}
		</div>
	);
}
