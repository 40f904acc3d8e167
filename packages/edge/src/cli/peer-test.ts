/** `causeway peer test`: goes the way to a peer, as the edge would, for each of its domains. */
import type { Command } from "@causeway/admin/cli";
import { type CommandContext, CommandFailed } from "@causeway/admin/cli";
import { systemClock } from "@causeway/sip/node";
import { peerPolicyFromConfig } from "../federation/peer-policy.ts";
import { readConfiguration } from "./configuration.ts";
import { createLookup } from "./lookup.ts";
import { checkPartners, writeReport } from "./partner-check.ts";
import { readStandingConfiguration } from "./standing-policy.ts";

/** Domains of one peer that are tried; the way is the same for all of its domains but for policy and SRV record. */
const MOST_DOMAINS = 20;

/** Call it when the commands that talk to a running edge are there: `peer` is one of them. */
export function registerPeerTest(program: Command, context: CommandContext): void {
	const peer = program.commands.find((command) => command.name() === "peer");
	if (peer === undefined) throw new Error("the command peer is registered before its part test");
	peer
		.command("test")
		.summary("go the way to a peer and say what is wrong")
		.description(
			"Goes the way to a peer as the edge would: policy, SRV record, address, TLS with both certificates, OPTIONS; for each of its\ndomains where an edge is named. Asks the running edge for live edits; without it, the configuration file is what counts.\nExit code 1 where there is a fault.",
		)
		.argument("<peer>", "domain or edge")
		.option("--config <file>", "configuration file (else ./causeway.toml, /etc/causeway/causeway.toml)")
		.option("--json", "print the findings as JSON")
		.addHelpText(
			"after",
			"\nExamples:\n  causeway peer test fabrikam.example\n  causeway peer test edge.network.example",
		)
		.action(async (wanted: string, flags: { readonly config?: string; readonly json?: boolean }) => {
			const clock = systemClock();
			const { config } = readConfiguration(flags.config);
			const standing = await readStandingConfiguration(config, context, flags);
			const domains = domainsOf(wanted.toLowerCase(), standing.config);
			const lookup = createLookup(config, clock);
			const sections = await checkPartners(domains.slice(0, MOST_DOMAINS), standing, clock, lookup);
			const [partner, ...others] = domains;
			writeReport(sections, context, {
				command: "peer test",
				partner: others.length === 0 ? partner : wanted,
				json: flags.json === true,
			});
		});
}

type Standing = Parameters<typeof peerPolicyFromConfig>[0];

/** What to try: the domains behind an edge that is named, else the domain itself. */
function domainsOf(wanted: string, config: Standing): readonly string[] {
	const { peers } = peerPolicyFromConfig(config);
	const named = peers.find(({ edge }) => edge?.host === wanted);
	if (named === undefined || peers.some(({ domains }) => domains.includes(wanted))) return [wanted];
	if (named.domains.length === 0) {
		throw new CommandFailed(`${wanted} has no list of domains; name a domain that its SRV record gives to it`, 2);
	}
	return named.domains;
}
