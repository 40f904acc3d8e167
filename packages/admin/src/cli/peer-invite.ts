import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { type Invite, inviteSchema } from "../schema/policy.ts";
import { formatExamples } from "./arguments.ts";
import { CommandFailed } from "./command-failed.ts";
import { type CommandContext, formatInstant, printable, writeJson } from "./context.ts";
import { addEditFlags, type EditFlags, runEdit } from "./peer-edit.ts";
import { writeFields } from "./table.ts";

interface InviteFlags extends EditFlags {
	readonly import?: string;
}

const LONGEST_FILE = 1_000_000;

export function registerInvite(parent: Command, context: CommandContext): void {
	addEditFlags(parent.command("invite").summary("print what a partner needs to list us, or list a partner by theirs"))
		.description(
			"Prints what a partner needs to list us; with --json as a file for them. --import reads such a file of theirs and allows\ntheir domains behind their edge. Compare the fingerprint by another way than the file came.",
		)
		.option("--import <file>", "read a partner's invitation")
		.addHelpText(
			"after",
			formatExamples(
				"causeway peer invite",
				"causeway peer invite --json > contoso.json",
				"causeway peer invite --import fabrikam.json",
			),
		)
		.action(async (flags: InviteFlags) => {
			const client = await context.connect(flags);
			if (flags.import === undefined) {
				const own = await client.call("getInvite");
				if (flags.json === true) writeJson(context, own);
				else writeInvite(context, own);
				return;
			}
			const theirs = await readInvite(flags.import);
			if (flags.json !== true) writeInvite(context, theirs);
			await runEdit(context, flags, `${theirs.domains.join(", ")} allowed`, (preview) =>
				client.call("putPeer", {
					params: { name: theirs.edge },
					query: { preview },
					body: { kind: "direct", edge: `${theirs.edge}:${theirs.port}`, domains: theirs.domains },
				}),
			);
		});
}

async function readInvite(path: string): Promise<Invite> {
	let text: string;
	try {
		text = await readFile(path, "utf8");
	} catch (error) {
		throw new CommandFailed(error instanceof Error ? error.message : `${path} cannot be read`);
	}
	const read = inviteSchema.safeParse(parse(text));
	if (!read.success) throw new CommandFailed(`${printable(path)} is no invitation as peer invite --json writes it`);
	return read.data;
}

function parse(text: string): unknown {
	if (text.length > LONGEST_FILE) return undefined;
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}

function writeInvite(context: CommandContext, { certificate, domains, edge, port, srv }: Invite): void {
	writeFields(context, [
		["edge", `${edge}:${port}`],
		["domains", domains.join(", ")],
		["certificate", certificate.subject],
		["issued by", certificate.issuer],
		["valid until", formatInstant(certificate.not_after)],
		["SHA-256", certificate.fingerprint_sha256],
		...srv.map((record, index) => [index === 0 ? "DNS" : "", record] as const),
	]);
}
