import type { Clock } from "@causeway/sip";
import { aorKey } from "./aor.ts";
import { countOf, integer, optionalText, text } from "./columns.ts";
import type { Row } from "./connection.ts";
import type { ReadAccess, WriteAccess, Writes } from "./writing.ts";

/** Someone on a hosted user's contact list. */
export interface Contact {
	/** The hosted user, as key. */
	readonly owner: string;
	/** The contact, as key. */
	readonly contact: string;
	/** The contact as it was written. */
	readonly address: string;
	/** The owner's own name for the contact. */
	readonly name: string | undefined;
	readonly createdAt: number;
}

/** `no-owner`: there is no such user. */
export type PutContactResult =
	| { readonly kind: "added" | "updated"; readonly contact: Contact }
	| { readonly kind: "too-many"; readonly limit: number }
	| { readonly kind: "no-owner" };

const SELECT_CONTACT = "SELECT owner, contact, address, name, created_at FROM contacts";
const LONGEST_PAGE = 1_000;
/** Contacts one user may have: each is a subscription that we hold. */
export const CONTACTS_PER_USER = 1_000;

function contactFromRow(row: Row): Contact {
	return {
		owner: text(row, "owner"),
		contact: text(row, "contact"),
		address: text(row, "address"),
		name: optionalText(row, "name"),
		createdAt: integer(row, "created_at"),
	};
}

export const contactWrites = {
	putContact(database: WriteAccess, wanted: Contact, limit: number): PutContactResult {
		const { owner, contact, address, createdAt } = wanted;
		const name = wanted.name ?? null;
		const known = database.get(`${SELECT_CONTACT} WHERE owner = ? AND contact = ?`, owner, contact);
		if (known !== undefined) {
			database.run(
				"UPDATE contacts SET address = ?, name = ? WHERE owner = ? AND contact = ?",
				address,
				name,
				owner,
				contact,
			);
			return { kind: "updated", contact: { ...wanted, createdAt: integer(known, "created_at") } };
		}
		if (database.get("SELECT 1 FROM users WHERE aor = ?", owner) === undefined) return { kind: "no-owner" };
		const count = database.get("SELECT count(*) AS count FROM contacts WHERE owner = ?", owner);
		if (countOf(count) >= limit) return { kind: "too-many", limit };
		database.run(
			"INSERT INTO contacts (owner, contact, address, name, created_at) VALUES (?, ?, ?, ?, ?)",
			owner,
			contact,
			address,
			name,
			createdAt,
		);
		return { kind: "added", contact: wanted };
	},

	removeContact(database: WriteAccess, owner: string, contact: string): boolean {
		return database.run("DELETE FROM contacts WHERE owner = ? AND contact = ?", owner, contact) === 1;
	},
} as const;

/** Contact lists of hosted users. What a contact's state is stands in memory, not here. */
export interface Contacts {
	/** Adds a contact or changes its name; without `name` it has none. */
	put(owner: string, contact: { readonly address: string; readonly name?: string }): Promise<PutContactResult>;
	/** False where there was none. */
	remove(owner: string, contact: string): Promise<boolean>;
	get(owner: string, contact: string): Contact | undefined;
	/** The whole list of one user, by key. */
	list(owner: string): readonly Contact[];
	/** Keys of the hosted users who have this contact. */
	ownersOf(contact: string): readonly string[];
	/** All lists, for start-up: by owner and contact, after the given one, at most `limit` (1,000). */
	all(page: { readonly after?: Pick<Contact, "owner" | "contact">; readonly limit: number }): readonly Contact[];
}

export function createContacts(
	read: ReadAccess,
	writes: Writes<typeof contactWrites>,
	clock: Pick<Clock, "wall">,
): Contacts {
	return {
		put: (owner, { address, name }) =>
			writes.putContact(
				{ owner: aorKey(owner), contact: aorKey(address), address, name, createdAt: clock.wall() },
				CONTACTS_PER_USER,
			),
		remove: (owner, contact) => writes.removeContact(aorKey(owner), aorKey(contact)),
		get(owner, contact) {
			const row = read.get(`${SELECT_CONTACT} WHERE owner = ? AND contact = ?`, aorKey(owner), aorKey(contact));
			return row && contactFromRow(row);
		},
		list: (owner) => read.all(`${SELECT_CONTACT} WHERE owner = ? ORDER BY contact`, aorKey(owner)).map(contactFromRow),
		ownersOf: (contact) =>
			read
				.all("SELECT owner FROM contacts WHERE contact = ? ORDER BY owner", aorKey(contact))
				.map((row) => text(row, "owner")),
		all({ after, limit }) {
			const rows = read.all(
				`${SELECT_CONTACT} WHERE (owner, contact) > (?, ?) ORDER BY owner, contact LIMIT ?`,
				after?.owner ?? "",
				after?.contact ?? "",
				Math.max(0, Math.min(limit, LONGEST_PAGE)),
			);
			return rows.map(contactFromRow);
		},
	};
}
