import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { type TestContext, test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import {
	Client,
	type Connection,
	type Contact,
	type Dialog,
	type Status,
	type Subscription,
	type User,
} from "@causeway/admin";
import {
	Command,
	type CommandContext,
	createConnect,
	prepareProgram,
	registerCommands,
	runProgram,
} from "@causeway/admin/cli";
import { type ApiHandlers, ApiProblem } from "./handlers.ts";
import { startHttpServer } from "./http-server.ts";
import { adminToken, bob, createFakeAuth, createFakeServerOptions } from "./testing.ts";

const alice = "alice@contoso.example";
const at = "2026-11-23T10:00:00.000Z";

const aliceUser: User = { aor: alice, display_name: "Alice Example", suspended: false, created_at: at };

const mintToken: ApiHandlers["mintToken"] = ({ params }) => {
	if (params.aor !== alice) throw new ApiProblem("unknown-user", `there is no user ${params.aor}`);
	return { status: 201, body: { aor: params.aor, token: "cwu_alice", expires_at: at } };
};

interface RunOptions {
	readonly stdin?: string;
	readonly isTty?: boolean;
	readonly env?: Readonly<Record<string, string>>;
	readonly interrupted?: AbortSignal;
	readonly onOutput?: (text: string) => void;
	/** Called with the path of every call once its answer has been read and dealt with. */
	readonly onAnswer?: (path: string) => void;
}

interface Outcome {
	readonly code: number;
	readonly stdout: string;
	readonly stderr: string;
}

/** A fetch that tells when an answer was read: what follows in the caller has run by the next turn of the event loop. */
function tell(onAnswer: (path: string) => void): typeof fetch {
	return async (input, init) => {
		const response = await fetch(input, init);
		const text = await response.text();
		setImmediate(() => onAnswer(new URL(response.url).pathname));
		return new Response(text === "" ? null : text, response);
	};
}

/** Runs `causeway …` in this process against the server at `url`, or none. */
async function run(url: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
	let stdout = "";
	let stderr = "";
	const env = options.env ?? {};
	const context: CommandContext = {
		connect: async (flags) => {
			const client = await createConnect(env, async () => ({ url, token: adminToken }))(flags);
			return options.onAnswer === undefined
				? client
				: new Client({ url, token: adminToken, fetch: tell(options.onAnswer) });
		},
		stdin: Readable.from(options.stdin === undefined ? [] : [options.stdin]),
		stdout: {
			write: (text) => {
				stdout += text;
				options.onOutput?.(text);
			},
		},
		stderr: {
			write: (text) => {
				stderr += text;
			},
		},
		isTty: options.isTty ?? false,
		env,
		interrupted: options.interrupted ?? new AbortController().signal,
	};
	const program = prepareProgram(new Command("causeway"), context);
	registerCommands(program, context);
	const code = await runProgram(program, args, context);
	return { code, stdout, stderr };
}

async function start(context: TestContext, known: Partial<ApiHandlers>) {
	const fake = createFakeServerOptions({ mintToken, ...known });
	const server = await startHttpServer({ ...fake.options, auth: createFakeAuth() });
	context.after(() => server.close());
	return { ...fake, url: `http://127.0.0.1:${server.address.port}` };
}

const status: Status = {
	version: "1.2.3",
	fqdn: "sip.contoso.example",
	ready: false,
	not_ready: ["the certificate has expired", "no listener"],
	started_at: at,
	domains: [
		{ name: "contoso.example", kind: "hosted" },
		{ name: "corp.contoso.example", kind: "relay" },
	],
	listeners: ["0.0.0.0:5061"],
	users: 2,
	connections: 1,
	dialogs: 0,
	subscriptions: 12,
	messages_waiting: 3,
};

test("status: names and values under each other; --json is the answer itself", async (context) => {
	const { url } = await start(context, { getStatus: () => ({ status: 200, body: status }) });
	assert.deepEqual(await run(url, ["status"]), {
		code: 0,
		stdout: [
			"edge              sip.contoso.example",
			"version           1.2.3",
			"ready             no: the certificate has expired; no listener",
			"started           2026-11-23T10:00:00Z",
			"domains           contoso.example (hosted), corp.contoso.example (relay)",
			"listeners         0.0.0.0:5061",
			"users             2",
			"connections       1",
			"dialogs           0",
			"subscriptions     12",
			"messages waiting  3",
			"",
		].join("\n"),
		stderr: "",
	});
	assert.deepEqual(JSON.parse((await run(url, ["status", "--json"])).stdout), status);
});

const connection: Connection = {
	id: "c1",
	direction: "inbound",
	state: "open",
	peer: "sip.fabrikam.example",
	remote_address: "192.0.2.7:40000",
	opened_at: at,
	tls_version: "TLSv1.3",
	dialogs: 12,
};
const dialog: Dialog = {
	call_id: "abc",
	local_tag: "1",
	remote_tag: "2",
	usage: "invite",
	state: "confirmed",
	role: "uas",
	local: alice,
	remote: bob.aor,
	created_at: at,
};
const subscription: Subscription = {
	direction: "outbound",
	watcher: alice,
	presentity: bob.aor,
	state: "active",
	created_at: at,
	last_notify_at: at,
};

test("key list: the keys with their times, what has to be looked at on stderr; key rotate: the new key", async (context) => {
	const key = { kid: "q7zk", state: "active", created_at: at, activated_at: at, rotates_at: at, ends_at: at } as const;
	const { url } = await start(context, {
		listKeys: () => ({
			status: 200,
			body: {
				keys: [
					{ kid: "00ab", state: "verify-only", created_at: at, activated_at: at, retired_at: at, ends_at: at },
					key,
				],
				alarms: ["The clock was set back by 90000 s"],
			},
		}),
		rotateKeys: () => ({ status: 201, body: key }),
	});
	const time = "2026-11-23T10:00:00Z";
	assert.deepEqual(await run(url, ["key", "list"]), {
		code: 0,
		stdout: [
			"KEY   STATE        CREATED               SIGNS FROM            SIGNS UNTIL           VERIFIES UNTIL",
			`00ab  verify-only  ${time}  ${time}  ${time}  ${time}`,
			`q7zk  active       ${time}  ${time}  ${time}  ${time}`,
			"",
		].join("\n"),
		stderr: "warning: The clock was set back by 90000 s\n",
	});
	assert.deepEqual(JSON.parse((await run(url, ["key", "list", "--json"])).stdout)[1], key);
	assert.equal((await run(url, ["key", "rotate"])).stdout, "key q7zk signs from now on\n");
	assert.deepEqual(JSON.parse((await run(url, ["key", "rotate", "--json"])).stdout), key);
});

test("connections, dialogs, subscriptions: aligned tables, a dash for what is absent", async (context) => {
	const { url } = await start(context, {
		listConnections: () => ({
			status: 200,
			body: {
				connections: [
					connection,
					{ id: "c22", direction: "outbound", state: "connecting", remote_address: "192.0.2.8:5061", opened_at: at },
				],
			},
		}),
		listRefusedConnections: () => ({
			status: 200,
			body: {
				refused: [
					{
						at,
						direction: "inbound",
						remote_address: "192.0.2.9:40000",
						was_open: false,
						stage: "certificate",
						code: "expired",
						whose: "peer",
						reason: "the peer's certificate expired",
						lines: ["certificate refused: the peer's certificate expired (expired)", "remedy (for the peer): renew it"],
					},
				],
			},
		}),
		listDialogs: () => ({ status: 200, body: { dialogs: [dialog] } }),
		listSubscriptions: () => ({ status: 200, body: { subscriptions: [subscription] } }),
	});
	assert.equal(
		(await run(url, ["connections"])).stdout,
		[
			"ID   DIRECTION  STATE       PEER                  ADDRESS          TLS      DIALOGS  SINCE",
			"c1   inbound    open        sip.fabrikam.example  192.0.2.7:40000  TLSv1.3       12  2026-11-23T10:00:00Z",
			"c22  outbound   connecting  -                     192.0.2.8:5061   -              -  2026-11-23T10:00:00Z",
			"",
		].join("\n"),
	);
	assert.equal(
		(await run(url, ["connections", "--refused"])).stdout,
		[
			"2026-11-23T10:00:00Z inbound from 192.0.2.9:40000",
			"  certificate refused: the peer's certificate expired (expired)",
			"  remedy (for the peer): renew it",
			"",
		].join("\n"),
	);
	assert.equal(
		(await run(url, ["dialogs"])).stdout,
		[
			"LOCAL                  REMOTE                USAGE   STATE      ROLE  PEER  SINCE                 CALL-ID",
			"alice@contoso.example  bob@fabrikam.example  invite  confirmed  uas   -     2026-11-23T10:00:00Z  abc",
			"",
		].join("\n"),
	);
	assert.equal(
		(await run(url, ["subscriptions"])).stdout,
		[
			"WATCHER                PRESENTITY            DIRECTION  STATE   PEER  LAST NOTIFY           EXPIRES  REASON",
			"alice@contoso.example  bob@fabrikam.example  outbound   active  -     2026-11-23T10:00:00Z  -        -",
			"",
		].join("\n"),
	);
	assert.deepEqual(JSON.parse((await run(url, ["dialogs", "--json"])).stdout), [dialog]);
});

test("lists: nothing is said in words, and in JSON as an empty array", async (context) => {
	const { url } = await start(context, { listDialogs: () => ({ status: 200, body: { dialogs: [] } }) });
	assert.equal((await run(url, ["dialogs"])).stdout, "no dialogs\n");
	assert.equal((await run(url, ["dialogs", "--json"])).stdout, "[]\n");
});

test("colours: on a terminal alone, and never against NO_COLOR", async (context) => {
	const { url } = await start(context, { listUsers: () => ({ status: 200, body: { users: [aliceUser] } }) });
	const plain = await run(url, ["user", "list"]);
	const onTerminal = await run(url, ["user", "list"], { isTty: true });
	assert.ok(onTerminal.stdout.includes("\u001b[32mactive\u001b[39m"));
	assert.equal(stripVTControlCharacters(onTerminal.stdout), plain.stdout);
	assert.deepEqual(await run(url, ["user", "list"], { isTty: true, env: { NO_COLOR: "1" } }), plain);
	assert.deepEqual(await run(url, ["user", "list"], { isTty: true, env: { NO_COLOR: "" } }), onTerminal);
});

test("tables: what others wrote draws nothing on the terminal, and wide letters take their place", async (context) => {
	const names = ["\u001b[2J\nroot", "山田", "e\u0301e\u0301", "\u202egpj"];
	const users = names.map((display_name, index) => ({ ...aliceUser, aor: `u${index}@contoso.example`, display_name }));
	const { url } = await start(context, { listUsers: () => ({ status: 200, body: { users } }) });
	assert.equal(
		(await run(url, ["user", "list"])).stdout,
		[
			"ADDRESS             NAME                 STATE   CREATED",
			"u0@contoso.example  \\u001b[2J\\u000aroot  active  2026-11-23T10:00:00Z",
			"u1@contoso.example  山田                 active  2026-11-23T10:00:00Z",
			"u2@contoso.example  e\u0301e\u0301                   active  2026-11-23T10:00:00Z",
			"u3@contoso.example  \\u202egpj            active  2026-11-23T10:00:00Z",
			"",
		].join("\n"),
	);
});

test("user list: all pages are asked for", async (context) => {
	const { url } = await start(context, {
		listUsers: ({ query }) => ({
			status: 200,
			body:
				query.after === undefined
					? { users: [aliceUser], next: alice }
					: { users: [{ ...aliceUser, aor: query.after }] },
		}),
	});
	assert.equal(JSON.parse((await run(url, ["user", "list", "--json"])).stdout).length, 2);
});

const getUser: ApiHandlers["getUser"] = ({ params }) => {
	if (params.aor !== alice) throw new ApiProblem("unknown-user", `there is no user ${params.aor}`);
	return { status: 200, body: aliceUser };
};

test("user add: the password comes from stdin or a file, its line end is not part of it", async (context) => {
	const { url, calls } = await start(context, { getUser, putUser: () => ({ status: 201, body: aliceUser }) });
	const folder = await mkdtemp(join(tmpdir(), "causeway-cli-"));
	context.after(() => rm(folder, { recursive: true }));
	const file = join(folder, "password");
	await writeFile(file, "from a file\r\nsecond line\n");
	const carol = "carol@contoso.example";
	const done = { code: 0, stdout: `${carol} added\n`, stderr: "" };
	assert.deepEqual(await run(url, ["user", "add", "Carol@Contoso.Example"], { stdin: "from stdin\n" }), done);
	const more = ["--name", "Carol", "--reassign", "--password-file", file];
	assert.deepEqual(await run(url, ["user", "add", `sip:${carol}`, ...more]), done);
	assert.deepEqual(
		calls.filter(({ id }) => id === "putUser").map(({ request }) => request.body),
		[{ password: "from stdin" }, { password: "from a file", display_name: "Carol", reassign: true }],
	);
});

test("user add: an existing user is not changed; no password, or none that can be read, is told", async (context) => {
	const { url, calls } = await start(context, { getUser });
	const outcomes = [
		await run(url, ["user", "add", alice], { stdin: "a password\n" }),
		await run(url, ["user", "add", "carol@contoso.example"], { stdin: "\n" }),
		await run(url, ["user", "add", "carol@contoso.example", "--password-file", "/nowhere/password"]),
	];
	assert.deepEqual(outcomes, [
		{ code: 1, stdout: "", stderr: "causeway: alice@contoso.example is a user already\n" },
		{ code: 2, stdout: "", stderr: "causeway: the password is empty\n" },
		{
			code: 1,
			stdout: "",
			stderr: "causeway: ENOENT: no such file or directory, open '/nowhere/password'\n",
		},
	]);
	assert.ok(calls.every(({ id }) => id === "getUser"));
});

test("user passwd, suspend, remove: what was done is said in one line", async (context) => {
	const { url, calls } = await start(context, {
		getUser,
		setPassword: () => ({ status: 204 }),
		suspendUser: ({ body }) => ({ status: 200, body: { ...aliceUser, suspended: body.suspended } }),
		deleteUser: () => ({ status: 204 }),
	});
	const lines: string[] = [];
	for (const args of [
		["passwd", alice, "--password-file", "-"],
		["suspend", alice],
		["suspend", "--lift", alice],
		["remove", alice],
	]) {
		lines.push((await run(url, ["user", ...args], { stdin: "battery staple\n" })).stdout);
	}
	assert.deepEqual(lines, [
		`${alice} has a new password\n`,
		`${alice} is suspended\n`,
		`${alice} is active\n`,
		`${alice} removed\n`,
	]);
	assert.deepEqual(
		calls.map(({ id, request }) => [id, request.body]),
		[
			["getUser", undefined],
			["setPassword", { password: "battery staple" }],
			["suspendUser", { suspended: true }],
			["suspendUser", { suspended: false }],
			["deleteUser", undefined],
		],
	);
});

test("user passwd: an unknown user is told before a password is asked for", async (context) => {
	const { url } = await start(context, { getUser });
	assert.deepEqual(await run(url, ["user", "passwd", "nobody@contoso.example"]), {
		code: 1,
		stdout: "",
		stderr: "causeway: there is no user nobody@contoso.example\n",
	});
});

test("presence: acts with a short-lived token of the user", async (context) => {
	const { url, calls } = await start(context, {
		putPresence: ({ body }) => ({ status: 200, body: { ...body, changed_at: at } }),
	});
	const args = ["presence", alice, "on-the-phone", "--note", "Back at 3"];
	assert.deepEqual(await run(url, args), { code: 0, stdout: `${alice} is on-the-phone\n`, stderr: "" });
	assert.equal(
		(await run(url, [...args, "--json"])).stdout,
		`{"state":"on-the-phone","note":"Back at 3","changed_at":"${at}"}\n`,
	);
	assert.deepEqual(
		calls.slice(0, 2).map(({ id, request }) => [id, request.caller]),
		[
			["mintToken", { kind: "admin", name: "admin" }],
			["putPresence", { kind: "user", aor: alice, tokenId: "1" }],
		],
	);
});

const fateRuns: readonly [fate: object, code: number, stdout: string, stderr: string][] = [
	[{ fate: "delivered", code: 200 }, 0, "delivered 01m: 200\n", ""],
	[{ fate: "accepted", code: 202, reason: "Accepted" }, 0, "accepted 01m: 202 Accepted\n", ""],
	[
		{ fate: "failed", code: 480, reason: "the user is offline", blame: "recipient" },
		1,
		"failed 01m: 480 the user is offline (with the recipient)\n",
		"causeway: the message was not delivered\n",
	],
	[
		{ fate: "unknown", reason: "the connection was lost", blame: "network" },
		1,
		"unknown 01m: the connection was lost (in the network between)\n",
		"causeway: the message had left and no final answer came; it may have been delivered\n",
	],
];
for (const [fate, code, stdout, stderr] of fateRuns) {
	test(`send: waits for ${JSON.stringify(fate)} and exits with ${code}`, async (context) => {
		const fake = await start(context, {
			submitMessage: () => {
				fake.hub.publish(alice, { kind: "fate", id: "other", with: bob.aor, fate: "delivered" });
				fake.hub.publish(alice, { kind: "fate", id: "01m", with: bob.aor, fate: "sending" });
				// Behind the answer: the fate comes when the message is known by its id.
				setImmediate(() => fake.hub.publish(alice, { kind: "fate", id: "01m", with: bob.aor, ...fate } as never));
				return { status: 202, body: { id: "01m", fate: "queued" } };
			},
			getMessage: () => ({
				status: 200,
				body: { id: "01m", direction: "out", with: bob.aor, text: "x", created_at: at, ...fate } as never,
			}),
		});
		assert.deepEqual(await run(fake.url, ["send", alice, bob.aor, "Lunch?"]), { code, stdout, stderr });
		const submitted = fake.calls.find(({ id }) => id === "submitMessage")?.request;
		assert.deepEqual(submitted?.body, { to: bob.aor, text: "Lunch?" });
		assert.match(JSON.stringify(submitted?.headers), /^\{"idempotency-key":"[0-9a-f-]{36}"\}$/);
		const { fate: word } = fate as { fate: string };
		const json = await run(fake.url, ["send", alice, bob.aor, "Lunch?", "--json"]);
		assert.deepEqual([json.code, JSON.parse(json.stdout)], [code, { id: "01m", ...fate, fate: word }]);
	});
}

test("send --no-wait: prints the id and does not listen", async (context) => {
	const fake = await start(context, { submitMessage: () => ({ status: 202, body: { id: "01m", fate: "queued" } }) });
	assert.deepEqual(await run(fake.url, ["send", "--no-wait", alice, bob.aor, "x"]), {
		code: 0,
		stdout: "queued 01m\n",
		stderr: "",
	});
	assert.equal(fake.hub.listenerCount, 0);
});

test("send: Ctrl-C says that the message goes on", async (context) => {
	const controller = new AbortController();
	const { url } = await start(context, { submitMessage: () => ({ status: 202, body: { id: "01m", fate: "queued" } }) });
	const outcome = await run(url, ["send", alice, bob.aor, "x"], {
		interrupted: controller.signal,
		onAnswer: (path) => {
			if (path === "/api/v1/me/messages") controller.abort();
		},
	});
	assert.deepEqual(outcome, {
		code: 1,
		stdout: "queued 01m\n",
		stderr: "causeway: message 01m had no final fate when it was interrupted; it goes on without this command\n",
	});
});

test("send: one who is no hosted user is told how to make one", async (context) => {
	const { url } = await start(context, {});
	assert.deepEqual(await run(url, ["send", "nobody@contoso.example", bob.aor, "x"]), {
		code: 1,
		stdout: "",
		stderr:
			`causeway: nobody@contoso.example is not a hosted user of ${url}; ` +
			"make it with `causeway user add nobody@contoso.example`\n",
	});
});

test("watch --once: prints the state as it is, with why it is unknown", async (context) => {
	let contact: Contact = { ...bob, note: "In the\nattic" };
	const { url } = await start(context, { getContact: () => ({ status: 200, body: contact }) });
	const args = ["watch", "--once", alice, bob.aor];
	assert.deepEqual(await run(url, args), {
		code: 0,
		stdout: '2026-11-23T10:00:00Z  bob@fabrikam.example  available     "In the\\u000aattic"\n',
		stderr: "",
	});
	contact = { aor: bob.aor, state: "unknown", code: 504, reason: "their edge does not answer", blame: "peer" };
	assert.equal(
		(await run(url, args)).stdout,
		"-                     bob@fabrikam.example  unknown       504 their edge does not answer (on the partner's side)\n",
	);
	assert.equal((await run(url, [...args, "--json"])).stdout, `${JSON.stringify(contact)}\n`);
});

test("watch: makes a contact with a notice, prints what changes, and ends with --until", async (context) => {
	const fake = await start(context, {
		getContact: () => {
			throw new ApiProblem("unknown-contact");
		},
		putContact: () => ({ status: 201, body: { aor: bob.aor, state: "pending" } }),
	});
	const publish = (contact: Partial<Contact>, aor = bob.aor) =>
		fake.hub.publish(alice, { ...bob, ...contact, aor, kind: "presence" });
	const outcome = await run(fake.url, ["watch", alice, bob.aor, "--until", "busy", "--timeout", "60"], {
		onOutput: (text) => {
			if (!text.includes("pending")) return;
			publish({ state: "away" });
			publish({ state: "away" });
			publish({ state: "busy" }, "carol@fabrikam.example");
			publish({ state: "busy" });
			publish({ state: "offline" });
		},
	});
	assert.deepEqual(outcome, {
		code: 0,
		stdout: [
			"-                     bob@fabrikam.example  pending",
			"2026-11-23T10:00:00Z  bob@fabrikam.example  away",
			"2026-11-23T10:00:00Z  bob@fabrikam.example  busy",
			"",
		].join("\n"),
		stderr: "causeway: bob@fabrikam.example is now a contact of alice@contoso.example\n",
	});
});

test("watch: Ctrl-C ends it well; a state that does not come in time is a failure", async (context) => {
	const { url } = await start(context, { getContact: () => ({ status: 200, body: bob }) });
	const controller = new AbortController();
	const interrupted = { interrupted: controller.signal, onOutput: () => controller.abort() };
	const line = "2026-11-23T10:00:00Z  bob@fabrikam.example  available\n";
	assert.deepEqual(await run(url, ["watch", alice, bob.aor], interrupted), { code: 0, stdout: line, stderr: "" });
	assert.deepEqual(await run(url, ["watch", alice, bob.aor, "--until", "busy", "--timeout", "0.2"]), {
		code: 1,
		stdout: line,
		stderr: "causeway: bob@fabrikam.example was not busy within 0.2 s\n",
	});
});

test("watch: a token that ends is replaced, and nothing in between is missed", async (context) => {
	const fake = await start(context, { getContact: () => ({ status: 200, body: bob }) });
	const outcome = await run(fake.url, ["watch", alice, bob.aor, "--until", "busy"], {
		onOutput: () => {
			fake.hub.end(alice, "the token has ended");
			fake.hub.publish(alice, { ...bob, state: "busy", kind: "presence" });
		},
	});
	assert.deepEqual(outcome, {
		code: 0,
		stdout: [
			"2026-11-23T10:00:00Z  bob@fabrikam.example  available",
			"2026-11-23T10:00:00Z  bob@fabrikam.example  busy",
			"",
		].join("\n"),
		stderr: `causeway: the connection to ${fake.url} ended (the token has ended); trying again\n`,
	});
	assert.equal(fake.calls.filter(({ id }) => id === "mintToken").length, 2);
});

const wrongUses: readonly [args: readonly string[], stderr: RegExp][] = [
	[[], /^Usage: causeway /],
	[["dance"], /^error: unknown command 'dance'\n\(--help tells more\)\n$/],
	[["user"], /^Usage: causeway user /],
	[["status", "--yaml"], /^error: unknown option '--yaml'\n/],
	[["send", alice, bob.aor], /^error: missing required argument 'text'\n/],
	[
		["send", "alice", bob.aor, "x"],
		/^error: .*argument 'from'.* It must be an address such as alice@contoso\.example\.\n/,
	],
	[
		["presence", alice, "sleeping"],
		/^error: .*'sleeping' is invalid for argument 'state'\. Allowed choices are available, /,
	],
	[["watch", alice, bob.aor, "--timeout", "soon"], /^error: .*It must be a number of seconds\.\n/],
	[
		["watch", alice, bob.aor, "--once", "--until", "busy"],
		/^error: option '--until <state>' cannot be used with option '--once'\n/,
	],
	[["status", "--url", "ftp://x"], /^causeway: ftp:\/\/x is no http or https URL\n$/],
	[
		["status", "--url", "http://192.0.2.1:1"],
		/^causeway: http:\/\/192\.0\.2\.1:1 is not the address in the configuration \(.*\): give its token with --token or CAUSEWAY_TOKEN\n$/,
	],
];
for (const [args, stderr] of wrongUses) {
	test(`wrong usage: causeway ${args.join(" ")} exits with 2`, async () => {
		const outcome = await run("http://127.0.0.1:9", args);
		assert.equal(outcome.code, 2);
		assert.equal(outcome.stdout, "");
		assert.match(outcome.stderr, stderr);
	});
}

test("help: every command has it, with examples, on stdout with exit code 0", async () => {
	const commands = ["status", "connections", "dialogs", "subscriptions", "send", "watch", "presence"];
	const keys = ["list", "rotate"].map((name) => ["key", name]);
	const users = ["add", "list", "passwd", "suspend", "remove"].map((name) => ["user", name]);
	for (const command of [...commands.map((name) => [name]), ...users, ...keys]) {
		const outcome = await run("http://127.0.0.1:9", [...command, "--help"]);
		assert.equal(outcome.code, 0);
		assert.ok(outcome.stdout.startsWith(`Usage: causeway ${command.join(" ")} `), outcome.stdout);
		assert.ok(outcome.stdout.includes(`\nExamples:\n  `), command.join(" "));
		assert.equal(outcome.stderr, "");
	}
});

test("no server: one clear line and exit code 1", async () => {
	const server = await startHttpServer(createFakeServerOptions().options);
	const url = `http://127.0.0.1:${server.address.port}`;
	await server.close();
	const stderr = `causeway: no Causeway answers at ${url} (connection refused); start it with \`causeway serve\`\n`;
	for (const args of [["status"], ["send", alice, bob.aor, "x"], ["watch", alice, bob.aor]]) {
		assert.deepEqual(await run(url, args), { code: 1, stdout: "", stderr });
	}
});

test("connection: flags win over the environment, that over the configuration; a wrong token is told", async (context) => {
	const { url } = await start(context, { getStatus: () => ({ status: 200, body: status }) });
	const nowhere = "http://127.0.0.1:9";
	const refused =
		"causeway: the admin token was refused; give the right one with --token, CAUSEWAY_TOKEN or --config\n";
	const flags = ["--url", url, "--token", adminToken];
	const codes = [
		await run(nowhere, ["status", ...flags]),
		await run(nowhere, ["status"], { env: { CAUSEWAY_URL: url, CAUSEWAY_TOKEN: adminToken } }),
		await run(nowhere, ["status", ...flags], { env: { CAUSEWAY_URL: nowhere, CAUSEWAY_TOKEN: "wrong" } }),
		await run(url, ["status"], { env: { CAUSEWAY_URL: "", CAUSEWAY_TOKEN: "" } }),
	].map((outcome) => outcome.code);
	assert.deepEqual(codes, [0, 0, 0, 0]);
	assert.deepEqual(await run(url, ["status", "--token", "wrong"]), { code: 1, stdout: "", stderr: refused });
});
