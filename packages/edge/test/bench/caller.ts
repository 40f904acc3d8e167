/** SIP text of the callers: users of a partner whose own edge relays for them, so two Via and one Record-Route. */

export interface CallerPlan {
	/** Domain and edge of the caller. */
	readonly domain: string;
	readonly fqdn: string;
	/** Makes addresses and identifiers differ between callers. */
	readonly number: number;
	/** Address of the user who is called. */
	readonly callee: string;
}

/** A caller in its dialog. */
export interface Caller {
	readonly number: number;
	readonly plan: CallerPlan;
	/** Last CSeq number used. */
	sequence: number;
	/** From the 200: To with its tag, and Contact. */
	to: string;
	target: string;
}

export function createCaller(plan: CallerPlan): Caller {
	return { number: plan.number, plan, sequence: 0, to: `<sip:${plan.callee}>`, target: `sip:${plan.callee}` };
}

const OFFER = (fqdn: string): string =>
	["v=0", `o=- 1 1 IN IP4 ${fqdn}`, "s=session", `c=IN IP4 ${fqdn}`, "t=0 0", "m=message 5060 sip/tcp *", ""].join(
		"\r\n",
	);

export function formatInvite(caller: Caller): string {
	const { fqdn, domain, number } = caller.plan;
	caller.sequence += 1;
	const offer = OFFER(fqdn);
	return `${formatStart(caller, "INVITE")}Record-Route: <sip:${fqdn}:5061;transport=tls;lr>\r
Contact: <sip:caller${number}@client${number}.${domain}:5061;transport=tls>\r
Allow: INVITE, ACK, CANCEL, BYE, MESSAGE, OPTIONS\r
Ms-asserted-verification-level: ms-source-verification-level=verified\r
Content-Type: application/sdp\r
Content-Length: ${offer.length}\r
\r
${offer}`;
}

export function formatAck(caller: Caller): string {
	return `${formatStart(caller, "ACK")}Content-Length: 0\r\n\r\n`;
}

/** `text`: latin1 characters. */
export function formatInstantMessage(caller: Caller, text: string): string {
	caller.sequence += 1;
	return `${formatStart(caller, "MESSAGE")}Contact: <sip:caller${caller.number}@client${caller.number}.${caller.plan.domain}:5061;transport=tls>\r
User-Agent: Benchmark caller 1.0\r
Ms-asserted-verification-level: ms-source-verification-level=verified\r
Content-Type: text/plain; charset=UTF-8\r
Content-Length: ${text.length}\r
\r
${text}`;
}

function formatStart({ plan, sequence, to, target }: Caller, method: string): string {
	const { domain, fqdn, number } = plan;
	return `${method} ${target} SIP/2.0\r
Via: SIP/2.0/TLS ${fqdn}:5061;branch=z9hG4bKb${number}.${method === "ACK" ? `${sequence}a` : sequence};alias\r
Via: SIP/2.0/TLS client${number}.${domain}:5061;branch=z9hG4bKclient${number}${method}${sequence};received=192.0.2.17\r
Max-Forwards: 69\r
From: "Caller ${number}" <sip:caller${number}@${domain}>;tag=caller${number}\r
To: ${to}\r
Call-ID: dialog-${number}-6f1d2c7be0a94c13@${domain}\r
CSeq: ${sequence} ${method}\r
`;
}

const BRANCH = "branch=z9hG4bKb";

/** Number and CSeq number of the caller whose request was answered, from the top Via. */
export function answeredCaller(head: string): { readonly number: number; readonly sequence: number } {
	const start = head.indexOf(BRANCH) + BRANCH.length;
	const dot = head.indexOf(".", start);
	return {
		number: Number.parseInt(head.slice(start, dot), 10),
		sequence: Number.parseInt(head.slice(dot + 1, dot + 10), 10),
	};
}
