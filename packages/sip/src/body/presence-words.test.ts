import assert from "node:assert/strict";
import { test } from "node:test";
import type { BasicStatus } from "./pidf.ts";
import { parsePidf } from "./pidf-read.ts";
import { formatPidf } from "./pidf-write.ts";
import type { PresenceWord } from "./presence-words.ts";
import { presenceStatus, presenceWord } from "./presence-words.ts";

const table: readonly (readonly [BasicStatus | undefined, readonly string[], PresenceWord])[] = [
	["open", [], "available"],
	["open", ["available"], "available"],
	["open", ["juggling"], "available"],
	["open", ["working", "other"], "available"],
	["open", ["away"], "away"],
	["open", ["be-right-back"], "away"],
	["open", ["permanent-absence"], "away"],
	["open", ["vacation", "online"], "away"],
	["open", ["busy"], "busy"],
	["open", ["do-not-disturb"], "busy"],
	["open", ["meeting"], "busy"],
	["open", ["away", "busy"], "busy"],
	["open", ["on-the-phone"], "on-the-phone"],
	["open", ["away", "on-the-phone"], "on-the-phone"],
	["open", ["busy", "on-the-phone"], "busy"],
	["open", ["offline"], "offline"],
	["open", ["offline", "away"], "away"],
	["open", ["offline", "online"], "available"],
	["closed", [], "offline"],
	["closed", ["busy"], "offline"],
	[undefined, [], "offline"],
	[undefined, ["away"], "away"],
];

test("REQ-11: the strongest activity names the state; closed always wins", () => {
	for (const [basic, activities, word] of table) {
		assert.equal(presenceWord({ basic, activities }), word, `${basic} ${activities.join("+")}`);
	}
});

test("REQ-11: every state of the product is read back from what we write for it, by peers of both profiles", () => {
	for (const word of ["available", "busy", "on-the-phone", "away", "offline"] as const) {
		assert.equal(
			table.some((row) => row[2] === word),
			true,
		);
		for (const profile of ["profile", "rfc4480"] as const) {
			const octets = formatPidf({ entity: "sip:joe@contoso.example", ...presenceStatus(word) }, profile);
			for (const personState of [false, true]) {
				const read = parsePidf(octets, { personState });
				assert.equal(read.ok && presenceWord(read.value), word);
			}
		}
	}
});
