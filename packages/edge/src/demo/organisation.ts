/** One of the two organisations of the demonstration: an edge in a process of its own, with its certificate and configuration. */
import { type ChildProcess, fork } from "node:child_process";
import { createWriteStream } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "@causeway/admin";
import type { ReadyMessage } from "../cli/serve.ts";
import { type Authority, createEdgeCertificate } from "../pki/authority.ts";
import { writeKeyFile } from "../pki/key-file.ts";

export interface OrganisationPlan {
	readonly domain: string;
	/** The other one's domain. */
	readonly partner: string;
	readonly user: { readonly name: string; readonly displayName: string };
	readonly folder: string;
	readonly authority: Authority;
	readonly certificateOfAuthority: string;
	/** `127.0.0.1:5353`, where the demonstration's name server listens. */
	readonly nameServer: string;
}

/** A login of the demonstration. */
export interface Login {
	readonly aor: string;
	readonly password: string;
}

const PASSWORD = "demo-password";
/** Generous: a busy machine may need most of it, and a start that hangs is rare. */
const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 8_000;
const DAY_MS = 86_400_000;

export class Organisation {
	readonly domain: string;
	readonly fqdn: string;
	readonly login: Login;
	readonly configFile: string;
	readonly #plan: OrganisationPlan;
	#process: ChildProcess | undefined;
	#ready: ReadyMessage | undefined;
	#adminToken = "";

	constructor(plan: OrganisationPlan) {
		this.#plan = plan;
		this.domain = plan.domain;
		this.fqdn = `sip.${plan.domain}`;
		this.login = { aor: `${plan.user.name}@${plan.domain}`, password: PASSWORD };
		this.configFile = join(plan.folder, "causeway.toml");
	}

	get httpUrl(): string {
		return this.#ready?.httpUrl ?? "";
	}

	get sipPort(): number {
		return this.#ready?.sip[0]?.port ?? 0;
	}

	get logFile(): string {
		return join(this.#plan.folder, "causeway.log");
	}

	get pid(): number | undefined {
		return this.#process?.pid;
	}

	/** Writes certificate and configuration, starts the edge and makes its user. Rejects with the reason in words. */
	async start(): Promise<void> {
		await this.#prepare();
		this.#ready = await this.#launch();
		this.#adminToken = (await readFile(join(this.#plan.folder, "data", "admin.token"), "utf8")).trim();
		// The configuration names the port that was bound, so that every other command finds this edge by its file.
		await this.#writeConfig(new URL(this.httpUrl).host);
		await this.admin().call("putUser", {
			params: { aor: this.login.aor },
			body: { password: PASSWORD, display_name: this.#plan.user.displayName },
		});
	}

	/** Stops the edge and starts it again with the files as they are now, on the same ports. */
	async restart(): Promise<void> {
		await this.stop();
		this.#ready = await this.#launch();
	}

	admin(): Client {
		return new Client({ url: this.httpUrl, token: this.#adminToken });
	}

	/** A client that has logged in as the organisation's user. */
	async user(): Promise<Client> {
		const { aor, password } = this.login;
		const token = await new Client({ url: this.httpUrl }).call("login", { body: { aor, password } });
		return new Client({ url: this.httpUrl, token: token.token });
	}

	/** Stops the edge as an administrator would, by SIGTERM; after a while by force. */
	async stop(): Promise<void> {
		const child = this.#process;
		if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
		await new Promise<void>((resolve) => {
			const timer = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS);
			child.once("exit", () => {
				clearTimeout(timer);
				resolve();
			});
			child.kill("SIGTERM");
		});
	}

	/** Calls `listener` when the edge ends by itself. */
	onExit(listener: (reason: string) => void): void {
		this.#process?.once("exit", (code, signal) =>
			listener(`the edge of ${this.domain} ended (${signal ?? `exit code ${code}`}); see ${this.logFile}`),
		);
	}

	async #prepare(): Promise<void> {
		const { folder, authority, certificateOfAuthority } = this.#plan;
		await mkdir(folder, { recursive: true, mode: 0o700 });
		const now = Date.now();
		const issued = await createEdgeCertificate(authority, {
			names: [this.fqdn],
			notBefore: new Date(now - DAY_MS),
			notAfter: new Date(now + 30 * DAY_MS),
		});
		await writeFile(join(folder, "edge.pem"), issued.chain);
		await writeKeyFile(join(folder, "edge.key"), issued.key);
		await writeFile(join(folder, "ca.pem"), certificateOfAuthority);
		await this.#writeConfig("127.0.0.1:0");
	}

	#writeConfig(httpListen: string): Promise<void> {
		const { domain, partner, nameServer } = this.#plan;
		return writeFile(
			this.configFile,
			[
				"# Written by `causeway demo`.",
				"[edge]",
				`fqdn = "${this.fqdn}"`,
				`listen = ["127.0.0.1:${this.sipPort}"]`,
				'data_dir = "./data"',
				"",
				"[edge.tls]",
				'certificate = "edge.pem"',
				'key = "edge.key"',
				'trust = ["ca.pem"]',
				"",
				"[[domain]]",
				`name = "${domain}"`,
				'kind = "hosted"',
				"",
				"# The partner is allowed by its domain; where its edge is, the DNS says (SRV).",
				"[[peer]]",
				'kind = "allowed"',
				`domains = ["${partner}"]`,
				"",
				"[dns]",
				`servers = ["${nameServer}"]`,
				"allow_private_addresses = true   # both edges live on loopback",
				"",
				"[http]",
				`listen = "${httpListen}"`,
				'admin_token_file = "data/admin.token"',
				"",
			].join("\n"),
		);
	}

	#launch(): Promise<ReadyMessage> {
		const main = fileURLToPath(new URL(import.meta.url.endsWith(".ts") ? "../main.ts" : "../main.js", import.meta.url));
		const child = fork(main, ["serve", "--config", this.configFile], { stdio: ["ignore", "ignore", "pipe", "ipc"] });
		this.#process = child;
		const log = createWriteStream(this.logFile);
		let tail = "";
		child.stderr?.pipe(log);
		child.stderr?.on("data", (chunk: Buffer) => {
			tail = (tail + chunk.toString("utf8")).slice(-2_000);
		});
		return new Promise((resolve, reject) => {
			const timer = setTimeout(() => {
				child.kill("SIGKILL");
				reject(
					new Error(`the edge of ${this.domain} was not ready within ${START_LIMIT_MS / 1000} s; see ${this.logFile}`),
				);
			}, START_LIMIT_MS);
			child.once("message", (message: ReadyMessage) => {
				clearTimeout(timer);
				resolve(message);
			});
			child.once("exit", (code) => {
				clearTimeout(timer);
				reject(new Error(`the edge of ${this.domain} did not start (exit code ${code}):\n${tail.trim()}`));
			});
		});
	}
}
