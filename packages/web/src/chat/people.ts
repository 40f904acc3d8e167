import type { Contact } from "@causeway/admin";
import { ownUrl } from "../api.ts";
import type { ChatState, ConversationState } from "./state/chat-state.ts";

/** One line of the list: a contact, somebody one exchanged messages with, or both. */
export interface Person {
	readonly aor: string;
	/** The contact's name, else the address. */
	readonly name: string;
	readonly contact: Contact | undefined;
	readonly conversation: ConversationState | undefined;
	readonly isBlocked: boolean;
}

export interface People {
	readonly contacts: readonly Person[];
	/** Conversations with somebody who is no contact. */
	readonly others: readonly Person[];
}

/** Everybody there is to see: who wrote or was written to last stands first, then by name. */
export function listPeople(state: ChatState): People {
	const contacts = [...state.contacts.keys()].map((aor) => findPerson(state, aor));
	const others = [...state.conversations.values()]
		.filter(({ with: withAor, last }) => !state.contacts.has(withAor) && last !== undefined)
		.map(({ with: withAor }) => findPerson(state, withAor));
	return { contacts: contacts.sort(compare), others: others.sort(compare) };
}

export function findPerson(state: ChatState, aor: string): Person {
	const contact = state.contacts.get(aor);
	return {
		aor,
		name: contact?.name ?? aor,
		contact,
		conversation: state.conversations.get(aor),
		isBlocked: state.blocks.has(aor),
	};
}

function compare(one: Person, other: Person): number {
	const [oneLast, otherLast] = [one.conversation?.last?.id ?? "", other.conversation?.last?.id ?? ""];
	if (oneLast !== otherLast) return oneLast > otherLast ? -1 : 1;
	return one.name.localeCompare(other.name);
}

/** Where this server keeps the icon of a contact's network, as far as there is one. */
export function iconUrl(contact: Contact | undefined): string | undefined {
	return contact?.icon === undefined ? undefined : ownUrl(contact.icon, document.baseURI);
}
