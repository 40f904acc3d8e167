import assert from "node:assert/strict";
import { test } from "node:test";
import { type Channel, channels, type Operation, operations } from "./contract.ts";
import { aorSchema } from "./schema/common.ts";
import { eventFrameSchema } from "./schema/event.ts";
import { contactSchema } from "./schema/presence.ts";
import { createProblemBody, type ProblemCode, problemSchema, problems } from "./schema/problem.ts";

const entries = Object.entries<Operation>(operations);

test("product 5: no operation changes state by GET, and only log-in does without a token", () => {
	for (const [id, { method, body }] of entries) {
		assert.equal(method === "GET", /^(?:get|list)/.test(id), id);
		if (method === "GET") assert.equal(body, undefined, id);
	}
	assert.deepEqual(
		entries.filter(([, { auth }]) => auth === "none").map(([id]) => id),
		["login"],
	);
});

test("product 5: what is under /me takes the user's own token, everything else an administrator's", () => {
	for (const [id, { path, auth }] of [...entries, ...Object.entries<Channel>(channels)]) {
		if (id === "login" || id === "logout") continue;
		assert.equal(auth, path.startsWith("/api/v1/me/") ? "user" : "admin", id);
	}
});

test("product 5: every path that stands there is offered", () => {
	const offered = new Set(entries.map(([, { method, path }]) => `${method} ${path}`));
	for (const line of [
		"POST /api/v1/login",
		"PUT /api/v1/me/presence",
		"GET /api/v1/me/contacts/{aor}",
		"PUT /api/v1/me/contacts/{aor}",
		"DELETE /api/v1/me/contacts/{aor}",
		"GET /api/v1/me/requests",
		"POST /api/v1/me/requests/{aor}",
		"GET /api/v1/me/blocks/{aor}",
		"PUT /api/v1/me/blocks/{aor}",
		"DELETE /api/v1/me/blocks/{aor}",
		"POST /api/v1/me/messages",
		"GET /api/v1/me/messages",
		"GET /api/v1/me/messages/{id}",
		"PUT /api/v1/me/typing",
	]) {
		assert.ok(offered.has(line), line);
	}
	assert.deepEqual(Object.keys(operations.submitMessage.responses), ["202"]);
	assert.equal(channels.watchEvents.path, "/api/v1/me/events");
	assert.equal(channels.watchTrace.path, "/api/v1/trace");
});

test("parameters in a path and in its schema are the same", () => {
	for (const [id, { path, params }] of entries) {
		const named = [...path.matchAll(/\{([a-z_]+)\}/g)].map(([, name]) => name);
		assert.deepEqual(Object.keys(params?.shape ?? {}), named, id);
	}
});

const aors: readonly [text: string, read: string | undefined][] = [
	["alice@contoso.example", "alice@contoso.example"],
	["Alice@Contoso.EXAMPLE", "alice@contoso.example"],
	["a.b+c_d-e!%41@contoso.example", "a.b+c_d-e!%41@contoso.example"],
	["alice@localhost", "alice@localhost"],
	["alice@a-b.example", "alice@a-b.example"],
	["", undefined],
	["alice", undefined],
	["@contoso.example", undefined],
	["alice@", undefined],
	["alice@contoso.example.", undefined],
	["alice@-contoso.example", undefined],
	["alice@contoso-.example", undefined],
	["alice@contoso..example", undefined],
	["alice@192.0.2.1", undefined],
	["alice@[2001:db8::1]", undefined],
	["alice@contoso.example:5061", undefined],
	["alice@contoso.example;transport=tls", undefined],
	["sip:alice@contoso.example", undefined],
	["al ice@contoso.example", undefined],
	["alice@b@contoso.example", undefined],
	["alicé@contoso.example", undefined],
	["alice@contoso.example\n", undefined],
	[`${"a".repeat(64)}@contoso.example`, `${"a".repeat(64)}@contoso.example`],
	[`${"a".repeat(65)}@contoso.example`, undefined],
	[`a@${"b".repeat(64)}.example`, undefined],
	[`a@${"b.".repeat(200)}example`, undefined],
];
for (const [text, read] of aors) {
	test(`address ${JSON.stringify(text.slice(0, 40))} is ${read === undefined ? "refused" : "read"}`, () => {
		assert.equal(aorSchema.safeParse(text).data, read);
	});
}

test("RFC 9457: every code has a status of its own kind and makes a body that fits the schema", () => {
	for (const code of Object.keys(problems) as ProblemCode[]) {
		const body = createProblemBody(code, "why", [{ in: "body", pointer: "/to", detail: "what" }]);
		assert.deepEqual(problemSchema.parse(body), body);
		assert.equal(body.type, `urn:causeway:problem:${code}`);
		assert.ok(body.status >= 400 && body.status < 600, code);
		assert.match(code, /^[a-z]+(?:-[a-z]+)*$/);
	}
	assert.deepEqual(Object.keys(createProblemBody("internal")), ["type", "title", "status", "code"]);
});

test("answers of a newer server may carry more than this program knows", () => {
	const contact = { aor: "bob@fabrikam.example", state: "unknown", code: 504, reason: "no answer", blame: "network" };
	assert.deepEqual(contactSchema.parse({ ...contact, colour: "green" }), contact);
});

test("events: each kind reads as itself, and an unknown kind is no frame", () => {
	const numbered = { seq: 1, at: "2026-11-23T10:00:00.000Z" };
	const frames = [
		{ kind: "welcome", epoch: "e", seq: 0 },
		{ kind: "reset", epoch: "e", seq: 7 },
		{ ...numbered, kind: "presence", aor: "bob@fabrikam.example", state: "busy", note: "In a meeting" },
		{ ...numbered, kind: "typing", with: "bob@fabrikam.example", typing: true },
		{
			...numbered,
			kind: "fate",
			id: "01m",
			with: "bob@fabrikam.example",
			fate: "failed",
			code: 480,
			blame: "recipient",
		},
		{
			...numbered,
			kind: "request",
			wants: "messages",
			aor: "bob@fabrikam.example",
			verification: "verified",
			requested_at: numbered.at,
			state: "pending",
		},
	];
	for (const frame of frames) assert.deepEqual(eventFrameSchema.parse(frame), frame);
	assert.equal(eventFrameSchema.safeParse({ ...numbered, kind: "dance" }).success, false);
});
