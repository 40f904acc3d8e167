/** What a good partner does with our Contact: requests in the dialog go there (RFC 3261 §12.2.1.1). */
import { contacts, isSipUri, type SipMessage } from "@causeway/sip";

export interface RemoteTargets {
	/** Remembers our Contact of the message's Call-ID, for good. */
	learn(message: SipMessage): void;
	/** Our Contact in the dialogs of a Call-ID. */
	of(callId: string): string | undefined;
	/** The text of a request with our Contact as Request-URI, where it has a To tag and its Request-URI is that of To. */
	address(text: string): string;
}

export function createRemoteTargets(): RemoteTargets {
	const targets = new Map<string, string>();
	return {
		learn(message) {
			const read = contacts(message);
			const first = read.ok && read.value !== "*" ? read.value[0] : undefined;
			if (first !== undefined && isSipUri(first.uri)) targets.set(message.callId, first.uri.text);
		},
		of: (callId) => targets.get(callId),
		address(text) {
			const [, method, uri] = /^([A-Z]+) (\S+) SIP\/2\.0\r?\n/.exec(text) ?? [];
			const to = /^To: <([^>]+)>;tag=/m.exec(text)?.[1];
			const target = targets.get(/^Call-ID: (.+?)\r?$/m.exec(text)?.[1] ?? "");
			if (method === undefined || uri !== to || target === undefined) return text;
			return `${method} ${target}${text.slice(method.length + 1 + (uri?.length ?? 0))}`;
		},
	};
}
