/** `causeway doctor fabrikam.example` against the demonstration, with one thing wrong at a time: what it says is kept in `golden/doctor-*.txt`. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Organisation } from "../../src/demo/organisation.ts";
import { startWorld, type World } from "../../src/demo/world.ts";
import type { ZoneRecord, ZoneServer } from "../../src/federation/dns/zone-server.ts";
import { type Authority, type CertificateSpec, createIntermediateAuthority, issue } from "../../src/pki/authority.ts";

const LAUNCHER = fileURLToPath(new URL("../../bin/causeway.mjs", import.meta.url));
const DAY_MS = 86_400_000;
const FAKETIME = "/usr/bin/faketime";

type Restore = () => Promise<void> | void;

interface Case {
	readonly name: string;
	/** Makes one thing wrong, and gives what makes it good again. */
	readonly spoil?: (world: World) => Promise<Restore> | Restore;
	/** How the clock of `doctor` runs, in the form of faketime. */
	readonly clock?: string;
	/** What must stand in the first line, and whose it must be. */
	readonly first: RegExp;
	readonly whose?: string;
	/** What must be offered to paste. */
	readonly mend?: RegExp;
}

const cases: readonly Case[] = [
	{ name: "all-good", first: /^everything is in order$/ },
	{
		name: "missing-srv",
		spoil: ({ zone, contoso, fabrikam }) => publish(zone, [...srv(contoso), ...address(contoso), ...address(fabrikam)]),
		first: /^FAULT: _sipfederationtls\._tcp\.fabrikam\.example has no SRV record/,
		whose: "the partner's (fabrikam.example)",
		mend: /_sipfederationtls\._tcp\.fabrikam\.example\. 3600 IN SRV 10 50 5061 sip\.fabrikam\.example\./,
	},
	{
		name: "srv-outside-domain",
		spoil: ({ zone, contoso, fabrikam }) =>
			publish(zone, [
				...srv(contoso),
				...address(contoso),
				...srv(fabrikam, "edge.hoster.example"),
				{ name: "edge.hoster.example", type: "A", address: "127.0.0.1" },
			]),
		first: /^FAULT: the SRV record of fabrikam\.example points to edge\.hoster\.example, which is outside the domain/,
		whose: "the partner's (fabrikam.example)",
		mend: /causeway peer allow fabrikam\.example --edge edge\.hoster\.example:5061/,
	},
	{
		name: "wrong-certificate-name",
		spoil: (world) => certify(world, world.fabrikam, { names: ["mail.fabrikam.example"] }),
		first: /^FAULT: the certificate is for mail\.fabrikam\.example.*, not for sip\.fabrikam\.example/,
		whose: "the partner's (fabrikam.example)",
		mend: /openssl req .*subjectAltName=DNS:sip\.fabrikam\.example/,
	},
	{
		name: "expired-certificate",
		spoil: (world) => certify(world, world.fabrikam, { notBefore: -10 * DAY_MS, notAfter: -DAY_MS / 2 }),
		first: /^FAULT: .*expired/,
		whose: "the partner's (fabrikam.example)",
		mend: /openssl req /,
	},
	{
		name: "missing-intermediate",
		async spoil(world) {
			const intermediate = await createIntermediateAuthority(world.authority, {
				commonName: "Fabrikam issuing authority",
				...dates(-DAY_MS, 20 * DAY_MS),
			});
			return certify(world, world.fabrikam, { issuer: intermediate, leafAlone: true });
		},
		first:
			/^FAULT: the issuer "CN=Fabrikam issuing authority" is neither among our trust anchors nor among the certificates shown/,
		whose: "ours or the partner's",
		mend: /cat leaf\.pem intermediate\.pem > edge\.pem/,
	},
	{
		name: "server-only-purpose",
		spoil: (world) => certify(world, world.fabrikam, { purposes: ["server"] }),
		first: /^warning: the partner's certificate is for TLS servers alone/,
		whose: "the partner's (fabrikam.example)",
		mend: /extendedKeyUsage=serverAuth,clientAuth/,
	},
	{
		name: "own-name-missing",
		spoil: (world) => certify(world, world.contoso, { names: ["www.contoso.example"], isInUse: false }),
		first: /^FAULT: our certificate does not carry sip\.contoso\.example/,
		whose: "ours",
		mend: /openssl req .*subjectAltName=DNS:sip\.contoso\.example/,
	},
	{
		name: "closed-port",
		async spoil({ fabrikam }) {
			await fabrikam.stop();
			return () => fabrikam.restart();
		},
		first: /^FAULT: sip\.fabrikam\.example \(127\.0\.0\.1:PORT\) cannot be reached/,
		whose: "the partner's (fabrikam.example)",
		mend: /ss -ltn/,
	},
	{
		name: "clock-a-day-ahead",
		clock: "+24h",
		first: /^FAULT: the clocks differ by 24 hours/,
		whose: "ours or the partner's",
		mend: /timedatectl set-ntp true/,
	},
	{
		name: "clock-two-days-behind",
		clock: "-48h",
		first: /^FAULT: our certificate is not valid before /,
		whose: "ours",
		mend: /timedatectl set-ntp true/,
	},
];

let world: World;

before(async () => {
	world = await startWorld(undefined, () => {});
});

after(() => world.close());

for (const { name, spoil, clock, first, whose, mend } of cases) {
	test(`doctor, ${name}: the fault first, whose it is, and what mends it`, async (context) => {
		const restore = await spoil?.(world);
		context.after(() => restore?.());
		const { code, stdout, stderr } = await doctor(world, clock);
		const text = normalise(stdout, world);
		const lines = text.split("\n");
		assert.match(lines[0] ?? "", first, stdout + stderr);
		if (whose !== undefined) assert.equal(lines[1], `whose:  ${whose}`);
		if (mend !== undefined) assert.match(text, mend);
		assert.equal(code, lines[0]?.startsWith("FAULT") === true ? 1 : 0, stderr);
		const golden = fileURLToPath(new URL(`golden/doctor-${name}.txt`, import.meta.url));
		if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(golden, text);
		assert.ok(existsSync(golden), `${golden} is missing: UPDATE_GOLDEN=1 npm test -- doctor writes it`);
		assert.equal(text, readFileSync(golden, "utf8"));
	});
}

test("doctor and peer test go by the live policy of the running edge; where none runs they say so and go by the file", async (context) => {
	const { contoso } = world;
	const params = { domain: "fabrikam.example" };
	await contoso.admin().call("putDomainBlock", { params });
	context.after(async () => {
		await contoso.restart();
		await contoso.admin().call("deleteDomainBlock", { params });
	});
	for (const command of [["doctor"], ["peer", "test"]]) {
		const { code, stdout, stderr } = await causeway(world, [...command, "fabrikam.example"]);
		assert.match(stdout, /^FAULT: fabrikam\.example is blocked here, in both directions$/m, stderr);
		assert.equal(code, 1);
	}
	await contoso.stop();
	const { stdout } = await causeway(world, ["peer", "test", "fabrikam.example"]);
	assert.match(stdout, /note {5}policy +live edits are left out: \S/);
	assert.match(stdout, /ok {7}options +/);
});

function doctor(of: World, clock: string | undefined) {
	return causeway(of, ["doctor", "fabrikam.example"], clock);
}

function causeway({ contoso }: World, args: readonly string[], clock?: string) {
	const command = [process.execPath, LAUNCHER, ...args, "--config", contoso.configFile];
	const [program = "", ...rest] = clock === undefined ? command : [FAKETIME, "-f", clock, ...command];
	return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve, reject) => {
		const child = spawn(program, rest, {
			env: { ...process.env, CAUSEWAY_FROM: "source", FAKETIME_DONT_FAKE_MONOTONIC: "1" },
		});
		let stdout = "";
		let stderr = "";
		child.stdout.on("data", (chunk: Buffer) => {
			stdout += chunk.toString("utf8");
		});
		child.stderr.on("data", (chunk: Buffer) => {
			stderr += chunk.toString("utf8");
		});
		child.once("error", reject);
		child.once("close", (code) => resolve({ code, stdout, stderr }));
	});
}

/** What differs from run to run, taken out. */
function normalise(text: string, { folder }: World): string {
	return text
		.replaceAll(folder, "FOLDER")
		.replaceAll(/127\.0\.0\.1:\d+/g, "127.0.0.1:PORT")
		.replaceAll(/(sip\.\w+\.example):\d{4,5}/g, "$1:PORT")
		.replaceAll(/SRV 10 50 (?!5061)\d+/g, "SRV 10 50 PORT")
		.replaceAll(/sport = :\d+/g, "sport = :PORT")
		.replaceAll(/of the record \(\d+\)/g, "of the record (PORT)")
		.replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, "TIME")
		.replaceAll(/([0-9A-F]{2}:){31}[0-9A-F]{2}/g, "FINGERPRINT");
}

function srv({ domain, fqdn, sipPort }: Organisation, target = fqdn): readonly ZoneRecord[] {
	return [{ name: `_sipfederationtls._tcp.${domain}`, type: "SRV", priority: 10, weight: 50, port: sipPort, target }];
}

/** Publishes other records. */
function publish(zone: ZoneServer, records: readonly ZoneRecord[]): Restore {
	const { records: before } = zone;
	zone.setRecords(records);
	return () => zone.setRecords(before);
}

function address({ fqdn }: Organisation): readonly ZoneRecord[] {
	return [{ name: fqdn, type: "A", address: "127.0.0.1" }];
}

function dates(fromMs: number, untilMs: number): Pick<CertificateSpec, "notBefore" | "notAfter"> {
	const now = Date.now();
	return { notBefore: new Date(now + fromMs), notAfter: new Date(now + untilMs) };
}

/** Gives an organisation another certificate. */
async function certify(
	{ authority }: World,
	organisation: Organisation,
	parts: {
		readonly issuer?: Authority;
		readonly names?: readonly string[];
		readonly purposes?: readonly string[];
		readonly notBefore?: number;
		readonly notAfter?: number;
		readonly leafAlone?: boolean;
		readonly isInUse?: boolean;
	},
): Promise<Restore> {
	const names = parts.names ?? [organisation.fqdn];
	const issued = await issue(parts.issuer ?? authority, {
		commonName: names[0] ?? "",
		alternativeNames: names.map((value) => ({ type: "dns", value })),
		...dates(parts.notBefore ?? -DAY_MS, parts.notAfter ?? 20 * DAY_MS),
		purposes: parts.purposes ?? ["server", "client"],
		authority: { is: false },
		keyUsage: ["digitalSignature"],
	});
	const files = ["edge.key", "edge.pem"].map((file) => join(dirname(organisation.configFile), file));
	const texts = [issued.key, parts.leafAlone === true ? issued.certificate : issued.chain];
	const before = files.map((file) => readFileSync(file, "utf8"));
	const put = async (contents: readonly string[]): Promise<void> => {
		for (const [index, file] of files.entries()) writeFileSync(file, contents[index] ?? "");
		// By a restart: while it runs, an edge refuses to take a certificate that is worse than the one in use.
		if (parts.isInUse !== false) await organisation.restart();
	};
	await put(texts);
	return () => put(before);
}
