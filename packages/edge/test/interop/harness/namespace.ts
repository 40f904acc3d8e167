import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { requirePackages } from "./debian-packages.ts";

const MARK = "CAUSEWAY_INTEROP_NAMESPACE";

/**
 * Runs the calling test file again in namespaces of its own and does not return outside them.
 *
 * The network namespace gives a loopback on which every port is free (53 and 5061 too), the mount namespace a
 * resolv.conf that points C programs at a DNS server on 127.0.0.1:53, the process namespace the promise that nothing
 * outlives the test. All three are anonymous: the kernel removes them with their last process, whatever ended it.
 * Standard output is handed on, so that the runner reads the results of the inner process as those of the file.
 */
export function enterPrivateNamespace(testFile: string): void {
	requirePackages(["iproute2", "mount", "util-linux"]);
	if (process.env[MARK] === undefined) {
		runInside(testFile);
	} else {
		prepareInside();
	}
}

function runInside(testFile: string): never {
	const asRoot = process.getuid?.() === 0 ? [] : ["--map-root-user"];
	const namespaces = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", ...asRoot];
	const node = [process.execPath, ...process.execArgv, testFile];
	const { error, status, signal } = spawnSync(
		"setpriv",
		["--pdeathsig", "KILL", "unshare", ...namespaces, "--", ...node],
		{ stdio: "inherit", env: { ...process.env, [MARK]: "inside" } },
	);
	if (error !== undefined) throw error;
	process.exit(signal === null ? (status ?? 1) : 128 + constants.signals[signal]);
}

function prepareInside(): void {
	const folder = mkdtempSync(join(tmpdir(), "causeway-resolv-"));
	const resolvConf = join(folder, "resolv.conf");
	writeFileSync(resolvConf, "nameserver 127.0.0.1\noptions timeout:1 attempts:2\n");
	execFileSync("mount", ["--bind", resolvConf, "/etc/resolv.conf"]);
	execFileSync("ip", ["link", "set", "lo", "up"]);
	process.on("exit", () => {
		rmSync(folder, { recursive: true, force: true });
	});
}

/** Another machine on a cable to that of the test. */
export interface SecondHost {
	readonly name: string;
	/** What goes before a command that shall run there. */
	readonly enter: readonly string[];
}

/** Gives the namespace of the test a neighbour with a loopback of its own; each is reached by the other at its address, and nothing else is. */
export function createSecondHost(name: string, address: { readonly own: string; readonly second: string }): SecondHost {
	const run = (command: string, ...args: string[]): void => {
		execFileSync(command, args);
	};
	// The names of network namespaces are kept in /run: it is this test's alone, as every mount here.
	run("mount", "-t", "tmpfs", "none", "/run");
	run("ip", "netns", "add", name);
	run("ip", "link", "add", "cable0", "type", "veth", "peer", "name", "cable1", "netns", name);
	run("ip", "addr", "add", `${address.own}/24`, "dev", "cable0");
	run("ip", "link", "set", "cable0", "up");
	run("ip", "-n", name, "addr", "add", `${address.second}/24`, "dev", "cable1");
	run("ip", "-n", name, "link", "set", "cable1", "up");
	run("ip", "-n", name, "link", "set", "lo", "up");
	return { name, enter: ["ip", "netns", "exec", name] };
}
