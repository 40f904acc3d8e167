/** Kamailio from Debian as the reference: one TCP worker, TLSF allocators (with the package's own a request costs five times as much). */
import { spawn, spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";

export interface KamailioPlan {
	/** A script of `kamailio/`, without its ending. */
	readonly script: "relay" | "presence";
	/** `-A` switches. */
	readonly switches: readonly string[];
	/** What stands between at signs in the script, beside @RUN@ and @PORT@. */
	readonly values: Readonly<Record<string, string>>;
	/** Scratch folder with `edge.pem`, `edge.key` and `ca.pem`. */
	readonly folder: string;
	readonly core: number | undefined;
}

export interface BenchServer {
	/** Of the process that was started; the others descend from it. */
	readonly pid: number;
	readonly address: string;
	readonly port: number;
	close(): Promise<void>;
}

const START_LIMIT_MS = 20_000;
const PACKAGES =
	"kamailio, kamailio-tls-modules, kamailio-presence-modules, kamailio-xml-modules, kamailio-sqlite-modules";

/** Starts Kamailio and waits until it listens; rejects with what it wrote. */
export async function startKamailio({ script, switches, values, folder, core }: KamailioPlan): Promise<BenchServer> {
	const port = await freePort();
	const config = join(folder, "kamailio.cfg");
	writeFileSync(config, fillIn(`${script}.cfg`, { RUN: folder, PORT: String(port), ...values }));
	writeFileSync(join(folder, "tls.cfg"), tlsConfig(folder));
	if (script === "presence") createDatabase(join(folder, "presence.sqlite"));
	const args = [
		...["-f", config, "-m", "1024", "-M", "16", "-DD", "-E", "-x", "tlsf", "-X", "tlsf"],
		...["-P", join(folder, "kamailio.pid"), "-Y", folder, ...switches.flatMap((name) => ["-A", name])],
	];
	return startProgram({
		name: "kamailio",
		command: "kamailio",
		args,
		port,
		folder,
		core,
		hint: `apt install ${PACKAGES}`,
	});
}

export interface ProgramPlan {
	readonly name: string;
	readonly command: string;
	readonly args: readonly string[];
	/** Where it will listen. */
	readonly port: number;
	readonly folder: string;
	readonly core: number | undefined;
	/** What to do where there is no such program. */
	readonly hint: string;
}

async function startProgram({ name, command, args, port, folder, core, hint }: ProgramPlan): Promise<BenchServer> {
	const { PATH = "" } = process.env;
	const path = `${PATH}:/usr/sbin:/sbin`;
	if (spawnSync(command, ["-v"], { env: { ...process.env, PATH: path } }).error !== undefined) {
		throw new Error(`${command} is not there: ${hint}`);
	}
	const logFile = join(folder, `${name}.log`);
	const log = openSync(logFile, "a");
	const pinned = core === undefined ? [command, ...args] : ["taskset", "-c", String(core), command, ...args];
	const child = spawn(pinned[0] ?? command, pinned.slice(1), {
		cwd: folder,
		env: { ...process.env, PATH: path },
		stdio: ["ignore", log, log],
	});
	closeSync(log);
	const { pid } = child;
	if (pid === undefined) throw new Error(`${name} could not be started`);
	const close = async (): Promise<void> => {
		if (child.exitCode !== null || child.signalCode !== null) return;
		await new Promise<void>((resolve) => {
			const timer = setTimeout(() => child.kill("SIGKILL"), 15_000);
			child.once("exit", () => {
				clearTimeout(timer);
				resolve();
			});
			child.kill("SIGTERM");
		});
	};
	const until = performance.now() + START_LIMIT_MS;
	while (!(await isListening(port))) {
		if (child.exitCode !== null || child.signalCode !== null || performance.now() > until) {
			await close();
			throw new Error(`${name} does not listen:\n${readFileSync(logFile, "utf8").slice(-2_000)}`);
		}
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
	return { pid, address: "127.0.0.1", port, close };
}

/** A port that nobody listens on now. */
export function freePort(): Promise<number> {
	return new Promise((resolve, reject) => {
		const server = createServer();
		server.once("error", reject);
		server.listen(0, "127.0.0.1", () => {
			const address = server.address();
			server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
		});
	});
}

function isListening(port: number): Promise<boolean> {
	return new Promise((resolve) => {
		const socket = connect(port, "127.0.0.1");
		socket.once("connect", () => {
			socket.destroy();
			resolve(true);
		});
		socket.once("error", () => resolve(false));
	});
}

function fillIn(name: string, values: Readonly<Record<string, string>>): string {
	let text = readFileSync(fileURLToPath(new URL(`./kamailio/${name}`, import.meta.url)), "utf8");
	for (const [key, value] of Object.entries(values)) text = text.replaceAll(`@${key}@`, value);
	return text;
}

function tlsConfig(folder: string): string {
	const profile = `method = TLSv1.2+
verify_certificate = yes
require_certificate = yes
private_key = ${join(folder, "edge.key")}
certificate = ${join(folder, "edge.pem")}
ca_list = ${join(folder, "ca.pem")}
`;
	return `[server:default]\n${profile}[client:default]\n${profile}`;
}

/** The presence modules want their tables, also where they work in memory. */
function createDatabase(path: string): void {
	const database = new DatabaseSync(path);
	for (const part of ["standard", "presence"]) {
		database.exec(readFileSync(`/usr/share/kamailio/db_sqlite/${part}-create.sql`, "utf8"));
	}
	database.close();
}
