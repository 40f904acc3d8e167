import { Argument, type Command } from "commander";
import { type PresenceState, presenceStates } from "../schema/presence.ts";
import { actAs } from "./act-as.ts";
import { formatExamples, readAor } from "./arguments.ts";
import { addConnectionFlags, type ConnectionFlags } from "./connection.ts";
import { type CommandContext, writeJson } from "./context.ts";

export const name = "presence";
export const summary = "publish a hosted user's presence";

interface Flags extends ConnectionFlags {
	readonly note?: string;
	readonly json?: boolean;
}

export function register(program: Command, context: CommandContext): void {
	addConnectionFlags(program.command(name).summary(summary))
		.description("Publishes STATE as the presence of the hosted user USER. It stays until it is changed.")
		.addArgument(new Argument("<user>", "hosted user, user@domain").argParser(readAor))
		.addArgument(new Argument("<state>", "what others see").choices(presenceStates))
		.option("--note <text>", "a note beside the state")
		.option("--json", "print JSON")
		.addHelpText(
			"after",
			formatExamples(
				"causeway presence alice@contoso.example available",
				'causeway presence alice@contoso.example busy --note "In a meeting until 3"',
			),
		)
		.action(async (aor: string, state: PresenceState, flags: Flags) => {
			const user = await actAs(await context.connect(flags), aor);
			const body = { state, ...(flags.note === undefined ? {} : { note: flags.note }) };
			const published = await user.call("putPresence", { body });
			if (flags.json === true) writeJson(context, published);
			else context.stdout.write(`${aor} is ${published.state}\n`);
		});
}
