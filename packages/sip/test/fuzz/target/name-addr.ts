/** Values of From, To, Contact, Route: with and without display name, brackets and parameters. */
import assert from "node:assert/strict";
import { formatNameAddr, type NameAddr, parseNameAddr } from "../../../src/header/name-addr.ts";
import { isOneLine } from "../../../src/text/scan.ts";
import { listParams } from "../../../src/uri/params.ts";
import { isSipUri } from "../../../src/uri/uri.ts";
import { CORPUS_FOLDER, readCorpusLines } from "../corpus.ts";
import type { FuzzTarget } from "../fuzz-target.ts";
import { assertReadersAgree } from "../readers-agree.ts";
import { VALUE_TOKENS } from "../sip-text.ts";

export function createNameAddrTarget(): FuzzTarget {
	return {
		name: "name-addr",
		summary: "values of From, To, Contact and Route",
		sources: [
			"/sip/src/header/name-addr.ts",
			"/sip/src/header/params.ts",
			"/sip/src/text/quoting.ts",
			"/sip/src/text/scan.ts",
		],
		seeds: readCorpusLines(CORPUS_FOLDER, "name-addr.txt"),
		tokens: VALUE_TOKENS,
		run: (input) => readNameAddr(Buffer.from(input).toString("latin1")),
	};
}

function readNameAddr(text: string): string {
	assertReadersAgree(text);
	const result = parseNameAddr(text, 0, text.length);
	if (!result.ok) {
		assert.ok(result.fault.offset >= 0 && result.fault.offset <= text.length, "a fault outside the text");
		return `${result.fault.code} ${result.fault.detail}`;
	}
	const { displayName, uri, tag } = result.value;
	const params = listParams(result.value.params);
	// Line ends that are no folds never reach this reader: the head index refuses them.
	if (isOneLine(text)) {
		const again = parseNameAddr(...whole(formatNameAddr({ displayName, uri: uri.text, params })));
		assert.ok(again.ok, "an address that was read and written cannot be read");
		assert.deepEqual(
			essence(again.value),
			essence(result.value),
			"an address that was read and written is another one",
		);
	}
	return [displayName === undefined, isSipUri(uri), Math.min(params.length, 9), tag === undefined].join(" ");
}

function whole(text: string): readonly [text: string, start: number, end: number] {
	return [text, 0, text.length];
}

function essence({ displayName, uri, params, tag }: NameAddr): unknown {
	return [displayName, uri, params, tag];
}
