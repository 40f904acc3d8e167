import assert from "node:assert/strict";
import { test } from "node:test";
import { createAuthenticate, parseBearer } from "./authenticate.ts";

const headers: readonly [header: string | undefined, token: string | undefined][] = [
	[undefined, undefined],
	["", undefined],
	["Bearer", undefined],
	["Bearer ", undefined],
	["Bearer abc", "abc"],
	["bearer abc", "abc"],
	["BEARER  abc ", "abc"],
	["Basic abc", undefined],
	["Bearerabc", undefined],
];
for (const [header, token] of headers) {
	test(`RFC 6750 §2.1: Authorization ${JSON.stringify(header)} carries ${token ?? "no token"}`, () => {
		assert.equal(parseBearer(header), token);
	});
}

test("authentication: the admin token is the administrator's, a token of the store its user's, all else nobody's", () => {
	const asked: string[] = [];
	const authenticate = createAuthenticate({
		adminToken: "the-admin-token",
		tokens: {
			verify: (secret) => {
				asked.push(secret);
				if (secret !== "cwu_1") return undefined;
				const times = { createdAt: 0, expiresAt: 1, lastUsedAt: undefined };
				return { id: "t1", owner: "alice@contoso.example", label: undefined, ...times };
			},
		},
	});
	assert.deepEqual(authenticate("the-admin-token"), { kind: "admin", name: "admin" });
	assert.deepEqual(authenticate("cwu_1"), { kind: "user", aor: "alice@contoso.example", tokenId: "t1" });
	for (const wrong of ["", "the-admin-toke", "the-admin-token2", "cwu_2", "x".repeat(100_000)]) {
		assert.equal(authenticate(wrong), undefined);
	}
	assert.deepEqual(asked, ["cwu_1", "the-admin-toke", "the-admin-token2", "cwu_2"]);
});
