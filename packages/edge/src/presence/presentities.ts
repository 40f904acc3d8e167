/** What hosted users published, in memory, and the documents made of it: one for each state and form, made once. */
import { formatPidf, presenceStatus } from "@causeway/sip";
import type { PresenceState } from "../store/published-presence.ts";
import type { Store } from "../store/store.ts";
import { aorUri, domainOf } from "../ua/local-identity.ts";

export interface Published {
	readonly state: PresenceState;
	readonly note: string | undefined;
	/** Milliseconds since 1970; undefined before anything was published. */
	readonly changedAt: number | undefined;
}

/** What a watcher may see: the whole state, or a document that says no more than that nobody is there. */
export type View = "full" | "closed";
type Form = "profile" | "rfc4480";

const NOTHING: Published = { state: "offline", note: undefined, changedAt: undefined };
const PAGE = 1_000;

export class Presentities {
	readonly #store: Store;
	/** Brand icon of each hosted domain that has one. */
	readonly #icons: Map<string, string>;
	readonly #published = new Map<string, Published>();
	/** Documents by presentity; emptied by each change. */
	readonly #documents = new Map<string, Map<string, Uint8Array>>();

	constructor(store: Store, icons: ReadonlyMap<string, string>) {
		this.#store = store;
		this.#icons = new Map(icons);
	}

	/** What documents of this domain show from the next one on; undefined for no icon. */
	setIcon(domain: string, url: string | undefined): void {
		if (url === undefined) this.#icons.delete(domain);
		else this.#icons.set(domain, url);
		for (const aor of this.#documents.keys()) if (domainOf(aor) === domain) this.#documents.delete(aor);
	}

	/** Reads what was published before the last stop. */
	load(): void {
		for (let after = ""; ; ) {
			const page = this.#store.presence.list({ after, limit: PAGE });
			for (const { aor, state, note, changedAt } of page) this.#published.set(aor, { state, note, changedAt });
			const last = page.at(-1);
			if (last === undefined || page.length < PAGE) return;
			after = last.aor;
		}
	}

	get(aor: string): Published {
		return this.#published.get(aor) ?? NOTHING;
	}

	/** Takes a state that is in the store already. True where watchers see a difference. */
	set(aor: string, published: Published): boolean {
		const before = this.get(aor);
		this.#published.set(aor, published);
		if (before.state === published.state && before.note === published.note) return false;
		this.#documents.delete(aor);
		return true;
	}

	forget(aor: string): void {
		this.#published.delete(aor);
		this.#documents.delete(aor);
	}

	/** The display name changed. */
	refreshDocuments(aor: string): void {
		this.#documents.delete(aor);
	}

	/** The PIDF document of a hosted user, or of an address that looks like one. */
	document(aor: string, view: View, form: Form): Uint8Array {
		const key = `${view} ${form}`;
		const known = this.#documents.get(aor)?.get(key);
		if (known !== undefined) return known;
		const made = this.#compose(aor, view, form);
		// An address nobody has leaves nothing behind: a peer may ask for any number of them.
		if (view === "closed") return made;
		const documents = this.#documents.get(aor) ?? new Map<string, Uint8Array>();
		documents.set(key, made);
		this.#documents.set(aor, documents);
		return made;
	}

	#compose(aor: string, view: View, form: Form): Uint8Array {
		const icon = this.#icons.get(domainOf(aor));
		const shown = { entity: aorUri(aor), ...(icon === undefined ? {} : { icon }) };
		// REQ-91: who may not see anything gets the same document for a blocked, an undecided and an unknown user.
		if (view === "closed") return formatPidf({ ...shown, basic: "closed" }, form);
		const { state, note } = this.get(aor);
		// Protocol sheet 5.7: who is blocked cannot tell it from the user being away, so the name is left out here too.
		if (state === "offline") return formatPidf({ ...shown, basic: "closed", note }, form);
		const displayName = this.#store.users.get(aor)?.displayName;
		return formatPidf({ ...shown, ...presenceStatus(state), displayName, note }, form);
	}
}
