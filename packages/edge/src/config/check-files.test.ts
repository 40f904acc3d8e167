import assert from "node:assert/strict";
import { dirname } from "node:path";
import { before, test } from "node:test";
import { type Authority, createEdgeCertificate, createRootAuthority, type Issued } from "../pki/authority.ts";
import { checkFiles } from "./check-files.ts";
import type { FileAccess } from "./file-access.ts";
import { formatProblem, parseConfig } from "./load.ts";
import type { Config } from "./schema.ts";

const NOT_BEFORE = new Date("2026-01-01T00:00:00Z");
const NOT_AFTER = new Date("2027-01-01T00:00:00Z");
const NOW_MS = Date.parse("2026-06-01T00:00:00Z");

let authority: Authority;
let ours: Issued;
let other: Issued;

before(async () => {
	const validity = { notBefore: NOT_BEFORE, notAfter: NOT_AFTER };
	authority = await createRootAuthority({ ...validity, commonName: "Contoso Root" });
	ours = await createEdgeCertificate(authority, { ...validity, names: ["sip.contoso.example"] });
	other = await createEdgeCertificate(authority, { ...validity, names: ["sip.fabrikam.example"] });
});

const CONFIG = `
[edge]
fqdn = "sip.contoso.example"
[edge.tls]
trust = ["ca.pem"]
[[domain]]
name = "contoso.example"
kind = "hosted"
`;

function read(text: string): Config {
	const outcome = parseConfig(text, "/etc/causeway/causeway.toml");
	assert.ok(outcome.ok, outcome.ok ? "" : outcome.problems.map(formatProblem).join("\n"));
	return outcome.config;
}

interface Disk {
	/** Texts by path below /etc/causeway; an error code where reading fails; undefined where the file is absent. */
	readonly files?: Readonly<Record<string, string | undefined>>;
	readonly failing?: Readonly<Record<string, string>>;
	readonly modes?: Readonly<Record<string, number>>;
	readonly devices?: readonly string[];
	readonly readOnly?: readonly string[];
	readonly nowMs?: number;
}

/** A disk that holds a good edge, with changes; it has no way to be written to. */
function createDisk(disk: Disk): FileAccess & { readonly opened: string[] } {
	const good = { "edge.pem": ours.chain, "edge.key": ours.key, "ca.pem": authority.certificate };
	const files = new Map<string, string>();
	for (const [name, text] of Object.entries({ ...good, ...disk.files })) {
		if (text !== undefined) files.set(`/etc/causeway/${name}`, text);
	}
	const folders = new Set(["/"]);
	for (const path of files.keys()) {
		for (let folder = dirname(path); folder !== "/"; folder = dirname(folder)) folders.add(folder);
	}
	const named = (list: Readonly<Record<string, string | number>> | undefined, path: string) =>
		list?.[path.replace("/etc/causeway/", "")];
	const opened: string[] = [];
	const fail = (code: string) => Object.assign(new Error(code), { code });
	return {
		opened,
		readText: async (path) => {
			opened.push(path);
			const code = named(disk.failing, path);
			if (code !== undefined) throw fail(String(code));
			const text = files.get(path);
			if (text === undefined) throw fail(folders.has(path) ? "EISDIR" : "ENOENT");
			return text;
		},
		inspect: async (path) => {
			if (folders.has(path)) return { kind: "folder", mode: 0o755 };
			if (disk.devices?.includes(path) === true) return { kind: "other", mode: 0o666 };
			return files.has(path) ? { kind: "file", mode: Number(named(disk.modes, path) ?? 0o600) } : undefined;
		},
		isWritable: async (folder) => disk.readOnly?.includes(folder) !== true,
		wall: () => disk.nowMs ?? NOW_MS,
	};
}

async function check(disk: Disk, text = CONFIG): Promise<readonly string[]> {
	const problems = await checkFiles(read(text), createDisk(disk));
	return problems.map((problem) => `${problem.severity} ${formatProblem(problem)}`);
}

test("a good edge has no problem, though data folder and token are still to be made", async () => {
	assert.deepEqual(await check({}), []);
});

test("every file with a problem is named at once, with its key", async () => {
	assert.deepEqual(await check({ files: { "edge.pem": undefined, "edge.key": undefined, "ca.pem": undefined } }), [
		"error /etc/causeway/edge.pem: edge.tls.certificate: cannot be read: there is no such file",
		"error /etc/causeway/edge.key: edge.tls.key: cannot be read: there is no such file",
		"error /etc/causeway/ca.pem: edge.tls.trust[0]: cannot be read: there is no such file",
	]);
});

test("a key pair: what is unreadable, what does not belong together", async () => {
	const table: readonly (readonly [Disk, readonly string[]])[] = [
		[
			{ failing: { "edge.key": "EACCES" } },
			["error /etc/causeway/edge.key: edge.tls.key: cannot be read: permission denied"],
		],
		[
			{ files: { "edge.pem": "nonsense", "edge.key": "-----BEGIN ENCRYPTED PRIVATE KEY-----" } },
			[
				"error /etc/causeway/edge.pem: edge.tls.certificate: holds no readable certificate in PEM form",
				"error /etc/causeway/edge.key: edge.tls.key: holds no readable private key without passphrase",
			],
		],
		[
			{ files: { "edge.key": other.key } },
			[
				"error /etc/causeway/edge.key: edge.tls.key: is not the key of the first certificate in /etc/causeway/edge.pem; put the leaf first",
			],
		],
		[
			{ files: { "edge.pem": authority.certificate + ours.certificate } },
			[
				"warning /etc/causeway/edge.pem: edge.tls.certificate: does not carry sip.contoso.example (edge.fqdn) as a subject alternative name; it carries no name at all; get a certificate with this name: partners refuse the other",
				"error /etc/causeway/edge.key: edge.tls.key: is not the key of the first certificate in /etc/causeway/edge.pem; put the leaf first",
			],
		],
		[{ modes: { "edge.key": 0o640 } }, []],
		[
			{ modes: { "edge.key": 0o644 } },
			[
				"warning /etc/causeway/edge.key: edge.tls.key: other users of this machine can reach the private key; chmod 600 /etc/causeway/edge.key",
			],
		],
	];
	for (const [disk, lines] of table) assert.deepEqual(await check(disk), lines);
});

test("our certificate: a missing name and dates are warnings, so that the edge still starts", async () => {
	assert.deepEqual(await check({ files: { "edge.pem": other.chain, "edge.key": other.key } }), [
		"warning /etc/causeway/edge.pem: edge.tls.certificate: does not carry sip.contoso.example (edge.fqdn) as a subject alternative name; it carries DNS:sip.fabrikam.example; get a certificate with this name: partners refuse the other",
	]);
	assert.deepEqual(await check({ nowMs: NOT_AFTER.getTime() + 1000 }), [
		"warning /etc/causeway/edge.pem: edge.tls.certificate: expired on 2027-01-01; renew it",
	]);
	assert.deepEqual(await check({ nowMs: NOT_BEFORE.getTime() - 1000 }), [
		"warning /etc/causeway/edge.pem: edge.tls.certificate: is not valid before 2026-01-01; check the clock of this machine",
	]);
});

test('trust anchors and revocation lists of every section are looked at; "system" is no file', async () => {
	const text = `${CONFIG}
[[domain]]
name = "corp.contoso.example"
kind = "relay"
inside = "home.corp.contoso.example"
trust = ["corp-ca.pem"]
[[peer]]
kind = "allowed"
domains = ["fabrikam.example"]
trust = ["system", "peer-ca.pem"]
[[peer]]
kind = "allowed"
domains = ["example.org"]
trust = "system"
`.replace('trust = ["ca.pem"]', 'trust = ["ca.pem"]\ncrl = ["a.crl"]');
	const broken = `${authority.certificate}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`;
	assert.deepEqual(await check({ files: { "ca.pem": "", "peer-ca.pem": broken, "a.crl": ours.certificate } }, text), [
		"error /etc/causeway/ca.pem: edge.tls.trust[0]: holds no certificate in PEM form",
		"error /etc/causeway/a.crl: edge.tls.crl[0]: holds no revocation list in PEM form",
		"error /etc/causeway/corp-ca.pem: domain[1].trust[0]: cannot be read: there is no such file",
		"error /etc/causeway/peer-ca.pem: peer[0].trust[1]: certificate 2 in it cannot be read",
	]);
});

test("the key pair of the web server is checked where one is given", async () => {
	assert.deepEqual(
		await check({ files: { "web.pem": ours.chain } }, `${CONFIG}[http]\ncertificate = "web.pem"\nkey = "web.key"\n`),
		["error /etc/causeway/web.key: http.key: cannot be read: there is no such file"],
	);
});

test("data folder and token: there and usable, or possible to make", async () => {
	const table: readonly (readonly [Disk, readonly string[]])[] = [
		[{ files: { "data/store.db": "", "admin.token": "x" } }, []],
		[
			{ files: { "data/store.db": "" }, readOnly: ["/etc/causeway/data"] },
			["error /etc/causeway/data: edge.data_dir: this process may not write there"],
		],
		[{ files: { data: "a file" } }, ["error /etc/causeway/data: edge.data_dir: /etc/causeway/data is not a folder"]],
		[
			{ readOnly: ["/etc/causeway"] },
			[
				"error /etc/causeway/data: edge.data_dir: cannot be made: this process may not write to /etc/causeway",
				"error /etc/causeway/admin.token: http.admin_token_file: this process may not write there",
			],
		],
		[
			{ files: { "admin.token": "x" }, failing: { "admin.token": "EACCES" } },
			["error /etc/causeway/admin.token: http.admin_token_file: cannot be read: permission denied"],
		],
	];
	for (const [disk, lines] of table) assert.deepEqual(await check(disk), lines);
});

test("a pipe or a device is refused without being opened", async () => {
	const disk = createDisk({ files: { "edge.key": undefined }, devices: ["/etc/causeway/edge.key"] });
	const problems = await checkFiles(read(CONFIG), disk);
	assert.deepEqual(problems.map(formatProblem), ["/etc/causeway/edge.key: edge.tls.key: is not a file"]);
	assert.ok(!disk.opened.includes("/etc/causeway/edge.key"));
});
