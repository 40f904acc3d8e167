/** Accepts mutual TLS connections and hands over what the peer presented, before any octet of SIP is read. */
import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from "node:tls";
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
import { keepAliveMs, TlsStream } from "./tls-stream.ts";

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
	/** Undefined when the handshake is over: what began in it may remember it for long. */
	socket: Socket | undefined;
	readonly remote: Endpoint;
	readonly local: Endpoint;
	/** By `performance.now`. */
	readonly endsAt: number;
}

const defaultHandshakeTimeoutMs = 10_000;
const defaultMaxHandshakes = 1_000;

/** Node's own limit counts idle time only; it must never be the first to act. */
const nodeHandshakeTimeoutMs = 0x7fff_ffff;

const closedEarly = ["closed-during-handshake", "the peer closed the connection during the handshake"] as const;

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
	readonly #tlsServers: TlsServer[] = [];
	/** In order of arrival, which is that of their deadlines. */
	readonly #handshakes = new Set<Handshake>();
	/** Whose handshake it is that Node tells of: its TLS socket does not say on which connection it stands. */
	readonly #current = new AsyncLocalStorage<Handshake>();
	#timer: NodeJS.Timeout | undefined;
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
		for (const server of this.#tlsServers) server.setSecureContext(secureContextOptions(credentials, this.#minVersion));
		this.#credentials = credentials;
	}

	/** Stops listening and cuts handshakes; accepted streams stay with their users. */
	close(): void {
		for (const server of this.#servers) server.close();
		this.#servers.length = 0;
		this.#tlsServers.length = 0;
		clearTimeout(this.#timer);
		this.#timer = undefined;
		for (const handshake of this.#handshakes) handshake.socket?.destroy();
		this.#handshakes.clear();
	}

	#createServer(): Server {
		const tlsServer = createTlsServer({
			...secureContextOptions(this.#credentials, this.#minVersion),
			requestCert: true,
			rejectUnauthorized: false,
			handshakeTimeout: nodeHandshakeTimeoutMs,
		});
		tlsServer.on("secureConnection", (socket) => this.#secured(socket));
		tlsServer.on("tlsClientError", (error, socket) => this.#failed(error, socket));
		this.#tlsServers.push(tlsServer);
		const options = { noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs };
		return createServer(options, (socket) => this.#connected(socket, tlsServer));
	}

	#connected(socket: Socket, tlsServer: TlsServer): void {
		const { remoteAddress, remotePort, localAddress, localPort } = socket;
		// A peer that is gone already has no address.
		if (remoteAddress === undefined || remotePort === undefined) {
			socket.destroy();
			return;
		}
		// Idle connections pile up at the front: an honest handshake takes milliseconds and is never the oldest for long.
		for (const oldest of this.#handshakes) {
			if (this.#handshakes.size < this.#maxHandshakes) break;
			this.#cut(oldest, "limit", "too-many-handshakes", `more than ${this.#maxHandshakes} handshakes at once`);
		}
		const handshake: Handshake = {
			socket,
			remote: { address: remoteAddress, port: remotePort },
			local: { address: localAddress ?? "", port: localPort ?? 0 },
			endsAt: performance.now() + this.#handshakeTimeoutMs,
		};
		this.#handshakes.add(handshake);
		this.#timer ??= setTimeout(() => this.#cutOverdue(), this.#handshakeTimeoutMs).unref();
		// A reset ends the TCP socket, and Node tells of no error of TLS then.
		socket.on("close", () => {
			if (this.#handshakes.has(handshake)) this.#cut(handshake, "tls", ...closedEarly);
		});
		this.#current.run(handshake, () => tlsServer.emit("connection", socket));
	}

	/** One timer for all: it sleeps until the oldest handshake is due. */
	#cutOverdue(): void {
		this.#timer = undefined;
		for (const handshake of this.#handshakes) {
			const leftMs = handshake.endsAt - performance.now();
			if (leftMs > 0) {
				this.#timer = setTimeout(() => this.#cutOverdue(), Math.ceil(leftMs)).unref();
				return;
			}
			const reason = `the handshake was not finished within ${this.#handshakeTimeoutMs} ms`;
			this.#cut(handshake, "timeout", "handshake-timeout", reason);
		}
	}

	#secured(socket: TLSSocket): void {
		const handshake = this.#take();
		if (handshake === undefined) {
			socket.destroy();
			return;
		}
		const serverName = typeof socket.servername === "string" ? socket.servername.toLowerCase() : undefined;
		const presented = readPresented(socket, serverName);
		const stream = new TlsStream(socket, this.#options.flusher, handshake);
		this.#options.accepted(stream, presented);
	}

	#failed(error: Error, socket: TLSSocket): void {
		const handshake = this.#take();
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

	/** Ends the bookkeeping of the handshake that is told of; undefined where it is over already. */
	#take(): Handshake | undefined {
		const handshake = this.#current.getStore();
		if (handshake === undefined || !this.#handshakes.delete(handshake)) return undefined;
		handshake.socket = undefined;
		return handshake;
	}

	#cut(handshake: Handshake, stage: RefusedHandshake["stage"], code: string, reason: string): void {
		this.#handshakes.delete(handshake);
		handshake.socket?.destroy();
		const { remote, local } = handshake;
		this.#options.refused({ remote, local, stage, code, reason });
	}
}
