import type { FederatedDomain } from "./dnsmasq.ts";

/** One SIP message as the peer wrote it into its log: enough to judge it without the code under test. */
export interface SipText {
	readonly direction: "sent" | "received";
	/** Request method, undefined for a response. */
	readonly method: string | undefined;
	/** Status code, undefined for a request. */
	readonly statusCode: number | undefined;
	readonly startLine: string;
	readonly headers: readonly (readonly [name: string, value: string])[];
	readonly body: string;
}

/** Splits one message at its empty line; header names stay as written. */
export function readSipText(direction: SipText["direction"], text: string): SipText {
	const end = text.indexOf("\r\n\r\n");
	const head = end < 0 ? text : text.slice(0, end);
	const [startLine = "", ...fields] = head.split("\r\n");
	const isResponse = startLine.startsWith("SIP/2.0 ");
	return {
		direction,
		method: isResponse ? undefined : startLine.split(" ")[0],
		statusCode: isResponse ? Number(startLine.split(" ")[1]) : undefined,
		startLine,
		headers: fields.map((field) => {
			const colon = field.indexOf(":");
			return [field.slice(0, colon).trim(), field.slice(colon + 1).trim()] as const;
		}),
		body: end < 0 ? "" : text.slice(end + 4),
	};
}

/** Values of one header in order, compared without case; empty where it is absent. */
export function headerValues(message: SipText, name: string): readonly string[] {
	const wanted = name.toLowerCase();
	return message.headers.filter(([candidate]) => candidate.toLowerCase() === wanted).map(([, value]) => value);
}

export interface PidfSummary {
	readonly entity: string | undefined;
	readonly basic: string | undefined;
	/** Activity words in the text form of the profile's sample. */
	readonly activities: readonly string[];
	readonly tuples: number;
	readonly displayName: string | undefined;
	/** Every namespace declared on the root, whatever its prefix. */
	readonly namespaces: readonly string[];
}

/** Reads what the tests judge in a PIDF document; enough for documents that are known to be well-formed. */
export function summarizePidf(document: string): PidfSummary {
	const texts = (element: string): readonly string[] =>
		[...document.matchAll(new RegExp(`<(?:\\w+:)?${element}(?:\\s[^>]*)?>\\s*([^<]+?)\\s*<`, "g"))].map(
			(match) => match[1] ?? "",
		);
	return {
		entity: /\sentity="([^"]*)"/.exec(document)?.[1],
		basic: texts("basic")[0],
		activities: texts("activity"),
		tuples: [...document.matchAll(/<(?:\w+:)?tuple[\s>]/g)].length,
		displayName: texts("display-name")[0],
		namespaces: [...document.matchAll(/\sxmlns(?::\w+)?="([^"]*)"/g)].map((match) => match[1] ?? ""),
	};
}

/** An OPTIONS request from one edge to the other: the cheapest question whose answer shows that SIP is read. */
export function createOptions({ from, to }: { readonly from: FederatedDomain; readonly to: FederatedDomain }): string {
	return [
		`OPTIONS sip:${to.edge}:${to.port};transport=tls SIP/2.0`,
		`Via: SIP/2.0/TLS ${from.edge}:${from.port};branch=z9hG4bKprobe`,
		"Max-Forwards: 70",
		`From: <sip:probe@${from.domain}>;tag=1`,
		`To: <sip:probe@${to.domain}>`,
		`Call-ID: probe@${from.edge}`,
		"CSeq: 1 OPTIONS",
		"Content-Length: 0",
		"",
		"",
	].join("\r\n");
}
