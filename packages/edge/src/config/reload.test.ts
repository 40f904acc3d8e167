import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfig } from "./load.ts";
import { compareConfigs } from "./reload.ts";
import type { Config } from "./schema.ts";

const BASE = '[edge]\nfqdn = "sip.contoso.example"\n[[domain]]\nname = "contoso.example"\nkind = "hosted"\n';

function read(text: string): Config {
	const outcome = parseConfig(text, "/etc/causeway/causeway.toml");
	assert.ok(outcome.ok);
	return outcome.config;
}

test("a reload: what changed, and whether it takes effect at once or at the next start", () => {
	const table: readonly (readonly [string, readonly string[]])[] = [
		["", []],
		['[log]\nlevel = "info"\n', []],
		['[log]\nlevel = "debug"\n', ["log.level live"]],
		['[http]\nlisten = "127.0.0.1:8081"\n', ["http.listen restart"]],
		[
			'[edge.tls]\ncertificate = "new.pem"\nmin_version = "1.3"\n',
			["edge.tls.certificate live", "edge.tls.min_version restart"],
		],
		['[[peer]]\nkind = "allowed"\ndomains = ["fabrikam.example"]\n', ["peer live"]],
		['[[peer]]\nkind = "allowed"\ndomains = ["fabrikam.example"]\n[peer.throttle]\ndry_run = true\n', ["peer live"]],
		['[[block]]\ndomain = "spim.example"\n', ["block live"]],
	];
	for (const [text, changes] of table) {
		const found = compareConfigs(read(BASE), read(BASE + text));
		assert.deepEqual(
			found.map(({ key, reload }) => `${key} ${reload}`),
			changes,
			text,
		);
	}
});
