/** SIP text of watchers and publishers, as their edge would write it: short, and the same for every server measured. */
import { headerOf } from "./message-reader.ts";

const DOMAIN = "bench.example";

export interface Watcher {
	readonly number: number;
	readonly presentity: string;
	/** Of the connection's near end: a server that routes by Contact finds the connection again. */
	readonly port: number;
}

export function formatSubscribe({ number, presentity, port }: Watcher): string {
	return `SUBSCRIBE sip:${presentity} SIP/2.0\r
Via: SIP/2.0/TLS sip.${DOMAIN}:5061;branch=z9hG4bKs${number}\r
Max-Forwards: 70\r
From: <sip:watcher${number}@${DOMAIN}>;tag=w${number}\r
To: <sip:${presentity}>\r
Call-ID: s${number}@${DOMAIN}\r
CSeq: 1 SUBSCRIBE\r
Contact: <sip:watcher${number}@127.0.0.1:${port};transport=tls>\r
Event: presence\r
Accept: application/pidf+xml\r
Expires: 3600\r
Content-Length: 0\r
\r
`;
}

export interface Publication {
	readonly number: number;
	readonly aor: string;
	readonly state: string;
	readonly etag: string | undefined;
}

export function formatPublish({ number, aor, state, etag }: Publication): string {
	const body = `<?xml version="1.0" encoding="utf-8"?>\r
<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:ep="urn:ietf:params:xml:ns:pidf:status:rpid-status" xmlns:et="urn:ietf:params:xml:ns:pidf:rpid-tuple" xmlns:ci="urn:ietf:params:xml:ns:pidf:cipid" entity="sip:${aor}"><tuple id="0"><status><basic>open</basic><ep:activities><ep:activity>${state}</ep:activity></ep:activities></status></tuple><ci:display-name>User</ci:display-name></presence>`;
	return `PUBLISH sip:${aor} SIP/2.0\r
Via: SIP/2.0/TLS sip.${DOMAIN}:5061;branch=z9hG4bKp${number}\r
Max-Forwards: 70\r
From: <sip:${aor}>;tag=p${number}\r
To: <sip:${aor}>\r
Call-ID: p${number}@${DOMAIN}\r
CSeq: 1 PUBLISH\r
Event: presence\r
Expires: 3600\r
${etag === undefined ? "" : `SIP-If-Match: ${etag}\r\n`}Content-Type: application/pidf+xml\r
Content-Length: ${body.length}\r
\r
${body}`;
}

/** The 200 to a request, of its head alone. */
export function answerOf(head: string): string {
	const vias = head
		.split("\r\n")
		.filter((line) => line.toLowerCase().startsWith("via:"))
		.join("\r\n");
	const copied = ["From", "To", "Call-ID", "CSeq"].map((name) => `${name}: ${headerOf(head, name) ?? ""}\r\n`).join("");
	return `SIP/2.0 200 OK\r\n${vias}\r\n${copied}Content-Length: 0\r\n\r\n`;
}
