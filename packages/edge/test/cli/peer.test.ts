/** `causeway peer` as an administrator uses it: what is printed, what is asked, what is changed. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startWireWorld } from "../wire/wire-world.ts";
import { runCommand } from "./run-command.ts";

test("peer list, show, allow, block, remove: the whole of it, as printed", async (context) => {
	const world = await startWireWorld(context, `[[block]]\ndomain = "spim.example"\n`);
	const run = async (...args: readonly string[]) => {
		const { code, stdout, stderr } = await runCommand(world.admin, ["peer", ...args]);
		assert.equal(code, 0, stderr);
		return stdout.replaceAll(/127\.0\.0\.1:\d+/g, "127.0.0.1:PORT").replaceAll(/\d{4}-\d\d-\d\dT\S+Z/g, "NOW");
	};
	assert.equal(
		await run("list"),
		`PEER                  KIND    DOMAINS           ORIGIN  STATE    CONNECTIONS
sip.fabrikam.example  direct  fabrikam.example  file    allowed            0
spim.example          block   spim.example      file    blocked            -
`,
	);
	assert.equal(await run("allow", "northwind.example", "--dry-run"), "nothing live would end; nothing was changed\n");
	assert.equal(await run("allow", "northwind.example"), "northwind.example allowed\n");
	assert.equal(
		await run("allow", "im.example", "--edge", "edge.network.example:5062", "--provider", "--public"),
		"im.example allowed\n",
	);
	assert.equal(
		await run("allow", "mail.example", "--edge", "edge.network.example:5062", "--verification", "always-unverified"),
		"mail.example allowed\n",
	);
	assert.equal(await run("block", "northwind.example"), "northwind.example blocked\n");
	assert.equal(
		await run("list"),
		`PEER                  KIND               DOMAINS                  ORIGIN  STATE    CONNECTIONS
edge.network.example  provider (public)  im.example mail.example  store   allowed            0
northwind.example     allowed            northwind.example        store   blocked            0
sip.fabrikam.example  direct             fabrikam.example         file    allowed            0
northwind.example     block              northwind.example        store   blocked            -
spim.example          block              spim.example             file    blocked            -
`,
	);
	assert.equal(
		await run("show", "mail.example"),
		`peer          edge.network.example
kind          provider (public)
domains       im.example, mail.example
written in    the live policy, NOW
edge          edge.network.example:5062
verification  always-unverified
affinity      strict
connections   0
we see them   0 subscriptions, no NOTIFY since the start
they see us   0 subscriptions, no NOTIFY since the start
`,
	);
	assert.equal(
		await run("show", "spim.example"),
		`blocked  spim.example, by the configuration file
`,
	);
	assert.equal(await run("remove", "northwind.example"), "northwind.example is no longer blocked\n");
	assert.equal(await run("remove", "northwind.example"), "northwind.example removed\n");
	assert.equal(await run("remove", "im.example"), "im.example taken from edge.network.example\n");
	assert.equal(await run("remove", "edge.network.example"), "edge.network.example removed\n");
	assert.match(await run("list", "--json"), /^\[\{"name":"sip\.fabrikam\.example".*\}\]\n$/);

	const inFile = await runCommand(world.admin, ["peer", "remove", "fabrikam.example"]);
	assert.deepEqual(inFile, {
		code: 1,
		stdout: "",
		stderr:
			"causeway: sip.fabrikam.example is in the configuration file: take it out there and reload, or block its domains\n",
	});
	assert.equal((await runCommand(world.admin, ["peer", "allow"])).code, 2);
	assert.equal((await runCommand(world.admin, ["peer", "allow", "not a domain"])).code, 2);
	const unknown = await runCommand(world.admin, ["peer", "show", "nobody.example"]);
	assert.equal(unknown.code, 1);
	assert.match(unknown.stderr, /there is no peer nobody\.example/);
});

test("on a terminal an edit that does more than was asked for is made only after a yes", async (context) => {
	const world = await startWireWorld(context);
	const args = ["peer", "allow", "fabrikam.example", "--edge", "edge.new.example"];
	const no = await runCommand(world.admin, args, "");
	assert.deepEqual([no.code, no.stderr], [1, "causeway: nothing was changed\n"]);
	assert.equal(no.stdout, "fabrikam.example moves here from sip.fabrikam.example. Go on? [y/N] ");
	assert.equal((await world.admin.call("listPeers")).peers[0]?.origin, "file");
	const yes = await runCommand(world.admin, args, "y");
	assert.equal(yes.code, 0, yes.stderr);
	assert.match(yes.stdout, /fabrikam\.example allowed\n$/);
	assert.equal((await world.admin.call("listPeers")).peers[0]?.origin, "store");
});

test("peer invite: what one edge prints, another imports", async (context) => {
	const [one, other] = [await startWireWorld(context), await startWireWorld(context)];
	const printed = await runCommand(one.admin, ["peer", "invite"]);
	assert.equal(printed.code, 0, printed.stderr);
	const masked = printed.stdout
		.replace(/\d{4}-\d\d-\d\dT\S+Z/, "NOW")
		.replace(/(?:[0-9A-F]{2}:){31}[0-9A-F]{2}/, "FINGERPRINT")
		.replaceAll(String(one.port), "PORT");
	assert.equal(
		masked,
		`edge         sip.contoso.example:PORT
domains      contoso.example
certificate  CN=sip.contoso.example
issued by    CN=Wire test authority
valid until  NOW
SHA-256      FINGERPRINT
DNS          _sipfederationtls._tcp.contoso.example. 3600 IN SRV 10 50 PORT sip.contoso.example.
`,
	);
	const { stdout } = await runCommand(one.admin, ["peer", "invite", "--json"]);
	const folder = await mkdtemp(join(tmpdir(), "causeway-invite-"));
	context.after(() => rm(folder, { recursive: true, force: true }));
	const file = join(folder, "partner.json");
	// As a partner of another name would send it: both edges of this test have the same.
	await writeFile(file, stdout.replaceAll("contoso.example", "northwind.example"));
	const imported = await runCommand(other.admin, ["peer", "invite", "--import", file]);
	assert.deepEqual([imported.code, imported.stderr], [0, ""]);
	assert.match(imported.stdout, /^edge +sip\.northwind\.example:\d+\n.*\nnorthwind\.example allowed\n$/s);
	const peer = await other.admin.call("getPeer", { params: { name: "northwind.example" } });
	assert.deepEqual([peer.kind, peer.origin, peer.edge], ["direct", "store", `sip.northwind.example:${one.port}`]);
	await writeFile(file, "{}");
	const bad = await runCommand(other.admin, ["peer", "invite", "--import", file]);
	assert.equal(bad.code, 1);
	assert.match(bad.stderr, /is no invitation/);
});
