/** The page "Connect to a partner", command for command, on two machines with a DNS server and a certification authority. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { delimiter } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { LAUNCHER } from "./harness/causeway.ts";
import { type FederatedDomain, startDns } from "./harness/dnsmasq.ts";
import { createLab } from "./harness/lab.ts";
import { createSecondHost, enterPrivateNamespace, type SecondHost } from "./harness/namespace.ts";
import { createAuthority } from "./harness/pki.ts";

enterPrivateNamespace(import.meta.filename);

const PAGE = fileURLToPath(new URL("../../../../docs/connect-to-a-partner.md", import.meta.url));
const SIDES = ["contoso", "fabrikam"] as const;
type Side = (typeof SIDES)[number];

interface Block {
	readonly language: "sh" | "zone";
	readonly side: Side;
	readonly text: string;
}

/** The blocks of the page in their order; each says whose it is. */
function readBlocks(page: string): readonly Block[] {
	return [...page.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)].map(([, head = "", text = ""]) => {
		const [language, name] = head.split(" ");
		const side = SIDES.find((one) => one === name);
		assert.ok(side !== undefined && (language === "sh" || language === "zone"), `a block that nobody runs: ${head}`);
		return { language, side, text: text.trim() };
	});
}

/** The two records of a side. */
function readRecords(text: string): FederatedDomain {
	const read =
		/^_sipfederationtls\._tcp\.(\S+)\. 3600 IN SRV 10 50 (\d+) (\S+)\.\n(\S+)\. 3600 IN A ([\d.]+)$/.exec(text) ?? [];
	const [, domain = "", port = "", edge = "", host = "", address = ""] = read;
	assert.equal(host, edge, text);
	return { domain, edge, address, port: Number(port) };
}

test("docs, Connect to a partner: its commands lead from nothing to doctor without a fault on both sides, and to a message delivered", async (context) => {
	const blocks = readBlocks(readFileSync(PAGE, "utf8"));
	const records = Object.fromEntries(
		blocks.flatMap(({ language, side, text }) => (language === "zone" ? [[side, readRecords(text)]] : [])),
	) as Record<Side, FederatedDomain>;
	const lab = createLab(context);
	const authority = createAuthority(lab, "authority");
	const fabrikam = createSecondHost("fabrikam", { own: records.contoso.address, second: records.fabrikam.address });
	const hosts: Record<Side, SecondHost | undefined> = { contoso: undefined, fabrikam };
	for (const side of SIDES) {
		mkdirSync(lab.path(side));
		const host = hosts[side];
		await startDns(lab, Object.values(records), host === undefined ? {} : { host });
	}
	const program = lab.write("bin-causeway", `#!/bin/sh\nexec "${process.execPath}" "${LAUNCHER}" "$@"\n`);
	mkdirSync(lab.path("bin"));
	copyFileSync(program, lab.path("bin/causeway"));
	chmodSync(lab.path("bin/causeway"), 0o755);
	const env = {
		CAUSEWAY_FROM: "source",
		// The authority is one that both machines trust.
		SSL_CERT_FILE: authority.certificate,
		PATH: `${lab.path("bin")}${delimiter}${process.env["PATH"] ?? ""}`,
	};
	const inFolder = (side: Side, text: string): readonly string[] => {
		return [...(hosts[side]?.enter ?? []), "sh", "-ec", `cd "${lab.path(side)}"\n${text}`];
	};
	const run = (side: Side, text: string): string => {
		const [command = "", ...args] = inFolder(side, text);
		try {
			return execFileSync(command, args, { env: { ...process.env, ...env }, encoding: "utf8" });
		} catch (error) {
			throw new Error(`${side}: ${text}\n${String(Reflect.get(Object(error), "stdout"))}`, { cause: error });
		}
	};

	for (const { language, side, text } of blocks) {
		if (language === "zone") continue;
		if (text === "causeway serve") {
			const [command = "", ...args] = inFolder(side, "exec causeway serve");
			const served = await lab.run({ name: side, command, args, env });
			await served.waitForLine("its start", (line) => line.includes("edge ready"), 60_000);
			continue;
		}
		// What passes between the steps: the authority's answer, and the files that partners send each other.
		const partner = side === "contoso" ? "fabrikam" : "contoso";
		if (text.startsWith("causeway check-config")) {
			const signed = authority.sign(side, lab.path(`${side}/edge.csr`), { names: [records[side].edge] });
			copyFileSync(signed, lab.path(`${side}/edge.pem`));
		}
		if (text.includes("--import")) {
			copyFileSync(lab.path(`${partner}/${partner}.json`), lab.path(`${side}/${partner}.json`));
		}
		const output = run(side, text);
		if (text.startsWith("causeway init")) {
			// The records of the page are those that `init` tells.
			const { domain, edge, port } = records[side];
			assert.ok(output.includes(`_sipfederationtls._tcp.${domain}. 3600 IN SRV 10 50 ${port} ${edge}.`), output);
			assert.ok(output.includes(`${edge}. 3600 IN A `), output);
		}
		if (text.startsWith("causeway doctor")) assert.match(output, /^everything is in order$/m, output);
		if (text.startsWith("causeway send")) assert.match(output, /delivered/);
	}
	const steps = blocks.map(({ text }) => text.split("\n")[0]?.split(" ").slice(0, 3).join(" "));
	for (const side of SIDES) {
		const other = records[side === "contoso" ? "fabrikam" : "contoso"].domain;
		assert.ok(steps.includes(`causeway doctor ${other}`), `${side} looks at ${other}`);
	}
});
