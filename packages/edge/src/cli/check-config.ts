/** `causeway check-config`: every check of the start, without listening, creating or changing anything. */

import type { Command } from "@causeway/admin/cli";
import { type CommandContext, CommandFailed, writeJson } from "@causeway/admin/cli";
import { checkFiles } from "../config/check.ts";
import { formatProblem } from "../config/load.ts";
import { checkOwnCertificate } from "../federation/own-certificate.ts";
import { readSigningKeys } from "../federation/signature/signing-keys.ts";
import { readConfiguration } from "./configuration.ts";

export function registerCheckConfig(program: Command, context: CommandContext): void {
	program
		.command("check-config")
		.summary("check the configuration without starting")
		.description("Makes every check of `serve`, without listening, creating or changing anything.")
		.option("--config <file>", "configuration file (else ./causeway.toml, /etc/causeway/causeway.toml)")
		.option("--json", "print the outcome as JSON")
		.action(async (flags: { readonly config?: string; readonly json?: boolean }) => {
			const { config, path, warnings } = readConfiguration(flags.config);
			const problems = [...(await checkFiles(config)), ...(await checkOwnCertificate(config, Date.now()))];
			const faults = problems.filter(({ severity }) => severity !== "warning").map(formatProblem);
			const signing = await readSigningKeys(config.edge.data_dir, Date.now());
			if (!signing.ok) faults.push(`edge.data_dir: signing keys: ${signing.reason}`);
			const all = [...warnings, ...problems.filter(({ severity }) => severity === "warning").map(formatProblem)];
			if (flags.json === true)
				writeJson(context, { file: path, ok: faults.length === 0, problems: faults, warnings: all });
			else for (const warning of all) context.stderr.write(`warning: ${warning}\n`);
			if (faults.length > 0) {
				throw new CommandFailed(`the configuration cannot be used\n${faults.join("\n")}`, 1);
			}
			if (flags.json !== true) context.stdout.write(`${path}: good\n`);
		});
}
