/** The way to partners by the policy that stands, for `doctor` and `peer test`. */
import { type CommandContext, CommandFailed, paint, writeJson } from "@causeway/admin/cli";
import type { Clock } from "@causeway/sip";
import { systemRandom } from "@causeway/sip/node";
import { parseHostPort } from "../config/host-port.ts";
import type { Config } from "../config/schema.ts";
import { checkPartner } from "../doctor/check-partner.ts";
import { note, type Section } from "../doctor/finding.ts";
import { formatReport } from "../doctor/format-report.ts";
import { readOwnCredentials } from "../doctor/read-own-credentials.ts";
import type { DnsClient } from "../federation/dns/dns-client.ts";
import { loadCertificateJudge } from "../federation/judge.ts";
import { peerPolicyFromConfig } from "../federation/peer-policy.ts";
import { PeerDirectory } from "../federation/peers.ts";
import type { StandingConfiguration } from "./standing-policy.ts";

const DEFAULT_SIP_PORT = 5061;

export async function checkPartners(
	domains: readonly string[],
	{ config, unasked }: StandingConfiguration,
	clock: Clock,
	lookup: DnsClient,
): Promise<readonly Section[]> {
	const loaded = await loadCertificateJudge(config, clock);
	if (!loaded.ok) throw new CommandFailed(`edge.tls.trust: ${loaded.place}: ${loaded.reason}`, 1);
	const own = await readOwnCredentials(config.edge.tls.certificate, config.edge.tls.key);
	const sections: Section[] = [];
	for (const domain of domains) {
		const section = await checkPartner({
			domain,
			config,
			directory: new PeerDirectory(peerPolicyFromConfig(config)),
			lookup,
			judge: loaded.judge,
			credentials: own.ok ? own.credentials : undefined,
			clock,
			random: systemRandom(),
			port: ourPort(config),
		});
		const text = `live edits are left out: ${unasked}`;
		const notes = unasked === undefined ? [] : [note("policy", domain, text)];
		sections.push({ ...section, findings: [...notes, ...section.findings] });
	}
	return sections;
}

function ourPort({ edge }: Config): number {
	return parseHostPort(edge.listen[0] ?? "")?.port || DEFAULT_SIP_PORT;
}

/** Prints what was found; throws where there is a fault, so that the command ends with code 1. */
export function writeReport(
	sections: readonly Section[],
	context: CommandContext,
	{
		command,
		partner,
		json,
	}: { readonly command: string; readonly partner?: string | undefined; readonly json: boolean },
): void {
	if (json) writeJson(context, { sections });
	else {
		for (const line of formatReport(sections, (style, text) => paint(context, style, text), partner)) {
			context.stdout.write(`${line}\n`);
		}
	}
	const faults = sections.flatMap(({ findings }) => findings).filter(({ severity }) => severity === "fault");
	if (faults.length > 0) {
		throw new CommandFailed(`${command}: ${faults.length === 1 ? "a fault" : `${faults.length} faults`} found`, 1);
	}
}
