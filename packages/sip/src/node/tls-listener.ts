/** Accepts mutual TLS connections and hands over what the peer presented, before any octet of SIP is read. */
import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import type { ByteStream, Endpoint } from "../transport/byte-stream.ts";
import {
	type PresentedPeer,
	readPresented,
	secureContextOptions,
	type TlsCredentials,
	type TlsVersion,
} from "./tls-context.ts";
import type { Flusher } from "./tls-flusher.ts";
import { describeTlsError } from "./tls-reason.ts";
import { TlsStream } from "./tls-stream.ts";

/** A connection that ended before its handshake did. */
export interface RefusedHandshake {
	readonly remote: Endpoint;
	readonly local: Endpoint;
	/** `limit`: more handshakes at once than allowed; the oldest gives way. */
	readonly stage: "tls" | "timeout" | "limit";
	readonly code: string;
	readonly reason: string;
}

/** Address, credentials and limits of a listener; times in milliseconds. */
export interface TlsListenerOptions {
	/** Where to listen; port 0 lets the system choose. IPv6 addresses without brackets. */
	readonly addresses: readonly Endpoint[];
	readonly credentials: TlsCredentials;
	readonly minVersion?: TlsVersion;
	/** From the TCP connection to the end of the handshake, whatever arrives in between. */
	readonly handshakeTimeoutMs?: number;
	/** Handshakes under way at once. */
	readonly maxHandshakes?: number;
	readonly flusher: Flusher;
	/** The stream is not started: whoever is told decides on the certificate first, then starts or destroys it. */
	readonly accepted: (stream: ByteStream, presented: PresentedPeer) => void;
	readonly refused: (refusal: RefusedHandshake) => void;
}

interface Handshake {
	readonly socket: Socket;
	readonly remote: Endpoint;
	readonly local: Endpoint;
	readonly timer: NodeJS.Timeout;
}

const defaultHandshakeTimeoutMs = 10_000;
const defaultMaxHandshakes = 1_000;

/** Node's own limit counts idle time only; it must never be the first to act. */
const nodeHandshakeTimeoutMs = 0x7fff_ffff;

const closedEarly = ["closed-during-handshake", "the peer closed the connection during the handshake"] as const;

/** Tells the connections of this process apart while they are open: the TLS socket and the TCP socket below it give the same. */
function handshakeKey(socket: Socket): string | undefined {
	const { remoteAddress, remotePort, localAddress, localPort } = socket;
	if (remoteAddress === undefined || remotePort === undefined) return undefined;
	return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

function listen(server: Server, address: Endpoint): Promise<void> {
	return new Promise((resolve, reject) => {
		server.once("error", reject);
		server.listen({ host: address.address, port: address.port, ipv6Only: true }, () => {
			server.removeListener("error", reject);
			resolve();
		});
	});
}

/** Accepts TLS connections; both sides show certificates, which are judged by the caller, not here. */
export class TlsListener {
	readonly #options: TlsListenerOptions;
	readonly #minVersion: TlsVersion;
	readonly #handshakeTimeoutMs: number;
	readonly #maxHandshakes: number;
	readonly #servers: Server[] = [];
	/** In order of arrival, by {@link handshakeKey}. */
	readonly #handshakes = new Map<string, Handshake>();
	#credentials: TlsCredentials;

	constructor(options: TlsListenerOptions) {
		this.#options = options;
		this.#credentials = options.credentials;
		this.#minVersion = options.minVersion ?? "TLSv1.2";
		this.#handshakeTimeoutMs = options.handshakeTimeoutMs ?? defaultHandshakeTimeoutMs;
		this.#maxHandshakes = options.maxHandshakes ?? defaultMaxHandshakes;
	}

	/** Listens on every address; rejects with the system's error, and listens on none, where one fails. */
	async start(): Promise<void> {
		assert(this.#servers.length === 0, "a listener is started once");
		try {
			for (const address of this.#options.addresses) {
				const server = this.#createServer();
				this.#servers.push(server);
				await listen(server, address);
			}
		} catch (error) {
			this.close();
			throw error;
		}
	}

	/** Where it listens, in the order of `addresses`, with the ports that were bound. */
	get endpoints(): readonly Endpoint[] {
		return this.#servers.map((server) => {
			const bound = server.address();
			assert(bound !== null && typeof bound === "object", "a started listener has an address");
			return { address: bound.address, port: bound.port };
		});
	}

	/** Handshakes under way. */
	get handshakes(): number {
		return this.#handshakes.size;
	}

	/** New connections get these credentials; open ones keep theirs. Throws where `credentialsFault` finds one. */
	replaceCredentials(credentials: TlsCredentials): void {
		for (const server of this.#servers) server.setSecureContext(secureContextOptions(credentials, this.#minVersion));
		this.#credentials = credentials;
	}

	/** Stops listening and cuts handshakes; accepted streams stay with their users. */
	close(): void {
		for (const server of this.#servers) server.close();
		this.#servers.length = 0;
		for (const handshake of this.#handshakes.values()) {
			clearTimeout(handshake.timer);
			handshake.socket.destroy();
		}
		this.#handshakes.clear();
	}

	#createServer(): Server {
		const server = createServer({
			...secureContextOptions(this.#credentials, this.#minVersion),
			requestCert: true,
			rejectUnauthorized: false,
			handshakeTimeout: nodeHandshakeTimeoutMs,
		});
		server.on("connection", (socket) => this.#connected(socket));
		server.on("secureConnection", (socket) => this.#secured(socket));
		server.on("tlsClientError", (error, socket) => this.#failed(error, socket));
		return server;
	}

	#connected(socket: Socket): void {
		const remote = { address: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 };
		const local = { address: socket.localAddress ?? "", port: socket.localPort ?? 0 };
		const key = handshakeKey(socket);
		// A peer that is gone already has no address; its socket ends by itself.
		if (key === undefined) return;
		// Idle connections pile up at the front: an honest handshake takes milliseconds and is never the oldest for long.
		for (const [oldestKey, oldest] of this.#handshakes) {
			if (this.#handshakes.size < this.#maxHandshakes) break;
			this.#cut(
				oldestKey,
				oldest,
				"limit",
				"too-many-handshakes",
				`more than ${this.#maxHandshakes} handshakes at once`,
			);
		}
		const timer = setTimeout(() => {
			const reason = `the handshake was not finished within ${this.#handshakeTimeoutMs} ms`;
			this.#cut(key, handshake, "timeout", "handshake-timeout", reason);
		}, this.#handshakeTimeoutMs);
		const handshake: Handshake = { socket, remote, local, timer };
		this.#handshakes.set(key, handshake);
		// A reset leaves a TLS socket that no longer knows its peer, so `tlsClientError` cannot be matched to it.
		socket.on("close", () => {
			if (this.#handshakes.get(key) === handshake) this.#cut(key, handshake, "tls", ...closedEarly);
		});
	}

	#secured(socket: TLSSocket): void {
		if (this.#take(socket) === undefined) {
			socket.destroy();
			return;
		}
		const serverName = typeof socket.servername === "string" ? socket.servername.toLowerCase() : undefined;
		const presented = readPresented(socket, serverName);
		this.#options.accepted(new TlsStream(socket, this.#options.flusher), presented);
	}

	#failed(error: Error, socket: TLSSocket): void {
		const handshake = this.#take(socket);
		socket.destroy();
		if (handshake === undefined) return;
		const { code, words } = describeTlsError(error);
		const [refusalCode, reason] = code === "connection-reset" ? closedEarly : [code, words];
		this.#options.refused({
			remote: handshake.remote,
			local: handshake.local,
			stage: "tls",
			code: refusalCode,
			reason,
		});
	}

	/** Ends the bookkeeping of a handshake that is over. */
	#take(socket: TLSSocket): Handshake | undefined {
		const key = handshakeKey(socket);
		const handshake = key === undefined ? undefined : this.#handshakes.get(key);
		if (key === undefined || handshake === undefined) return undefined;
		clearTimeout(handshake.timer);
		this.#handshakes.delete(key);
		return handshake;
	}

	#cut(key: string, handshake: Handshake, stage: RefusedHandshake["stage"], code: string, reason: string): void {
		clearTimeout(handshake.timer);
		this.#handshakes.delete(key);
		handshake.socket.destroy();
		this.#options.refused({ remote: handshake.remote, local: handshake.local, stage, code, reason });
	}
}
