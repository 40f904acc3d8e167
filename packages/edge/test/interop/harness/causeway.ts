import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type {
	Connection,
	Contact,
	HeldRequest,
	Message,
	PresenceState,
	Subscription,
	TraceEntry,
	WatchRequest,
} from "@causeway/admin";
import type { FederatedDomain } from "./dnsmasq.ts";
import type { Lab } from "./lab.ts";
import type { Credentials } from "./pki.ts";
import type { Program } from "./process.ts";
import { until } from "./until.ts";

/** The launcher that administrators run. */
export const LAUNCHER = fileURLToPath(new URL("../../../bin/causeway.mjs", import.meta.url));

export interface CausewayOptions {
	/** Of its files, where a lab has several. */
	readonly name?: string;
	/** Its HTTP listener, where a lab has several. */
	readonly http?: string;
	/** More hosted domains. */
	readonly otherDomains?: readonly string[];
	/** The hosted domain and its edge; it listens on that address and port. */
	readonly home: FederatedDomain;
	readonly credentials: Credentials;
	readonly trust: string;
	/** More of the configuration file: `[[peer]]` and other tables. */
	readonly config: string;
}

/** One line of Causeway's log. */
export interface LogEntry {
	readonly event: string;
	readonly fields: Readonly<Record<string, unknown>>;
}

export interface Causeway {
	readonly program: Program;
	/** Log lines so far; text that is no JSON object is left out. */
	log(): readonly LogEntry[];
	/** The TLS connections with peers that are open now. */
	connections(): Promise<readonly Connection[]>;
	/** Presence subscriptions, both ways. */
	subscriptions(): Promise<readonly Subscription[]>;
	/** The last messages on the wire, oldest first, bodies and all, as the trace says they were. */
	trace(): Promise<readonly TraceEntry[]>;
	/** A request of the administrator's to the API; gives the body of the answer. */
	admin(method: string, path: string, body?: unknown): Promise<unknown>;
	/** Logs in as a user that is there already. */
	logIn(aor: string): Promise<User>;
	/** Makes a hosted user and logs in as that user. */
	createUser(aor: string, displayName: string): Promise<User>;
}

/** A hosted user's view through the HTTP API. */
export interface User {
	publish(state: PresenceState): Promise<void>;
	addContact(aor: string): Promise<void>;
	removeContact(aor: string): Promise<void>;
	contact(aor: string): Promise<Contact>;
	/** Waits until the contact is shown in this state. */
	sees(aor: string, state: Contact["state"], deadlineMs?: number): Promise<Contact>;
	/** Submits a message and gives its id. */
	send(to: string, text: string): Promise<string>;
	/** Waits until the message has a final fate. */
	fate(id: string): Promise<Message>;
	/** The whole history with one person, oldest first. */
	messages(withAor: string): Promise<readonly Message[]>;
	/** The whole history with everybody, oldest first. */
	history(): Promise<readonly Message[]>;
	requests(): Promise<readonly WatchRequest[]>;
	/** Who wrote and is not let in yet. */
	messageRequests(): Promise<readonly HeldRequest[]>;
	decide(aor: string, decision: "allow" | "deny" | "block"): Promise<void>;
}

const DEFAULT_HTTP = "127.0.0.1:8080";
const PASSWORD = "correct horse battery";
const START_DEADLINE_MS = 60_000;

/** Starts `causeway serve` with a configuration file of its own and waits until it says that it is ready. */
export async function startCauseway(lab: Lab, options: CausewayOptions): Promise<Causeway> {
	const { name = "causeway", http = DEFAULT_HTTP } = options;
	const config = lab.write(`${name}.toml`, configuration(options, name, http));
	const program = await lab.run({
		name,
		command: process.execPath,
		args: [LAUNCHER, "serve", "--config", config],
		// The checkout is what is tested, not a build that may be older.
		env: { CAUSEWAY_FROM: "source" },
	});
	const start = await until(
		async () => {
			if (program.exitStatus !== undefined) return "ended";
			return (await fetch(`http://${http}/readyz`)).status === 200 ? "ready" : undefined;
		},
		{ what: "causeway is ready", deadlineMs: START_DEADLINE_MS },
	);
	if (start === "ended") throw new Error(`${name} did not start:\n${program.lines.slice(-40).join("\n")}`);
	const adminToken = readFileSync(lab.path(`${name}-data/admin.token`), "utf8").trim();
	const admin = createRequest(http, adminToken);
	const logIn = async (aor: string): Promise<User> => {
		const { token } = (await createRequest(http, undefined)("POST", "/login", { aor, password: PASSWORD })) as {
			token: string;
		};
		return createUser(createRequest(http, token));
	};

	return {
		program,
		log: () => program.lines.flatMap(readLogEntry),
		async connections() {
			return ((await admin("GET", "/connections")) as { connections: Connection[] }).connections;
		},
		async subscriptions() {
			return ((await admin("GET", "/subscriptions")) as { subscriptions: Subscription[] }).subscriptions;
		},
		async trace() {
			return ((await admin("GET", "/trace?bodies=true&limit=1000")) as { entries: TraceEntry[] }).entries;
		},
		admin,
		logIn,
		async createUser(aor, displayName) {
			await admin("PUT", `/users/${encodeURIComponent(aor)}`, {
				password: PASSWORD,
				display_name: displayName,
			});
			return logIn(aor);
		},
	};
}

function configuration(
	{ home, otherDomains = [], credentials, trust, config }: CausewayOptions,
	name: string,
	http: string,
): string {
	const domains = [home.domain, ...otherDomains].map((domain) => `[[domain]]\nname = "${domain}"\nkind = "hosted"\n`);
	return `[edge]
fqdn = "${home.edge}"
listen = ["${home.address}:${home.port}"]
data_dir = "./${name}-data"

[edge.tls]
certificate = "${credentials.certificate}"
key = "${credentials.key}"
trust = ["${trust}"]

${domains.join("\n")}
[http]
listen = "${http}"
admin_token_file = "${name}-data/admin.token"

${config}`;
}

function readLogEntry(line: string): readonly LogEntry[] {
	try {
		const fields: unknown = JSON.parse(line);
		if (typeof fields !== "object" || fields === null) return [];
		const event: unknown = Reflect.get(fields, "event");
		return [{ event: typeof event === "string" ? event : "", fields: { ...fields } }];
	} catch {
		return [];
	}
}

type Request = (method: string, path: string, body?: unknown) => Promise<unknown>;

/** Requests that give the answer's body, and reject with the problem the server named. */
function createRequest(http: string, token: string | undefined): Request {
	return (method, path, body) => request(http, token, method, path, body);
}

async function request(
	http: string,
	token: string | undefined,
	method: string,
	path: string,
	body: unknown,
): Promise<unknown> {
	const response = await fetch(`http://${http}/api/v1${path}`, {
		method,
		headers: {
			...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
			...(body === undefined ? {} : { "content-type": "application/json" }),
		},
		...(body === undefined ? {} : { body: JSON.stringify(body) }),
	});
	const text = await response.text();
	if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
	return text === "" ? undefined : JSON.parse(text);
}

function createUser(ask: Request): User {
	const call: Request = (method, path, body) => ask(method, `/me${path}`, body);
	const contact = async (aor: string): Promise<Contact> =>
		(await call("GET", `/contacts/${encodeURIComponent(aor)}`)) as Contact;

	const readHistory = async (query: Readonly<Record<string, string>>): Promise<readonly Message[]> => {
		const all: Message[] = [];
		for (let after: string | undefined; ; ) {
			const page = new URLSearchParams({ ...query, after: after ?? "" });
			if (after === undefined) page.delete("after");
			const { messages, next } = (await call("GET", `/messages?${page.toString()}`)) as {
				messages: Message[];
				next?: string;
			};
			all.push(...messages);
			if (next === undefined) return all;
			after = next;
		}
	};

	return {
		async publish(state) {
			await call("PUT", "/presence", { state });
		},
		async addContact(aor) {
			await call("PUT", `/contacts/${encodeURIComponent(aor)}`, {});
		},
		async removeContact(aor) {
			await call("DELETE", `/contacts/${encodeURIComponent(aor)}`);
		},
		contact,
		async sees(aor, state, deadlineMs = 15_000) {
			let latest: Contact | undefined;
			try {
				return await until(
					async () => {
						latest = await contact(aor);
						return latest.state === state ? latest : undefined;
					},
					{ what: `${aor} is shown as ${state}`, deadlineMs },
				);
			} catch (error) {
				throw new Error(`latest: ${JSON.stringify(latest)}`, { cause: error });
			}
		},
		async send(to, text) {
			const { id } = (await call("POST", "/messages", { to, text })) as { id: string };
			return id;
		},
		fate(id) {
			return until(
				async () => {
					const message = (await call("GET", `/messages/${id}`)) as Message;
					return message.fate === "queued" || message.fate === "sending" ? undefined : message;
				},
				{ what: `message ${id} has a final fate`, deadlineMs: 40_000 },
			);
		},
		messages: (withAor) => readHistory({ with: withAor }),
		history: () => readHistory({ limit: "500" }),
		async requests() {
			return ((await call("GET", "/requests")) as { requests: WatchRequest[] }).requests;
		},
		async messageRequests() {
			return ((await call("GET", "/message-requests")) as { requests: HeldRequest[] }).requests;
		},
		async decide(aor, decision) {
			await call("POST", `/requests/${encodeURIComponent(aor)}`, { decision });
		},
	};
}
