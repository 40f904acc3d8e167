import { type Command, Option } from "commander";
import { type Settings, settingsSchema } from "../schema/message-request.ts";
import { actAs } from "./act-as.ts";
import { formatExamples, readAor } from "./arguments.ts";
import { addConnectionFlags, type ConnectionFlags } from "./connection.ts";
import { type CommandContext, writeJson } from "./context.ts";
import { writeFields } from "./table.ts";

export const name = "settings";
export const summary = "see and change what a hosted user decided about the messages of others";

interface Flags extends ConnectionFlags {
	readonly json?: boolean;
	readonly messagesFrom?: Settings["messages_from"];
	readonly blockedAnswer?: Settings["blocked_answer"];
}

export function register(program: Command, context: CommandContext): void {
	const { messages_from, blocked_answer } = settingsSchema.shape;
	addConnectionFlags(program.command(name).summary(summary))
		.description(
			"Shows what the hosted user USER decided about the messages of others, after changing what an option names.",
		)
		.argument("<user>", "hosted user, user@domain", readAor)
		.addOption(new Option("--messages-from <who>", "whose messages are taken").choices(messages_from.options))
		.addOption(
			new Option(
				"--blocked-answer <answer>",
				"what a blocked sender is told: that the user cannot be reached, or declines",
			).choices(blocked_answer.options),
		)
		.option("--json", "print JSON")
		.addHelpText(
			"after",
			formatExamples(
				"causeway settings alice@contoso.example",
				"causeway settings alice@contoso.example --messages-from contacts",
			),
		)
		.action(async (aor: string, flags: Flags) => {
			const user = await actAs(await context.connect(flags), aor);
			const { messagesFrom, blockedAnswer } = flags;
			const changed = messagesFrom !== undefined || blockedAnswer !== undefined;
			const settings = changed
				? await user.call("putSettings", {
						body: {
							...(messagesFrom === undefined ? {} : { messages_from: messagesFrom }),
							...(blockedAnswer === undefined ? {} : { blocked_answer: blockedAnswer }),
						},
					})
				: await user.call("getSettings");
			if (flags.json === true) writeJson(context, settings);
			else {
				writeFields(context, [
					["messages from", settings.messages_from],
					["a blocked sender is told", settings.blocked_answer],
				]);
			}
		});
}
