/** `causeway doctor`: checks us, and the way to a partner, and says what is wrong, whose it is and what mends it. */
import type { Command } from "@causeway/admin/cli";
import { type CommandContext, paint } from "@causeway/admin/cli";
import { systemClock } from "@causeway/sip/node";
import { checkOurselves } from "../doctor/check-ourselves.ts";
import type { Section } from "../doctor/finding.ts";
import { readConfiguration } from "./configuration.ts";
import { createLookup } from "./lookup.ts";
import { checkPartners, writeReport } from "./partner-check.ts";
import { readStandingConfiguration } from "./standing-policy.ts";

interface DoctorFlags {
	readonly config?: string;
	readonly json?: boolean;
}

export function registerDoctor(program: Command, context: CommandContext): void {
	program
		.command("doctor")
		.summary("find out what is wrong, and whose it is to mend")
		.description(
			"Checks this edge: its files, certificate, DNS records and listeners. With a partner's domain it goes the whole way there:\npolicy, SRV record, address, TLS with both certificates, OPTIONS in the name of each of our domains. It reads the\nconfiguration, and the live edits of the edge where that runs; it changes nothing. Exit code 1 where there is a fault.",
		)
		.argument("[domain]", "a partner's domain")
		.option("--config <file>", "configuration file (else ./causeway.toml, /etc/causeway/causeway.toml)")
		.option("--json", "print the findings as JSON")
		.addHelpText("after", "\nExamples:\n  causeway doctor\n  causeway doctor fabrikam.example")
		.action(async (domain: string | undefined, flags: DoctorFlags) => {
			const { config, path, warnings } = readConfiguration(flags.config);
			const clock = systemClock();
			const lookup = createLookup(config, clock);
			const progress = (text: string): void => {
				if (context.isTty && flags.json !== true) context.stderr.write(paint(context, "dim", `${text}\n`));
			};
			progress("checking this edge");
			const sections: Section[] = [
				await checkOurselves({ config, configFile: path, warnings, lookup, now: clock.wall() }),
			];
			if (domain !== undefined) {
				progress(`going the way to ${domain}`);
				const standing = await readStandingConfiguration(config, context, flags);
				sections.push(...(await checkPartners([domain.toLowerCase()], standing, clock, lookup)));
			}
			writeReport(sections, context, { command: "doctor", partner: domain, json: flags.json === true });
		});
}
