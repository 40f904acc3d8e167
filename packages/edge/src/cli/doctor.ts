/** `causeway doctor`: checks us, and the way to a partner, and says what is wrong, whose it is and what mends it. */
import type { Command } from "@causeway/admin/cli";
import { type CommandContext, CommandFailed, paint, writeJson } from "@causeway/admin/cli";
import type { Clock } from "@causeway/sip";
import { systemClock, systemRandom } from "@causeway/sip/node";
import { parseHostPort } from "../config/host-port.ts";
import type { Config } from "../config/schema.ts";
import { checkOurselves } from "../doctor/check-ourselves.ts";
import { checkPartner } from "../doctor/check-partner.ts";
import type { Section } from "../doctor/finding.ts";
import { formatReport } from "../doctor/format-report.ts";
import { readOwnCredentials } from "../doctor/read-own-credentials.ts";
import type { DnsClient } from "../federation/dns/dns-client.ts";
import { loadCertificateJudge } from "../federation/judge.ts";
import { peerPolicyFromConfig } from "../federation/peer-policy.ts";
import { PeerDirectory } from "../federation/peers.ts";
import { readConfiguration } from "./configuration.ts";
import { createLookup } from "./lookup.ts";

interface DoctorFlags {
	readonly config?: string;
	readonly json?: boolean;
}

const DEFAULT_SIP_PORT = 5061;

export function registerDoctor(program: Command, context: CommandContext): void {
	program
		.command("doctor")
		.summary("find out what is wrong, and whose it is to mend")
		.description(
			"Checks this edge: its files, certificate, DNS records and listeners. With a partner's domain it goes the whole way there:\npolicy, SRV record, address, TLS with both certificates, OPTIONS in the name of each of our domains. It reads the\nconfiguration, changes nothing, and needs no running edge. Exit code 1 where there is a fault.",
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
				sections.push(await partnerSection(domain.toLowerCase(), config, clock, lookup));
			}
			if (flags.json === true) writeJson(context, { sections });
			else {
				for (const line of formatReport(sections, (style, text) => paint(context, style, text), domain)) {
					context.stdout.write(`${line}\n`);
				}
			}
			const faults = sections.flatMap(({ findings }) => findings).filter(({ severity }) => severity === "fault");
			if (faults.length > 0)
				throw new CommandFailed(`doctor: ${faults.length === 1 ? "a fault" : `${faults.length} faults`} found`, 1);
		});
}

async function partnerSection(domain: string, config: Config, clock: Clock, lookup: DnsClient): Promise<Section> {
	const loaded = await loadCertificateJudge(config, clock);
	if (!loaded.ok) throw new CommandFailed(`edge.tls.trust: ${loaded.place}: ${loaded.reason}`, 1);
	const own = await readOwnCredentials(config.edge.tls.certificate, config.edge.tls.key);
	return checkPartner({
		domain,
		config,
		directory: new PeerDirectory(peerPolicyFromConfig(config)),
		lookup,
		judge: loaded.judge,
		credentials: own.ok ? own.credentials : undefined,
		clock,
		random: systemRandom(),
		port: parseHostPort(config.edge.listen[0] ?? "")?.port || DEFAULT_SIP_PORT,
	});
}
