/** The three messages that the libraries are measured on, as a federated edge meets them. */

/** Octets of the instant message, head and body. */
export const MESSAGE_BYTES = 880;

export interface Sample {
	readonly name: string;
	readonly octets: Uint8Array;
}

const pidf = `<?xml version="1.0" encoding="utf-8"?>
<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:ep="urn:ietf:params:xml:ns:pidf:status:rpid-status" xmlns:et="urn:ietf:params:xml:ns:pidf:rpid-tuple" xmlns:ci="urn:ietf:params:xml:ns:pidf:cipid" entity="sip:lena@fabrikam.example">
<tuple id="0"><status><basic>open</basic><ep:activities><ep:activity>away</ep:activity></ep:activities></status></tuple>
<ci:display-name>Lena at Fabrikam</ci:display-name>
</presence>
`;

const sdp = [
	"v=0",
	"o=- 3902411 1 IN IP4 sip.contoso.example",
	"s=session",
	"c=IN IP4 sip.contoso.example",
	"t=0 0",
	"m=message 5060 sip/tcp *",
	"a=accept-types:text/plain text/html application/im-iscomposing+xml",
	"",
].join("\r\n");

function compose(startLine: string, headers: readonly string[], body: string): Uint8Array {
	const lines = [startLine, ...headers, `Content-Length: ${Buffer.byteLength(body)}`, "", ""];
	return Buffer.from(`${lines.join("\r\n")}${body}`, "utf8");
}

/** In a dialog: two Via, a Route, a Contact, no Record-Route. */
function createMessage(): Uint8Array {
	const build = (text: string) =>
		compose(
			"MESSAGE sip:lena@fabrikam.example;opaque=user:epid:Xy4RtZq;gruu SIP/2.0",
			[
				"Via: SIP/2.0/TLS sip.contoso.example:5061;branch=z9hG4bKq3Zk81a7c0f2e4d9.1;alias",
				"Via: SIP/2.0/TLS 192.0.2.17:49312;branch=z9hG4bK7A0C55D2.3f9e01;ms-received-port=49312;ms-received-cid=AB5A00",
				"Route: <sip:sip.fabrikam.example:5061;transport=tls;lr;ms-route-sig=aaQx81Zr0>",
				"Max-Forwards: 69",
				'From: "Omar Haddad" <sip:omar@contoso.example>;tag=a91c4f02d7;epid=0a1b2c3d4e',
				"To: <sip:lena@fabrikam.example>;tag=77d2b6e01f",
				"Call-ID: 9f0c2b7e41d84a5c@sip.contoso.example",
				"CSeq: 2 MESSAGE",
				"Contact: <sip:omar@sip.contoso.example:5061;transport=tls>",
				"User-Agent: UCCAPI/15.0.4420.1017 OC/15.0.4420.1017",
				"Ms-asserted-verification-level: ms-source-verification-level=verified",
				"Content-Type: text/plain; charset=UTF-8",
			],
			text,
		);
	const shortest = build("").length;
	// The body fills up to the size; the length of Content-Length's digits is counted by trying.
	for (let length = MESSAGE_BYTES - shortest; length > 0; length -= 1) {
		const octets = build("Shall we meet at ten in the small room? ".repeat(8).slice(0, length));
		if (octets.length === MESSAGE_BYTES) return octets;
	}
	throw new Error(`no body makes a message of ${MESSAGE_BYTES} octets`);
}

function createInvite(): Uint8Array {
	return compose(
		"INVITE sip:lena@fabrikam.example SIP/2.0",
		[
			"Via: SIP/2.0/TLS sip.contoso.example:5061;branch=z9hG4bKq3Zk81a7c0f2e4d9.7;alias",
			"Via: SIP/2.0/TLS 192.0.2.17:49312;branch=z9hG4bK7A0C55D2.3f9e07;ms-received-port=49312;ms-received-cid=AB5A00",
			"Record-Route: <sip:sip.contoso.example:5061;transport=tls;lr;fs=1.k7.q8Zt0aXr55>;tag=4F0A91",
			"Record-Route: <sip:pool.contoso.example:5061;transport=tls;lr;ms-route-sig=bbQx81Zr0>",
			"Max-Forwards: 68",
			'From: "Omar Haddad" <sip:omar@contoso.example>;tag=a91c4f02d7;epid=0a1b2c3d4e',
			"To: <sip:lena@fabrikam.example>",
			"Call-ID: 1b0c2b7e41d84a5c@sip.contoso.example",
			"CSeq: 1 INVITE",
			"Contact: <sip:omar@sip.contoso.example:5061;transport=tls>",
			"Allow: INVITE, ACK, BYE, CANCEL, MESSAGE, SUBSCRIBE, NOTIFY, OPTIONS, INFO",
			"Supported: timer",
			"User-Agent: UCCAPI/15.0.4420.1017 OC/15.0.4420.1017",
			"Ms-asserted-verification-level: ms-source-verification-level=verified",
			"Content-Type: application/sdp",
		],
		sdp,
	);
}

function createNotify(): Uint8Array {
	return compose(
		"NOTIFY sip:omar@sip.contoso.example:5061;transport=tls SIP/2.0",
		[
			"Via: SIP/2.0/TLS sip.fabrikam.example:5061;branch=z9hG4bKw81a7c0f2e4d9.2;alias",
			"Route: <sip:sip.contoso.example:5061;transport=tls;lr;fs=1.k7.q8Zt0aXr55>",
			"Max-Forwards: 69",
			"From: <sip:lena@fabrikam.example>;tag=11d2b6e01f",
			"To: <sip:omar@contoso.example>;tag=b81c4f02d7",
			"Call-ID: 2c0c2b7e41d84a5c@sip.contoso.example",
			"CSeq: 5 NOTIFY",
			"Contact: <sip:sip.fabrikam.example:5061;transport=tls>",
			"Event: presence",
			"Subscription-State: active;expires=3571",
			"Content-Type: application/pidf+xml",
		],
		pidf,
	);
}

export const SAMPLES: readonly Sample[] = [
	{ name: "MESSAGE", octets: createMessage() },
	{ name: "INVITE", octets: createInvite() },
	{ name: "NOTIFY", octets: createNotify() },
];
