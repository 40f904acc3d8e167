/** `causeway cert`: our own certificate, as partners see it. */
import type { Command, ConnectionFlags } from "@causeway/admin/cli";
import {
	addConnectionFlags,
	type CommandContext,
	CommandFailed,
	paint,
	writeFields,
	writeJson,
} from "@causeway/admin/cli";
import { systemClock } from "@causeway/sip/node";
import { checkOurCertificate } from "../doctor/check-ourselves.ts";
import { formatReport } from "../doctor/format-report.ts";
import { readOwnCredentials } from "../doctor/read-own-credentials.ts";
import { type Certificate, parseCertificate } from "../federation/certificate/certificate.ts";
import { certificateNames } from "../federation/certificate/names.ts";
import { readPemBlocks } from "../federation/certificate/pem.ts";
import { readConfiguration } from "./configuration.ts";
import { createLookup } from "./lookup.ts";

interface CertFlags {
	readonly config?: string;
	readonly json?: boolean;
}

const CONFIG_OPTION = [
	"--config <file>",
	"configuration file (else ./causeway.toml, /etc/causeway/causeway.toml)",
] as const;

export function registerCert(program: Command, context: CommandContext): void {
	const cert = program.command("cert").summary("show, check and reload our certificate");
	cert
		.command("show")
		.summary("show what partners are shown")
		.description(
			"Shows the certificates in [edge.tls] certificate: names, dates, purposes, fingerprints. Reads the file alone.",
		)
		.option(...CONFIG_OPTION)
		.option("--json", "print JSON")
		.action(async (flags: CertFlags) => {
			const chain = await readChain(flags.config);
			if (flags.json === true) writeJson(context, { chain: chain.map(describe) });
			else {
				for (const [index, certificate] of chain.entries()) {
					if (index > 0) context.stdout.write("\n");
					const { subject, issuer, names, purposes, not_before, not_after, serial_number, fingerprint } =
						describe(certificate);
					writeFields(context, [
						["subject", subject],
						["issuer", issuer],
						["names", names.join(", ") || "-"],
						["purposes", purposes?.join(", ") ?? "any"],
						["valid from", not_before],
						["valid until", not_after],
						["serial number", serial_number],
						["SHA-256", fingerprint],
					]);
				}
			}
		});
	cert
		.command("check")
		.summary("check our certificate as a partner would")
		.description(
			"Checks names, dates, purposes and chain of our certificate against the domains we serve. Exit code 1 where there is a fault.",
		)
		.option(...CONFIG_OPTION)
		.option("--json", "print the findings as JSON")
		.action(async (flags: CertFlags) => {
			const { config } = readConfiguration(flags.config);
			const clock = systemClock();
			const findings = await checkOurCertificate(config, createLookup(config, clock), clock.wall());
			const sections = [{ title: config.edge.tls.certificate, findings }];
			if (flags.json === true) writeJson(context, { sections });
			else {
				for (const line of formatReport(sections, (style, text) => paint(context, style, text), undefined)) {
					context.stdout.write(`${line}\n`);
				}
			}
			if (findings.some(({ severity }) => severity === "fault"))
				throw new CommandFailed("cert check: a fault found", 1);
		});
	addConnectionFlags(cert.command("reload").summary("let the running edge take its certificate anew"))
		.description(
			"Reads certificate, key, trust and revocation lists anew, checks them, and takes them; where they cannot be used the old ones stay. Open connections end with their dialogs.",
		)
		.option("--json", "print JSON")
		.action(async (flags: ConnectionFlags & { readonly json?: boolean }) => {
			const reloaded = await (await context.connect(flags)).call("reloadCertificates");
			if (flags.json === true) writeJson(context, reloaded);
			else {
				const [leaf] = reloaded.chain;
				context.stdout.write(
					leaf === undefined
						? "taken\n"
						: `in use: SHA-256 ${leaf.fingerprint_sha256}, valid until ${leaf.not_after}\n`,
				);
				for (const { text, remedy } of reloaded.findings) context.stderr.write(`it ${text}; ${remedy}\n`);
			}
		});
}

async function readChain(configFile: string | undefined): Promise<readonly Certificate[]> {
	const { config } = readConfiguration(configFile);
	const { certificate: file, key } = config.edge.tls;
	const own = await readOwnCredentials(file, key);
	if (!own.ok) throw new CommandFailed(own.reason, 1);
	const chain = (readPemBlocks(own.credentials.certificate, "CERTIFICATE") ?? []).flatMap(
		(der) => parseCertificate(der) ?? [],
	);
	if (chain.length === 0) throw new CommandFailed(`${file} holds no certificate that can be read`, 1);
	return chain;
}

const purposeWords: Readonly<Record<string, string>> = {
	"1.3.6.1.5.5.7.3.1": "TLS servers",
	"1.3.6.1.5.5.7.3.2": "TLS clients",
	"2.5.29.37.0": "any",
};

function describe(certificate: Certificate) {
	const { dns, sipDomains, common } = certificateNames(certificate);
	return {
		subject: certificate.subject.text,
		issuer: certificate.issuer.text,
		names: [...dns, ...sipDomains.map((domain) => `sip:${domain}`), ...common.map((name) => `CN=${name}`)],
		purposes: certificate.purposes?.map((oid) => purposeWords[oid] ?? oid),
		not_before: new Date(certificate.notBefore).toISOString(),
		not_after: new Date(certificate.notAfter).toISOString(),
		serial_number: certificate.serialNumber,
		fingerprint: certificate.fingerprint,
	};
}
