/** Message sessions through the relay, as the tests of the wire open them. */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { SipRequest, SipResponse } from "@causeway/sip";
import {
	type RelayWorld,
	type RelayWorldOptions,
	relayedAnswer,
	relayedRequest,
	routeFields,
	startRelayWorld,
} from "./relay-world.ts";
import { type Link, MESSAGE_LINE, sdp } from "./wire-world.ts";

/** A session that the partner began, as both sides know it. */
export interface OpenSession {
	readonly world: RelayWorld;
	readonly partner: Link;
	readonly inside: Link;
	readonly invite: SipRequest;
	readonly ok: SipResponse;
	readonly callId: string;
	/** Route fields of each side. */
	readonly partnerRoutes: readonly string[];
	readonly insideRoutes: readonly string[];
	/** Parts that every request of the partner in the session has. */
	readonly byPartner: {
		readonly callId: string;
		readonly toTag: string;
		readonly headers: readonly string[];
		readonly uri: string;
	};
	readonly byInside: {
		readonly by: "inside";
		readonly callId: string;
		readonly fromTag: string;
		readonly toTag: string;
		readonly headers: readonly string[];
		readonly uri: string;
	};
}

let lastCall = 0;

/** A session that the partner's user opened with the inside user. */
export async function openSession(context: TestContext, options: RelayWorldOptions = {}): Promise<OpenSession> {
	const world = await startRelayWorld(context, options);
	const partner = await world.connectPartner();
	return { world, ...(await invite(world, partner)) };
}

/** One more session; over the same connection to the inside server, where it is given. */
export async function invite(world: RelayWorld, partner: Link, known?: Link) {
	lastCall += 1;
	const callId = `session${lastCall}`;
	partner.write(relayedRequest({ method: "INVITE", callId, body: sdp(MESSAGE_LINE) }));
	const inside = known ?? (await world.acceptedByInside());
	const request = await inside.request();
	assert.equal(request.method, "INVITE");
	inside.write(relayedAnswer(request, "200 OK", { toTag: "b1", body: sdp(MESSAGE_LINE) }));
	let ok = await partner.response();
	while (ok.statusCode === 100) ok = await partner.response();
	assert.equal(ok.statusCode, 200);
	const partnerRoutes = routeFields(ok);
	const insideRoutes = routeFields(request);
	const uri = "sip:ines@198.51.100.4:5061;transport=tls";
	partner.write(relayedRequest({ method: "ACK", callId, toTag: "b1", headers: partnerRoutes, uri }));
	assert.equal((await inside.request()).method, "ACK");
	return {
		partner,
		inside,
		invite: request,
		ok,
		callId,
		partnerRoutes,
		insideRoutes,
		byPartner: { callId, toTag: "b1", headers: partnerRoutes, uri },
		byInside: {
			by: "inside" as const,
			callId,
			fromTag: "b1",
			toTag: "a1",
			headers: insideRoutes,
			uri: "sip:lena@192.0.2.7:49152;transport=tls",
		},
	};
}

/** The next final answer on a link. */
export async function final(link: Link): Promise<SipResponse> {
	for (;;) {
		const response = await link.response();
		if (response.statusCode >= 200) return response;
	}
}
