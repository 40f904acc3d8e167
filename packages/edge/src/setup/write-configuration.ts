/** The first `causeway.toml`, commented so that it can be read without the reference beside it. */
import type { SetupPlan } from "./plan.ts";

export function formatConfiguration({ certificate, domains, fqdn, httpListen, listen, partners }: SetupPlan): string {
	const trust = certificate === "test-authority" ? '["test-ca.pem"]' : '["system"]';
	const lines = [
		"# Causeway, written by `causeway init`. `causeway check-config` checks it, docs/configuration.md tells every key.",
		"",
		"[edge]",
		`fqdn = ${quote(fqdn)}     # our name in certificate, Via and Contact`,
		`listen = [${quote(listen)}]     # federation, mutual TLS only`,
		'data_dir = "./data"     # store and signing keys; readable by this user alone',
		"",
		"[edge.tls]",
		'certificate = "edge.pem"     # our certificate first, then the chain',
		'key = "edge.key"',
		certificate === "test-authority"
			? `trust = ${trust}     # a test authority: partners have to trust it, and we theirs`
			: `trust = ${trust}     # authorities of this machine; files of partners' own authorities may be added`,
		"",
		...domains.flatMap((domain) => ["[[domain]]", `name = ${quote(domain)}`, 'kind = "hosted"', ""]),
		"# Partners. `allowed`: the DNS names their edge; `direct`: we name it.",
		...(partners.length === 0
			? [
					"# [[peer]]",
					'# kind = "allowed"',
					'# domains = ["fabrikam.example"]',
					"#",
					"# [[peer]]",
					'# kind = "direct"',
					'# domains = ["example.org"]',
					'# edge = "edge.example.org:5061"',
					"",
				]
			: partners.flatMap((partner) => ["[[peer]]", 'kind = "allowed"', `domains = [${quote(partner)}]`, ""])),
		"[federation]",
		"discovery = false     # true: exchange with every domain that can be found, throttled",
		"",
		"[http]",
		`listen = ${quote(httpListen)}     # web chat, API, metrics; keep it on loopback behind a proxy, or give it a certificate`,
		'admin_token_file = "data/admin.token"     # made at the first start',
		"",
	];
	return lines.join("\n");
}

/** A TOML basic string; the texts are names and addresses, whose characters JSON and TOML quote alike. */
function quote(text: string): string {
	return JSON.stringify(text);
}
