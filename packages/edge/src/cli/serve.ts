/** `causeway serve`: runs the edge until it is told to stop. */

import type { Command } from "@causeway/admin/cli";
import { CommandFailed } from "@causeway/admin/cli";
import { systemClock, systemRandom } from "@causeway/sip/node";
import { checkFiles } from "../config/check.ts";
import { formatProblem } from "../config/load.ts";
import { type RunningEdge, StartFailed, startEdge } from "../edge.ts";
import { checkOwnCertificate } from "../federation/own-certificate.ts";
import { createLogger } from "../observe/logger.ts";
import { StoreFailed } from "../store/store-failed.ts";
import { readConfiguration } from "./configuration.ts";

/** What a parent process is told over its channel when the edge listens. */
export interface ReadyMessage {
	readonly kind: "ready";
	readonly sip: readonly { readonly address: string; readonly port: number }[];
	readonly httpUrl: string;
}

export function registerServe(program: Command, version: string): void {
	program
		.command("serve")
		.summary("run the edge")
		.description("Runs the edge. SIGTERM drains and stops, SIGHUP reads configuration and certificates anew.")
		.option("--config <file>", "configuration file (else ./causeway.toml, /etc/causeway/causeway.toml)")
		.addHelpText("after", "\nExample:\n  causeway serve --config /etc/causeway/causeway.toml")
		.action(async (flags: { readonly config?: string }) => {
			await serve(flags.config, version);
		});
}

async function serve(configFile: string | undefined, version: string): Promise<void> {
	const { config, warnings } = readConfiguration(configFile);
	const problems = [...(await checkFiles(config)), ...(await checkOwnCertificate(config, Date.now()))];
	const faults = problems.filter(({ severity }) => severity !== "warning");
	if (faults.length > 0) {
		throw new CommandFailed(`the configuration cannot be used\n${faults.map(formatProblem).join("\n")}`, 1);
	}
	const log = createLogger(config.log.level);
	for (const warning of [...warnings, ...problems.map(formatProblem)]) log.warn("configuration warning", { warning });
	const stopAsked = untilStopAsked();
	const edge = await start();
	process.on("SIGHUP", () => reload(edge, configFile, log));
	const ready: ReadyMessage = { kind: "ready", sip: edge.sip, httpUrl: edge.httpUrl };
	const parent: { readonly send?: (message: unknown) => boolean } = process;
	if (process.connected) parent.send?.(ready);
	await stopAsked;
	await edge.close();
	if (process.connected) process.disconnect?.();

	async function start(): Promise<RunningEdge> {
		try {
			return await startEdge(config, { clock: systemClock(), random: systemRandom(), log, version });
		} catch (error) {
			if (error instanceof StartFailed || error instanceof StoreFailed) throw new CommandFailed(error.message, 1);
			throw error;
		}
	}
}

/** Fulfils when the process is told to stop, also while it still starts; told a second time, it does not wait. */
function untilStopAsked(): Promise<void> {
	return new Promise((resolve) => {
		let isAsked = false;
		const stop = (): void => {
			if (isAsked) process.exit(1);
			isAsked = true;
			resolve();
		};
		process.on("SIGTERM", stop);
		process.on("SIGINT", stop);
		// Whoever started us with a channel is gone: so is the reason to run.
		if (process.connected) process.on("disconnect", stop);
	});
}

function reload(edge: RunningEdge, configFile: string | undefined, log: ReturnType<typeof createLogger>): void {
	try {
		const { config } = readConfiguration(configFile);
		edge
			.reload(config)
			.catch((error: unknown) => log.error("configuration not reloaded; the old one stays", { reason: String(error) }));
	} catch (error) {
		log.error("configuration not reloaded; the old one stays", {
			reason: error instanceof Error ? error.message : String(error),
		});
	}
}
