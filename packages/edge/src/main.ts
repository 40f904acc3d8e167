/** The program `causeway`: arguments to commands, signals, exit codes. */
import { readFileSync } from "node:fs";
import {
	Command,
	type CommandContext,
	createConnect,
	prepareProgram,
	registerCommands,
	runProgram,
} from "@causeway/admin/cli";
import { registerCert } from "./cli/cert.ts";
import { registerCheckConfig } from "./cli/check-config.ts";
import { discoverServer } from "./cli/configuration.ts";
import { registerDoctor } from "./cli/doctor.ts";
import { registerInit } from "./cli/init.ts";
import { registerPeerTest } from "./cli/peer-test.ts";
import { registerServe } from "./cli/serve.ts";
import { registerDemo } from "./demo/command.ts";

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
	version: string;
};

const interruption = new AbortController();
const context: CommandContext = {
	connect: createConnect(process.env, discoverServer),
	stdin: process.stdin,
	stdout: process.stdout,
	stderr: process.stderr,
	isTty: process.stdout.isTTY === true,
	env: process.env,
	interrupted: interruption.signal,
};
process.once("SIGINT", () => interruption.abort());

const program = prepareProgram(new Command("causeway"), context)
	.description("A SIP/SIMPLE federation edge server: presence and instant messages over mutual TLS")
	.version(version);
registerInit(program, context);
registerServe(program, version);
registerCheckConfig(program, context);
registerDoctor(program, context);
registerCert(program, context);
registerDemo(program, context);
registerCommands(program, context);
registerPeerTest(program, context);

process.exitCode = await runProgram(program, process.argv.slice(2), context);
