import assert from "node:assert/strict";
import { test } from "node:test";
import { CONFIG_SEARCH_PATHS, findConfigPath, formatProblem, loadConfig, parseConfig } from "./load.ts";
import type { Config } from "./schema.ts";

const EDGE = '[edge]\nfqdn = "sip.contoso.example"\n';
const HOSTED = '[[domain]]\nname = "contoso.example"\nkind = "hosted"\n';
const FABRIKAM = '[[peer]]\nkind = "direct"\ndomains = ["fabrikam.example"]\nedge = "sip.fabrikam.example"\n';

function read(text: string): Config {
	const outcome = parseConfig(text, "/etc/causeway/causeway.toml");
	assert.ok(outcome.ok, outcome.ok ? "" : outcome.problems.map(formatProblem).join("\n"));
	return outcome.config;
}

function problems(text: string): readonly string[] {
	const outcome = parseConfig(text, "causeway.toml");
	return outcome.ok ? [] : outcome.problems.map(formatProblem);
}

function warnings(text: string): readonly string[] {
	const outcome = parseConfig(text, "causeway.toml");
	assert.ok(outcome.ok, outcome.ok ? "" : outcome.problems.map(formatProblem).join("\n"));
	return outcome.warnings.map(formatProblem);
}

test("an edge with a name and a domain is a whole configuration: everything else has a default", () => {
	const config = read(EDGE + HOSTED);
	assert.deepEqual(config.edge, {
		fqdn: "sip.contoso.example",
		listen: ["0.0.0.0:5061"],
		legacy_listen: [],
		data_dir: "/etc/causeway/data",
		tls: {
			certificate: "/etc/causeway/edge.pem",
			key: "/etc/causeway/edge.key",
			trust: ["system"],
			crl: [],
			min_version: "1.2",
			client_auth_eku: "warn",
		},
	});
	assert.deepEqual(config.limits, {
		connections_per_edge: 4,
		connections_per_network: 40,
		head_bytes: 65_536,
		body_bytes: 262_144,
		handshake_seconds: 10,
		head_seconds: 10,
		body_seconds: 20,
	});
	assert.equal(config.http.admin_token_file, "/etc/causeway/admin.token");
	assert.equal(config.http.certificate, "");
	assert.deepEqual(warnings(EDGE + HOSTED), []);
});

test('relative paths are relative to the file; absolute ones, empty ones and "system" stay', () => {
	const config = read(
		`${EDGE}data_dir = "/var/lib/causeway"\n[edge.tls]\ntrust = ["system", "ca.pem", "../ca.pem"]\ncrl = ["a.crl"]\n` +
			`${FABRIKAM}trust = ["fabrikam-ca.pem"]\n[[peer]]\nkind = "allowed"\ndomains = ["example.org"]\ntrust = "system"\n`,
	);
	assert.equal(config.edge.data_dir, "/var/lib/causeway");
	assert.deepEqual(config.edge.tls.trust, ["system", "/etc/causeway/ca.pem", "/etc/ca.pem"]);
	assert.deepEqual(config.edge.tls.crl, ["/etc/causeway/a.crl"]);
	assert.deepEqual(
		config.peer.map((peer) => peer.trust),
		[["/etc/causeway/fabrikam-ca.pem"], ["system"]],
	);
});

test("host names come out in lower case; IPv6 listeners and port-less edges are read", () => {
	const config = read(
		'[edge]\nfqdn = "SIP.Contoso.Example"\nlisten = ["[::]:5061", "127.0.0.1:0"]\n[[peer]]\nkind = "provider"\n' +
			'domains = ["Fabrikam.Example"]\nedge = "SIP.Fabrikam.example:5062"\nconnect = "[2001:DB8::1]:5061"\n',
	);
	assert.equal(config.edge.fqdn, "sip.contoso.example");
	assert.deepEqual(config.edge.listen, ["[::]:5061", "127.0.0.1:0"]);
	const [peer] = config.peer;
	assert.ok(peer?.kind === "provider");
	assert.deepEqual(
		[peer.domains, peer.edge, peer.connect],
		[["fabrikam.example"], "sip.fabrikam.example:5062", "[2001:db8::1]:5061"],
	);
});

const broken: readonly (readonly [name: string, text: string, lines: readonly string[]])[] = [
	["nothing at all", "", ["causeway.toml:1:1: edge.fqdn: missing; it takes: string"]],
	["a section without its required key", "\n[edge]\n", ["causeway.toml:2:1: edge.fqdn: missing; it takes: string"]],
	[
		"an unknown key, with the nearest one",
		`${EDGE}\n[[peer]]\nkind = "direct"\ndomains = ["fabrikam.example"]\nedge = "sip.fabrikam.example"\n  egde = ""\n`,
		['causeway.toml:8:3: peer[0].egde: unknown key; did you mean "edge"?'],
	],
	[
		"an unknown section",
		`${EDGE}[fedration]\ndiscovery = true\n`,
		['causeway.toml:3:1: fedration: unknown key; did you mean "federation"?'],
	],
	[
		"a key of another section",
		`${EDGE}[log]\nring = 1\n`,
		["causeway.toml:4:1: log.ring: unknown key; it belongs under [trace]"],
	],
	[
		"a key like no other",
		`${EDGE}[log]\nxyzzy = 1\n`,
		["causeway.toml:4:1: log.xyzzy: unknown key; known here: level"],
	],
	[
		"keys that JavaScript knows",
		`${EDGE}__proto__ = 1\n[log]\nconstructor = 1\n`,
		[
			"causeway.toml:3:1: edge.__proto__: unknown key; known here: fqdn, listen, legacy_listen, data_dir, tls",
			"causeway.toml:5:1: log.constructor: unknown key; known here: level",
		],
	],
	[
		"a key of another kind",
		`${EDGE}[[peer]]\nkind = "allowed"\ndomains = ["fabrikam.example"]\nconnect = "192.0.2.1:5061"\n`,
		['causeway.toml:6:1: peer[0].connect: not for kind "allowed"; only for kind "direct" or "provider"'],
	],
	[
		"a peer without edge, one without kind, one of no kind",
		`${EDGE}[[peer]]\nkind = "direct"\ndomains = ["a.example"]\n[[peer]]\ndomains = ["b.example"]\n[[peer]]\nkind = "Direct"\n`,
		[
			"causeway.toml:3:1: peer[0].edge: missing; it takes: string",
			'causeway.toml:6:1: peer[1].kind: missing; it takes: "direct" | "allowed" | "provider"',
			'causeway.toml:9:1: peer[2].kind: expected "direct" or "allowed" or "provider", found "Direct"; did you mean "direct"?',
		],
	],
	[
		"wrong types",
		'[edge]\nfqdn = 5061\nlisten = "0.0.0.0:5061"\ndata_dir = 2026-01-01\ntls = []\n[federation]\ndiscovery = "yes"\n' +
			"[limits]\nhead_bytes = 1.5\nbody_bytes = true\n[edge.x]\n",
		[
			"causeway.toml:2:1: edge.fqdn: expected a string, found 5061",
			"causeway.toml:3:1: edge.listen: expected a list, found a string",
			"causeway.toml:4:1: edge.data_dir: expected a string, found a date",
			"causeway.toml:5:1: edge.tls: expected a table, found a list",
			"causeway.toml:7:1: federation.discovery: expected true or false, found a string",
			"causeway.toml:9:1: limits.head_bytes: expected a whole number, found 1.5",
			"causeway.toml:10:1: limits.body_bytes: expected a whole number, found true",
			"causeway.toml:11:1: edge.x: unknown key; known here: fqdn, listen, legacy_listen, data_dir, tls",
		],
	],
	[
		"one bracket where two belong",
		`${EDGE}[domain]\nname = "contoso.example"\n`,
		["causeway.toml:3:1: domain: expected a list, found a table; write the header as [[domain]]"],
	],
	["a value that is no table", `peer = [1]\n${EDGE}`, ["causeway.toml:1:9: peer[0]: expected a table, found 1"]],
	[
		"names that are none",
		`[edge]\nfqdn = "192.0.2.1"\n[[domain]]\nname = "contoso"\nkind = "hosted"\n[[peer]]\nkind = "direct"\n` +
			'domains = [\n  "a.example", # good\n  "b_.example",\n]\nedge = "192.0.2.1:5061"\nconnect = "192.0.2.1"\n',
		[
			'causeway.toml:2:1: edge.fqdn: must be a full host name such as "sip.contoso.example"',
			'causeway.toml:4:1: domain[0].name: must be a domain name such as "contoso.example"',
			'causeway.toml:10:3: peer[0].domains[1]: must be a domain name such as "contoso.example"',
			'causeway.toml:12:1: peer[0].edge: must be a full host name with an optional port, such as "sip.fabrikam.example:5061"; the certificate must carry the name',
			'causeway.toml:13:1: peer[0].connect: must be an address and a port, such as "192.0.2.5:5061" or "[2001:db8::5]:5061"',
		],
	],
	[
		"addresses that are none",
		'[edge]\nfqdn = "sip.contoso.example"\nlisten = ["0.0.0.0", ":::5061", "example.org:5061", "[::]:65536"]\n' +
			'[dns]\nservers = ["ns.example.org:53"]\n[http]\nlisten = "8080"\nconsole_listen = "127.0.0.1"\n' +
			'public_url = "chat.contoso.example"\ntrusted_proxies = ["192.0.2.0/33"]\n[trace]\nhep = "tcp:homer.example:9060"\n',
		[
			...[11, 22, 33, 53].map(
				(column, index) =>
					`causeway.toml:3:${column}: edge.listen[${index}]: must be an address and a port, such as "0.0.0.0:5061" or "[::]:5061"`,
			),
			'causeway.toml:5:12: dns.servers[0]: must be an IP address with an optional port, such as "127.0.0.1:5353" or "[::1]:53"',
			'causeway.toml:7:1: http.listen: must be an address and a port, such as "0.0.0.0:5061" or "[::]:5061"',
			'causeway.toml:8:1: http.console_listen: must be an address and a port, such as "0.0.0.0:5061" or "[::]:5061"',
			'causeway.toml:9:1: http.public_url: must be an http or https URL such as "https://chat.contoso.example"',
			'causeway.toml:10:20: http.trusted_proxies[0]: must be an IP address or a range such as "192.0.2.0/24"',
			'causeway.toml:12:1: trace.hep: must be "udp:host:port", such as "udp:homer.example:9060"',
		],
	],
	[
		"REQ-18: an icon that is not https",
		`${EDGE}${HOSTED}icon = "http://contoso.example/a.png"\n`,
		["causeway.toml:6:1: domain[0].icon: must be an https URL without user name; other schemes are not used"],
	],
	[
		"REQ-43, REQ-63 and other bounds",
		`${EDGE}[limits]\nconnections_per_network = 41\nconnections_per_edge = 0\n[signing]\ndialog_hours = 25\n[presence]\nnotify_spacing_seconds = 4\n`,
		[
			"causeway.toml:4:1: limits.connections_per_network: must be at most 40, found 41",
			"causeway.toml:5:1: limits.connections_per_edge: must be at least 1, found 0",
			"causeway.toml:7:1: signing.dialog_hours: must be at most 24, found 25",
			"causeway.toml:9:1: presence.notify_spacing_seconds: must be at least 5, found 4",
		],
	],
	[
		"empty lists and names",
		`[edge]\nfqdn = ""\nlisten = []\n[edge.tls]\ntrust = []\ncertificate = ""\n[[peer]]\nkind = "allowed"\ndomains = []\n`,
		[
			'causeway.toml:2:1: edge.fqdn: must be a full host name such as "sip.contoso.example"',
			"causeway.toml:3:1: edge.listen: must not be empty",
			"causeway.toml:5:1: edge.tls.trust: must not be empty",
			"causeway.toml:6:1: edge.tls.certificate: must not be empty",
			"causeway.toml:9:1: peer[0].domains: must not be empty",
		],
	],
	[
		"a TLS version below 1.2 for everybody",
		`${EDGE}[edge.tls]\nmin_version = "1.0"\n`,
		['causeway.toml:4:1: edge.tls.min_version: expected "1.2" or "1.3", found "1.0"; did you mean "1.2"?'],
	],
	[
		"the same domain twice, hosted and a peer's, blocked and ours",
		`${EDGE}${HOSTED}${HOSTED}${FABRIKAM}[[peer]]\nkind = "allowed"\ndomains = ["fabrikam.example", "contoso.example"]\n[[block]]\ndomain = "contoso.example"\n`,
		[
			"causeway.toml:7:1: domain[1].name: domain[0] is the same domain",
			"causeway.toml:15:12: peer[1].domains[0]: peer[0] is the same domain",
			"causeway.toml:15:32: peer[1].domains[1]: we serve this domain ourselves (domain[1])",
			"causeway.toml:17:1: block[0].domain: we serve this domain ourselves (domain[1])",
		],
	],
	[
		"one edge for two peers, and our own edge as a peer's",
		`${EDGE}${FABRIKAM}[[peer]]\nkind = "provider"\ndomains = ["example.org"]\nedge = "SIP.fabrikam.example:5062"\n` +
			'[[peer]]\nkind = "direct"\ndomains = ["example.net"]\nedge = "sip.contoso.example"\n' +
			'[[domain]]\nname = "contoso.example"\nkind = "relay"\ninside = "sip.contoso.example:5062"\n',
		[
			"causeway.toml:10:1: peer[1].edge: peer[0] is the same edge; list all its domains in one [[peer]]",
			"causeway.toml:14:1: peer[2].edge: this is our own name (edge.fqdn)",
			"causeway.toml:18:1: domain[0].inside: this is our own name (edge.fqdn)",
		],
	],
	[
		"two listeners on one address, and a legacy listener that nobody may use",
		`${EDGE}legacy_listen = ["0.0.0.0:5061"]\n[http]\nlisten = "127.0.0.1:8080"\nconsole_listen = "127.0.0.1:8080"\n`,
		[
			"causeway.toml:3:1: edge.legacy_listen: no peer may come in through this listener; leave it empty, or give a peer a min_version below 1.2",
			"causeway.toml:3:18: edge.legacy_listen[0]: edge.listen listens there already",
			"causeway.toml:6:1: http.console_listen: http.listen listens there already",
		],
	],
	[
		"numbers and files that do not fit together",
		`${EDGE}[limits]\nconnections_per_edge = 3\nconnections_per_network = 2\n[presence]\nmin_expires = 7200\nmax_expires = 3600\n[http]\ncertificate = "web.pem"\n`,
		[
			"causeway.toml:4:1: limits.connections_per_edge: above connections_per_network (2)",
			"causeway.toml:7:1: presence.min_expires: above max_expires (3600)",
			"causeway.toml:10:1: http.certificate: needs http.key too",
		],
	],
	[
		"wrong values and broken rules together: everything at once, in the order of the file",
		`${EDGE}${HOSTED}[[peer]]\nkind = "allowed"\ndomains = ["contoso.example"]\n[limits]\nhead_bytes = 1\n[log]\nlevl = "info"\n`,
		[
			"causeway.toml:8:12: peer[0].domains[0]: we serve this domain ourselves (domain[0])",
			"causeway.toml:10:1: limits.head_bytes: must be at least 1024, found 1",
			'causeway.toml:12:1: log.levl: unknown key; did you mean "level"?',
		],
	],
	["no TOML: an open header", "[edge\n", ["causeway.toml:1:6: not valid TOML: illegal character in key"]],
	[
		"no TOML: a key given twice",
		`${EDGE}fqdn = "sip.contoso.example"\n`,
		["causeway.toml:3:1: not valid TOML: trying to redefine an already defined table or value"],
	],
];

test("a broken file: every problem with its line, column, key and remedy", () => {
	for (const [name, text, lines] of broken) assert.deepEqual(problems(text), lines, name);
});

test("what is allowed but unwise is a warning with its place", () => {
	const table: readonly (readonly [string, readonly string[]])[] = [
		[EDGE, ["causeway.toml:1:1: domain: no domain is served; add a [[domain]] with name and kind"]],
		[
			`${EDGE}${HOSTED}[limits]\nconnections_per_edge = 5\n`,
			[
				"causeway.toml:7:1: limits.connections_per_edge: 5 connections to one peer edge; the profile recommends 4 at most",
			],
		],
		[
			`${EDGE}${HOSTED}[dns]\nallow_private_addresses = true\n`,
			[
				"causeway.toml:7:1: dns.allow_private_addresses: names of strangers may lead to private addresses; for tests and labs only",
			],
		],
		[
			`${EDGE}legacy_listen = ["0.0.0.0:5062"]\n${HOSTED}${FABRIKAM}min_version = "1.0"\n`,
			["causeway.toml:11:1: peer[0].min_version: TLS 1.0 is not safe today; only for a partner that cannot do better"],
		],
		[
			`${EDGE}${HOSTED}${FABRIKAM}[[block]]\ndomain = "fabrikam.example"\n[[block]]\ndomain = "Fabrikam.example"\n`,
			[
				"causeway.toml:8:12: peer[0].domains[0]: fabrikam.example is blocked, and a block beats a peer",
				"causeway.toml:13:1: block[1].domain: fabrikam.example is blocked already",
			],
		],
		[
			`${EDGE}${HOSTED}[http]\nlisten = "0.0.0.0:8080"\n`,
			[
				"causeway.toml:7:1: http.listen: passwords and tokens travel in the clear on this address; set certificate and key, or listen on 127.0.0.1 behind a reverse proxy",
			],
		],
		[`${EDGE}${HOSTED}[http]\nlisten = "0.0.0.0:8080"\ncertificate = "a.pem"\nkey = "a.key"\n`, []],
		[
			`${EDGE}${HOSTED}[http]\ntrusted_proxies = ["192.0.2.1"]\n`,
			["causeway.toml:7:1: http.trusted_proxies: has no use without public_url"],
		],
	];
	for (const [text, lines] of table) assert.deepEqual(warnings(text), lines);
});

test("loading: a file that cannot be read is a problem of the file as a whole", () => {
	const cases = [
		[Object.assign(new Error("x"), { code: "ENOENT" }), "there is no such file"],
		[Object.assign(new Error("x"), { code: "EACCES" }), "permission denied"],
		[Object.assign(new Error("x"), { code: "EISDIR" }), "it is a folder"],
		[Object.assign(new Error("x"), { code: "EIO" }), "EIO"],
		[new Error("x"), "reading failed"],
	] as const;
	for (const [error, reason] of cases) {
		const outcome = loadConfig("causeway.toml", () => {
			throw error;
		});
		assert.deepEqual(!outcome.ok && outcome.problems.map(formatProblem), [
			`causeway.toml: the configuration cannot be read: ${reason}`,
		]);
	}
	const good = loadConfig("/srv/causeway.toml", (path) => (path === "/srv/causeway.toml" ? EDGE + HOSTED : ""));
	assert.equal(good.ok && good.config.edge.data_dir, "/srv/data");
});

test("search order: the file given, then the working folder, then /etc", () => {
	const nothing = (): boolean => false;
	assert.equal(findConfigPath("given.toml", nothing), "given.toml");
	assert.equal(findConfigPath(undefined, nothing), undefined);
	assert.equal(
		findConfigPath(undefined, () => true),
		"causeway.toml",
	);
	assert.equal(
		findConfigPath(undefined, (path) => path.startsWith("/etc/")),
		"/etc/causeway/causeway.toml",
	);
	assert.equal(CONFIG_SEARCH_PATHS.length, 2);
});
