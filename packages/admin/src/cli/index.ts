import type { Command } from "commander";

export { Command } from "commander";

import * as connections from "./connections.ts";
import * as contacts from "./contacts.ts";
import type { CommandContext } from "./context.ts";
import * as dialogs from "./dialogs.ts";
import * as key from "./key.ts";
import * as peer from "./peer.ts";
import * as policy from "./policy.ts";
import * as presence from "./presence.ts";
import * as requests from "./requests.ts";
import * as rule from "./rule.ts";
import * as send from "./send.ts";
import * as settings from "./settings.ts";
import * as status from "./status.ts";
import * as subscriptions from "./subscriptions.ts";
import * as user from "./user.ts";
import * as watch from "./watch.ts";

export { CommandFailed, type FailureExitCode } from "./command-failed.ts";
export {
	addConnectionFlags,
	type ConnectionFlags,
	createConnect,
	type DiscoverServer,
	type LocalServer,
} from "./connection.ts";
export { type CommandContext, type Input, type Output, paint, printable, type Style, writeJson } from "./context.ts";
export { formatLadderEntry, formatLadderHead, type LadderEntry } from "./ladder.ts";
export { readNewPassword } from "./password.ts";
export { prepareProgram, runProgram } from "./run-program.ts";
export { type Column, writeFields, writeTable } from "./table.ts";

/** Registers the commands that talk to a running edge. Call {@link prepareProgram} first. */
export function registerCommands(program: Command, context: CommandContext): void {
	for (const command of [
		status,
		connections,
		dialogs,
		subscriptions,
		key,
		peer,
		policy,
		user,
		send,
		watch,
		presence,
		contacts,
		rule,
		requests,
		settings,
	]) {
		command.register(program, context);
	}
}
