/** Keys, claims and tokens as the tests of signatures want them. */
import type { KeySource } from "./key-ring.ts";
import { MacKey, SECRET_BYTES } from "./mac-key.ts";
import {
	FLAG_EXTERNAL,
	FLAG_FROM_PEER,
	FLAG_USER_AGENT,
	type KeyLookup,
	type RouteClaims,
	type RouteTokenFields,
	type TokenKey,
} from "./route-token.ts";

const HOUR_MS = 3_600_000;

/** A key whose secret repeats one octet. */
export function createTestKey(kid: string, octet = 7): TokenKey {
	return { kid, mac: new MacKey(new Uint8Array(SECRET_BYTES).fill(octet)) };
}

export function createTestLookup(...keys: readonly TokenKey[]): KeyLookup {
	return { find: (kid) => keys.find((key) => key.kid === kid), dialogMs: 24 * HOUR_MS };
}

/** Counts: names `0001`, `0002`, …, secrets of one octet each. */
export function createCountingKeySource(): KeySource {
	let kids = 0;
	let secrets = 0;
	return {
		kid: () => {
			kids += 1;
			return kids.toString(36).padStart(4, "0");
		},
		secret: () => {
			secrets += 1;
			return new Uint8Array(SECRET_BYTES).fill(secrets & 0xff);
		},
	};
}

/** A dialog that the peer began with a user of ours, at 2026-01-05T09:00Z. */
export const TEST_FIELDS: RouteTokenFields = {
	issuedAtMs: Date.UTC(2026, 0, 5, 9),
	flags: FLAG_EXTERNAL + FLAG_FROM_PEER + FLAG_USER_AGENT,
	connection: { node: "k3x9", serial: 41 },
	uri: { host: "sip.contoso.example", port: 5061, transport: "tls" },
	callId: "9f0c1@sip.fabrikam.example",
	initiatorTag: "bobs-tag",
	initiatorAor: "bob@fabrikam.example",
	otherAor: "alice@contoso.example",
	peer: "fabrikam.example",
};

/** A later request of the peer in that dialog. */
export const TEST_CLAIMS: RouteClaims = {
	uri: { host: "SIP.Contoso.example", port: 5061, transport: "TLS" },
	leg: "external",
	sender: "peer",
	callId: TEST_FIELDS.callId,
	fromTag: "bobs-tag",
	toTag: "alices-tag",
	fromAor: "Bob@Fabrikam.example",
	toAor: "alice@contoso.example",
	peer: "fabrikam.example",
};
