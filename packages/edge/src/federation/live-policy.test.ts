import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfig } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import {
	type LiveEntries,
	layPolicy,
	NO_LIVE_ENTRIES,
	type PolicyEdit,
	planEdit,
	readLiveEntries,
} from "./live-policy.ts";

function configure(text: string): Config {
	const read = parseConfig(
		`[edge]\nfqdn = "sip.contoso.example"\n[[domain]]\nname = "contoso.example"\nkind = "hosted"\n${text}`,
		"/etc/causeway/causeway.toml",
	);
	assert.ok(read.ok, JSON.stringify(read));
	return read.config;
}

const file = configure(`
[[peer]]
kind = "allowed"
domains = ["fabrikam.example"]
[[peer]]
kind = "provider"
domains = ["one.example", "two.example"]
edge = "edge.first.example"
[[peer]]
kind = "provider"
domains = ["three.example"]
edge = "edge.second.example:5062"
[[block]]
domain = "spim.example"
`);

/** Makes the edits one after the other; `name: domains (origin)` of what stands, blocks with an exclamation mark. */
function afterEdits(...edits: readonly PolicyEdit[]) {
	let live: LiveEntries = NO_LIVE_ENTRIES;
	let notes: readonly string[] = [];
	for (const edit of edits) {
		const plan = planEdit(file, live, edit, 1_000);
		assert.ok(plan.ok, JSON.stringify(plan));
		live = plan.entries;
		notes = plan.notes;
	}
	const { peers, blocks } = layPolicy(file, live);
	const standing = [
		...peers.map(({ name, entry, origin }) => `${name}: ${entry.domains.join(" ")} (${origin})`),
		...blocks.map(({ domain, origin }) => `!${domain} (${origin})`),
	];
	return { live, notes, standing };
}

function put(name: string, peer: object): PolicyEdit {
	return { kind: "put-peer", name, peer };
}

const second = { kind: "provider", edge: "edge.second.example:5062", domains: ["three.example", "two.example"] };

const asInFile = [
	"edge.first.example: one.example two.example (file)",
	"edge.second.example: three.example (file)",
	"fabrikam.example: fabrikam.example (file)",
	"!spim.example (file)",
];

const table: readonly [
	rule: string,
	edits: readonly PolicyEdit[],
	standing: readonly string[],
	notes: readonly string[],
][] = [
	["without live edits the file stands", [], asInFile, []],
	[
		"a domain that is allowed live stands beside the file's",
		[put("northwind.example", { kind: "allowed", domains: ["northwind.example"] })],
		[...asInFile.slice(0, 3), "northwind.example: northwind.example (store)", "!spim.example (file)"],
		[],
	],
	[
		"the store wins over the file for the same domain",
		[put("sip.fabrikam.example", { kind: "direct", edge: "sip.fabrikam.example", domains: ["fabrikam.example"] })],
		[...asInFile.slice(0, 2), "sip.fabrikam.example: fabrikam.example (store)", "!spim.example (file)"],
		["fabrikam.example moves here from fabrikam.example"],
	],
	[
		"a domain moves from one provider to another, and the rest stays",
		[put("edge.second.example", second)],
		[
			"edge.first.example: one.example (file)",
			"edge.second.example: three.example two.example (store)",
			...asInFile.slice(2),
		],
		["two.example moves here from edge.first.example"],
	],
	[
		"a domain moves on from one live peer to another, and one that has none left is gone",
		[
			put("edge.a.example", { kind: "direct", edge: "edge.a.example", domains: ["moving.example"] }),
			put("edge.b.example", { kind: "direct", edge: "edge.b.example", domains: ["moving.example"] }),
		],
		["edge.b.example: moving.example (store)", ...asInFile],
		["moving.example moves here from edge.a.example"],
	],
	[
		"what was edited live can be taken back, and the file stands again",
		[put("edge.second.example", second), { kind: "remove-peer", name: "edge.second.example" }],
		asInFile,
		[
			"edge.first.example stands again as the configuration file has it",
			"edge.second.example stands again as the configuration file has it",
		],
	],
	[
		"a provider may go without domains",
		[put("edge.open.example", { kind: "provider", edge: "edge.open.example" })],
		[...asInFile.slice(0, 1), "edge.open.example:  (store)", ...asInFile.slice(1)],
		[],
	],
	[
		"a block stands above a peer",
		[{ kind: "block", domain: "fabrikam.example" }],
		[...asInFile.slice(0, 3), "!fabrikam.example (store)", "!spim.example (file)"],
		[],
	],
	[
		"allowing a domain lifts its live block",
		[
			{ kind: "block", domain: "northwind.example" },
			put("northwind.example", { kind: "allowed", domains: ["northwind.example"] }),
		],
		[...asInFile.slice(0, 3), "northwind.example: northwind.example (store)", "!spim.example (file)"],
		["northwind.example is no longer blocked"],
	],
	[
		"allowing a domain that the file blocks wins over the file",
		[put("spim.example", { kind: "allowed", domains: ["spim.example"] })],
		[...asInFile.slice(0, 3), "spim.example: spim.example (store)"],
		["spim.example is blocked in the configuration file; this edit wins over it"],
	],
];

for (const [rule, edits, standing, notes] of table) {
	test(`product contract 3: ${rule}`, () => {
		const after = afterEdits(...edits);
		assert.deepEqual([...after.standing].sort(), [...standing].sort());
		assert.deepEqual([...after.notes].sort(), [...notes].sort());
	});
}

const refused: readonly [rule: string, edit: PolicyEdit, code: string, words: RegExp][] = [
	[
		"an unknown key",
		put("x.example", { kind: "allowed", domains: ["x.example"], egde: 1 }),
		"invalid",
		/egde unknown key/,
	],
	["no domain", put("x.example", { kind: "allowed", domains: [] }), "invalid", /domains.*must not be empty/],
	[
		"a domain of ours",
		put("contoso.example", { kind: "allowed", domains: ["contoso.example"] }),
		"invalid",
		/we serve/,
	],
	[
		"our own edge",
		put("sip.contoso.example", { kind: "direct", edge: "sip.contoso.example", domains: ["x.example"] }),
		"invalid",
		/our own name/,
	],
	[
		"trust by a relative path, which the edge could not place",
		put("x.example", { kind: "allowed", domains: ["x.example"], trust: ["ca.pem"] }),
		"invalid",
		/absolute/,
	],
	[
		"a peer of another name than the one to be changed",
		put("y.example", { kind: "allowed", domains: ["x.example"] }),
		"invalid",
		/x\.example, while y\.example/,
	],
	["the removal of a file's peer", { kind: "remove-peer", name: "edge.first.example" }, "in-file", /file/],
	["the removal of nobody", { kind: "remove-peer", name: "nobody.example" }, "unknown-peer", /nobody/],
	["lifting a file's block", { kind: "unblock", domain: "spim.example" }, "in-file", /file/],
	["lifting no block", { kind: "unblock", domain: "x.example" }, "not-blocked", /x\.example/],
	["blocking ourselves", { kind: "block", domain: "contoso.example" }, "invalid", /ours/],
];

for (const [rule, edit, code, words] of refused) {
	test(`a live edit is held against the rules of the file: ${rule} is refused`, () => {
		const plan = planEdit(file, NO_LIVE_ENTRIES, edit, 0);
		assert.ok(!plan.ok);
		assert.equal(plan.code, code);
		assert.match(
			[plan.reason, ...plan.findings.map((one) => `${one.path.join(".")} ${one.message}`)].join("\n"),
			words,
		);
	});
}

test("what the store keeps is read back as it was, and what this version cannot read is named and left out", () => {
	const plan = planEdit(file, NO_LIVE_ENTRIES, put("edge.second.example", second), 1_000);
	assert.ok(plan.ok);
	const stored = plan.changes.map(({ kind, domain, value = "" }) => ({
		kind,
		domain,
		value: JSON.parse(value) as unknown,
		changedAt: 1_000,
	}));
	const { entries, unreadable } = readLiveEntries([
		...stored,
		{ kind: "peer", domain: "old.example", value: { kind: "clearing-house" }, changedAt: 0 },
	]);
	assert.deepEqual(unreadable, ["old.example"]);
	assert.deepEqual(layPolicy(file, entries), layPolicy(file, plan.entries));
});

test("a domain that became ours is no peer's, whatever the store says", () => {
	const { live } = afterEdits(put("northwind.example", { kind: "allowed", domains: ["northwind.example"] }), {
		kind: "block",
		domain: "spam.example",
	});
	const grown = configure(
		`[[domain]]\nname = "northwind.example"\nkind = "hosted"\n[[domain]]\nname = "spam.example"\nkind = "hosted"\n`,
	);
	assert.deepEqual(layPolicy(grown, live).peers, []);
	assert.deepEqual(layPolicy(grown, live).blocks, []);
});
