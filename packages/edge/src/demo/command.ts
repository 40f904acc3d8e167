/** `causeway demo`: two complete organisations on loopback, to look at or to watch a script play. */

import type { Command } from "@causeway/admin/cli";
import {
	type CommandContext,
	CommandFailed,
	formatLadderEntry,
	formatLadderHead,
	paint,
	writeJson,
} from "@causeway/admin/cli";
import { playScript, type Rung } from "./script.ts";
import { startWorld, type World } from "./world.ts";

interface DemoFlags {
	readonly script?: boolean;
	readonly json?: boolean;
	readonly dir?: string;
}

export function registerDemo(program: Command, context: CommandContext): void {
	program
		.command("demo")
		.summary("two organisations on this machine, federated")
		.description(
			"Starts contoso.example and fabrikam.example as two edge processes with their own certification authority, name server\nand users, all on loopback, and stays up until Ctrl-C.",
		)
		.option("--script", "play a presence and message exchange, print it as a ladder, and end")
		.option("--json", "with --script: print the ladder as JSON lines")
		.option("--dir <folder>", "keep certificates, configuration, logs and stores in this folder")
		.action(async (flags: DemoFlags) => {
			const say = (text: string): void => {
				(flags.json === true ? context.stderr : context.stdout).write(`${text}\n`);
			};
			const world = await startWorld(flags.dir, (text) => say(paint(context, "dim", `  ${text}`))).catch(
				(error: unknown) => {
					throw new CommandFailed(`the demonstration did not start: ${reasonOf(error)}`, 1);
				},
			);
			try {
				if (flags.script === true) await script(world, context, flags, say);
				else await stay(world, context, say);
			} finally {
				await world.close();
			}
		});
}

async function script(
	world: World,
	context: CommandContext,
	flags: DemoFlags,
	say: (text: string) => void,
): Promise<void> {
	let rungs: readonly Rung[];
	try {
		rungs = await playScript(world, (text) => say(`${paint(context, "green", "ok")} ${text}`));
	} catch (error) {
		throw new CommandFailed(`the script failed: ${reasonOf(error)}`, 1);
	}
	if (flags.json === true) {
		for (const rung of rungs) writeJson(context, rung);
		return;
	}
	say("");
	for (const line of drawLadder(rungs, world.contoso.fqdn, world.fabrikam.fqdn)) say(line);
	say("");
	say(`${rungs.length} SIP messages over mutual TLS; both edges are stopped now.`);
}

function drawLadder(rungs: readonly Rung[], left: string, right: string): readonly string[] {
	const start = rungs[0] === undefined ? 0 : Date.parse(rungs[0].time);
	return [
		formatLadderHead(left, right),
		...rungs.map((rung) => {
			const method = rung.cseq.slice(rung.cseq.indexOf(" ") + 1);
			const text =
				rung.status === undefined
					? rung.startLine.replace(/ SIP\/2\.0$/, "")
					: `${rung.startLine.slice(8)} (${method})`;
			return formatLadderEntry({ at: Date.parse(rung.time), from: rung.from, to: rung.to, text }, left, start);
		}),
	];
}

async function stay(world: World, context: CommandContext, say: (text: string) => void): Promise<void> {
	const bold = (text: string): string => paint(context, "bold", text);
	say("");
	for (const organisation of [world.contoso, world.fabrikam]) {
		const { aor, password } = organisation.login;
		say(bold(organisation.domain));
		say(`  web chat ${bold(`${organisation.httpUrl}/`)}`);
		say(`  login    ${aor}   password: ${password}`);
		say(`  API      ${organisation.httpUrl}/api/v1   (description: ${organisation.httpUrl}/api/openapi.json)`);
		say(`  edge     ${organisation.fqdn}, mutual TLS on 127.0.0.1:${organisation.sipPort}`);
		say(`  config   ${organisation.configFile}`);
		say(`  log      ${organisation.logFile}`);
	}
	const { contoso, fabrikam } = world;
	say("");
	say("Open both web chats, each in a tab of its own, log in, and add the other one as a contact.");
	say("Or try, in another terminal:");
	say(`  npx causeway presence ${fabrikam.login.aor} available --config ${fabrikam.configFile}`);
	say(`  npx causeway watch ${contoso.login.aor} ${fabrikam.login.aor} --config ${contoso.configFile}`);
	say(`  npx causeway send ${contoso.login.aor} ${fabrikam.login.aor} "Hello" --config ${contoso.configFile}`);
	say(`  npx causeway status --config ${contoso.configFile}`);
	say("");
	say("Running. Ctrl-C stops both edges.");
	await new Promise<void>((resolve, reject) => {
		context.interrupted.addEventListener("abort", () => resolve(), { once: true });
		process.once("SIGTERM", () => resolve());
		for (const organisation of [contoso, fabrikam]) {
			organisation.onExit((reason) => reject(new CommandFailed(reason, 1)));
		}
	});
	say("Stopping.");
}

function reasonOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}
