/**
 * Fetches an icon from where a document says it is: https only, a name and no address, an address that was looked at and
 * then dialled, no redirect, 8 KB, 5 s, no cookie. What a stranger wrote must not make this machine talk to its own network.
 */
import type { ClientRequest, IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { SecureContext } from "node:tls";
import { type Clock, type DnsLookup, isNumericHost, isPrivateAddress } from "@causeway/sip";
import { MAX_ICON_BYTES, type PngFault, type PngIcon, readPngIcon } from "./png.ts";

export interface IconFetchOptions {
	readonly clock: Clock;
	readonly lookup: Pick<DnsLookup, "addresses">;
	/** Whom to trust for the names of web servers. */
	readonly secureContext: () => SecureContext;
	/** Private and loopback addresses may be dialled. */
	readonly allowPrivateAddresses: boolean;
	/** Ends what is under way. */
	readonly signal?: AbortSignal;
	/** From the look-up to the last octet; 5 s unless given. */
	readonly timeoutMs?: number;
}

/** Why there is no icon; a stable word. */
export type IconFault =
	| PngFault
	| "not-https"
	| "no-name"
	| "private-address"
	| "not-found"
	| "unreachable"
	| "timeout"
	| "redirect"
	| "bad-status"
	| "wrong-type";

export type IconResult =
	| { readonly ok: true; readonly icon: PngIcon }
	| {
			readonly ok: false;
			readonly code: IconFault;
			/** One sentence for a person. */
			readonly reason: string;
			/** The server was heard, or the URL read: the same will be found again. False where nobody could be asked. */
			readonly isVerdict: boolean;
	  };

const DEFAULT_TIMEOUT_MS = 5_000;
const MAX_HEADER_BYTES = 8_192;
const HTTPS_PORT = 443;

/** Never rejects. */
export async function fetchIcon(text: string, options: IconFetchOptions): Promise<IconResult> {
	const url = URL.parse(text);
	if (url === null || url.protocol !== "https:" || url.username !== "" || url.password !== "") {
		return verdict("not-https", "The icon's address is no https URL.");
	}
	// A bracketed IPv6 address is numeric too; an icon is found by a name, whose certificate says whose it is.
	if (isNumericHost(url.hostname)) return verdict("no-name", "The icon's address names no host but an IP address.");
	const { clock, signal, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
	return new Promise((resolve) => {
		let cut = (): void => undefined;
		let isOver = false;
		const finish = (result: IconResult): void => {
			if (isOver) return;
			isOver = true;
			timer.stop();
			signal?.removeEventListener("abort", abort);
			resolve(result);
			cut();
		};
		const timer = clock.setTimer(timeoutMs, () =>
			finish(unheard("timeout", `The icon did not arrive within ${timeoutMs / 1000} s.`)),
		);
		const abort = (): void => finish(unheard("unreachable", "This edge is stopping."));
		signal?.addEventListener("abort", abort);
		findAddress(url.hostname, options).then(
			(found) => {
				if (isOver) return;
				if (typeof found !== "string") finish(found);
				else cut = get(url, found, options.secureContext(), finish);
			},
			(error: unknown) => finish(unheard("unreachable", String(error))),
		);
	});
}

/** The address to dial, looked at here so that no second look-up can name another. */
async function findAddress(host: string, options: IconFetchOptions): Promise<string | IconResult> {
	const answer = await options.lookup.addresses(host);
	if (answer.kind === "failed") return unheard("unreachable", `${host} could not be looked up: ${answer.reason}.`);
	if (answer.kind !== "records") return unheard("not-found", `There is no address of ${host} in the DNS.`);
	const [first] = answer.records;
	if (first === undefined) return unheard("not-found", `There is no address of ${host} in the DNS.`);
	// One private address among public ones is no accident.
	if (!options.allowPrivateAddresses && answer.records.some(({ address }) => isPrivateAddress(address))) {
		return verdict("private-address", `${host} is at an address of a private network.`);
	}
	return first.address;
}

/** Sends the request and reads the answer; what it returns ends both at once. */
function get(
	url: URL,
	address: string,
	secureContext: SecureContext,
	finish: (result: IconResult) => void,
): () => void {
	const request: ClientRequest = httpsRequest({
		host: address,
		port: url.port === "" ? HTTPS_PORT : Number(url.port),
		servername: url.hostname,
		path: `${url.pathname}${url.search}`,
		method: "GET",
		agent: false,
		// Goes on to tls.connect; the types of https.request do not know it.
		...({ secureContext } as object),
		maxHeaderSize: MAX_HEADER_BYTES,
		headers: { host: url.host, accept: "image/png", "accept-encoding": "identity", connection: "close" },
	});
	request.on("response", (response) => read(response, finish));
	request.on("error", (error) => finish(unheard("unreachable", `${url.host} could not be asked: ${error.message}.`)));
	request.end();
	return () => request.destroy();
}

function read(response: IncomingMessage, finish: (result: IconResult) => void): void {
	const { statusCode = 0, headers } = response;
	if (statusCode >= 300 && statusCode < 400) {
		finish(verdict("redirect", `The server answered ${statusCode}: redirects are not followed.`));
		return;
	}
	if (statusCode !== 200) {
		finish(verdict("bad-status", `The server answered ${statusCode}.`));
		return;
	}
	const type = headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
	if (type !== "image/png" || (headers["content-encoding"] ?? "identity") !== "identity") {
		finish(verdict("wrong-type", `The server says that it is ${type ?? "of no type"}, not image/png.`));
		return;
	}
	if (Number(headers["content-length"] ?? 0) > MAX_ICON_BYTES) {
		finish(judge("too-large"));
		return;
	}
	const chunks: Buffer[] = [];
	let bytes = 0;
	response.on("data", (chunk: Buffer) => {
		bytes += chunk.length;
		chunks.push(chunk);
		if (bytes > MAX_ICON_BYTES) finish(judge("too-large"));
	});
	response.on("end", () => {
		if (!response.complete) return;
		const icon = readPngIcon(Buffer.concat(chunks));
		finish(icon.ok ? { ok: true, icon: icon.value } : judge(icon.fault));
	});
	response.on("close", () => finish(unheard("unreachable", "The connection ended before the whole icon had come.")));
	response.on("error", (error) => finish(unheard("unreachable", `The icon did not come whole: ${error.message}.`)));
}

const WORDS: Readonly<Record<PngFault, string>> = {
	"too-large": "The icon is larger than 8 KB.",
	"not-png": "The icon is no PNG file.",
	truncated: "The icon is a PNG file that is cut short.",
	"bad-checksum": "The icon is a PNG file with a wrong checksum.",
	"bad-header": "The icon is a PNG file whose header is wrong.",
	"too-many-pixels": "The icon is larger than 16 × 16 pixels.",
	"too-deep": "The icon has more than 32 bits per pixel.",
	"bad-structure": "The icon is a PNG file whose parts are wrong or out of order.",
	"bad-data": "The icon is a PNG file whose picture cannot be unpacked, or is not of the size its header says.",
	"trailing-data": "The icon is a PNG file with something behind its end.",
};

function judge(fault: PngFault): IconResult {
	return verdict(fault, WORDS[fault]);
}

function verdict(code: IconFault, reason: string): IconResult {
	return { ok: false, code, reason, isVerdict: true };
}

function unheard(code: IconFault, reason: string): IconResult {
	return { ok: false, code, reason, isVerdict: false };
}
