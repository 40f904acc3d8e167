import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Avatar } from "../../ui/avatar.tsx";
import { Icon } from "../../ui/icon.tsx";
import { Menu, type MenuItem } from "../../ui/menu.tsx";
import { findPerson, iconUrl, type Person } from "../people.ts";
import type { ChatSession } from "../session.ts";
import { type ChatState, emptyConversation } from "../state/chat-state.ts";
import { shownEntries } from "../state/outbox.ts";
import { describeState, explainContact } from "../words.ts";
import { Composer } from "./composer.tsx";
import { ConfirmDialog, RenameDialog } from "./dialogs.tsx";
import { MessageLog } from "./message-log.tsx";
import { VerificationMark } from "./verification-mark.tsx";

/** One conversation: with whom, what was said, and the field for the next message. */
export function Conversation(props: {
	readonly session: ChatSession;
	readonly state: ChatState;
	readonly aor: string;
	readonly select: (aor: string | undefined) => void;
}): JSX.Element {
	const { session, state, aor, select } = props;
	const person = findPerson(state, aor);
	const conversation = person.conversation ?? emptyConversation(aor);
	const [dialog, setDialog] = useState<"rename" | "remove" | "block">();
	const close = (): void => setDialog(undefined);
	return (
		<section class="conversation" aria-label={`Conversation with ${person.name}`}>
			<header class="conversation-head">
				<button
					class="button quiet square back"
					type="button"
					aria-label="Back to the list"
					onClick={() => select(undefined)}
				>
					<Icon name="back" />
				</button>
				<Avatar aor={aor} name={person.name} state={person.contact?.state} iconUrl={iconUrl(person.contact)} />
				<div class="conversation-who">
					<h2>
						<bdi>{person.name}</bdi>
						<VerificationMark level={person.contact?.verification} />
					</h2>
					<p class="conversation-state">{headLine(person)}</p>
				</div>
				<Menu label="More about this conversation" items={menuItems(session, person, setDialog)} />
			</header>
			<Band session={session} person={person} />
			<MessageLog
				session={session}
				conversation={conversation}
				entries={shownEntries(state.outbox, aor)}
				name={person.name}
			/>
			{person.isBlocked ? (
				<p class="composer-place hint">
					You block {aor}.{" "}
					<button class="button small" type="button" onClick={() => void session.unblock(aor)}>
						Unblock
					</button>
				</p>
			) : (
				<Composer session={session} aor={aor} name={person.name} />
			)}
			{dialog === "rename" ? (
				<RenameDialog session={session} aor={aor} name={person.contact?.name ?? ""} close={close} />
			) : null}
			{dialog === "remove" ? (
				<ConfirmDialog
					title="Remove contact"
					text={`${aor} leaves your list, and you no longer see their presence. Messages stay.`}
					act="Remove"
					confirmed={() => void session.removeContact(aor)}
					close={close}
				/>
			) : null}
			{dialog === "block" ? (
				<ConfirmDialog
					title="Block"
					text={`${aor} will see you as offline and cannot write to you. You can unblock them at any time.`}
					act="Block"
					confirmed={() => void session.block(aor)}
					close={close}
				/>
			) : null}
		</section>
	);
}

function menuItems(
	session: ChatSession,
	{ aor, contact, isBlocked }: Person,
	ask: (dialog: "rename" | "remove" | "block") => void,
): readonly MenuItem[] {
	const contactItems: readonly MenuItem[] =
		contact === undefined
			? []
			: [
					{ label: "Rename contact", act: () => ask("rename") },
					{ label: "Remove contact", act: () => ask("remove") },
				];
	return [
		...contactItems,
		{ label: "End conversation", act: () => void session.endConversation(aor) },
		isBlocked
			? { label: "Unblock", act: () => void session.unblock(aor) }
			: { label: "Block", act: () => ask("block"), isGrave: true },
	];
}

/** The address, always: a name is what the other side says it is. */
function headLine({ aor, name, contact }: Person): string {
	const words = contact === undefined ? "Not among your contacts" : describeState(contact.state, contact.note);
	return name === aor ? words : `${aor} · ${words}`;
}

/** Why the presence is not known. */
function Band({ session, person }: { readonly session: ChatSession; readonly person: Person }): JSX.Element | null {
	if (person.contact === undefined) {
		return (
			<p class="why calm">
				<span>You do not see their presence.</span>
				<button class="button small" type="button" onClick={() => void session.putContact(person.aor, "")}>
					Add to contacts
				</button>
			</p>
		);
	}
	const why = explainContact(person.contact);
	if (why === undefined) return null;
	return (
		<p class="why">
			<Icon name="warning" />
			<span>{person.contact?.state === "pending" ? why : `Presence unknown: ${why}`}</span>
		</p>
	);
}
