import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "@causeway/admin";
import { explainError, isPassing, isTokenEnded, ownUrl } from "./api.ts";

test("errors: each is a sentence for a person at a browser", () => {
	const told: readonly [ApiError, string][] = [
		[new ApiError(0, "unreachable", "…"), "The server cannot be reached. Check your connection."],
		[
			new ApiError(200, "not-causeway", "…"),
			"The server's answer does not fit this page. Reload the page: the server may be newer.",
		],
		[new ApiError(401, "unauthorized", "…"), "The session has ended."],
		[new ApiError(429, "too-many-requests", "try again in 30 s"), "Try again in 30 s."],
		[
			new ApiError(401, "login-failed", "The address or the password is wrong"),
			"The address or the password is wrong.",
		],
	];
	for (const [error, text] of told) assert.equal(explainError(error), text);
	assert.equal(explainError(new Error("x is undefined")), "This page has a fault (x is undefined).");
});

test("errors: what may pass by itself is told from what stays, and from a token that has ended", () => {
	for (const [status, code] of [
		[0, "unreachable"],
		[408, "request-timeout"],
		[500, "internal"],
		[503, "not-ready"],
	] as const) {
		assert.equal(isPassing(new ApiError(status, code, "")), true, code);
	}
	for (const [status, code] of [
		[403, "blocked-domain"],
		[429, "queue-full"],
		[409, "idempotency-conflict"],
	] as const) {
		assert.equal(isPassing(new ApiError(status, code, "")), false, code);
	}
	assert.equal(isTokenEnded(new ApiError(401, "unauthorized", "")), true);
	assert.equal(isTokenEnded(new ApiError(401, "login-failed", "")), false);
});

test("icons: a path is one of this server, also below a prefix; anything on another host is not loaded", () => {
	const page = "https://chat.example/causeway/#bob";
	assert.equal(ownUrl("/api/v1/icons/1a", page), "https://chat.example/causeway/api/v1/icons/1a");
	assert.equal(ownUrl("//evil.example/1a", page), "https://chat.example/causeway/evil.example/1a");
	for (const foreign of ["https://evil.example/1a", "data:image/png;base64,AA", "http://chat.example/1a"]) {
		assert.equal(ownUrl(foreign, page), undefined);
	}
});
