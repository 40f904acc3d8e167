import type { ChannelId } from "@causeway/admin";
import type { Clock, Logger, Timer } from "@causeway/sip";
import type { WebSocket } from "@fastify/websocket";
import type { Caller, ChannelSink } from "./handlers.ts";

/** Octets that may wait for a slow consumer; then it is cut, and may resume. */
const maxBufferedBytes = 1_048_576;
/** A consumer that answers no ping for so long is gone. */
const pingIntervalMs = 30_000;
/** WebSockets one user, or one administrator, may have open. */
const maxPerCaller = 64;
/** A client that does not answer our close frame by then is cut. */
const closeGraceMs = 2_000;

/** Close code for a WebSocket whose token has expired or was taken back: a client may come again with another. */
export const tokenEndedCode = 4001;

/** What runs on a WebSocket. */
export interface ChannelRun {
	readonly id: ChannelId;
	readonly caller: Caller;
	/** Whether the token it was opened with still stands; asked at every ping. */
	readonly isValid: () => boolean;
	/** Starts sending into the sink and returns what stops it. */
	readonly begin: (sink: ChannelSink<unknown>) => () => void;
}

interface OpenChannel {
	readonly socket: WebSocket;
	readonly isValid: () => boolean;
	heard: boolean;
}

/** The open WebSockets of one server: bounded, pinged, cut when slow, closed together. */
export class ChannelTable {
	readonly #clock: Clock;
	readonly #log: Logger;
	readonly #open = new Set<OpenChannel>();
	readonly #countByCaller = new Map<string, number>();
	#pinger: Timer | undefined;

	constructor(clock: Clock, log: Logger) {
		this.#clock = clock;
		this.#log = log;
	}

	/** Whether the caller may open one more. */
	hasRoom(caller: Caller): boolean {
		return (this.#countByCaller.get(keyOf(caller)) ?? 0) < maxPerCaller;
	}

	/** Takes over an open WebSocket. */
	attach(socket: WebSocket, { id, caller, isValid, begin }: ChannelRun): void {
		const channel: OpenChannel = { socket, isValid, heard: true };
		const callerKey = keyOf(caller);
		this.#open.add(channel);
		this.#countByCaller.set(callerKey, (this.#countByCaller.get(callerKey) ?? 0) + 1);
		this.#pinger ??= this.#clock.setTimer(pingIntervalMs, () => this.#ping());
		socket.on("pong", () => {
			channel.heard = true;
		});
		let stop: (() => void) | undefined;
		let gone = false;
		socket.once("close", () => {
			gone = true;
			this.#forget(channel, callerKey);
			stop?.();
		});
		const started = begin({
			send: (frame) => {
				if (socket.readyState !== socket.OPEN) return;
				if (socket.bufferedAmount > maxBufferedBytes) {
					this.#log.warn("slow websocket cut", { channel: id, bufferedBytes: socket.bufferedAmount });
					socket.terminate();
					return;
				}
				socket.send(JSON.stringify(frame));
			},
			close: (code, reason) => this.#end(socket, code, reason),
		});
		if (gone) started();
		else stop = started;
	}

	/** Says goodbye to every client; those that do not answer are cut shortly after. */
	close(): void {
		this.#pinger?.stop();
		this.#pinger = undefined;
		for (const { socket } of this.#open) this.#end(socket, 1001, "the server is stopping");
	}

	#end(socket: WebSocket, code: number, reason: string): void {
		if (socket.readyState !== socket.OPEN) return;
		socket.close(code, reason);
		const cut = this.#clock.setTimer(closeGraceMs, () => socket.terminate());
		socket.once("close", () => cut.stop());
	}

	#ping(): void {
		this.#pinger = undefined;
		for (const channel of this.#open) {
			if (!channel.heard) {
				channel.socket.terminate();
				continue;
			}
			if (!channel.isValid()) {
				this.#end(channel.socket, tokenEndedCode, "the token has ended");
				continue;
			}
			channel.heard = false;
			if (channel.socket.readyState === channel.socket.OPEN) channel.socket.ping();
		}
		if (this.#open.size > 0) this.#pinger = this.#clock.setTimer(pingIntervalMs, () => this.#ping());
	}

	#forget(channel: OpenChannel, callerKey: string): void {
		this.#open.delete(channel);
		const left = (this.#countByCaller.get(callerKey) ?? 1) - 1;
		if (left === 0) this.#countByCaller.delete(callerKey);
		else this.#countByCaller.set(callerKey, left);
		if (this.#open.size > 0) return;
		this.#pinger?.stop();
		this.#pinger = undefined;
	}
}

function keyOf(caller: Caller): string {
	return caller.kind === "user" ? `user ${caller.aor}` : `admin ${caller.name}`;
}
