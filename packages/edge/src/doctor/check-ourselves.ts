/** What partners need of us: a good file, a certificate with every name, records in the DNS, an open listener. */
import { connect } from "node:net";
import { type DnsLookup, federationServiceName, isPrivateAddress, isWithinDomain, type SrvRecord } from "@causeway/sip";
import { credentialsFault } from "@causeway/sip/node";
import { checkFiles } from "../config/check.ts";
import { parseHostPort } from "../config/host-port.ts";
import { formatProblem } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { hostOf } from "../federation/admission.ts";
import { createTrust, loadTrust, type TrustAnchors } from "../federation/certificate/trust.ts";
import { judgeOwnCertificate } from "../federation/own-certificate.ts";
import { type Finding, fault, note, ok, type Section, skipped, warning } from "./finding.ts";
import { explainOwnCertificate } from "./own-certificate.ts";
import { readOwnCredentials } from "./read-own-credentials.ts";
import { addressRecordLine, recommendedTarget, signingRequestCommand, srvRecordLine } from "./zone-records.ts";

export interface OurselvesInput {
	readonly config: Config;
	/** The file it came from, and what reading it warned of. */
	readonly configFile: string;
	readonly warnings: readonly string[];
	readonly lookup: DnsLookup;
	/** Milliseconds since 1970. */
	readonly now: number;
}

const LISTENER_TIMEOUT_MS = 3_000;
const DEFAULT_PORT = 5061;

/** Our certificate alone: against our FQDN and the name that each served domain's record points to. */
export async function checkOurCertificate(config: Config, lookup: DnsLookup, now: number): Promise<readonly Finding[]> {
	const input = { config, configFile: "", warnings: [], lookup, now };
	const records = await Promise.all(config.domain.map(({ name }) => checkDomainRecords(name, input)));
	return checkCertificate(input, namesOf(config, records));
}

export async function checkOurselves(input: OurselvesInput): Promise<Section> {
	const { config } = input;
	const records = await Promise.all(
		config.domain.map(async ({ name }) => [name, await checkDomainRecords(name, input)] as const),
	);
	const findings = [
		...(await checkConfiguration(input)),
		...(await checkCertificate(
			input,
			namesOf(
				config,
				records.map(([, found]) => found),
			),
		)),
		...records.flatMap(([, { findings: found }]) => found),
		...(await checkListeners(config)),
	];
	return { title: `this edge (${config.edge.fqdn})`, findings };
}

function namesOf(config: Config, records: readonly DomainRecords[]): readonly string[] {
	return [...new Set([config.edge.fqdn, ...records.flatMap(({ target }) => target ?? [])])];
}

async function checkConfiguration({ config, configFile, warnings }: OurselvesInput): Promise<readonly Finding[]> {
	// The certificate has steps of its own.
	const problems = (await checkFiles(config)).filter(
		({ key, severity }) => severity === "error" || !key.startsWith("edge.tls.certificate"),
	);
	const found = problems.map((problem) =>
		(problem.severity === "error" ? fault : warning)("configuration", configFile, formatProblem(problem), {
			whose: "us",
			remedy: problem.remedy ?? `mend ${problem.key}`,
		}),
	);
	const said = warnings.map((text) => note("configuration", configFile, text));
	return found.length > 0 ? [...found, ...said] : [ok("configuration", configFile, "is good"), ...said];
}

async function checkCertificate(
	{ config, now }: OurselvesInput,
	names: readonly string[],
): Promise<readonly Finding[]> {
	const { certificate: file, key, trust } = config.edge.tls;
	const own = await readOwnCredentials(file, key);
	const mismatch = own.ok ? credentialsFault(own.credentials) : own.reason;
	if (!own.ok || mismatch !== undefined) {
		return [
			fault("certificate", file, mismatch ?? "cannot be used", {
				whose: "us",
				remedy: "put the certificate and its key there, PEM, leaf first",
				mend: [signingRequestCommand(names)],
			}),
		];
	}
	const findings = judgeOwnCertificate({
		certificate: own.credentials.certificate,
		fqdn: config.edge.fqdn,
		domains: config.domain.map(({ name }) => name),
		now,
		trust: await knownAnchors(trust),
	});
	return explainOwnCertificate(findings, names, file);
}

/** Our anchors and the system's; what cannot be loaded is no authority that is known here. */
async function knownAnchors(trust: readonly string[]): Promise<TrustAnchors> {
	const loaded = await Promise.all([loadTrust(trust.filter((file) => file !== "system")), loadTrust("system")]);
	return createTrust(loaded.flatMap((one) => (one.ok ? one.trust.anchors : [])));
}

interface DomainRecords {
	readonly findings: readonly Finding[];
	/** The name that partners dial for this domain; undefined where no record says. */
	readonly target: string | undefined;
}

async function checkDomainRecords(domain: string, input: OurselvesInput): Promise<DomainRecords> {
	const { config, lookup } = input;
	const { fqdn } = config.edge;
	const port = ourPort(config);
	const name = federationServiceName(domain);
	const wanted = isWithinDomain(fqdn, domain) ? fqdn : recommendedTarget(domain);
	const publish = [srvRecordLine(domain, wanted, port)];
	const answer = await lookup.srv(name);
	if (answer.kind === "failed") {
		return {
			target: undefined,
			findings: [
				warning("srv", domain, `${name} could not be looked up: ${answer.reason}`, {
					whose: "network",
					remedy: "check [dns] servers, or /etc/resolv.conf, and that UDP and TCP 53 pass",
				}),
			],
		};
	}
	if (answer.kind !== "records") {
		const text = `${name} has no SRV record: partners that look for ${domain} in the DNS do not find this edge`;
		const remedy = "publish this record; partners that name our edge in their configuration do without it";
		return { target: undefined, findings: [warning("srv", domain, text, { whose: "us", remedy, mend: publish })] };
	}
	const record = answer.records.find(({ target }) => hostOf(target) === fqdn) ?? answer.records[0];
	if (record === undefined) return { target: undefined, findings: [] };
	const target = hostOf(record.target);
	const findings = [judgeRecord(domain, record, target, input, publish)];
	findings.push(await checkAddress(target, input));
	return { target: isWithinDomain(target, domain) ? target : undefined, findings };
}

function judgeRecord(
	domain: string,
	{ port }: SrvRecord,
	target: string,
	{ config }: OurselvesInput,
	publish: readonly string[],
): Finding {
	if (!isWithinDomain(target, domain)) {
		const text = `the SRV record of ${domain} points to ${target}, which is outside the domain: partners that find us by DNS refuse that`;
		const remedy = `publish this record with an address record of its own; or let partners name ${config.edge.fqdn} as our edge`;
		return warning("srv", domain, text, { whose: "us", remedy, mend: publish });
	}
	if (port !== ourPort(config)) {
		return warning(
			"srv",
			domain,
			`the SRV record of ${domain} names port ${port}; this edge listens on ${ourPort(config)}`,
			{
				whose: "us",
				remedy: "correct the record, unless a firewall maps the port",
				mend: publish,
			},
		);
	}
	const advice = target === recommendedTarget(domain) ? "" : `; ${recommendedTarget(domain)} is the recommended name`;
	return ok("srv", domain, `points to ${target}:${port}${advice}`);
}

async function checkAddress(host: string, { config, lookup }: OurselvesInput): Promise<Finding> {
	const answer = await lookup.addresses(host);
	if (answer.kind !== "records") {
		return fault("address", host, `${host} has no address record`, {
			whose: "us",
			remedy: "publish the public address of this edge",
			mend: [addressRecordLine(host, undefined)],
		});
	}
	const addresses = answer.records.map(({ address }) => address);
	if (!config.dns.allow_private_addresses && addresses.every(isPrivateAddress)) {
		return warning("address", host, `${host} leads to ${addresses.join(", ")}, which partners outside cannot reach`, {
			whose: "us",
			remedy: "publish the public address outside; a split DNS may show another one to you than to partners",
			mend: [addressRecordLine(host, undefined)],
		});
	}
	return ok("address", host, addresses.join(", "));
}

async function checkListeners(config: Config): Promise<readonly Finding[]> {
	return Promise.all(
		config.edge.listen.map(async (text) => {
			const { host, port } = parseHostPort(text) ?? { host: text, port: undefined };
			if (port === 0) return skipped("listener", text, "the port is chosen at each start");
			const reason = await tryConnect(
				host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host,
				port ?? DEFAULT_PORT,
			);
			if (reason === undefined) return ok("listener", text, "answers");
			return warning("listener", text, `nothing answers on ${text} (${reason})`, {
				whose: "us",
				remedy: "start the edge",
				mend: ["causeway serve"],
			});
		}),
	);
}

/** Undefined where a TCP connection came about; else why not. */
function tryConnect(host: string, port: number): Promise<string | undefined> {
	return new Promise((resolve) => {
		const socket = connect({ host, port, timeout: LISTENER_TIMEOUT_MS });
		const settle = (reason: string | undefined): void => {
			socket.destroy();
			resolve(reason);
		};
		socket.once("connect", () => settle(undefined));
		socket.once("timeout", () => settle("no answer"));
		socket.once("error", (error: NodeJS.ErrnoException) =>
			settle(error.code === "ECONNREFUSED" ? "connection refused" : error.message),
		);
	});
}

function ourPort(config: Config): number {
	const port = parseHostPort(config.edge.listen[0] ?? "")?.port;
	return port === undefined || port === 0 ? DEFAULT_PORT : port;
}
