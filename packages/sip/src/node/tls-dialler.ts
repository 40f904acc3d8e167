/** Dials a peer over mutual TLS and hands over what it presented, before any octet of SIP is written. */
import { isIP } from "node:net";
import { connect, createSecureContext, type SecureContext } from "node:tls";
import type { ByteStream } from "../transport/byte-stream.ts";
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

/** Credentials and ports of a dialler. */
export interface TlsDiallerOptions {
	readonly credentials: TlsCredentials;
	readonly flusher: Flusher;
}

/** Where to dial, and how long to wait in milliseconds. */
export interface DialRequest {
	/** IPv4 or IPv6 literal: names are resolved by whoever dials. */
	readonly address: string;
	readonly port: number;
	/** The peer's name, sent as server name indication (RFC 6066 §3). */
	readonly serverName: string;
	readonly minVersion?: TlsVersion;
	/** From the call to the end of the handshake; 10 s where absent. */
	readonly timeoutMs?: number;
	readonly signal?: AbortSignal;
}

/** How far an attempt came, and why no further. */
export interface DialFailure {
	/** `tcp` before the TCP connection stands, `tls` after; `timeout` and `aborted` in either. */
	readonly stage: "tcp" | "tls" | "timeout" | "aborted";
	readonly code: string;
	readonly reason: string;
}

/** A stream whose handshake is done, or why there is none. */
export type DialOutcome =
	| { readonly ok: true; readonly stream: ByteStream; readonly presented: PresentedPeer }
	| { readonly ok: false; readonly failure: DialFailure };

const defaultTimeoutMs = 10_000;

/**
 * Holds our credentials and the secure contexts made of them. A peer that refuses our certificate in TLS 1.3 does so after
 * the handshake has ended for us: then the dial succeeds, and the refusal is the reason for the stream's end.
 */
export class TlsDialler {
	readonly #flusher: Flusher;
	#credentials: TlsCredentials;
	/** Making a context parses the certificate and the key; one for each version serves all connections. */
	readonly #contexts = new Map<TlsVersion, SecureContext>();

	constructor(options: TlsDiallerOptions) {
		this.#credentials = options.credentials;
		this.#flusher = options.flusher;
	}

	/** New connections get these credentials; open ones keep theirs. Throws where `credentialsFault` finds one. */
	replaceCredentials(credentials: TlsCredentials): void {
		const context = createSecureContext(secureContextOptions(credentials, "TLSv1.2"));
		this.#credentials = credentials;
		this.#contexts.clear();
		this.#contexts.set("TLSv1.2", context);
	}

	/** Never rejects. Whoever gets the stream decides on the certificate first, then starts or destroys it. */
	dial(request: DialRequest): Promise<DialOutcome> {
		const { address, port, serverName, timeoutMs = defaultTimeoutMs, signal } = request;
		if (signal?.aborted === true) return Promise.resolve(failed("aborted", "aborted", "the attempt was given up"));
		return new Promise((resolve) => {
			let stage: "tcp" | "tls" = "tcp";
			const socket = connect({
				host: address,
				port,
				// RFC 6066 §3: an address is not a server name.
				servername: isIP(serverName) === 0 ? serverName : "",
				secureContext: this.#context(request.minVersion ?? "TLSv1.2"),
				rejectUnauthorized: false,
				checkServerIdentity: () => undefined,
			});
			const settle = (outcome: DialOutcome): void => {
				clearTimeout(timer);
				signal?.removeEventListener("abort", onAbort);
				if (!outcome.ok) socket.destroy();
				resolve(outcome);
			};
			const onAbort = (): void => settle(failed("aborted", "aborted", "the attempt was given up"));
			const onClose = (): void => settle(failed(stage, "closed-during-handshake", "the peer closed the connection"));
			const timer = setTimeout(() => {
				const missing = stage === "tcp" ? "no TCP connection" : "no end of the TLS handshake";
				settle(failed("timeout", `${stage}-timeout`, `${missing} within ${timeoutMs} ms`));
			}, timeoutMs);
			const onError = (error: Error): void => {
				const { code, words } = describeTlsError(error);
				settle(
					stage === "tls" && code === "connection-reset"
						? failed(stage, "closed-during-handshake", "the peer closed the connection during the TLS handshake")
						: failed(stage, code, words),
				);
			};
			// Stays after a failure: a second error of a socket that is given up must not be thrown.
			socket.on("error", onError);
			socket.once("close", onClose);
			socket.once("connect", () => {
				stage = "tls";
			});
			socket.once("secureConnect", () => {
				socket.removeListener("close", onClose);
				const presented = readPresented(socket, serverName.toLowerCase());
				socket.setNoDelay(true);
				socket.setKeepAlive(true, keepAliveMs);
				const stream = new TlsStream(socket, this.#flusher, {
					remote: { address: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 },
					local: { address: socket.localAddress ?? "", port: socket.localPort ?? 0 },
				});
				socket.removeListener("error", onError);
				settle({ ok: true, stream, presented });
			});
			signal?.addEventListener("abort", onAbort, { once: true });
		});
	}

	#context(version: TlsVersion): SecureContext {
		const known = this.#contexts.get(version);
		if (known !== undefined) return known;
		const context = createSecureContext(secureContextOptions(this.#credentials, version));
		this.#contexts.set(version, context);
		return context;
	}
}

function failed(stage: DialFailure["stage"], code: string, reason: string): DialOutcome {
	return { ok: false, failure: { stage, code, reason } };
}
