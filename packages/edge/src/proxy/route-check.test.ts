import assert from "node:assert/strict";
import { test } from "node:test";
import { createRequest, type SipRequest } from "@causeway/sip";
import {
	FLAG_EXTERNAL,
	FLAG_FROM_PEER,
	FLAG_USER_AGENT,
	formatRouteToken,
} from "../federation/signature/route-token.ts";
import { createTestKey, createTestLookup } from "../federation/signature/testing.ts";
import { recordRouteValue } from "./own-identity.ts";
import { checkRoutes, isPeerSide, type RouteRules } from "./route-check.ts";

const NOW = Date.UTC(2026, 0, 5, 10);
const key = createTestKey("q7zk");
const identity = { fqdn: "sip.contoso.example", port: 5061 };
const rules: RouteRules = {
	identity,
	keys: { ...createTestLookup(key), now: () => NOW },
	relayDomains: new Set(["corp.contoso.example", "lab.contoso.example"]),
	networkOf: (domain) => (domain === "unknown.example" ? "" : domain),
};

function token(isExternal: boolean, issuedAtMs = NOW, serial = isExternal ? 1 : 2, flags = 0): string {
	return formatRouteToken(key, {
		issuedAtMs,
		flags: FLAG_FROM_PEER | flags | (isExternal ? FLAG_EXTERNAL : 0),
		connection: { node: "n1", serial },
		uri: { host: identity.fqdn, port: identity.port, transport: "tls" },
		callId: "c1",
		initiatorTag: "a1",
		initiatorAor: "lena@fabrikam.example",
		otherAor: "ines@corp.contoso.example",
		peer: isExternal ? "fabrikam.example" : "",
	});
}

const outer = recordRouteValue(identity, token(true));
const inner = recordRouteValue(identity, token(false));
const uriOf = (route: string): string => route.slice(1, -1);

interface Parts {
	readonly by?: "inside";
	readonly uri?: string;
	readonly from?: string;
	readonly to?: string;
	readonly routes: readonly string[];
	/** From and To without tags. */
	readonly untagged?: boolean;
}

function request({ by, uri, from, to, routes, untagged }: Parts): SipRequest {
	const lena = `<${from ?? "sip:lena@fabrikam.example"}>${untagged ? "" : ";tag=a1"}`;
	const ines = `<${to ?? "sip:ines@corp.contoso.example"}>${untagged ? "" : ";tag=b1"}`;
	return createRequest({
		method: "MESSAGE",
		requestUri: uri ?? "sip:far@198.51.100.4",
		headers: [
			["Via", "SIP/2.0/TLS x.example;branch=z9hG4bK1"],
			["From", by === "inside" ? ines : lena],
			["To", by === "inside" ? lena : ines],
			["Call-ID", "c1"],
			["CSeq", "2 MESSAGE"],
			...routes.map((value) => ["Route", value] as const),
		],
	});
}

function outcome(parts: Parts, own: RouteRules = rules): string {
	const found = checkRoutes(request(parts), own);
	if (found.kind === "refused") return `${found.status} ${found.code}`;
	if (found.kind === "none") return `none, ${found.routes.places.length} ours, ${found.routes.rest.length} left`;
	const { arrival, departure, routes } = found.route;
	return `from ${arrival.serial} to ${departure.serial}, ${routes.rest.length} left`;
}

const table: readonly (readonly [name: string, parts: Parts, expected: string, rules?: RouteRules])[] = [
	["a pair from the partner leads to the inner connection", { routes: [outer, inner] }, "from 1 to 2, 0 left"],
	["one field or two are the same", { routes: [`${outer}, ${inner},<sip:in.example;lr>`] }, "from 1 to 2, 1 left"],
	["a pair from inside leads to the outer connection", { by: "inside", routes: [inner, outer] }, "from 2 to 1, 0 left"],
	["no route at all", { routes: [] }, "none, 0 ours, 0 left"],
	["a route of somebody else", { routes: ["<sip:x.example;lr>"] }, "none, 0 ours, 1 left"],
	["our name without a token", { routes: ["<sip:sip.contoso.example;lr>"] }, "none, 1 ours, 0 left"],
	["another port is another server", { routes: [outer.replace(":5061", ":5062")] }, "none, 0 ours, 1 left"],
	[
		"the Contact of one of our users is no route",
		{ routes: [recordRouteValue(identity, token(true, NOW, 1, FLAG_USER_AGENT)), inner] },
		"none, 2 ours, 0 left",
	],
	[
		"a token that cannot be read",
		{ routes: ["<sip:sip.contoso.example:5061;lr;fs=1>", inner] },
		"481 token-unreadable",
	],
	["the order turned round", { routes: [inner, outer] }, "403 token-direction"],
	["one of the two", { routes: [outer] }, "403 token-missing"],
	["the second is not ours", { routes: [outer, "<sip:x.example;lr>"] }, "403 token-missing"],
	["the second has no token", { routes: [outer, "<sip:sip.contoso.example;lr>"] }, "403 token-missing"],
	["the first twice", { routes: [outer, outer] }, "403 token-direction"],
	["another partner", { from: "sip:lena@unknown.example", routes: [outer, inner] }, "403 token-forged"],
	["no tags", { routes: [outer, inner], untagged: true }, "403 token-forged"],
	["a From that is no address of record", { from: "tel:+123", routes: [outer, inner] }, "403 token-forged"],
	["a To that is no address of record", { to: "sip:198.51.100.4", routes: [outer, inner] }, "403 token-forged"],
	[
		"a day and more later",
		{ routes: [outer, inner] },
		"481 token-expired",
		{ ...rules, keys: { ...rules.keys, now: () => NOW + 25 * 3_600_000 } },
	],
	[
		"its key is gone",
		{ routes: [outer, inner] },
		"481 token-key-unknown",
		{ ...rules, keys: { ...createTestLookup(), now: () => NOW } },
	],
	["Route that cannot be read", { routes: ["<sip:"] }, "400 bad-route"],
	["Route of another scheme", { routes: ["<tel:+123>"] }, "400 bad-route"],
	["Route with headers", { routes: ["<sip:x.example;lr?a=b>"] }, "400 bad-route"],
	[
		"a strict router put our route in the Request-URI, and the target behind the others",
		{ uri: uriOf(outer), routes: [inner, "<sip:in.example;lr>", "<sip:far@198.51.100.4>"] },
		"from 1 to 2, 1 left",
	],
	["our route in the Request-URI and no target", { uri: uriOf(outer), routes: [] }, "none, 0 ours, 0 left"],
	["a comma in a quoted name", { routes: [`"a, \\" b" ${outer}`, inner] }, "from 1 to 2, 0 left"],
	[
		"the Contact of one of our users as Request-URI",
		{ uri: "sip:alice@sip.contoso.example:5061;lr", routes: [] },
		"none, 0 ours, 0 left",
	],
	["our name as Request-URI without lr", { uri: "sip:sip.contoso.example:5061", routes: [] }, "none, 0 ours, 0 left"],
];
for (const [name, parts, expected, own] of table) {
	test(`RFC 3261 §16.4, protocol sheet 4.4: ${name}`, () => assert.equal(outcome(parts, own), expected));
}

test("between two relay domains the later name takes the partner's part", () => {
	const { relayDomains } = rules;
	assert.equal(isPeerSide("fabrikam.example", "corp.contoso.example", relayDomains), true);
	assert.equal(isPeerSide("corp.contoso.example", "fabrikam.example", relayDomains), false);
	assert.equal(isPeerSide("corp.contoso.example", "lab.contoso.example", relayDomains), false);
	assert.equal(isPeerSide("lab.contoso.example", "corp.contoso.example", relayDomains), true);
});

test("Route values that are looked at have a limit", () => {
	const many = Array.from({ length: 40 }, () => "<sip:x.example;lr>");
	assert.equal(outcome({ routes: [many.join(",")] }), "none, 0 ours, 32 left");
});
