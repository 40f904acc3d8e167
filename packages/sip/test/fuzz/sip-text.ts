/** What the targets that read SIP text share: words of the protocol, and a mutation that keeps a message framable. */
import { type Mutation, replaceRange } from "./mutate.ts";

/** Words that stand inside URIs and header values. */
export const VALUE_TOKENS: readonly string[] = [
	"sip:",
	"sips:",
	"tel:",
	"<",
	">",
	'"',
	"\\",
	'\\"',
	";",
	";;",
	",",
	"=",
	"%",
	"%00",
	"%41",
	"%c3%a9",
	"@",
	":",
	"[::1]",
	"[2001:db8::1]",
	"[",
	"]",
	"::",
	"192.0.2.1",
	"1.2.3",
	"0.0.0.0",
	"256.1.1.1",
	"a.b.example.",
	"-a",
	";lr",
	";tag=x",
	";transport=tls",
	";branch=z9hG4bK",
	";received=192.0.2.1",
	";maddr=192.0.2.1",
	"?",
	"&",
	"\r\n ",
	"\t",
	"\0",
	"\xff",
	"\xc3\xa9",
	"*",
];

/** Header fields and start lines. */
export const MESSAGE_TOKENS: readonly string[] = [
	...VALUE_TOKENS,
	"SIP/2.0",
	"SIP/3.0",
	"SIP/2.0 200 OK\r\n",
	"MESSAGE sip:bob@fabrikam.example SIP/2.0\r\n",
	"INVITE ",
	"ACK ",
	"Via: SIP/2.0/TLS sip.contoso.example;branch=z9hG4bK1\r\n",
	"v: SIP/2.0/TLS a.example, SIP/2.0/TLS b.example\r\n",
	"From: <sip:alice@contoso.example>;tag=1\r\n",
	"f: sip:alice@contoso.example\r\n",
	"To: <sip:bob@fabrikam.example>\r\n",
	"t:\r\n",
	"Call-ID: 1@contoso.example\r\n",
	"i: x\r\n",
	"CSeq: 1 MESSAGE\r\n",
	"CSeq: 4294967295 INVITE\r\n",
	"Max-Forwards: 70\r\n",
	"Contact: *\r\n",
	"m: <sip:a@b.example>, sip:c@d.example\r\n",
	"Route: <sip:a.example;lr>\r\n",
	"Record-Route: <sip:a.example;lr>, <sip:b.example;lr>\r\n",
	"Content-Type: text/plain;charset=utf-8\r\n",
	"Event: presence;id=1\r\n",
	"Subscription-State: active;expires=3600\r\n",
	"Expires: 3600\r\n",
	"Min-Expires: 300\r\n",
	"Retry-After: 5 (busy (very)) ;duration=3\r\n",
	"Require: eventlist, x\r\n",
	'Warning: 399 a.example "text"\r\n',
	'ms-diagnostics-public: 1008;reason="x"\r\n',
	"ms-text-format: text/plain;ms-body=aGk=\r\n",
	"Ms-asserted-verification-level: ms-source-verified-user=verified\r\n",
	"ms-edge-proxy-message-trust: ms-source-type=x;ms-source-verified-user=unverified\r\n",
	"Accept: application/pidf+xml, */*\r\n",
	"Timestamp: 1.5\r\n",
];

const HEAD_END = Buffer.from("\r\n\r\n", "latin1");

/** Puts the length of what stands behind the first head into its Content-Length, so that mutated bodies are read too. */
export const repairLength: Mutation = (input) => {
	const octets = Buffer.from(input.buffer, input.byteOffset, input.length);
	const end = octets.indexOf(HEAD_END);
	if (end === -1) return input;
	const head = octets.toString("latin1", 0, end + 2).toLowerCase();
	const long = head.indexOf("\ncontent-length:");
	const at = long === -1 ? head.indexOf("\nl:") : long;
	if (at === -1) return input;
	const valueStart = head.indexOf(":", at) + 1;
	const length = ` ${input.length - end - HEAD_END.length}`;
	return replaceRange(input, valueStart, head.indexOf("\r\n", valueStart), Buffer.from(length, "latin1"));
};
