/** One real edge in front of an inside server, and both the inside server and a partner's edge played by hand over real mutual TLS. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { Client } from "@causeway/admin";
import { HeaderId, headerValues, type SipMessage, type SipRequest, type SipResponse } from "@causeway/sip";
import { systemClock, systemRandom } from "@causeway/sip/node";
import { loadConfig } from "../../src/config/load.ts";
import { type EdgeEnv, type RunningEdge, startEdge } from "../../src/edge.ts";
import { createEdgeCertificate, createRootAuthority } from "../../src/pki/authority.ts";
import { createPartner, type Link, type LoggedEvent } from "./wire-world.ts";

const DAY_MS = 86_400_000;

export interface RelayWorld {
	readonly edge: RunningEdge;
	readonly log: readonly LoggedEvent[];
	/** With the administrator's token. */
	readonly admin: Client;
	/** Dialogs that are live, as `causeway status` counts them. */
	dialogs(): Promise<number>;
	/** A connection that the partner opens. */
	connectPartner(): Promise<Link>;
	/** A connection that the inside server opens. */
	connectInside(): Promise<Link>;
	/** The next connection that our edge opens. */
	acceptedByInside(): Promise<Link>;
	acceptedByPartner(): Promise<Link>;
	/** A hosted user; the client acts in its name. */
	createUser(aor: string): Promise<Client>;
	/** The configuration is edited, and the edge reads it anew. */
	reload(edit: (toml: string) => string): Promise<void>;
	/** Stops the edge and starts it anew from the same folder. */
	restart(): Promise<void>;
}

export interface RelayWorldOptions {
	readonly affinity?: "strict" | "rebind";
	readonly verification?: "as-asserted" | "verified" | "unverified";
	/** Added to the configuration. */
	readonly toml?: string;
	readonly clock?: EdgeEnv["clock"];
}

/** Everything ends with the test. */
export async function startRelayWorld(context: TestContext, options: RelayWorldOptions = {}): Promise<RelayWorld> {
	const folder = await mkdtemp(join(tmpdir(), "causeway-relay-"));
	const now = Date.now();
	const spec = { notBefore: new Date(now - DAY_MS), notAfter: new Date(now + 3 * DAY_MS) };
	const authority = await createRootAuthority({ ...spec, commonName: "Relay test authority" });
	const own = await createEdgeCertificate(authority, { ...spec, names: ["sip.contoso.example"] });
	await writeFile(join(folder, "edge.pem"), own.chain);
	await writeFile(join(folder, "edge.key"), own.key, { mode: 0o600 });
	await writeFile(join(folder, "ca.pem"), authority.certificate);
	const partner = await createPartner(authority, spec);
	const inside = await createPartner(authority, spec, "home.corp.contoso.example");
	const file = join(folder, "causeway.toml");
	await writeFile(
		file,
		`[edge]
fqdn = "sip.contoso.example"
listen = ["127.0.0.1:0"]
[edge.tls]
trust = ["ca.pem"]
[[domain]]
name = "contoso.example"
kind = "hosted"
[[domain]]
name = "corp.contoso.example"
kind = "relay"
inside = "home.corp.contoso.example:5061"
connect = "127.0.0.1:${inside.port}"
verification = "${options.verification ?? "as-asserted"}"
[[peer]]
kind = "direct"
domains = ["fabrikam.example"]
edge = "sip.fabrikam.example:5061"
connect = "127.0.0.1:${partner.port}"
affinity = "${options.affinity ?? "strict"}"
[http]
listen = "127.0.0.1:0"
${options.toml ?? ""}`,
	);
	const loaded = loadConfig(file, (path) => readFileSync(path, "utf8"));
	assert.ok(loaded.ok, JSON.stringify(loaded));
	const lines: LoggedEvent[] = [];
	const keep = (event: string, fields: Readonly<Record<string, unknown>> = {}): void => {
		lines.push({ event, fields });
	};
	const env: EdgeEnv = {
		clock: options.clock ?? systemClock(),
		random: systemRandom(),
		log: { debug() {}, info: keep, warn: keep, error: keep },
		version: "0.0.0",
	};
	let edge = await startEdge(loaded.config, env);
	context.after(async () => {
		partner.close();
		inside.close();
		await edge.close();
		await rm(folder, { recursive: true, force: true });
	});
	const port = (): number => edge.sip[0]?.port ?? 0;
	const token = readFileSync(loaded.config.http.admin_token_file, "utf8").trim();
	const admin = (): Client => new Client({ url: edge.httpUrl, token });
	return {
		get edge() {
			return edge;
		},
		log: lines,
		get admin() {
			return admin();
		},
		dialogs: async () => (await admin().call("getStatus", {})).dialogs,
		connectPartner: () => partner.connect(port()),
		connectInside: () => inside.connect(port()),
		acceptedByInside: () => inside.accepted(),
		acceptedByPartner: () => partner.accepted(),
		async createUser(aor) {
			await admin().call("putUser", { params: { aor }, body: { password: "correct horse" } });
			const login = await admin().call("login", { body: { aor, password: "correct horse" } });
			return admin().withToken(login.token);
		},
		async reload(edit) {
			await writeFile(file, edit(readFileSync(file, "utf8")));
			const next = loadConfig(file, (path) => readFileSync(path, "utf8"));
			assert.ok(next.ok, JSON.stringify(next));
			await edge.reload(next.config);
		},
		async restart() {
			// On the port it had, which its routes name.
			const listen = [`127.0.0.1:${port()}`];
			await edge.close();
			edge = await startEdge({ ...loaded.config, edge: { ...loaded.config.edge, listen } }, env);
		},
	};
}

export const INSIDE_USER = "ines@corp.contoso.example";
export const PARTNER_USER = "lena@fabrikam.example";

let lastBranch = 0;

export interface RelayedRequestParts {
	readonly method: string;
	/** Who writes: the partner's user unless told otherwise. */
	readonly by?: "partner" | "inside";
	readonly uri?: string;
	readonly fromTag?: string;
	readonly toTag?: string;
	readonly callId?: string;
	readonly cseq?: number;
	readonly branch?: string;
	readonly maxForwards?: string | undefined;
	readonly headers?: readonly string[];
	readonly body?: string;
	readonly contentType?: string;
}

/** A request as a good server relays it for its user. */
export function relayedRequest(parts: RelayedRequestParts): string {
	const { method, by = "partner", body = "" } = parts;
	lastBranch += 1;
	const [host, from, to] =
		by === "partner"
			? ["sip.fabrikam.example", PARTNER_USER, INSIDE_USER]
			: ["home.corp.contoso.example", INSIDE_USER, PARTNER_USER];
	const needsContact = method === "INVITE" || method === "SUBSCRIBE" || method === "NOTIFY";
	return [
		`${method} ${parts.uri ?? `sip:${to}`} SIP/2.0`,
		`Via: SIP/2.0/TLS ${host}:5061;branch=z9hG4bK${parts.branch ?? `relay${lastBranch}`};alias`,
		`Via: SIP/2.0/TLS 192.0.2.7:49152;ms-received-port=49152;ms-received-cid=AB5A00`,
		...(parts.maxForwards === undefined && "maxForwards" in parts
			? []
			: [`Max-Forwards: ${parts.maxForwards ?? "69"}`]),
		`From: <sip:${from}>;tag=${parts.fromTag ?? "a1"}`,
		`To: <sip:${to}>${parts.toTag === undefined ? "" : `;tag=${parts.toTag}`}`,
		`Call-ID: ${parts.callId ?? `call${lastBranch}`}`,
		`CSeq: ${parts.cseq ?? 1} ${method}`,
		...(needsContact ? [`Contact: <sip:${from.split("@")[0]}@192.0.2.7:49152;transport=tls>`] : []),
		...(parts.headers ?? []),
		...(body === "" ? [] : [`Content-Type: ${parts.contentType ?? "application/sdp"}`]),
		`Content-Length: ${Buffer.byteLength(body.replaceAll(/\r?\n/g, "\r\n"))}`,
		"",
		body,
	].join("\r\n");
}

/** An answer as the server that got the request gives it. */
export function relayedAnswer(
	request: SipRequest,
	status: string,
	parts: { readonly toTag?: string; readonly headers?: readonly string[]; readonly body?: string } = {},
): string {
	const { body = "" } = parts;
	const copied = request.head.text.split("\r\n").filter((line) => /^(via|from|call-id|cseq|record-route):/i.test(line));
	const to = request.head.text.split("\r\n").find((line) => /^to:/i.test(line)) ?? "";
	return [
		`SIP/2.0 ${status}`,
		...copied,
		parts.toTag === undefined || request.to.tag !== undefined ? to : `${to};tag=${parts.toTag}`,
		...(request.method === "INVITE" || request.method === "SUBSCRIBE"
			? ["Contact: <sip:far@198.51.100.4:5061;transport=tls>"]
			: []),
		...(parts.headers ?? []),
		...(body === "" ? [] : ["Content-Type: application/sdp"]),
		`Content-Length: ${Buffer.byteLength(body.replaceAll(/\r?\n/g, "\r\n"))}`,
		"",
		body,
	].join("\r\n");
}

/** Route fields of one side: of the caller from a response, of the called side from a request (RFC 3261 §12.1). */
export function routeFields(message: SipRequest | SipResponse): readonly string[] {
	const values = headerValues(message, HeaderId.recordRoute);
	return (message.kind === "response" ? values.toReversed() : values).map((value) => `Route: ${value}`);
}

/** Lines of a head by the name of their field, lower case. */
export function linesOf({ head }: SipMessage, name: string): readonly string[] {
	return head.text.split("\r\n").filter((line) => line.toLowerCase().startsWith(`${name}:`));
}
