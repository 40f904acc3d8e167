/** The pair of Record-Routes of a dialog that goes through the proxy (REQ-55, REQ-56), each with its signed token. */
import type { Link } from "../federation/link.ts";
import {
	FLAG_EXTERNAL,
	FLAG_FROM_PEER,
	FLAG_PRESENCE,
	formatRouteToken,
	type TokenKey,
} from "../federation/signature/route-token.ts";
import { recordRouteValue, tokenUri } from "./own-identity.ts";
import type { DialogRoute } from "./relay-dialogs.ts";
import { isPeerSide, type RouteRules } from "./route-check.ts";

/** What the tokens of a dialog say and are bound to. */
export interface DialogBeginning {
	readonly isSubscription: boolean;
	readonly callId: string;
	readonly initiatorTag: string;
	/** `user@domain`. */
	readonly initiatorAor: string;
	readonly otherAor: string;
	readonly initiatorDomain: string;
	readonly otherDomain: string;
	/** The connection of each side, and the name of its peer network. */
	readonly initiator: { readonly link: Link; readonly network: string };
	readonly other: { readonly link: Link; readonly network: string };
}

/** Signs both routes with this key. `node` names this run of the edge. */
export function createDialogRoute(
	{ identity, keys, relayDomains }: RouteRules,
	key: TokenKey,
	node: string,
	beginning: DialogBeginning,
): DialogRoute {
	const { callId, initiatorTag, initiatorAor, otherAor, initiator, other } = beginning;
	const isFromPeer = isPeerSide(beginning.initiatorDomain, beginning.otherDomain, relayDomains);
	const shared = (isFromPeer ? FLAG_FROM_PEER : 0) | (beginning.isSubscription ? FLAG_PRESENCE : 0);
	const issuedAtMs = keys.now();
	const uri = tokenUri(identity);
	const value = ({ link, network }: DialogBeginning["other"], isExternal: boolean): string =>
		recordRouteValue(
			identity,
			formatRouteToken(key, {
				issuedAtMs,
				flags: shared | (isExternal ? FLAG_EXTERNAL : 0),
				connection: { node, serial: link.connection.id },
				uri,
				callId,
				initiatorTag,
				initiatorAor,
				otherAor,
				peer: isExternal ? network : "",
			}),
		);
	return {
		initiatorTag,
		initiatorSide: value(initiator, isFromPeer),
		otherSide: value(other, !isFromPeer),
		kid: key.kid,
		issuedAt: issuedAtMs,
	};
}
