import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { connect } from "node:net";
import { stripVTControlCharacters } from "node:util";
import { requirePackages } from "./debian-packages.ts";
import type { Lab } from "./lab.ts";
import type { Program } from "./process.ts";

export interface BaresipOptions {
	/** Address of record of its user. */
	readonly aor: string;
	/** Its SIP server over TCP, `ip:port`. */
	readonly server: string;
	/** Where it listens for SIP, `ip:port`. */
	readonly local: string;
	/** Whom its user watches. */
	readonly watched: string;
}

export interface Baresip {
	readonly program: Program;
	/** What it shows about the one who is watched: `Online`, `Busy`, `Offline` or `Unknown`. */
	shows(): Promise<string>;
}

const CONTROL = { host: "127.0.0.1", port: 15_444 };
const MODULES = "/usr/lib/baresip/modules";

/** Starts baresip with one account and one contact whose presence it subscribes to. */
export async function startBaresip(lab: Lab, options: BaresipOptions): Promise<Baresip> {
	requirePackages(["baresip", "iproute2"]);
	addAddress();
	mkdirSync(lab.path("baresip"), { recursive: true });
	const { aor, server, local, watched } = options;
	lab.write(
		"baresip/config",
		`poll_method epoll
sip_listen ${local}
audio_path /usr/share/baresip
module_path ${MODULES}
module g711.so
module_app account.so
module_app contact.so
module_app menu.so
module_app presence.so
module_app ctrl_tcp.so
ctrl_tcp_listen ${CONTROL.host}:${CONTROL.port}
`,
	);
	lab.write(
		"baresip/accounts",
		`<sip:${aor};transport=tcp>;auth_pass=unused;outbound="sip:${server};transport=tcp";regint=600\n`,
	);
	lab.write("baresip/contacts", `"Watched" <sip:${watched}>;presence=p2p\n`);
	const program = await lab.run({ name: "baresip", command: "baresip", args: ["-s", "-f", lab.path("baresip")] });
	await program.waitForLine("its start", (line) => line.includes("baresip is ready"));
	return {
		program,
		async shows() {
			const text = stripVTControlCharacters(await command("contacts"));
			const line = text.split("\n").find((one) => one.includes(`sip:${watched}`)) ?? "";
			return /\b(Online|Offline|Busy|Unknown)\b/.exec(line)?.[1] ?? assertShown(text);
		},
	};
}

function assertShown(text: string): never {
	throw new Error(`baresip shows nothing about its contact: ${text}`);
}

/** baresip wants an address beside 127.0.0.0/8 before it starts, though it uses the loopback alone. */
function addAddress(): void {
	execFileSync("ip", ["address", "add", "192.0.2.1/32", "dev", "lo"]);
}

/** One command over its control connection, in its framing (netstrings of JSON), and the text of its answer. */
function command(name: string): Promise<string> {
	return new Promise((resolve, reject) => {
		const socket = connect(CONTROL, () => {
			const text = JSON.stringify({ command: name, token: "1" });
			socket.write(`${text.length}:${text},`);
		});
		let read = "";
		socket.setTimeout(10_000, () => socket.destroy(new Error(`baresip did not answer ${name}`)));
		socket.on("error", reject);
		socket.on("data", (chunk) => {
			read += chunk.toString("utf8");
			const colon = read.indexOf(":");
			const length = Number(read.slice(0, colon));
			if (colon === -1 || Buffer.byteLength(read) < colon + 1 + length) return;
			const answer = JSON.parse(read.slice(colon + 1, read.lastIndexOf(","))) as { readonly data?: string };
			socket.end();
			resolve(answer.data ?? "");
		});
	});
}
