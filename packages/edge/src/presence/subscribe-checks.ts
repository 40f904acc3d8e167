/** What a SUBSCRIBE must be before anybody looks at who is asked for: package, Accept, Expires (protocol sheet 5.6). */
import {
	accept,
	event,
	expires,
	grantExpires,
	type HeaderInput,
	matchMediaType,
	type ServerTransaction,
	type SipRequest,
} from "@causeway/sip";
import type { UserAgent } from "../ua/user-agent.ts";

export const ALLOW_EVENTS: readonly HeaderInput[] = [["Allow-Events", "presence"]];

const DEFAULT_EXPIRES_SECONDS = 3600;

export interface ExpiresRules {
	readonly minExpiresSeconds: number;
	readonly maxExpiresSeconds: number;
}

/** Whether the request is about presence; it is answered 489 where not. */
export function isPresence(request: SipRequest): boolean {
	const wanted = event(request);
	return wanted.ok && wanted.value?.package === "presence";
}

/** Whether the watcher takes the documents that we write; it is answered 406 where not. */
export function takesPidf(request: SipRequest): boolean {
	const ranges = accept(request);
	if (!ranges.ok) return false;
	return ranges.value === undefined || ranges.value.some((range) => matchMediaType(range, "application", "pidf+xml"));
}

/** The seconds granted; undefined where the request was answered 423 or 400. */
export function grantFor(
	transaction: ServerTransaction,
	agent: Pick<UserAgent, "answer">,
	rules: ExpiresRules,
): number | undefined {
	const requested = expires(transaction.request);
	if (!requested.ok) {
		agent.answer(transaction, 400, { code: requested.fault.code });
		return undefined;
	}
	const grant = grantExpires(requested.value, {
		minSeconds: rules.minExpiresSeconds,
		maxSeconds: rules.maxExpiresSeconds,
		defaultSeconds: DEFAULT_EXPIRES_SECONDS,
	});
	if (grant.kind === "granted") return grant.expiresSeconds;
	agent.answer(transaction, 423, {
		code: "expires-too-brief",
		headers: [["Min-Expires", String(grant.minExpiresSeconds)]],
	});
	return undefined;
}
