import { Argument, type Command } from "commander";
import { ApiError } from "../api-error.ts";
import type { Client } from "../client.ts";
import type { User } from "../schema/account.ts";
import { formatExamples, readAor } from "./arguments.ts";
import { CommandFailed } from "./command-failed.ts";
import { addConnectionFlags, type ConnectionFlags } from "./connection.ts";
import { type CommandContext, formatInstant } from "./context.ts";
import { registerListing } from "./listing.ts";
import { readNewPassword } from "./password.ts";
import type { Column } from "./table.ts";

export const name = "user";
export const summary = "add, list and change hosted users";

interface PasswordFlags extends ConnectionFlags {
	readonly passwordFile?: string;
}

interface AddFlags extends PasswordFlags {
	readonly name?: string;
	readonly reassign?: boolean;
}

interface SuspendFlags extends ConnectionFlags {
	readonly lift?: boolean;
}

const columns: readonly Column<User>[] = [
	{ title: "ADDRESS", value: (row) => row.aor },
	{ title: "NAME", value: (row) => row.display_name },
	{
		title: "STATE",
		value: (row) => (row.suspended ? "suspended" : "active"),
		style: (row) => (row.suspended ? "yellow" : "green"),
	},
	{ title: "CREATED", value: (row) => formatInstant(row.created_at) },
];

const passwordFileHelp = "read the password from the first line of a file, - for stdin";

export function register(program: Command, context: CommandContext): void {
	const user = program.command(name).summary(summary).description("Manages the users of hosted domains.");
	registerAdd(user, context);
	registerListing(
		user,
		context,
		{ name: "list", summary: "list hosted users", none: "no users", columns, read: listAll },
		"causeway user list",
	);
	registerPasswd(user, context);
	registerSuspend(user, context);
	registerOutside(user, context);
	registerRemove(user, context);
}

function registerOutside(parent: Command, context: CommandContext): void {
	addConnectionFlags(parent.command("outside").summary("say whom outside a user may talk with"))
		.description(
			"Says whom outside a user may talk with: all, federated partners alone, public IM networks alone, or none. What is open\nand no longer allowed ends at once.",
		)
		.argument("<user>", "user@domain", readAor)
		.addArgument(new Argument("<whom>", "whom").choices(["all", "partners", "public", "none"]))
		.addHelpText("after", formatExamples("causeway user outside alice@contoso.example partners"))
		.action(async (aor: string, outside: NonNullable<User["outside"]>, flags: ConnectionFlags) => {
			const client = await context.connect(flags);
			await client.call("getUser", { params: { aor } });
			await client.call("putUser", { params: { aor }, body: { outside } });
			context.stdout.write(`${aor} may talk with ${outsideWords[outside]}\n`);
		});
}

const outsideWords = {
	all: "everybody outside",
	partners: "federated partners, not with public IM networks",
	public: "public IM networks, not with federated partners",
	none: "nobody outside",
} as const;

function registerAdd(parent: Command, context: CommandContext): void {
	addConnectionFlags(parent.command("add").summary("make a hosted user"))
		.description("Makes a hosted user. The password is asked for, or read from a file or from stdin.")
		.argument("<user>", "user@domain, in a hosted domain", readAor)
		.option("--name <name>", "name shown to others")
		.option("--password-file <file>", passwordFileHelp)
		.option("--reassign", "take an address that belonged to a user removed less than 90 days ago")
		.addHelpText(
			"after",
			formatExamples(
				'causeway user add alice@contoso.example --name "Alice Example"',
				"pwgen 20 1 | tee alice.txt | causeway user add alice@contoso.example",
			),
		)
		.action(async (aor: string, flags: AddFlags) => {
			const client = await context.connect(flags);
			if (await exists(client, aor)) throw new CommandFailed(`${aor} is a user already`);
			const body = {
				password: await readNewPassword(context, flags.passwordFile),
				...(flags.name === undefined ? {} : { display_name: flags.name }),
				...(flags.reassign === true ? { reassign: true } : {}),
			};
			await client.call("putUser", { params: { aor }, body });
			context.stdout.write(`${aor} added\n`);
		});
}

function registerPasswd(parent: Command, context: CommandContext): void {
	addConnectionFlags(parent.command("passwd").summary("set a user's password"))
		.description("Sets a user's password and ends the user's tokens.")
		.argument("<user>", "user@domain", readAor)
		.option("--password-file <file>", passwordFileHelp)
		.addHelpText(
			"after",
			formatExamples(
				"causeway user passwd alice@contoso.example",
				"causeway user passwd alice@contoso.example --password-file /run/secrets/alice",
			),
		)
		.action(async (aor: string, flags: PasswordFlags) => {
			const client = await context.connect(flags);
			// Nobody types a password twice to learn that there is no such user.
			await client.call("getUser", { params: { aor } });
			const password = await readNewPassword(context, flags.passwordFile);
			await client.call("setPassword", { params: { aor }, body: { password } });
			context.stdout.write(`${aor} has a new password\n`);
		});
}

function registerSuspend(parent: Command, context: CommandContext): void {
	addConnectionFlags(parent.command("suspend").summary("suspend a user, or lift that"))
		.description("Suspends a user: no log-in, no presence, no messages. The user's data stay.")
		.argument("<user>", "user@domain", readAor)
		.option("--lift", "let a suspended user in again")
		.addHelpText(
			"after",
			formatExamples(
				"causeway user suspend alice@contoso.example",
				"causeway user suspend --lift alice@contoso.example",
			),
		)
		.action(async (aor: string, flags: SuspendFlags) => {
			const client = await context.connect(flags);
			const changed = await client.call("suspendUser", { params: { aor }, body: { suspended: flags.lift !== true } });
			context.stdout.write(`${aor} is ${changed.suspended ? "suspended" : "active"}\n`);
		});
}

function registerRemove(parent: Command, context: CommandContext): void {
	addConnectionFlags(parent.command("remove").summary("remove a user with messages and contacts"))
		.description(
			"Removes a user with messages, contacts and decisions. The address stays reserved for 90 days, while others may\n" +
				"still know it.",
		)
		.argument("<user>", "user@domain", readAor)
		.addHelpText("after", formatExamples("causeway user remove alice@contoso.example"))
		.action(async (aor: string, flags: ConnectionFlags) => {
			await (await context.connect(flags)).call("deleteUser", { params: { aor } });
			context.stdout.write(`${aor} removed\n`);
		});
}

async function listAll(client: Client): Promise<readonly User[]> {
	const users: User[] = [];
	let after: string | undefined;
	do {
		const page = await client.call("listUsers", { query: { limit: 500, ...(after === undefined ? {} : { after }) } });
		users.push(...page.users);
		after = page.next;
	} while (after !== undefined);
	return users;
}

async function exists(client: Client, aor: string): Promise<boolean> {
	try {
		await client.call("getUser", { params: { aor } });
		return true;
	} catch (error) {
		if (error instanceof ApiError && error.code === "unknown-user") return false;
		throw error;
	}
}
