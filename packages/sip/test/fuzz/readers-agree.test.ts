import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseMediaType } from "../../src/header/media-type.ts";
import { CORPUS_FOLDER, readCorpusLines } from "./corpus.ts";
import { assertReadersAgree } from "./readers-agree.ts";

const pieces = [
	..."sip:;sips:;SIP:;a;B;7;-;.;..;_;@;:;;=;?;/;%41;%;>;<;,; ;\t;é;\0;[::1];1.2.3.4;01.2.3.4;5061;65536;b.example".split(
		";",
	),
	";",
	";tag=1",
	"; branch = x",
	';q="a;b"',
	"x".repeat(64),
	";p".repeat(65),
	"text/plain",
	"; charset=UTF-8",
	"application/sdp",
];

test("what has a reader of its own because it is usual is read as the whole grammar reads it", () => {
	fc.assert(
		fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 14 }), (chosen) => {
			assertReadersAgree(chosen.join(""));
			assertReadersAgree(`sip:${chosen.join("")}`);
		}),
		{ numRuns: 3000 },
	);
});

test("the readers of what is usual agree with the others on every line of the corpus, each octet of it changed in turn", () => {
	for (const name of ["uri.txt", "name-addr.txt", "via.txt"]) {
		for (const line of readCorpusLines(CORPUS_FOLDER, name)) {
			const text = Buffer.from(line).toString("latin1");
			assertReadersAgree(text);
			for (let at = 0; at < Math.min(text.length, 80); at++) {
				for (const octet of ["", ".", ";", "=", "@", "A", "\x80"]) {
					assertReadersAgree(text.slice(0, at) + octet + text.slice(at + 1));
				}
			}
		}
	}
});

test("RFC 3261 §20.15: a usual media type is one record for all messages, which nobody can change", () => {
	const text = "text/plain; charset=UTF-8";
	const [first, second] = [parseMediaType(text, 0, text.length), parseMediaType(`x${text}`, 1, text.length + 1)];
	assert.ok(first.ok && second.ok);
	assert.equal(first.value, second.value);
	assert.deepEqual({ ...first.value }, { type: "text", subtype: "plain", params: ";charset=UTF-8" });
	assert.ok(Object.isFrozen(first.value));
});
