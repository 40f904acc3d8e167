import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { SimClock } from "@causeway/sip/testing";
import type { FastifyInstance } from "fastify";
import type { Store } from "../store/store.ts";
import { openTestStore } from "../store/testing.ts";
import { createAccountHandlers } from "./account-handlers.ts";
import { createAuthenticate } from "./authenticate.ts";
import { createHttpApp } from "./http-server.ts";
import { adminToken, createFakeServerOptions, createKeptLog, type LoggedLine } from "./testing.ts";

interface Answer {
	readonly status: number;
	readonly headers: Readonly<Record<string, unknown>>;
	readonly body: unknown;
}

interface Fixture {
	readonly store: Store;
	readonly clock: SimClock;
	readonly lines: LoggedLine[];
	/** `userChanged`, as `kind aor`. */
	readonly changes: string[];
	readonly app: FastifyInstance;
	/** `METHOD /path`, a body, a token (the administrator's where left out). */
	readonly ask: (line: string, body?: object, token?: string) => Promise<Answer>;
}

async function createFixture(context: TestContext): Promise<Fixture> {
	const store = await openTestStore();
	const clock = new SimClock();
	const { log, lines } = createKeptLog();
	const changes: string[] = [];
	const accounts = createAccountHandlers({
		users: store.users,
		tokens: store.tokens,
		audit: store.audit,
		clock,
		log,
		isHostedDomain: (domain) => domain === "contoso.example",
		userChanged: (aor, kind) => changes.push(`${kind} ${aor}`),
	});
	const presence = { state: "offline" } as const;
	const { options } = createFakeServerOptions({ ...accounts, getPresence: () => ({ status: 200, body: presence }) });
	const app = await createHttpApp({ ...options, auth: createAuthenticate({ adminToken, tokens: store.tokens }) });
	context.after(async () => {
		await app.close();
		await store.close();
	});
	const ask: Fixture["ask"] = async (line, body, token = adminToken) => {
		const [method, url] = line.split(" ");
		const response = await app.inject({
			method: method as "GET",
			url: url ?? "",
			headers: { host: "localhost", ...(token === "" ? {} : { authorization: `Bearer ${token}` }) },
			...(body === undefined ? {} : { payload: body }),
		});
		const read: unknown = response.body === "" ? undefined : response.json();
		return { status: response.statusCode, headers: response.headers, body: read };
	};
	return { store, clock, lines, changes, app, ask };
}

const alice = "/api/v1/users/alice@contoso.example";
const credentials = { aor: "alice@contoso.example", password: "correct horse" };

function field(answer: Answer, name: string): unknown {
	return (answer.body as Readonly<Record<string, unknown>> | undefined)?.[name];
}

async function logIn({ ask }: Fixture): Promise<string> {
	const answer = await ask("POST /api/v1/login", credentials, "");
	assert.equal(answer.status, 200);
	return String(field(answer, "token"));
}

test("users: PUT makes a user with 201, changes what is named with 200, and GET shows it", async (context) => {
	const fixture = await createFixture(context);
	const { ask, changes, store } = fixture;
	const made = await ask(`PUT ${alice}`, { password: "correct horse", display_name: "Alice" });
	const user = {
		aor: "alice@contoso.example",
		display_name: "Alice",
		suspended: false,
		outside: "all",
		created_at: "2026-01-05T09:00:00.000Z",
	};
	assert.deepEqual([made.status, made.body], [201, user]);
	const changed = await ask("PUT /api/v1/users/Alice@Contoso.Example", { display_name: "Alice Example" });
	assert.deepEqual([changed.status, changed.body], [200, { ...user, display_name: "Alice Example" }]);
	assert.deepEqual((await ask(`GET ${alice}`)).body, { ...user, display_name: "Alice Example" });
	await logIn(fixture);
	assert.deepEqual(changes, ["added alice@contoso.example", "changed alice@contoso.example"]);
	assert.deepEqual(
		store.audit.list({ limit: 10 }).map(({ actor, action, target }) => [actor, action, target]),
		[
			["admin", "user.change", "alice@contoso.example"],
			["admin", "user.add", "alice@contoso.example"],
		],
	);
});

test("users: a new user needs a password and a hosted domain", async (context) => {
	const { ask } = await createFixture(context);
	const bare = await ask(`PUT ${alice}`, {});
	assert.equal(bare.status, 400);
	assert.deepEqual(field(bare, "errors"), [{ in: "body", pointer: "/password", detail: "is needed for a new user" }]);
	const foreign = await ask("PUT /api/v1/users/bob@fabrikam.example", { password: "correct horse" });
	assert.deepEqual([foreign.status, field(foreign, "code")], [422, "not-hosted"]);
});

test("users: the list comes in pages, in the order of addresses", async (context) => {
	const { ask } = await createFixture(context);
	for (const name of ["carol", "alice", "bob"]) {
		await ask(`PUT /api/v1/users/${name}@contoso.example`, { password: "correct horse" });
	}
	const names = (answer: Answer): unknown[] => (field(answer, "users") as { aor: string }[]).map((user) => user.aor);
	const first = await ask("GET /api/v1/users?limit=2");
	assert.deepEqual(names(first), ["alice@contoso.example", "bob@contoso.example"]);
	assert.equal(field(first, "next"), "bob@contoso.example");
	const second = await ask("GET /api/v1/users?limit=2&after=bob@contoso.example");
	assert.deepEqual([names(second), field(second, "next")], [["carol@contoso.example"], undefined]);
	const whole = await ask("GET /api/v1/users?limit=3");
	assert.deepEqual([names(whole).length, field(whole, "next")], [3, undefined]);
});

test("users: a removed user's address is reserved, unless it is reassigned on purpose", async (context) => {
	const { ask, changes } = await createFixture(context);
	await ask(`PUT ${alice}`, { password: "correct horse" });
	assert.equal((await ask(`DELETE ${alice}`)).status, 204);
	assert.equal((await ask(`DELETE ${alice}`)).status, 404);
	assert.equal((await ask(`GET ${alice}`)).status, 404);
	const again = await ask(`PUT ${alice}`, { password: "correct horse" });
	assert.deepEqual([again.status, field(again, "code")], [409, "address-reserved"]);
	assert.equal((await ask(`PUT ${alice}`, { password: "correct horse", reassign: true })).status, 201);
	assert.deepEqual(
		changes.map((change) => change.split(" ")[0]),
		["added", "removed", "added"],
	);
});

test("login: gives a token that works, and logout ends it", async (context) => {
	const fixture = await createFixture(context);
	await fixture.ask(`PUT ${alice}`, { password: "correct horse" });
	const token = await logIn(fixture);
	assert.equal((await fixture.ask("GET /api/v1/me/presence", undefined, token)).status, 200);
	assert.equal((await fixture.ask("POST /api/v1/logout", undefined, token)).status, 204);
	assert.equal((await fixture.ask("GET /api/v1/me/presence", undefined, token)).status, 401);
});

test("login: a wrong password, an unknown user and a suspended one get the same answer to the letter", async (context) => {
	const { ask } = await createFixture(context);
	for (const name of ["alice", "carol"]) {
		await ask(`PUT /api/v1/users/${name}@contoso.example`, { password: "correct horse" });
	}
	await ask("POST /api/v1/users/carol@contoso.example/suspend", { suspended: true });
	const answers = [
		await ask("POST /api/v1/login", { ...credentials, password: "wrong" }, ""),
		await ask("POST /api/v1/login", { ...credentials, aor: "nobody@contoso.example" }, ""),
		await ask("POST /api/v1/login", { ...credentials, aor: "carol@contoso.example" }, ""),
	];
	for (const answer of answers) {
		assert.equal(answer.status, 401);
		assert.deepEqual(answer.body, answers[0]?.body);
	}
	assert.equal(field(answers[0] as Answer, "code"), "login-failed");
});

test("login: guesses at one user from one address are throttled, with the wait, and the right password does not help", async (context) => {
	const fixture = await createFixture(context);
	const { ask, clock, lines } = fixture;
	await ask(`PUT ${alice}`, { password: "correct horse" });
	await ask("PUT /api/v1/users/carol@contoso.example", { password: "correct horse" });
	for (let guess = 0; guess < 10; guess += 1) {
		assert.equal((await ask("POST /api/v1/login", { ...credentials, password: `guess ${guess}` }, "")).status, 401);
	}
	const throttled = await ask("POST /api/v1/login", credentials, "");
	assert.deepEqual(
		[throttled.status, field(throttled, "code"), throttled.headers["retry-after"]],
		[429, "too-many-requests", "30"],
	);
	assert.equal((await ask("POST /api/v1/login", { ...credentials, aor: "carol@contoso.example" }, "")).status, 200);
	clock.advance(30_000);
	await logIn(fixture);
	assert.ok(!JSON.stringify(lines).includes("guess 3"), "a credential is never logged");
});

test("login: attempts from one address are throttled, whoever they are for", async (context) => {
	const { ask } = await createFixture(context);
	const statuses: number[] = [];
	for (let guess = 0; guess < 61; guess += 1) {
		statuses.push((await ask("POST /api/v1/login", { aor: `user${guess}@contoso.example`, password: "x" }, "")).status);
	}
	assert.deepEqual([statuses.filter((status) => status === 401).length, statuses.at(-1)], [60, 429]);
});

const endings: readonly [name: string, line: string, body: object | undefined, change: string][] = [
	["a new password", `POST ${alice}/password`, { password: "battery staple" }, "password-set"],
	["a new password by PUT", `PUT ${alice}`, { password: "battery staple" }, "password-set"],
	["suspension", `POST ${alice}/suspend`, { suspended: true }, "suspended"],
	["removal", `DELETE ${alice}`, undefined, "removed"],
];
for (const [name, line, body, change] of endings) {
	test(`users: ${name} ends the user's tokens and the old password, and is told`, async (context) => {
		const fixture = await createFixture(context);
		const { ask, changes } = fixture;
		await ask(`PUT ${alice}`, { password: "correct horse" });
		const token = await logIn(fixture);
		await ask(line, body);
		assert.equal((await ask("GET /api/v1/me/presence", undefined, token)).status, 401);
		assert.equal((await ask("POST /api/v1/login", credentials, "")).status, 401);
		assert.deepEqual(changes, ["added alice@contoso.example", `${change} alice@contoso.example`]);
	});
}

test("users: a lifted suspension lets the user in again, and no token of before", async (context) => {
	const fixture = await createFixture(context);
	const { ask } = fixture;
	await ask(`PUT ${alice}`, { password: "correct horse" });
	const token = await logIn(fixture);
	await ask(`POST ${alice}/suspend`, { suspended: true });
	const lifted = await ask(`POST ${alice}/suspend`, { suspended: false });
	assert.deepEqual([lifted.status, field(lifted, "suspended")], [200, false]);
	assert.equal((await ask("GET /api/v1/me/presence", undefined, token)).status, 401);
	await logIn(fixture);
});

test("tokens: an administrator makes one for a user; none for an unknown or suspended one", async (context) => {
	const { ask } = await createFixture(context);
	await ask(`PUT ${alice}`, { password: "correct horse" });
	const made = await ask(`POST ${alice}/tokens`, { ttl_seconds: 60 });
	assert.deepEqual(
		[made.status, field(made, "aor"), field(made, "expires_at")],
		[201, "alice@contoso.example", "2026-01-05T09:01:00.000Z"],
	);
	const token = String(field(made, "token"));
	assert.equal((await ask("GET /api/v1/me/presence", undefined, token)).status, 200);
	assert.equal((await ask(`POST ${alice}/tokens`, {}, token)).status, 403);
	assert.equal((await ask("POST /api/v1/users/nobody@contoso.example/tokens", {})).status, 404);
	await ask(`POST ${alice}/suspend`, { suspended: true });
	assert.equal((await ask(`POST ${alice}/tokens`, {})).status, 403);
});
