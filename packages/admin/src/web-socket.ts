/** Subprotocol of the API's WebSockets (RFC 6455 §1.9); a client may leave it out. */
export const webSocketProtocol = "causeway";

/**
 * A browser cannot send `Authorization` with a WebSocket. It offers two subprotocols instead, `causeway` and this with
 * the token behind it; the server takes the first and never repeats the second.
 */
export const bearerProtocolPrefix = "causeway.bearer.";

/** How a WebSocket ended. */
export interface SocketEnd {
	/** Close code of RFC 6455 §7.4; 1006 where no close frame came. */
	readonly code: number;
	readonly reason: string;
	/** HTTP status that refused the handshake, where one did. */
	readonly status?: number;
	/** What went wrong below, where the server could not be reached. */
	readonly cause?: unknown;
}

/** Where a WebSocket's frames and its end are told; each is called in order, `closed` once and last. */
export interface SocketListener {
	readonly text: (text: string) => void;
	readonly closed: (end: SocketEnd) => void;
}

/** Opens a WebSocket with a bearer token; returns what closes it. */
export type OpenSocket = (url: string, token: string | undefined, listener: SocketListener) => () => void;

/** Larger than any frame the server makes: a message of 64 KiB whose every octet is escaped, and room. */
const maxFrameBytes = 1_048_576;

/** WebSockets of Node.js. `ws` is loaded at first use, so that a browser's bundle need not hold it. */
export const openNodeSocket: OpenSocket = (url, token, listener) => {
	let close: (() => void) | undefined;
	let closing = false;
	let ended = false;
	let opened = false;
	const end = (how: SocketEnd): void => {
		if (ended) return;
		ended = true;
		listener.closed(how);
	};
	const open = async (): Promise<void> => {
		const { WebSocket } = await import("ws");
		if (closing) {
			end({ code: 1000, reason: "closed before it was open" });
			return;
		}
		const socket = new WebSocket(url, {
			headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
			maxPayload: maxFrameBytes,
			perMessageDeflate: false,
			handshakeTimeout: 10_000,
		});
		close = () => socket.terminate();
		socket.on("open", () => {
			opened = true;
		});
		socket.on("message", (data, isBinary) => {
			// Nothing is told after `close`, though the socket may still hold frames.
			if (isBinary || closing) return;
			const octets = Array.isArray(data) ? Buffer.concat(data) : data instanceof ArrayBuffer ? Buffer.from(data) : data;
			listener.text(octets.toString("utf8"));
		});
		socket.on("unexpected-response", (_request, response) => {
			end({ code: 1006, reason: response.statusMessage ?? "", status: response.statusCode ?? 0 });
			socket.terminate();
		});
		socket.on("error", (error) => {
			end({ code: 1006, reason: error.message, ...(opened ? {} : { cause: error }) });
		});
		socket.on("close", (code, reason) => end({ code, reason: reason.toString() }));
	};
	open().catch((error: unknown) => end({ code: 1006, reason: "the WebSocket could not be opened", cause: error }));
	return () => {
		closing = true;
		close?.();
	};
};
