/** What the chat needs of the world, so that its tests can have another one. */
export interface Clock {
	/** Milliseconds since 1970. */
	readonly now: () => number;
	/** Calls once after so many milliseconds; returns what stops it. */
	readonly setTimer: (ms: number, call: () => void) => () => void;
}

/** Small texts kept by name. A browser may refuse to keep any: then they are forgotten with the page. */
export interface Shelf {
	readonly read: (name: string) => string | undefined;
	/** Undefined removes it. */
	readonly write: (name: string, text: string | undefined) => void;
}

export interface ChatEnv {
	readonly clock: Clock;
	/** From 0 to below 1. */
	readonly random: () => number;
	/** 128 random bits, as text. */
	readonly randomKey: () => string;
	/** Kept while the tab is open. */
	readonly tabShelf: Shelf;
	/** Kept in this browser. */
	readonly browserShelf: Shelf;
}

/** The browser itself. */
export function browserEnv(): ChatEnv {
	return {
		clock: {
			now: () => Date.now(),
			setTimer: (ms, call) => {
				const timer = setTimeout(call, ms);
				return () => clearTimeout(timer);
			},
		},
		random: () => Math.random(),
		// Not crypto.randomUUID: on plain HTTP in a local network a browser does not offer it.
		randomKey: () =>
			[...crypto.getRandomValues(new Uint8Array(16))].map((octet) => octet.toString(16).padStart(2, "0")).join(""),
		tabShelf: createShelf(() => sessionStorage),
		browserShelf: createShelf(() => localStorage),
	};
}

function createShelf(storage: () => Storage): Shelf {
	return {
		read: (name) => {
			try {
				return storage().getItem(name) ?? undefined;
			} catch {
				return undefined;
			}
		},
		write: (name, text) => {
			try {
				if (text === undefined) storage().removeItem(name);
				else storage().setItem(name, text);
			} catch {
				// Full, or forbidden: the chat works without.
			}
		},
	};
}
