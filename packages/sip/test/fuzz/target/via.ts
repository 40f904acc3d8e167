/** Via values. */
import assert from "node:assert/strict";
import { formatVia, parseVia } from "../../../src/header/via.ts";
import { listParams } from "../../../src/uri/params.ts";
import { CORPUS_FOLDER, readCorpusLines } from "../corpus.ts";
import type { FuzzTarget } from "../fuzz-target.ts";
import { assertReadersAgree } from "../readers-agree.ts";
import { VALUE_TOKENS } from "../sip-text.ts";

export function createViaTarget(): FuzzTarget {
	return {
		name: "via",
		summary: "Via values",
		sources: [
			"/sip/src/header/via.ts",
			"/sip/src/header/params.ts",
			"/sip/src/uri/host.ts",
			"/sip/src/uri/plain-name.ts",
			"/sip/src/text/scan.ts",
		],
		seeds: readCorpusLines(CORPUS_FOLDER, "via.txt"),
		tokens: [...VALUE_TOKENS, "SIP/2.0/TLS ", "SIP/2.0/", " / ", " : ", ":5061", ";rport", ";ttl=1"],
		run: (input) => readVia(Buffer.from(input).toString("latin1")),
	};
}

function readVia(text: string): string {
	assertReadersAgree(text);
	const result = parseVia(text, 0, text.length);
	// Nothing is usual behind white space, which means nothing.
	const spaced = parseVia(` ${text}`, 0, text.length + 1);
	assert.deepEqual(spaced.ok && spaced.value, result.ok && result.value, "two readers disagree on a Via");
	if (!result.ok) {
		assert.ok(result.fault.offset >= 0 && result.fault.offset <= text.length, "a fault outside the text");
		return result.fault.detail;
	}
	const via = result.value;
	const written = formatVia(via);
	const again = parseVia(written, 0, written.length);
	assert.ok(again.ok, "a Via that was read and written cannot be read");
	assert.deepEqual(again.value, via, "a Via that was read and written is another one");
	const { transport, host, port, branch, params } = via;
	return [
		transport === "TLS",
		host.includes(":"),
		port === undefined,
		branch === undefined,
		Math.min(listParams(params).length, 9),
	].join(" ");
}
