import type { Command } from "commander";
import { Client } from "../client.ts";
import { CommandFailed } from "./command-failed.ts";

/** How a command was told to find its server. */
export interface ConnectionFlags {
	readonly url?: string;
	readonly token?: string;
	readonly config?: string;
}

/** A server found by its configuration; no token where its file cannot be read. */
export interface LocalServer {
	readonly url: string;
	readonly token?: string;
}

/** Reads the configuration (the named file, else the usual places): `[http].listen` and the admin token file. */
export type DiscoverServer = (configFile: string | undefined) => Promise<LocalServer>;

/** Adds the flags by which every command that talks to a server finds it. */
export function addConnectionFlags(command: Command): Command {
	return command
		.option("--url <url>", "address of the HTTP API (or CAUSEWAY_URL; else from the configuration)")
		.option("--token <token>", "admin token (or CAUSEWAY_TOKEN, which other users cannot see; else from its file)")
		.option("--config <file>", "configuration file that tells the address and the token file");
}

/** Flags win over the environment, that over the configuration. */
export function createConnect(
	env: Readonly<Record<string, string | undefined>>,
	discover: DiscoverServer,
): (flags: ConnectionFlags) => Promise<Client> {
	return async (flags) => {
		const url = flags.url ?? (env["CAUSEWAY_URL"] || undefined);
		const token = flags.token ?? (env["CAUSEWAY_TOKEN"] || undefined);
		if (url !== undefined && !/^https?:\/\//.test(url)) throw new CommandFailed(`${url} is no http or https URL`, 2);
		if (url !== undefined && token !== undefined) return new Client({ url, token });
		const found = await discover(flags.config);
		// The token of this machine's edge is shown to this machine's edge and to no other address.
		if (url !== undefined && !sameOrigin(url, found.url)) {
			throw new CommandFailed(
				`${url} is not the address in the configuration (${found.url}): give its token with --token or CAUSEWAY_TOKEN`,
				2,
			);
		}
		return new Client({ url: url ?? found.url, token: token ?? found.token });
	};
}

function sameOrigin(one: string, other: string): boolean {
	return URL.canParse(one) && URL.canParse(other) && new URL(one).origin === new URL(other).origin;
}
