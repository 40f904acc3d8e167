/** URIs, and what is compared and kept of them. */
import assert from "node:assert/strict";
import { aorKey, formatAor, parseAor, parseAorText } from "../../../src/uri/aor.ts";
import { compareUris, normaliseEscapes } from "../../../src/uri/compare-uris.ts";
import { formatSipUri } from "../../../src/uri/format-uri.ts";
import { parseHost } from "../../../src/uri/host.ts";
import { listParams } from "../../../src/uri/params.ts";
import { parseUriText } from "../../../src/uri/parse-uri.ts";
import { isSipUri } from "../../../src/uri/uri.ts";
import { CORPUS_FOLDER, readCorpusLines } from "../corpus.ts";
import type { FuzzTarget } from "../fuzz-target.ts";
import { assertReadersAgree } from "../readers-agree.ts";
import { VALUE_TOKENS } from "../sip-text.ts";

export function createUriTarget(): FuzzTarget {
	return {
		name: "uri",
		summary: "URIs, addresses of record, hosts, comparison",
		sources: [
			"/sip/src/uri/parse-uri.ts",
			"/sip/src/uri/host.ts",
			"/sip/src/uri/plain-name.ts",
			"/sip/src/uri/plain-uri.ts",
			"/sip/src/uri/aor.ts",
			"/sip/src/uri/compare-uris.ts",
			"/sip/src/uri/params.ts",
			"/sip/src/text/char-class.ts",
		],
		seeds: readCorpusLines(CORPUS_FOLDER, "uri.txt"),
		tokens: VALUE_TOKENS,
		run: (input) => readUri(Buffer.from(input).toString("latin1")),
	};
}

function readUri(text: string): string {
	assertReadersAgree(text);
	const host = parseHost(text, 0, text.length);
	if (host !== undefined) assert.ok(host.end > 0 && host.end <= text.length && host.host.length <= 255);
	parseAorText(text);
	const result = parseUriText(text);
	if (!result.ok) {
		assert.ok(result.fault.offset >= 0 && result.fault.offset <= text.length, "a fault outside the text");
		return `${result.fault.detail} ${host?.hostKind}`;
	}
	const uri = result.value;
	assert.equal(uri.text, text);
	if (!isSipUri(uri)) return `other ${Math.min(uri.scheme.length, 5)}`;
	assert.equal(normaliseEscapes(normaliseEscapes(text)), normaliseEscapes(text), "escapes are not normal at once");
	const { user, port, headers } = uri;
	const params = listParams(uri.params);
	const names = new Set(params.map(({ name }) => normaliseEscapes(name).toLowerCase()));
	// RFC 3261 §19.1.1: a parameter stands once; what equals a URI that breaks this is not said.
	if (names.size === params.length) assert.ok(compareUris(uri, uri), "a URI does not equal itself");
	const written = formatSipUri({ user, host: uri.host, port, params });
	const again = parseUriText(written);
	assert.ok(again.ok && isSipUri(again.value), "a URI that was read and written cannot be read");
	assert.deepEqual(
		[again.value.user, again.value.host, again.value.port, listParams(again.value.params)],
		[user, uri.host, port, params],
	);
	const aor = parseAor(uri);
	if (aor.ok) {
		const same = parseAorText(formatAor(aor.value));
		assert.ok(same.ok && aorKey(same.value) === aorKey(aor.value), "an address of record is another one when written");
	}
	return [
		uri.scheme,
		uri.hostKind,
		user !== undefined,
		uri.password !== undefined,
		port !== undefined,
		Math.min(params.length, 9),
		headers !== "",
		aor.ok,
	].join(" ");
}
