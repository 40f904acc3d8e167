/** Reads the configuration for a command, and says what is wrong with it in the words of the loader. */
import { existsSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { CommandFailed, type LocalServer } from "@causeway/admin/cli";
import { parseHostPort } from "../config/host-port.ts";
import { findConfigPath, formatProblem, loadConfig } from "../config/load.ts";
import { findNotServed } from "../config/not-served.ts";
import type { Config } from "../config/schema.ts";

export interface LoadedConfiguration {
	readonly path: string;
	readonly config: Config;
	/** As lines: `causeway.toml:12:3: …`. */
	readonly warnings: readonly string[];
}

/** Throws {@link CommandFailed} with every problem, a line each. */
export function readConfiguration(flag: string | undefined): LoadedConfiguration {
	const path = findConfigPath(flag, existsSync);
	if (path === undefined) {
		throw new CommandFailed(
			"no configuration: give --config FILE, or put causeway.toml here or in /etc/causeway/ (see docs/configuration.md)",
			2,
		);
	}
	const outcome = loadConfig(path, (name) => readFileSync(name, "utf8"));
	if (!outcome.ok)
		throw new CommandFailed(`the configuration is not valid\n${outcome.problems.map(formatProblem).join("\n")}`, 1);
	const { errors, warnings } = findNotServed(outcome.config, path);
	if (errors.length > 0) {
		throw new CommandFailed(`the configuration cannot be served\n${errors.map(formatProblem).join("\n")}`, 1);
	}
	return { path, config: outcome.config, warnings: [...outcome.warnings, ...warnings].map(formatProblem) };
}

/** Where the edge of this configuration answers, with the administrator's token if we may read it. */
export async function discoverServer(configFile: string | undefined): Promise<LocalServer> {
	const { config } = readConfiguration(configFile);
	const listen = parseHostPort(config.http.listen);
	const host = listen === undefined || listen.host === "0.0.0.0" || listen.host === "::" ? "127.0.0.1" : listen.host;
	const scheme = config.http.certificate === "" ? "http" : "https";
	const url = `${scheme}://${host.includes(":") ? `[${host}]` : host}:${listen?.port ?? 8080}`;
	try {
		return { url, token: (await readFile(config.http.admin_token_file, "utf8")).trim() };
	} catch {
		return { url };
	}
}
