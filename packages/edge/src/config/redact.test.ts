import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfig } from "./load.ts";
import { HIDDEN, redactConfig } from "./redact.ts";

const TEXT = `
[edge]
fqdn = "sip.contoso.example"
[edge.tls]
key = "secret-place/edge.key"
[[domain]]
name = "contoso.example"
kind = "hosted"
[[peer]]
kind = "direct"
domains = ["fabrikam.example"]
edge = "sip.fabrikam.example"
trust = ["fabrikam-ca.pem"]
[http]
admin_token_file = "secret-place/admin.token"
`;

test("for display every secret is hidden, an unset one stays empty, and nothing else changes", () => {
	const outcome = parseConfig(TEXT, "/etc/causeway/causeway.toml");
	assert.ok(outcome.ok);
	const { config } = outcome;
	const shown = redactConfig(config);
	assert.ok(!JSON.stringify(shown).includes("secret-place"));
	assert.deepEqual(shown, {
		...config,
		edge: { ...config.edge, tls: { ...config.edge.tls, key: HIDDEN } },
		http: { ...config.http, admin_token_file: HIDDEN },
	});
	assert.equal(shown.http.key, "");
	assert.equal(config.edge.tls.key, "/etc/causeway/secret-place/edge.key");
});

test("a key pasted where its file belongs is refused, and not repeated in the problem", () => {
	const pasted = '"""-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----"""';
	for (const section of ["edge.tls", "http"]) {
		const outcome = parseConfig(
			`[edge]\nfqdn = "sip.contoso.example"\n[${section}]\nkey = ${pasted}\n`,
			"causeway.toml",
		);
		assert.ok(!outcome.ok);
		assert.ok(!JSON.stringify(outcome.problems).includes("MIIEvQ"));
		assert.equal(outcome.problems[0]?.message, "must name a file, not hold its contents");
	}
});
