import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { problems } from "@causeway/admin";
import type { FastifyInstance } from "fastify";
import { StoreFailed } from "../store/store-failed.ts";
import { type ApiHandlers, ApiProblem } from "./handlers.ts";
import { createHttpApp, type HttpServerOptions } from "./http-server.ts";
import { adminToken, aliceToken, bob, createFakeServerOptions, sentMessage } from "./testing.ts";

const submitted = { id: sentMessage.id, fate: "queued" } as const;

async function createApp(
	context: TestContext,
	known: Partial<ApiHandlers> = {},
	changes: Partial<HttpServerOptions> = {},
) {
	const fake = createFakeServerOptions(
		{
			submitMessage: () => ({ status: 202, body: submitted }),
			getContact: () => ({ status: 200, body: bob }),
			putTyping: () => ({ status: 204 }),
			putBlock: () => ({ status: 201, body: { aor: bob.aor, blocked_at: "2026-11-23T10:00:00.000Z" } }),
			listTrace: () => ({ status: 200, body: { entries: [] } }),
			...known,
		},
		changes,
	);
	const app = await createHttpApp(fake.options);
	context.after(() => app.close());
	return { ...fake, app };
}

interface Ask {
	readonly token?: string;
	readonly body?: string | object;
	readonly headers?: Readonly<Record<string, string>>;
}

async function ask(app: FastifyInstance, line: string, { token = aliceToken, body, headers }: Ask = {}) {
	const [method, url] = line.split(" ");
	return app.inject({
		method: method as "GET",
		url: url ?? "",
		headers: { host: "localhost", ...(token === "" ? {} : { authorization: `Bearer ${token}` }), ...headers },
		...(body === undefined ? {} : { payload: body }),
	});
}

test("a request that fits reaches its handler with caller, address and checked parts, and is answered as the handler says", async (context) => {
	const { app, calls } = await createApp(context);
	const response = await ask(app, "POST /api/v1/me/messages", {
		body: { to: "BOB@fabrikam.example", text: "Lunch?" },
		headers: { "idempotency-key": "k1" },
	});
	assert.equal(response.statusCode, 202);
	assert.deepEqual(response.json(), submitted);
	assert.equal(response.headers["content-type"], "application/json; charset=utf-8");
	assert.equal(response.headers["cache-control"], "no-store");
	assert.equal(response.headers["x-content-type-options"], "nosniff");
	assert.deepEqual(calls, [
		{
			id: "submitMessage",
			request: {
				caller: { kind: "user", aor: "alice@contoso.example", tokenId: "1" },
				clientAddress: "127.0.0.1",
				params: {},
				query: {},
				headers: { "idempotency-key": "k1" },
				body: { to: "bob@fabrikam.example", text: "Lunch?" },
			},
		},
	]);
});

test("an answer without a body is 204 and empty; an operation without a body takes none", async (context) => {
	const { app, calls } = await createApp(context);
	const typing = await ask(app, "PUT /api/v1/me/typing", { body: { to: bob.aor, typing: true } });
	assert.deepEqual([typing.statusCode, typing.body], [204, ""]);
	assert.equal((await ask(app, `PUT /api/v1/me/blocks/${bob.aor}`)).statusCode, 201);
	const json = { headers: { "content-type": "application/json" } };
	assert.equal((await ask(app, `PUT /api/v1/me/blocks/${bob.aor}`, json)).statusCode, 201);
	assert.equal(calls.length, 3);
});

const aors: readonly [path: string, aor: string | undefined][] = [
	["bob@fabrikam.example", "bob@fabrikam.example"],
	["BOB%40Fabrikam.Example", "bob@fabrikam.example"],
	["a%2Fb@fabrikam.example", "a/b@fabrikam.example"],
	["a%25b@fabrikam.example", "a%b@fabrikam.example"],
	["bob@192.0.2.1", undefined],
	["bob", undefined],
	["sip%3Abob@fabrikam.example", undefined],
	["%00@fabrikam.example", undefined],
];
for (const [path, aor] of aors) {
	test(`path parameter ${path} is ${aor ?? "refused"}`, async (context) => {
		const { app, calls } = await createApp(context);
		const response = await ask(app, `GET /api/v1/me/contacts/${path}`);
		if (aor === undefined) {
			assert.deepEqual([response.statusCode, response.json().errors[0].pointer], [400, "/aor"]);
		} else assert.deepEqual(calls[0]?.request.params, { aor });
	});
}

test("every field that does not fit is named, with its place, and the handler is not called", async (context) => {
	const { app, calls } = await createApp(context);
	const response = await ask(app, "POST /api/v1/me/messages?x=1", {
		body: { to: "bob", text: "", "a/b~": 1 },
		headers: { "idempotency-key": " " },
	});
	assert.equal(response.statusCode, 400);
	assert.equal(response.headers["content-type"], "application/problem+json");
	const { errors, ...problem } = response.json();
	assert.deepEqual(problem, {
		type: "urn:causeway:problem:validation-failed",
		title: problems["validation-failed"].title,
		status: 400,
		code: "validation-failed",
	});
	const places = errors.map((fault: { in: string; pointer: string }) => `${fault.in} ${fault.pointer}`);
	assert.deepEqual(places.sort(), ["body /a~1b~0", "body /text", "body /to", "header /idempotency-key", "query /x"]);
	assert.equal(errors[0].detail, "is not known here");
	assert.deepEqual(calls, []);
});

const queries: readonly [query: string, read: object | undefined][] = [
	["", {}],
	["?limit=5&bodies=true&user=ALICE@contoso.example", { limit: 5, bodies: true, user: "alice@contoso.example" }],
	["?after=0", { after: 0 }],
	["?limit=0", undefined],
	["?limit=1001", undefined],
	["?limit=0x10", undefined],
	["?limit=1e2", undefined],
	["?limit=+5", undefined],
	["?limit=", undefined],
	["?limit=5&limit=6", undefined],
	["?bodies=yes", undefined],
	["?limits=5", undefined],
];
for (const [query, read] of queries) {
	test(`query ${query || "(none)"} is ${read === undefined ? "refused" : "read"}`, async (context) => {
		const { app, calls } = await createApp(context);
		const response = await ask(app, `GET /api/v1/trace${query}`, { token: adminToken });
		assert.equal(response.statusCode, read === undefined ? 400 : 200);
		assert.deepEqual(calls[0]?.request.query, read);
	});
}

const bodies: readonly [name: string, body: string, type: string | undefined, status: number, code: string][] = [
	["text", "{}", "text/plain", 415, "unsupported-media-type"],
	["a form", "to=bob", "application/x-www-form-urlencoded", 415, "unsupported-media-type"],
	["JSON without a media type", '{"to":"x"}', undefined, 415, "unsupported-media-type"],
	["broken JSON", '{"to":', "application/json", 400, "bad-request"],
	["a prototype", '{"__proto__":{},"to":"x","text":"y"}', "application/json", 400, "bad-request"],
	["nothing", "", "application/json", 400, "validation-failed"],
	["an array", "[]", "application/json", 400, "validation-failed"],
	["131,073 octets", `"${"x".repeat(131_071)}"`, "application/json", 413, "body-too-large"],
];
for (const [name, body, type, status, code] of bodies) {
	test(`a body of ${name} is refused with ${code}`, async (context) => {
		const { app, calls } = await createApp(context);
		const headers: Record<string, string> = type === undefined ? {} : { "content-type": type };
		const response = await ask(app, "POST /api/v1/me/messages", { body, headers });
		assert.deepEqual([response.statusCode, response.json().code], [status, code]);
		assert.equal(response.headers["content-type"], "application/problem+json");
		assert.deepEqual(calls, []);
	});
}

test("the text of a message is measured in octets of UTF-8, not in characters", async (context) => {
	const { app } = await createApp(context);
	const statuses: number[] = [];
	for (const text of ["x".repeat(65_536), "x".repeat(65_537), "é".repeat(32_768), "é".repeat(32_769)]) {
		const response = await ask(app, "POST /api/v1/me/messages", { body: { to: bob.aor, text } });
		statuses.push(response.statusCode);
	}
	assert.deepEqual(statuses, [202, 400, 202, 400]);
});

const tokens: readonly [line: string, token: string, status: number, code: string][] = [
	["GET /api/v1/me/contacts/bob@fabrikam.example", "", 401, "unauthorized"],
	["GET /api/v1/me/contacts/bob@fabrikam.example", "wrong", 401, "unauthorized"],
	["GET /api/v1/me/contacts/bob@fabrikam.example", adminToken, 403, "forbidden"],
	["GET /api/v1/trace", aliceToken, 403, "forbidden"],
	["GET /api/v1/trace", "", 401, "unauthorized"],
	["DELETE /api/v1/users/alice@contoso.example", aliceToken, 403, "forbidden"],
];
for (const [line, token, status, code] of tokens) {
	test(`${line} with ${token === "" ? "no token" : `token ${token}`} is refused with ${code}`, async (context) => {
		const { app, calls } = await createApp(context);
		const response = await ask(app, line, { token });
		assert.deepEqual([response.statusCode, response.json().code], [status, code]);
		assert.equal(response.headers["www-authenticate"], status === 401 ? 'Bearer realm="causeway"' : undefined);
		assert.deepEqual(calls, []);
	});
}

test("a token is asked for before the body is looked at", async (context) => {
	const { app } = await createApp(context);
	const body = { body: "x".repeat(200_000), headers: { "content-type": "text/plain" }, token: "" };
	assert.equal((await ask(app, "POST /api/v1/me/messages", body)).statusCode, 401);
});

test("a foreign web page's Origin is refused where state changes, and does not matter to a plain read", async (context) => {
	const { app, calls } = await createApp(context);
	const headers = { origin: "http://evil.example" };
	const body = { to: bob.aor, text: "x" };
	const write = await ask(app, "POST /api/v1/me/messages", { body, headers });
	assert.deepEqual([write.statusCode, write.json().code], [403, "origin-not-allowed"]);
	assert.deepEqual(calls, []);
	const read = await ask(app, `GET /api/v1/me/contacts/${bob.aor}`, { headers });
	assert.equal(read.statusCode, 200);
	assert.equal(read.headers["access-control-allow-origin"], undefined);
	const own = { body, headers: { origin: "http://localhost" } };
	assert.equal((await ask(app, "POST /api/v1/me/messages", own)).statusCode, 202);
});

test("another Host is refused everywhere, with what to set", async (context) => {
	const { app } = await createApp(context);
	for (const path of ["/", "/metrics", "/healthz", "/api/openapi.json", "/api/v1/trace", "/nothing"]) {
		const response = await ask(app, `GET ${path}`, { headers: { host: "evil.example" } });
		assert.deepEqual([response.statusCode, response.json().code], [403, "host-not-allowed"]);
		assert.equal(response.json().detail, "set [http].public_url to the name that clients use");
	}
});

const methods: readonly [line: string, allow: string][] = [
	["GET /api/v1/login", "POST"],
	["OPTIONS /api/v1/login", "POST"],
	["PATCH /api/v1/me/presence", "GET, HEAD, PUT"],
	["POST /api/v1/me/contacts/bob@fabrikam.example", "DELETE, GET, HEAD, PUT"],
	["PUT /api/v1/me/messages/01m", "GET, HEAD"],
	["DELETE /metrics", "GET, HEAD"],
	["POST /api/v1/me/events", "GET"],
];
for (const [line, allow] of methods) {
	test(`RFC 9110 §15.5.6: ${line} is 405 with Allow: ${allow}`, async (context) => {
		const { app } = await createApp(context);
		const response = await ask(app, line, { token: "", body: "x", headers: { "content-type": "text/plain" } });
		assert.deepEqual([response.statusCode, response.json().code], [405, "method-not-allowed"]);
		assert.equal(response.headers.allow, allow);
	});
}

test("what is not there is a problem too: 404, a path that cannot be decoded, a WebSocket asked without one", async (context) => {
	const { app } = await createApp(context);
	const answers = [
		await ask(app, "GET /api/v1/nothing"),
		await ask(app, "GET /api/v1/me/contacts/%ZZ"),
		await ask(app, "GET /api/v1/me/events"),
	];
	assert.deepEqual(
		answers.map((response) => [response.statusCode, response.json().code, response.headers["content-type"]]),
		[
			[404, "not-found", "application/problem+json"],
			[400, "bad-request", "application/problem+json"],
			[426, "upgrade-required", "application/problem+json"],
		],
	);
});

const failures: readonly [name: string, error: Error, status: number, code: string, detail: string | undefined][] = [
	["a refusal", new ApiProblem("queue-full", "1,000 wait"), 429, "queue-full", "1,000 wait"],
	[
		"a store that cannot write",
		new StoreFailed({ code: "disk-full", detail: "the disk is full" }),
		503,
		"store-unavailable",
		"the disk is full",
	],
	["a fault of ours", new Error("secret inside"), 500, "internal", "the server's log says more"],
];
for (const [name, error, status, code, detail] of failures) {
	test(`${name} in a handler is answered with ${status}`, async (context) => {
		const { app, lines } = await createApp(context, {
			submitMessage: () => {
				throw error;
			},
		});
		const response = await ask(app, "POST /api/v1/me/messages", { body: { to: bob.aor, text: "the private text" } });
		const problem = response.json();
		assert.deepEqual([response.statusCode, problem.code, problem.detail], [status, code, detail]);
		assert.equal(lines.length, status < 500 ? 0 : 1);
		assert.ok(!JSON.stringify(lines).includes("the private text"), "a message's text is never logged");
	});
}

test("probes: /healthz, /readyz with what is missing, /metrics, none of which asks for a token", async (context) => {
	let ready = true;
	const { app } = await createApp(
		context,
		{},
		{ readiness: () => ({ ready, missing: ready ? [] : ["the store is not open", "no listener"] }) },
	);
	const read = async (path: string): Promise<readonly [number, string, unknown]> => {
		const response = await ask(app, `GET ${path}`, { token: "" });
		return [response.statusCode, response.body, response.headers["content-type"]];
	};
	assert.deepEqual(await read("/healthz"), [200, "ok\n", "text/plain; charset=utf-8"]);
	assert.deepEqual(await read("/readyz"), [200, "ready\n", "text/plain; charset=utf-8"]);
	ready = false;
	assert.deepEqual(await read("/readyz"), [
		503,
		"not ready\nthe store is not open\nno listener\n",
		"text/plain; charset=utf-8",
	]);
	assert.deepEqual(await read("/metrics"), [200, "causeway_up 1\n", "text/plain; version=0.0.4; charset=utf-8"]);
});

test("/api/openapi.json is the contract's document, with the version and the public URL", async (context) => {
	const { app } = await createApp(context, {}, { publicUrl: "https://im.contoso.example" });
	const document = (await ask(app, "GET /api/openapi.json", { token: "" })).json();
	assert.deepEqual(
		[document.openapi, document.info.version, document.servers],
		["3.1.0", "1.2.3", [{ url: "https://im.contoso.example" }]],
	);
});

test("a listener for users has no administration, and the other way round", async (context) => {
	const users = (await createApp(context, {}, { serves: "users" })).app;
	const administration = (await createApp(context, {}, { serves: "administration" })).app;
	const statuses: number[][] = [];
	for (const app of [users, administration]) {
		const trace = await ask(app, "GET /api/v1/trace", { token: adminToken });
		const contact = await ask(app, `GET /api/v1/me/contacts/${bob.aor}`);
		const login = await ask(app, "GET /api/v1/login");
		statuses.push([trace.statusCode, contact.statusCode, login.statusCode]);
	}
	assert.deepEqual(statuses, [
		[404, 200, 405],
		[200, 404, 404],
	]);
});

test("X-Forwarded-For is believed from a trusted proxy alone", async (context) => {
	const addresses: unknown[] = [];
	for (const trustedProxies of [[], ["127.0.0.0/8"], ["192.0.2.0/24"]]) {
		const { app, calls } = await createApp(context, {}, { trustedProxies });
		await ask(app, `GET /api/v1/me/contacts/${bob.aor}`, { headers: { "x-forwarded-for": "198.51.100.9" } });
		addresses.push(calls[0]?.request.clientAddress);
	}
	assert.deepEqual(addresses, ["127.0.0.1", "198.51.100.9", "127.0.0.1"]);
});
