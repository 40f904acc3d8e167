/** An edge that is killed and started again, and its partner, which is not: three processes with the driver. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "@causeway/admin";
import type { ReadyMessage } from "../../src/cli/serve.ts";
import { createEdgeCertificate, createRootAuthority } from "../../src/pki/authority.ts";
import { EDGE_FQDN, PEER_FQDN, type PeerCommand, type PeerNote } from "./peer-process.ts";

export const ALICE = "alice@contoso.example";
const PASSWORD = "correct horse";
const WAIT_MS = 60_000;
const DAY_MS = 86_400_000;
const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const PEER = fileURLToPath(new URL("./peer-process.ts", import.meta.url));
const SOURCE = ["--conditions=causeway-source"];

export interface CrashWorld {
	/** Everything the partner said, in its order. */
	readonly notes: readonly PeerNote[];
	tell(command: PeerCommand): void;
	/** The first note from place `from` on that is it; rejects where none comes in time. */
	note<Kind extends PeerNote["kind"]>(
		kind: Kind,
		from: number,
		isIt?: (note: Extract<PeerNote, { kind: Kind }>) => boolean,
	): Promise<Extract<PeerNote, { kind: Kind }>>;
	/** Where the edge takes calls now. */
	readonly port: number;
	/** Alice's client, at the edge that runs now. */
	readonly alice: Client;
	readonly kills: number;
	/** SIGKILL, and nothing more. */
	kill(): void;
	/** Waits for the end of the killed edge and starts it again on the same store. */
	restart(): Promise<void>;
	close(): Promise<void>;
}

export async function openCrashWorld(): Promise<CrashWorld> {
	const folder = mkdtempSync(join(tmpdir(), "causeway-crash-"));
	const now = Date.now();
	const validity = { notBefore: new Date(now - DAY_MS), notAfter: new Date(now + DAY_MS) };
	const authority = await createRootAuthority({ commonName: "Crash test authority", ...validity });
	const own = await createEdgeCertificate(authority, { names: [EDGE_FQDN], ...validity });
	const theirs = await createEdgeCertificate(authority, { names: [PEER_FQDN], ...validity });
	writeFileSync(join(folder, "edge.pem"), own.chain);
	writeFileSync(join(folder, "edge.key"), own.key, { mode: 0o600 });
	writeFileSync(join(folder, "ca.pem"), authority.certificate);

	const notes: PeerNote[] = [];
	const looks = new Set<() => void>();
	const peer = fork(PEER, { execArgv: SOURCE, stdio: ["ignore", "inherit", "inherit", "ipc"] });
	peer.on("message", (note: PeerNote) => {
		notes.push(note);
		for (const look of [...looks]) look();
	});
	const tell = (command: PeerCommand): void => {
		peer.send(command);
	};
	const note: CrashWorld["note"] = (kind, from, isIt = () => true) =>
		new Promise((resolve, reject) => {
			let at = from;
			const timer = setTimeout(() => {
				looks.delete(look);
				reject(new Error(`the partner did not say ${kind} within ${WAIT_MS / 1000} s`));
			}, WAIT_MS);
			const look = (): void => {
				for (; at < notes.length; at += 1) {
					const said = notes[at];
					if (said?.kind !== kind || !isIt(said as Extract<PeerNote, { kind: typeof kind }>)) continue;
					clearTimeout(timer);
					looks.delete(look);
					resolve(said as Extract<PeerNote, { kind: typeof kind }>);
					return;
				}
			};
			looks.add(look);
			look();
		});
	tell({ kind: "start", certificate: theirs.chain, key: theirs.key });
	const { port: peerPort } = await note("listening", 0);

	const config = join(folder, "causeway.toml");
	writeFileSync(
		config,
		`[edge]
fqdn = "${EDGE_FQDN}"
listen = ["127.0.0.1:0"]
[edge.tls]
trust = ["ca.pem"]
[[domain]]
name = "contoso.example"
kind = "hosted"
[[peer]]
kind = "direct"
domains = ["fabrikam.example"]
edge = "${PEER_FQDN}:5061"
connect = "127.0.0.1:${peerPort}"
[http]
listen = "127.0.0.1:0"
`,
	);
	const log = openSync(join(folder, "edge.log"), "a");
	const startEdge = async () => {
		const child = fork(MAIN, ["serve", "--config", config], { execArgv: SOURCE, stdio: ["ignore", log, log, "ipc"] });
		child.on("error", () => {});
		const exited = once(child, "exit");
		const ready = await new Promise<ReadyMessage>((resolve, reject) => {
			child.once("message", (message) => resolve(message as ReadyMessage));
			child.once("exit", () =>
				reject(
					new Error(`the edge ended at its start:\n${readFileSync(join(folder, "edge.log"), "utf8").slice(-2_000)}`),
				),
			);
		});
		return { child, exited, ready };
	};
	let edge: { readonly child: ChildProcess; readonly exited: Promise<unknown>; readonly ready: ReadyMessage } =
		await startEdge();
	const adminToken = readFileSync(join(folder, "admin.token"), "utf8").trim();
	const admin = new Client({ url: edge.ready.httpUrl, token: adminToken });
	await admin.call("putUser", { params: { aor: ALICE }, body: { password: PASSWORD, display_name: "Alice" } });
	const { token } = await admin.withToken("").call("login", { body: { aor: ALICE, password: PASSWORD } });
	await admin.withToken(token).call("putPresence", { body: { state: "available" } });

	let kills = 0;
	return {
		notes,
		tell,
		note,
		get port() {
			return edge.ready.sip[0]?.port ?? 0;
		},
		get alice() {
			return new Client({ url: edge.ready.httpUrl, token });
		},
		get kills() {
			return kills;
		},
		kill() {
			kills += 1;
			edge.child.kill("SIGKILL");
		},
		async restart() {
			await edge.exited;
			edge = await startEdge();
		},
		async close() {
			edge.child.kill("SIGKILL");
			peer.disconnect();
			await Promise.all([edge.exited, once(peer, "exit")]);
			rmSync(folder, { recursive: true, force: true });
		},
	};
}
