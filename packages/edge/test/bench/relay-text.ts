/** SIP text of the relay benchmarks: a partner's users on one side, users behind the relay on the other. */

export const PARTNER_DOMAIN = "bench.example";
export const PARTNER_FQDN = "sip.bench.example";

/** The relayed domain of the connection with this index, and the name of its inside server. */
export function insideDomain(index: number): string {
	return `b${index + 1}.example.test`;
}

export function insideName(index: number): string {
	return `home.b${index + 1}.example.test`;
}

/** One dialog as its caller knows it. */
export interface RelayDialog {
	/** Unique in a run of the generator. */
	readonly number: number;
	/** Host and port where the caller is reached: a proxy that keeps no connection in its routes goes there. */
	readonly contact: string;
	sequence: number;
	/** From the 2xx: To with its tag, Contact, and the Route fields in the order in which they are sent. */
	to: string;
	target: string;
	routes: string;
}

export function createDialog(number: number, domain: string, contact: string): RelayDialog {
	const target = `sip:callee${number % 1000}@${domain}`;
	return { number, contact, sequence: 0, to: `<${target}>`, target, routes: "" };
}

const OFFER = [
	"v=0",
	`o=- 1 1 IN IP4 ${PARTNER_FQDN}`,
	"s=session",
	`c=IN IP4 ${PARTNER_FQDN}`,
	"t=0 0",
	"m=message 5060 sip/tcp *",
	"",
].join("\r\n");
const TEXT = "Could you look at the figures for the northern region before the call at four? ".repeat(2).trim();
const LEVEL = "Ms-asserted-verification-level: ms-source-verification-level=verified\r\n";
const DOCUMENT = `<?xml version="1.0" encoding="utf-8"?>
<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:ep="urn:ietf:params:xml:ns:pidf:status:rpid-status" xmlns:ci="urn:ietf:params:xml:ns:pidf:cipid" entity="sip:callee@b1.example.test">
<tuple id="0"><status><basic>open</basic><ep:activities><ep:activity>away</ep:activity></ep:activities></status></tuple>
<ci:display-name>Callee</ci:display-name>
</presence>
`;

function start(dialog: RelayDialog, method: string): string {
	const { number, sequence, to, target, routes } = dialog;
	return `${method} ${target} SIP/2.0\r
Via: SIP/2.0/TLS ${PARTNER_FQDN}:5061;branch=z9hG4bKb${number}.${method === "ACK" ? `${sequence}a` : sequence}.;alias\r
Via: SIP/2.0/TLS client${number}.${PARTNER_DOMAIN}:5061;branch=z9hG4bKclient${number}${method}${sequence};received=192.0.2.17\r
Max-Forwards: 69\r
${routes}From: "Caller ${number}" <sip:caller${number}@${PARTNER_DOMAIN}>;tag=caller${number}\r
To: ${to}\r
Call-ID: dialog-${number}-6f1d2c7be0a94c13@${PARTNER_DOMAIN}\r
CSeq: ${sequence} ${method}\r
`;
}

function contact(dialog: RelayDialog): string {
	return `Contact: <sip:caller${dialog.number}@${dialog.contact};transport=tls>\r\n`;
}

export function formatInvite(dialog: RelayDialog): string {
	dialog.sequence += 1;
	return `${start(dialog, "INVITE")}${contact(dialog)}Allow: INVITE, ACK, CANCEL, BYE, MESSAGE, OPTIONS\r
${LEVEL}Content-Type: application/sdp\r
Content-Length: ${OFFER.length}\r
\r
${OFFER}`;
}

export function formatAck(dialog: RelayDialog): string {
	return `${start(dialog, "ACK")}Content-Length: 0\r\n\r\n`;
}

export function formatInstantMessage(dialog: RelayDialog): string {
	dialog.sequence += 1;
	return `${start(dialog, "MESSAGE")}User-Agent: Benchmark caller 1.0\r
${LEVEL}Content-Type: text/plain; charset=UTF-8\r
Content-Length: ${TEXT.length}\r
\r
${TEXT}`;
}

export function formatBye(dialog: RelayDialog): string {
	dialog.sequence += 1;
	return `${start(dialog, "BYE")}Content-Length: 0\r\n\r\n`;
}

export function formatSubscribe(dialog: RelayDialog): string {
	dialog.sequence += 1;
	return `${start(dialog, "SUBSCRIBE")}${contact(dialog)}Event: presence\r
Accept: application/pidf+xml\r
Expires: 3600\r
${LEVEL}Content-Length: 0\r\n\r\n`;
}

/** What a callee says to a request: Via, Record-Route, From, To, Call-ID and CSeq as they came, in their order. */
export function formatOk(request: string, contactHost: string | undefined): string {
	let copied = "";
	let at = request.indexOf("\r\n") + 2;
	for (;;) {
		const end = request.indexOf("\r\n", at) + 2;
		if (end === at + 2) break;
		const code = request.charCodeAt(at);
		if (code === 0x56 /* V */ || code === 0x46 /* F */) copied += request.slice(at, end);
		else if (code === 0x54 /* T */) {
			const isTagged = request.slice(at, end).includes(";tag=");
			copied += isTagged ? request.slice(at, end) : `${request.slice(at, end - 2)};tag=callee\r\n`;
		} else if (code === 0x43 /* C */) {
			if (request.startsWith("Call-ID", at) || request.startsWith("CSeq", at)) copied += request.slice(at, end);
		} else if (code === 0x52 /* R */) {
			if (contactHost !== undefined && request.startsWith("Record-Route", at)) copied += request.slice(at, end);
		}
		at = end;
	}
	if (contactHost === undefined) return `SIP/2.0 200 OK\r\n${copied}Content-Length: 0\r\n\r\n`;
	copied += `Contact: <sip:callee@${contactHost};transport=tls>\r\n`;
	return request.startsWith("INVITE")
		? `SIP/2.0 200 OK\r\n${copied}Content-Type: application/sdp\r\nContent-Length: ${OFFER.length}\r\n\r\n${OFFER}`
		: `SIP/2.0 200 OK\r\n${copied}Expires: 3600\r\nContent-Length: 0\r\n\r\n`;
}

/** The first NOTIFY of the subscription that `subscribe` asks for. */
export function formatNotify(subscribe: string, contactHost: string, number: number): string {
	const from = field(subscribe, "From");
	const to = field(subscribe, "To");
	const target = field(subscribe, "Contact");
	const routes = fields(subscribe, "Record-Route")
		.map((value) => `Route: ${value}\r\n`)
		.join("");
	return `NOTIFY ${target.slice(1, target.indexOf(">"))} SIP/2.0\r
Via: SIP/2.0/TLS ${contactHost};branch=z9hG4bKn${number}.1.;alias\r
Max-Forwards: 70\r
${routes}From: ${to};tag=callee\r
To: ${from}\r
Call-ID: ${field(subscribe, "Call-ID")}\r
CSeq: 1 NOTIFY\r
Contact: <sip:callee@${contactHost};transport=tls>\r
Event: presence\r
Subscription-State: active;expires=3600\r
Content-Type: application/pidf+xml\r
Content-Length: ${DOCUMENT.length}\r
\r
${DOCUMENT}`;
}

/** Takes To, Contact and the route set (RFC 3261 §12.1.2: Record-Route turned round) from a 2xx. */
export function confirmDialog(dialog: RelayDialog, response: string): void {
	dialog.to = field(response, "To");
	const value = field(response, "Contact");
	dialog.target = value.slice(value.indexOf("<") + 1, value.indexOf(">"));
	dialog.routes = fields(response, "Record-Route")
		.flatMap((one) => one.split(","))
		.toReversed()
		.map((one) => `Route: ${one.trim()}\r\n`)
		.join("");
}

/** Values of a field by the name as servers write it, in order. */
export function fields(message: string, name: string): readonly string[] {
	const found: string[] = [];
	const mark = `\r\n${name}: `;
	for (let at = message.indexOf(mark); at >= 0; at = message.indexOf(mark, at + 2)) {
		found.push(message.slice(at + mark.length, message.indexOf("\r\n", at + 2)));
	}
	return found;
}

function field(message: string, name: string): string {
	return fields(message, name)[0] ?? "";
}

/** Number and CSeq number of the request whose response this is, from the top Via: `z9hG4bKb12.3.`. */
export function answered(response: string): {
	readonly side: string;
	readonly number: number;
	readonly sequence: number;
} {
	const at = response.indexOf("branch=z9hG4bK") + 14;
	const dot = response.indexOf(".", at);
	return {
		side: response.charAt(at),
		number: Number(response.slice(at + 1, dot)),
		sequence: Number.parseInt(response.slice(dot + 1, dot + 10), 10),
	};
}
