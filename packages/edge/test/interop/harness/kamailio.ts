import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { requirePackages } from "./debian-packages.ts";
import type { Lab } from "./lab.ts";
import type { Credentials } from "./pki.ts";
import type { Program } from "./process.ts";

export interface KamailioOptions {
	readonly domain: string;
	/** More domains that are its own. */
	readonly otherDomains?: readonly string[];
	readonly fqdn: string;
	/** Address of both its listeners: 5061 for federation over mutual TLS, 5060 for its own users over TCP. */
	readonly address: string;
	readonly credentials: Credentials;
	readonly trust: string;
	/**
	 * The edge in front of it, by name and address: it takes requests from that edge alone, whoever they are from, and sends there whatever
	 * is for somebody else. Without it Kamailio is an edge itself, and finds others by their SRV records.
	 */
	readonly behind?: { readonly edge: string; readonly address: string };
	/** `module.parameter` → whole number, in place of the module's own default. */
	readonly parameters?: Readonly<Record<string, number>>;
}

/** One line that Kamailio wrote about a request that came over TLS. */
export interface PeerReport {
	readonly method: string;
	readonly verified: boolean;
	readonly commonName: string;
	readonly fromDomain: string;
	readonly sourcePort: number;
}

export interface Kamailio {
	readonly program: Program;
	/** What its configuration logged about requests that arrived over TLS, in order. */
	peerReports(): readonly PeerReport[];
}

/** Kamailio as registrar and presence server of its domains, and as their federation edge or behind one. */
export async function startKamailio(lab: Lab, options: KamailioOptions): Promise<Kamailio> {
	requirePackages([
		...(["kamailio", "kamailio-extra-modules", "kamailio-presence-modules", "kamailio-sqlite-modules"] as const),
		...(["kamailio-tls-modules", "kamailio-xml-modules"] as const),
	]);
	mkdirSync(lab.path("kamailio-run"), { recursive: true });
	const database = createDatabase(lab);
	const tls = lab.write("kamailio-tls.cfg", tlsConfig(options));
	const config = lab.write("kamailio.cfg", mainConfig(options, tls, database));
	const program = await lab.run({
		name: "kamailio",
		command: "kamailio",
		args: [
			...["-f", config, "-m", "64", "-M", "8", "-DD", "-E", "-x", "tlsf", "-X", "tlsf"],
			...["-P", lab.path("kamailio.pid"), "-Y", lab.path("kamailio-run")],
		],
	});
	await program.waitForLine("its workers", (line) => line.includes(READY));
	// Kamailio goes on without a listener whose advertised name it cannot resolve.
	const listens = program.lines.some((line) => line.trim().startsWith(`tls: ${options.address} `));
	if (!listens) throw new Error(`kamailio has no TLS listener; does ${options.fqdn} resolve?`);
	return { program, peerReports: () => program.lines.flatMap(readPeerReport) };
}

const READY = "causeway-interop: workers started";
const REPORT = "causeway-interop: peer";

/** The modules want their tables even where they work in memory. */
function createDatabase(lab: Lab): string {
	const path = lab.path("kamailio.sqlite");
	// A Kamailio that is started again begins with nothing, as its memory does.
	rmSync(path, { force: true });
	const database = new DatabaseSync(path);
	for (const part of ["standard", "presence"]) {
		database.exec(readFileSync(`/usr/share/kamailio/db_sqlite/${part}-create.sql`, "utf8"));
	}
	database.close();
	return path;
}

function readPeerReport(line: string): readonly PeerReport[] {
	const start = line.indexOf(REPORT);
	if (start < 0) return [];
	const fields = new Map(
		line
			.slice(start + REPORT.length)
			.trim()
			.split(" ")
			.map((field) => {
				const equals = field.indexOf("=");
				return [field.slice(0, equals), field.slice(equals + 1)] as const;
			}),
	);
	return [
		{
			method: fields.get("method") ?? "",
			verified: fields.get("verified") === "1",
			commonName: fields.get("cn") ?? "",
			fromDomain: fields.get("from") ?? "",
			sourcePort: Number(fields.get("port")),
		},
	];
}

function tlsConfig({ credentials, trust }: KamailioOptions): string {
	const profile = `method = TLSv1.2+
verify_certificate = yes
require_certificate = yes
private_key = ${credentials.key}
certificate = ${credentials.certificate}
ca_list = ${trust}
`;
	return `[server:default]\n${profile}[client:default]\n${profile}`;
}

function mainConfig(
	{ domain, otherDomains = [], fqdn, address, behind, parameters = {} }: KamailioOptions,
	tlsFile: string,
	database: string,
): string {
	const aliases = [domain, ...otherDomains, fqdn].map((name) => `alias="${name}"`).join("\n");
	const more = Object.entries(parameters).map(
		([name, value]) => `modparam("${name.split(".").join('", "')}", ${value})\n`,
	);
	const trustedName = behind === undefined ? '"sip." + $fd' : `"${behind.edge}"`;
	const nextHop =
		behind === undefined
			? `if (srv_query("_sipfederationtls._tcp.$rd", "edge") < 1) {
		sl_send_reply("504", "No Federation Record");
		exit;
	}
	$du = "sip:" + $srvquery(edge=>target[0]) + ":" + $srvquery(edge=>port[0]) + ";transport=tls";`
			: `$du = "sip:${behind.address}:5061;transport=tls";`;
	return `#!KAMAILIO
debug=2
log_stderror=yes
fork=yes
children=1
tcp_children=2
auto_aliases=no
${aliases}
listen=tcp:${address}:5060
listen=tls:${address}:5061 advertise ${fqdn}:5061
enable_tls=yes
use_dns_cache=no
tcp_accept_aliases=yes
tcp_connection_lifetime=3605
tcp_async=yes
server_signature=no

loadmodule "tls.so"
loadmodule "db_sqlite.so"
loadmodule "pv.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "kex.so"
loadmodule "corex.so"
loadmodule "xlog.so"
loadmodule "ipops.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "presence.so"
loadmodule "presence_xml.so"

modparam("tls", "config", "${tlsFile}")
modparam("usrloc", "db_mode", 0)
modparam("presence|presence_xml", "db_url", "sqlite:///${database}")
modparam("presence", "server_address", "sip:${fqdn}:5061;transport=tls")
modparam("presence", "publ_cache", 2)
modparam("presence", "subs_db_mode", 0)
modparam("presence", "send_fast_notify", 1)
modparam("presence_xml", "force_active", 1)
${more.join("")}
event_route[core:worker-one-init] {
	xlog("L_NOTICE", "${READY}\\n");
}

request_route {
	if (!mf_process_maxfwd_header("70")) {
		sl_send_reply("483", "Too Many Hops");
		exit;
	}
	if ($proto == "tls") {
		xlog("L_NOTICE", "${REPORT} method=$rm verified=$tls_peer_verified cn=$tls_peer_subject_cn from=$fd port=$sp\\n");
		if ($tls_peer_verified != 1 || $tls_peer_subject_cn != ${trustedName}) {
			sl_send_reply("403", "Forbidden");
			exit;
		}
	}
	if (is_method("OPTIONS") && $rU == $null) {
		sl_send_reply("200", "OK");
		exit;
	}
	if (has_totag()) {
		if (loose_route()) {
			route(RELAY);
		}
		if (is_method("SUBSCRIBE") && uri == myself) {
			route(PRESENCE);
		}
		if (!is_method("ACK")) {
			sl_send_reply("404", "Not Here");
		}
		exit;
	}
	if (is_method("CANCEL")) {
		if (t_check_trans()) {
			route(RELAY);
		}
		exit;
	}
	if (is_method("REGISTER")) {
		save("location");
		exit;
	}
	if (uri == myself) {
		if (is_method("PUBLISH|SUBSCRIBE")) {
			route(PRESENCE);
		}
		record_route();
		if (!lookup("location")) {
			sl_send_reply("404", "Not Found");
			exit;
		}
		route(RELAY);
	}
	if ($proto == "tls") {
		sl_send_reply("404", "Not Our Domain");
		exit;
	}
	record_route();
	${nextHop}
	# Requests of a dialog leave from the socket of its Record-Route; the first one must too, or they get another connection.
	$fs = "tls:${address}:5061";
	route(RELAY);
}

route[PRESENCE] {
	if (!t_newtran()) {
		sl_reply_error();
		exit;
	}
	if (is_method("PUBLISH")) {
		handle_publish();
	} else {
		handle_subscribe();
	}
	t_release();
	exit;
}

route[RELAY] {
	if (!t_relay()) {
		sl_reply_error();
	}
	exit;
}
`;
}
