import { ApiError, bearerProtocolPrefix, Client, type OpenSocket, webSocketProtocol } from "@causeway/admin";

/** The WebSocket of a browser; the token goes as a subprotocol, because a browser sends no `Authorization` with it. */
export const openBrowserSocket: OpenSocket = (url, token, listener) => {
	const protocols = token === undefined ? [webSocketProtocol] : [webSocketProtocol, bearerProtocolPrefix + token];
	const socket = new WebSocket(url, protocols);
	let isClosing = false;
	socket.addEventListener("message", ({ data }) => {
		if (!isClosing && typeof data === "string") listener.text(data);
	});
	socket.addEventListener("close", ({ code, reason }) => listener.closed({ code, reason }));
	return () => {
		isClosing = true;
		socket.close();
	};
};

/** The API of the server this page came from. */
export function createApi(token?: string): Client {
	return new Client({
		url: new URL(".", document.baseURI).href,
		openSocket: openBrowserSocket,
		...(token === undefined ? {} : { token }),
	});
}

/**
 * Address of a path of this server, seen from a page at `base`, also below a reverse proxy's prefix. Undefined for
 * anything on another host: it is not loaded, because that would tell a stranger who looks.
 */
export function ownUrl(path: string, base: string): string | undefined {
	const relative = path.replace(/^\/+/, "");
	if (!URL.canParse(relative, base)) return undefined;
	const url = new URL(relative, base);
	return url.origin === new URL(base).origin ? url.href : undefined;
}

/** Whether the token is no longer taken: there is nothing to do but log in again. */
export function isTokenEnded(error: unknown): boolean {
	return error instanceof ApiError && error.code === "unauthorized";
}

/** Whether the same call may do later what it could not do now: nothing answered, or the server cannot work now. */
export function isPassing(error: unknown): boolean {
	return error instanceof ApiError && (error.code === "unreachable" || error.status === 408 || error.status >= 500);
}

/** What went wrong, as a sentence for a person at a browser. */
export function explainError(error: unknown): string {
	if (!(error instanceof ApiError)) {
		return `This page has a fault (${error instanceof Error ? error.message : String(error)}).`;
	}
	switch (error.code) {
		case "unreachable":
			return "The server cannot be reached. Check your connection.";
		case "not-causeway":
			return "The server's answer does not fit this page. Reload the page: the server may be newer.";
		case "unauthorized":
			return "The session has ended.";
		default:
			return asSentence(error.detail);
	}
}

function asSentence(text: string): string {
	const trimmed = text.trim();
	const ended = /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`;
	return ended.charAt(0).toUpperCase() + ended.slice(1);
}
