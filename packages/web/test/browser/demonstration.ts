/** The demonstration as a person starts it, in a process of its own; what it prints is all a test knows of it. */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const launcher = fileURLToPath(new URL("../../../edge/bin/causeway.mjs", import.meta.url));
const stayLine = "Running. Ctrl-C stops both edges.";

/** One organisation's web chat and who logs in there. */
export interface Organisation {
	readonly url: string;
	readonly aor: string;
	readonly password: string;
}

export interface Demonstration {
	readonly contoso: Organisation;
	readonly fabrikam: Organisation;
	stop(): Promise<void>;
}

/** Rejects with everything it printed where it does not come up. */
export async function startDemonstration(): Promise<Demonstration> {
	const folder = await mkdtemp(join(tmpdir(), "causeway-browser-test-"));
	const child = spawn(process.execPath, [launcher, "demo", "--dir", folder], {
		env: { ...process.env, CAUSEWAY_FROM: "source", NO_COLOR: "1" },
		stdio: ["ignore", "pipe", "pipe"],
	});
	let printed = "";
	const ended = new Promise<void>((resolve) => child.on("exit", () => resolve()));
	const stop = async (): Promise<void> => {
		child.kill("SIGINT");
		await ended;
		await rm(folder, { recursive: true, force: true });
	};
	try {
		await new Promise<void>((resolve, reject) => {
			for (const stream of [child.stdout, child.stderr]) {
				stream.on("data", (chunk: Buffer) => {
					printed += chunk.toString("utf8");
					if (printed.includes(stayLine)) resolve();
				});
			}
			void ended.then(() => reject(new Error(`the demonstration ended:\n${printed}`)));
		});
		return { contoso: read(printed, "contoso.example"), fabrikam: read(printed, "fabrikam.example"), stop };
	} catch (error) {
		await stop();
		throw error;
	}
}

function read(printed: string, domain: string): Organisation {
	const found = new RegExp(
		`^${domain.replace(".", "\\.")}\\n +web chat (?<url>http\\S+)\\n +login +(?<aor>\\S+) +password: (?<password>\\S+)$`,
		"m",
	).exec(printed);
	const { url, aor, password } = found?.groups ?? {};
	if (url === undefined || aor === undefined || password === undefined) {
		throw new Error(`the demonstration printed no web chat and login of ${domain}:\n${printed}`);
	}
	return { url, aor, password };
}
