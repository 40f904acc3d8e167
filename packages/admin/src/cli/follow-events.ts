import { setTimeout as delay } from "node:timers/promises";
import { ApiError } from "../api-error.ts";
import type { Client } from "../client.ts";
import type { EventFrame } from "../schema/event.ts";

/** The first time it comes back at once; while no event comes in between, it waits so long before every other try. */
const reconnectDelayMs = 1_000;

/** What following yields: frames as they come, and losses of the connection, after which it goes on by itself. */
export type Followed =
	| { readonly kind: "frame"; readonly frame: EventFrame }
	| { readonly kind: "lost"; readonly error: ApiError };

/**
 * A user's events until `signal` is aborted, across losses of the connection: it comes back with the position of the
 * last frame seen. `client` is asked for each connection, so that a token that has ended can be replaced. Throws the
 * `ApiError` that refused the first connection.
 */
export async function* followEvents(client: () => Promise<Client>, signal: AbortSignal): AsyncGenerator<Followed> {
	let position: { readonly epoch: string; readonly after: number } | undefined;
	let tries = 0;
	while (!signal.aborted) {
		let lost: ApiError | undefined;
		try {
			for await (const item of readConnection(await client(), position ?? {}, signal)) {
				if (item.kind === "lost") {
					lost = item.error;
					break;
				}
				if (item.frame.kind !== "welcome" && item.frame.kind !== "reset") tries = 0;
				position = movePosition(position, item.frame);
				yield item;
			}
		} catch (error) {
			if (position === undefined || !(error instanceof ApiError)) throw error;
			await pause(tries++, signal);
			continue;
		}
		if (lost === undefined) return;
		if (position === undefined) throw lost;
		yield { kind: "lost", error: lost };
		await pause(tries++, signal);
	}
}

function movePosition(
	position: { readonly epoch: string; readonly after: number } | undefined,
	frame: EventFrame,
): { readonly epoch: string; readonly after: number } | undefined {
	if (frame.kind === "welcome" || frame.kind === "reset") return { epoch: frame.epoch, after: frame.seq };
	return position === undefined ? undefined : { epoch: position.epoch, after: frame.seq };
}

async function pause(tries: number, signal: AbortSignal): Promise<void> {
	if (tries > 0) await delay(reconnectDelayMs, undefined, { signal }).catch(() => {});
}

/** The frames of one connection, then why it ended; nothing more once `signal` is aborted. */
async function* readConnection(
	client: Client,
	position: { readonly epoch?: string; readonly after?: number },
	signal: AbortSignal,
): AsyncGenerator<Followed> {
	const waiting: Followed[] = [];
	let wake = (): void => {};
	const push = (item: Followed): void => {
		waiting.push(item);
		wake();
	};
	const close = client.open("watchEvents", position, {
		frame: (frame) => push({ kind: "frame", frame }),
		closed: (error) => push({ kind: "lost", error }),
	});
	const stop = (): void => wake();
	signal.addEventListener("abort", stop);
	try {
		while (!signal.aborted) {
			const item = waiting.shift();
			if (item === undefined) {
				await new Promise<void>((resolve) => {
					wake = resolve;
				});
				continue;
			}
			yield item;
			if (item.kind === "lost") return;
		}
	} finally {
		signal.removeEventListener("abort", stop);
		close();
	}
}
