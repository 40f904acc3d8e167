import assert from "node:assert/strict";
import { test } from "node:test";
import { nearestWord } from "./nearest.ts";

const WORDS = ["edge", "connect", "domains", "min_version", "trust"];

test("the nearest word to a misspelt one: swaps, slips and capitals; nothing where none is near", () => {
	const table: readonly (readonly [string, string | undefined])[] = [
		["egde", "edge"],
		["edg", "edge"],
		["EDGE", "edge"],
		["domain", "domains"],
		["min-version", "min_version"],
		["minversion", "min_version"],
		["conect", "connect"],
		["x", undefined],
		["", undefined],
		["verification", undefined],
	];
	for (const [word, near] of table) assert.equal(nearestWord(word, WORDS), near, word);
	assert.equal(nearestWord("edge", []), undefined);
});
