/** Requests between contoso.example and fabrikam.example, for tests that care for a few of their fields. */
import { createRequest, type HeaderInput } from "../message/build.ts";
import type { SipRequest } from "../message/message.ts";

/** What a sample request has otherwise than usual. */
export interface SampleRequest {
	/** Default MESSAGE. */
	readonly method?: string;
	/** Default `sip:bob@fabrikam.example`. */
	readonly requestUri?: string;
	/** The top Via; default one of sip.contoso.example with the branch `z9hG4bK-1`. */
	readonly via?: string;
	/** Default `from-1`; null for none. */
	readonly fromTag?: string | null;
	/** Default none. */
	readonly toTag?: string;
	/** Default `call-1`. */
	readonly callId?: string;
	/** Default 1. */
	readonly cseq?: number;
	/** Behind the others. */
	readonly headers?: readonly HeaderInput[];
}

/** A request that is complete, with whatever the test wants otherwise. */
export function createSampleRequest(sample: SampleRequest = {}): SipRequest {
	const { method = "MESSAGE", requestUri = "sip:bob@fabrikam.example", fromTag = "from-1", toTag } = sample;
	return createRequest({
		method,
		requestUri,
		headers: [
			["Via", sample.via ?? viaWithBranch("z9hG4bK-1")],
			["From", `<sip:alice@contoso.example>${fromTag === null ? "" : `;tag=${fromTag}`}`],
			["To", `<sip:bob@fabrikam.example>${toTag === undefined ? "" : `;tag=${toTag}`}`],
			["Call-ID", sample.callId ?? "call-1"],
			["CSeq", `${sample.cseq ?? 1} ${method}`],
			...(sample.headers ?? []),
		],
	});
}

/** A Via value over TLS with that branch. */
export function viaWithBranch(branch: string): string {
	return `SIP/2.0/TLS sip.contoso.example:5061;branch=${branch}`;
}
