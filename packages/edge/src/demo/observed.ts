/** One user of the demonstration as a program sees it: calls of the API, and events awaited with a limit. */
import type { Client, UserEvent } from "@causeway/admin";

type EventOf<Kind extends UserEvent["kind"]> = Extract<UserEvent, { kind: Kind }>;

/** Nothing in the script takes longer; a state that changes twice waits 5 s for the spacing of NOTIFYs. */
const WAIT_LIMIT_MS = 15_000;

export class ObservedUser {
	readonly client: Client;
	readonly #name: string;
	readonly #events: UserEvent[] = [];
	readonly #waiting = new Set<() => void>();
	#close: (() => void) | undefined;
	#closed: string | undefined;

	constructor(name: string, client: Client) {
		this.#name = name;
		this.client = client;
	}

	/** Opens the event socket; fulfils when events flow. */
	open(): Promise<void> {
		return new Promise((resolve, reject) => {
			this.#close = this.client.open(
				"watchEvents",
				{},
				{
					frame: (frame) => {
						if ("epoch" in frame) resolve();
						else {
							this.#events.push(frame);
							for (const look of [...this.#waiting]) look();
						}
					},
					closed: (error) => {
						this.#closed = error.message;
						reject(error);
						for (const look of [...this.#waiting]) look();
					},
				},
			);
		});
	}

	close(): void {
		this.#close?.();
	}

	/** The first event of this kind that satisfies `isIt`, come or still to come. Rejects with what was awaited. */
	until<Kind extends UserEvent["kind"]>(
		what: string,
		kind: Kind,
		isIt: (event: EventOf<Kind>) => boolean,
	): Promise<EventOf<Kind>> {
		return new Promise((resolve, reject) => {
			const finish = (): void => {
				clearTimeout(timer);
				this.#waiting.delete(look);
			};
			const look = (): void => {
				const found = this.#events.find(
					(event): event is EventOf<Kind> => event.kind === kind && isIt(event as EventOf<Kind>),
				);
				if (found !== undefined) {
					finish();
					resolve(found);
				} else if (this.#closed !== undefined) {
					finish();
					reject(new Error(`${this.#name} lost the event socket while waiting for ${what}: ${this.#closed}`));
				}
			};
			const timer = setTimeout(() => {
				finish();
				const last = this.#events.at(-1);
				reject(
					new Error(
						`${this.#name} waited ${WAIT_LIMIT_MS / 1000} s for ${what}; the last event was ${last === undefined ? "none" : JSON.stringify(last)}`,
					),
				);
			}, WAIT_LIMIT_MS);
			this.#waiting.add(look);
			look();
		});
	}
}
