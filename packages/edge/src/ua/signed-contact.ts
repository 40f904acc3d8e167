/**
 * Our Contact in a dialog carries the route token (protocol sheet 4.4; product contract 9): whatever comes back in the dialog comes to
 * that URI, and is verified before it is taken (REQ-61, REQ-62).
 */
import {
	aorKey,
	isSipUri,
	listParams,
	parseAor,
	parseAorText,
	type Random,
	type SipRequest,
	type SipUri,
	type Uri,
} from "@causeway/sip";
import {
	FLAG_EXTERNAL,
	FLAG_FROM_PEER,
	FLAG_PRESENCE,
	FLAG_USER_AGENT,
	formatRouteToken,
	type KeyLookup,
	parseRouteToken,
	SKEW_MS,
	type TokenFault,
	type TokenKey,
	type TokenUri,
	verifyRouteToken,
} from "../federation/signature/route-token.ts";
import { aorUri, contactUri, contactValue, type LocalIdentity, TOKEN_PARAMETER } from "./local-identity.ts";

/** What signs and verifies: the signing keys of the edge, or those of a test. */
export interface ContactKeys extends KeyLookup {
	readonly active: TokenKey;
	/** Milliseconds since 1970; never less than before. */
	now(): number;
}

/** A dialog that begins. */
export interface DialogStart {
	/** Our user as our Contact names it: the part before the @, ready for a URI. */
	readonly user: string;
	readonly initiatedBy: "peer" | "us";
	readonly usage: "invite" | "subscribe";
	/** `Connection.id`. */
	readonly connectionId: number;
	/** `Peer.name`. */
	readonly peer: string;
	readonly callId: string;
	/** Of From in the request that makes the dialog. */
	readonly initiatorTag: string;
	/** Key of From in that request and of To: {@link keyOfUri}, {@link keyOfAddress}. */
	readonly initiator: string;
	readonly other: string;
}

/** Our Contact of one dialog. */
export interface SignedContact {
	readonly uri: string;
	/** The header's value: the URI in angle brackets. */
	readonly value: string;
}

export type ContactVerdict =
	| { readonly ok: true }
	| {
			readonly ok: false;
			readonly status: 481 | 403;
			readonly code: "token-absent" | TokenFault;
			readonly detail: string;
			/** The dialog is ours and too old: what there is of it ends. */
			readonly isOver: boolean;
	  };

const OK: ContactVerdict = { ok: true };
const PREFIX = `;${TOKEN_PARAMETER}=`;

export class SignedContacts {
	readonly #keys: ContactKeys;
	readonly #identity: () => LocalIdentity;
	/** Names this run of the edge in tokens. */
	readonly #node: string;

	constructor(keys: ContactKeys, identity: () => LocalIdentity, random: Random) {
		this.#keys = keys;
		this.#identity = identity;
		this.#node = random.token().slice(0, 6);
	}

	create(start: DialogStart): SignedContact {
		const identity = this.#identity();
		const issuedAtMs = this.#keys.now();
		const token = formatRouteToken(this.#keys.active, {
			issuedAtMs,
			flags:
				FLAG_EXTERNAL +
				FLAG_USER_AGENT +
				(start.initiatedBy === "peer" ? FLAG_FROM_PEER : 0) +
				(start.usage === "subscribe" ? FLAG_PRESENCE : 0),
			connection: { node: this.#node, serial: start.connectionId },
			uri: { host: identity.fqdn, port: identity.port, transport: "tls" },
			callId: start.callId,
			initiatorTag: start.initiatorTag,
			initiatorAor: start.initiator,
			otherAor: start.other,
			peer: start.peer,
		});
		return { uri: contactUri(identity, start.user, token), value: contactValue(identity, start.user, token) };
	}

	/**
	 * Whether a request that came in a dialog may be taken. `known` is our Contact of that dialog where it is known: bytes that are
	 * the same as those we wrote need no MAC again, only a key that lives and an age within the limit.
	 */
	verify(request: SipRequest, peer: string, known: string | undefined): ContactVerdict {
		const { requestUri, from, to, callId } = request;
		const token = isSipUri(requestUri) ? parameter(requestUri, TOKEN_PARAMETER) : undefined;
		if (!isSipUri(requestUri) || token === undefined) {
			return refused(481, "token-absent", "the request does not come to a Contact of ours");
		}
		const nowMs = this.#keys.now();
		const uri: TokenUri = {
			host: requestUri.host,
			port: requestUri.port ?? DEFAULT_PORT,
			transport: parameter(requestUri, "transport") ?? "",
		};
		if (known !== undefined && tokenIn(known) === token && this.#isOurs(uri)) return this.#verifyKnown(token, nowMs);
		const verdict = verifyRouteToken(
			this.#keys,
			token,
			{
				uri,
				leg: "external",
				sender: "peer",
				callId,
				fromTag: from.tag ?? "",
				toTag: to.tag ?? "",
				fromAor: keyOfUri(from.uri),
				toAor: keyOfUri(to.uri),
				peer,
			},
			nowMs,
		);
		return verdict.ok ? OK : refused(verdict.status, verdict.code, verdict.detail, verdict.isGenuine);
	}

	#isOurs({ host, port, transport }: TokenUri): boolean {
		const identity = this.#identity();
		return host === identity.fqdn && port === identity.port && transport.toLowerCase() === "tls";
	}

	#verifyKnown(text: string, nowMs: number): ContactVerdict {
		const token = parseRouteToken(text);
		if (token === undefined) return refused(481, "token-unreadable", "the token in our URI cannot be read");
		if (this.#keys.find(token.kid) === undefined) {
			return refused(481, "token-key-unknown", `key ${token.kid} is gone`, true);
		}
		const isTimely = nowMs <= token.issuedAtMs + this.#keys.dialogMs + SKEW_MS;
		return isTimely ? OK : refused(481, "token-expired", "the dialog is too old", true);
	}
}

const DEFAULT_PORT = 5061;

function refused(status: 481 | 403, code: "token-absent" | TokenFault, detail: string, isOver = false): ContactVerdict {
	return { ok: false, status, code, detail, isOver };
}

/** The token in a Contact of ours. */
function tokenIn(contact: string): string | undefined {
	const at = contact.indexOf(PREFIX);
	if (at < 0) return undefined;
	const end = contact.indexOf(">", at);
	return contact.slice(at + PREFIX.length, end < 0 ? contact.length : end);
}

/** The value of a parameter; empty where it stands there twice, which is none of our doing. */
function parameter(uri: SipUri, name: string): string | undefined {
	let found: string | undefined;
	for (const parameter of listParams(uri.params)) {
		if (parameter.name.toLowerCase() !== name) continue;
		if (found !== undefined) return "";
		found = parameter.value ?? "";
	}
	return found;
}

/** What a token binds of a From or To; empty for a URI that is no address of record. */
export function keyOfUri(uri: Uri): string {
	const aor = parseAor(uri);
	return aor.ok ? aorKey(aor.value) : "";
}

/** The same of an address `user@domain` that we shall write into From or To. */
export function keyOfAddress(address: string): string {
	const aor = parseAorText(aorUri(address));
	return aor.ok ? aorKey(aor.value) : "";
}
