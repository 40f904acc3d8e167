import type { JSX } from "preact";
import { Avatar } from "../../ui/avatar.tsx";
import { iconUrl, listPeople, type Person } from "../people.ts";
import type { ChatState } from "../state/chat-state.ts";
import { describeState, explainContact, formatCount } from "../words.ts";
import { VerificationMark } from "./verification-mark.tsx";

/** Contacts, and whoever else there are messages with. */
export function PeopleList(props: { readonly state: ChatState; readonly select: (aor: string) => void }): JSX.Element {
	const { state, select } = props;
	const { contacts, others } = listPeople(state);
	return (
		<nav class="people" aria-label="People">
			<h2>Contacts</h2>
			{contacts.length === 0 ? (
				<p class="empty">Nobody yet. Add a contact by address, also of another organisation.</p>
			) : (
				<ul>
					{contacts.map((person) => (
						<PersonLine key={person.aor} person={person} isSelected={person.aor === state.selected} select={select} />
					))}
				</ul>
			)}
			{others.length === 0 ? null : (
				<>
					<h2>Other conversations</h2>
					<ul>
						{others.map((person) => (
							<PersonLine key={person.aor} person={person} isSelected={person.aor === state.selected} select={select} />
						))}
					</ul>
				</>
			)}
		</nav>
	);
}

function PersonLine(props: {
	readonly person: Person;
	readonly isSelected: boolean;
	readonly select: (aor: string) => void;
}): JSX.Element {
	const { person, isSelected, select } = props;
	const { aor, name, contact, conversation, isBlocked } = person;
	const unread = conversation?.unread ?? 0;
	return (
		<li>
			<button
				type="button"
				class={isSelected ? "person selected" : "person"}
				aria-current={isSelected ? "true" : undefined}
				onClick={() => select(aor)}
			>
				<Avatar aor={aor} name={name} state={contact?.state} iconUrl={iconUrl(contact)} />
				<span class="person-words">
					<span class="person-name">
						<bdi>{name}</bdi>
						<VerificationMark level={contact?.verification} />
					</span>
					<span class="person-state">{isBlocked ? "Blocked" : secondLine(person)}</span>
				</span>
				{unread === 0 ? null : (
					<span class="badge">
						{formatCount(unread, conversation?.unreadIsMore ?? false)}
						<span class="hidden"> unread</span>
					</span>
				)}
			</button>
		</li>
	);
}

function secondLine({ contact, conversation }: Person): string {
	if (conversation?.isTyping === true) return "is typing…";
	if (contact === undefined) return conversation?.last?.preview ?? "";
	const why = contact.state === "unknown" ? explainContact(contact) : undefined;
	return why === undefined ? describeState(contact.state, contact.note) : `Unknown: ${why}`;
}
