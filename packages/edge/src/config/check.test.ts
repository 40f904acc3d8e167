import assert from "node:assert/strict";
import { test } from "node:test";
import { formatProblem, parseConfig } from "./load.ts";

const EDGE = '[edge]\nfqdn = "sip.contoso.example"\n';
const HOSTED = '[[domain]]\nname = "contoso.example"\nkind = "hosted"\n';

function lines(text: string): readonly string[] {
	const outcome = parseConfig(text, "causeway.toml");
	return (outcome.ok ? outcome.warnings : outcome.problems).map(formatProblem);
}

test("a table without a kind still has its unknown keys named", () => {
	assert.deepEqual(lines(`${EDGE}${HOSTED}[[peer]]\negde = "sip.fabrikam.example"\n`), [
		'causeway.toml:6:1: peer[0].kind: missing; it takes: "direct" | "allowed" | "provider"',
		'causeway.toml:7:1: peer[0].egde: unknown key; did you mean "edge"?',
	]);
});

test("no key is suggested that the table's kind does not have", () => {
	const [line = ""] = lines(`${EDGE}${HOSTED}[[domain]]\nname = "a.example"\nkind = "hosted"\ninside_ = "b.example"\n`);
	assert.equal(line, "causeway.toml:9:1: domain[1].inside_: unknown key; known here: kind, name, icon");
});

test("a suspicious peer that may send more than another is a warning, for all and for one", () => {
	const ceilings = "messages_per_second = 5\nsuspicious_messages_per_second = 6\n";
	const peer = '[[peer]]\nkind = "allowed"\ndomains = ["fabrikam.example"]\n';
	const words = "above messages_per_second (5): a suspicious peer may send more than another";
	assert.deepEqual(lines(`${EDGE}${HOSTED}[throttle]\n${ceilings}${peer}[peer.throttle]\n${ceilings}`), [
		`causeway.toml:8:1: throttle.suspicious_messages_per_second: ${words}`,
		`causeway.toml:14:1: peer[0].throttle.suspicious_messages_per_second: ${words}`,
	]);
	assert.deepEqual(lines(`${EDGE}${HOSTED}${peer}[peer.throttle]\nsuspicious_messages_per_second = 100\n`), []);
});

test("plain HTTP beyond this machine is said of the listener that is open", () => {
	const [line = ""] = lines(`${EDGE}${HOSTED}[http]\nconsole_listen = "[::]:8081"\n`);
	assert.ok(line.startsWith("causeway.toml:7:1: http.console_listen: passwords and tokens travel in the clear"), line);
});

test("a text far too long is not read", () => {
	assert.deepEqual(lines(`${EDGE}${HOSTED}#${" ".repeat(1_048_576)}`), [
		"causeway.toml: longer than 1048576 characters: this is no configuration",
	]);
});
