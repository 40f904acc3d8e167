/** `causeway init`: from nothing to a configuration, a key, a certificate or a request for one, and the records to publish. */

import { resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import type { Command } from "@causeway/admin/cli";
import { type CommandContext, CommandFailed, paint, writeJson } from "@causeway/admin/cli";
import { parseHostPort } from "../config/host-port.ts";
import { addressRecordLine, srvRecordLine } from "../doctor/zone-records.ts";
import { certificateNamesOf, domainFault, edgeNameFor, fqdnFault, listenFault, type SetupPlan } from "../setup/plan.ts";
import { existingFiles, writeSetup } from "../setup/write-setup.ts";

interface InitFlags {
	readonly dir: string;
	readonly fqdn?: string;
	readonly domain: readonly string[];
	readonly partner: readonly string[];
	readonly listen?: string;
	readonly http: string;
	readonly testCa?: boolean;
	readonly json?: boolean;
}

/** A question to a person: the text, what Enter means, and why an answer does not do. */
type Ask = (question: string, preset: string, faultOf: (answer: string) => string | undefined) => Promise<string>;

const DEFAULT_LISTEN = "0.0.0.0:5061";
const DEFAULT_HTTP = "127.0.0.1:8080";

export function registerInit(program: Command, context: CommandContext): void {
	const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value.toLowerCase()];
	program
		.command("init")
		.summary("write a first configuration, a key and a certificate request")
		.description(
			"Writes a commented causeway.toml, a private key, and a certificate signing request for your authority, or with --test-ca a\ntest authority and a certificate of it; then prints the DNS records to publish. Asks on a terminal for what no flag says.\nReplaces no file that is there.",
		)
		.option("--dir <folder>", "where to write", ".")
		.option("--fqdn <name>", "name of this edge: sip.contoso.example")
		.option("--domain <domain>", "a domain whose users live here; may be repeated", collect, [])
		.option("--partner <domain>", "a partner's domain; may be repeated", collect, [])
		.option("--listen <address:port>", `federation listener (${DEFAULT_LISTEN})`)
		.option("--http <address:port>", "web chat and API", DEFAULT_HTTP)
		.option("--test-ca", "make a test authority and a certificate of it, for labs")
		.option("--json", "print what was written as JSON")
		.addHelpText(
			"after",
			"\nExamples:\n  causeway init\n  causeway init --dir /etc/causeway --fqdn sip.contoso.example --domain contoso.example --partner fabrikam.example\n  causeway init --fqdn sip.contoso.example --domain contoso.example --test-ca",
		)
		.action(async (flags: InitFlags) => {
			const plan = await makePlan(flags, context);
			const folder = resolve(flags.dir);
			const there = existingFiles(plan, folder);
			if (there.length > 0) {
				throw new CommandFailed(`${there.join(", ")}: there already; choose another --dir, or move it away`, 1);
			}
			const files = await writeSetup(plan, folder, Date.now());
			const records = recordsOf(plan);
			if (flags.json === true) writeJson(context, { plan, written: files.written, records });
			else for (const line of nextSteps(plan, files, records, context)) context.stdout.write(`${line}\n`);
		});
}

async function makePlan(flags: InitFlags, context: CommandContext): Promise<SetupPlan> {
	const asked = context.isTty && (flags.fqdn === undefined || flags.domain.length === 0);
	const given = checkFlags(flags);
	if (!asked) {
		if (flags.domain.length === 0) throw new CommandFailed("--domain is missing: the domain whose users live here", 2);
		const [first = ""] = flags.domain;
		return { ...given, fqdn: given.fqdn ?? `sip.${first}` };
	}
	const output = new Writable({
		write(chunk: Buffer, _encoding, done) {
			context.stdout.write(chunk.toString("utf8"));
			done();
		},
	});
	const terminal = createInterface({ input: context.stdin, output, signal: context.interrupted });
	const ask: Ask = async (question, preset, faultOf) => {
		for (;;) {
			const answer = (await terminal.question(`${question}${preset === "" ? "" : ` [${preset}]`}: `)).trim() || preset;
			const reason = faultOf(answer);
			if (reason === undefined) return answer.toLowerCase();
			context.stdout.write(`${reason}\n`);
		}
	};
	try {
		const domains =
			flags.domain.length > 0 ? flags.domain : [await ask("Domain whose users live here", "", domainFault)];
		const fqdn = flags.fqdn ?? (await ask("Name of this edge", `sip.${domains[0] ?? ""}`, fqdnFault));
		const listen = flags.listen ?? (await ask("Listen for partners on", DEFAULT_LISTEN, listenFault));
		const isLab =
			flags.testCa ??
			(await ask("Certificate: of an authority (request), or a test authority (test)", "request", (answer) =>
				answer === "request" || answer === "test" ? undefined : "answer request or test",
			)) === "test";
		const partner =
			flags.partner.length > 0
				? flags.partner
				: [
						await ask("First partner's domain, Enter for none", "", (text) =>
							text === "" ? undefined : domainFault(text),
						),
					];
		return {
			...given,
			fqdn: fqdn.toLowerCase(),
			domains,
			listen,
			partners: partner.filter((one) => one !== ""),
			certificate: isLab ? "test-authority" : "request",
		};
	} finally {
		terminal.close();
	}
}

function checkFlags(flags: InitFlags): Omit<SetupPlan, "fqdn"> & { readonly fqdn: string | undefined } {
	const { domain, http, listen = DEFAULT_LISTEN, partner } = flags;
	const faults = [
		...(flags.fqdn === undefined ? [] : [fqdnFault(flags.fqdn)]),
		...domain.map(domainFault),
		...partner.map(domainFault),
		listenFault(listen),
		listenFault(http),
	].filter((reason) => reason !== undefined);
	if (faults.length > 0) throw new CommandFailed(faults.join("\n"), 2);
	return {
		fqdn: flags.fqdn?.toLowerCase(),
		domains: domain,
		listen,
		httpListen: http,
		partners: partner,
		certificate: flags.testCa === true ? "test-authority" : "request",
	};
}

function recordsOf({ domains, fqdn, listen }: SetupPlan): readonly string[] {
	const port = parseHostPort(listen)?.port ?? 5061;
	const names = new Set(domains.map((domain) => edgeNameFor(domain, fqdn)));
	return [
		...domains.map((domain) => srvRecordLine(domain, edgeNameFor(domain, fqdn), port === 0 ? 5061 : port)),
		...[...names].map((name) => addressRecordLine(name, undefined)),
	];
}

function nextSteps(
	plan: SetupPlan,
	{ configuration, written }: { readonly configuration: string; readonly written: readonly string[] },
	records: readonly string[],
	context: CommandContext,
): readonly string[] {
	const bold = (text: string): string => paint(context, "bold", text);
	const names = certificateNamesOf(plan).join(", ");
	return [
		...written.map((path) => `wrote ${path}`),
		"",
		bold("Publish in the DNS"),
		...records.map((record) => `  ${record}`),
		"",
		bold("Then"),
		...(plan.certificate === "request"
			? [
					`  1. Send edge.csr to your certification authority; it asks for ${names}, for TLS servers and clients.`,
					"     Put its answer into edge.pem: the certificate first, then the intermediate ones.",
				]
			: [`  1. Give test-ca.pem to your partners: they trust this edge by it. The certificate carries ${names}.`]),
		`  2. causeway check-config --config ${configuration}`,
		`  3. causeway serve --config ${configuration}`,
		`  4. causeway user add someone@${plan.domains[0] ?? ""} --config ${configuration}`,
		`  5. causeway doctor${plan.partners[0] === undefined ? "" : ` ${plan.partners[0]}`} --config ${configuration}`,
	];
}
