import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "smol-toml";
import { locateToml, type TomlPath } from "./toml-positions.ts";

const DOCUMENT = `# comment with [brackets] and key = "x"
top = 1
"quoted key" = 'it''s'
a.b . "c.d" = 2

[table] # [[not]] a header
text = """
[fake]
fake = 1 \\""" still inside
"" end""""
literal = '''
[fake2]
it\\'''
list = [ 1, [2, 3], # ] not the end
  "four ] five",
  { x = "}", y.z = [ 6 ] },
]
after = 1979-05-27T07:32:00Z # date
  indented = { p = 1, "q r" = { s = 2 } }

[[peer]]
name = "first"
[peer.throttle]
rate = 1
[[peer.rule]]
id = 1
[[ peer . rule ]]
id = 2

[[peer]]
name = "second"
[[peer.rule]]
id = 3
`.replace("'it''s'", "'its'");

const places: readonly (readonly [TomlPath, number, number])[] = [
	[["top"], 2, 1],
	[["quoted key"], 3, 1],
	[["a"], 4, 1],
	[["a", "b"], 4, 3],
	[["a", "b", "c.d"], 4, 7],
	[["table"], 6, 1],
	[["table", "text"], 7, 1],
	[["table", "literal"], 11, 1],
	[["table", "list"], 14, 1],
	[["table", "list", 0], 14, 10],
	[["table", "list", 1], 14, 13],
	[["table", "list", 1, 1], 14, 17],
	[["table", "list", 2], 15, 3],
	[["table", "list", 3], 16, 3],
	[["table", "list", 3, "x"], 16, 5],
	[["table", "list", 3, "y", "z", 0], 16, 22],
	[["table", "after"], 18, 1],
	[["table", "indented"], 19, 3],
	[["table", "indented", "p"], 19, 16],
	[["table", "indented", "q r", "s"], 19, 33],
	[["peer"], 21, 1],
	[["peer", 0], 21, 1],
	[["peer", 0, "name"], 22, 1],
	[["peer", 0, "throttle"], 23, 1],
	[["peer", 0, "throttle", "rate"], 24, 1],
	[["peer", 0, "rule", 0, "id"], 26, 1],
	[["peer", 0, "rule", 1], 27, 1],
	[["peer", 0, "rule", 1, "id"], 28, 1],
	[["peer", 1], 30, 1],
	[["peer", 1, "name"], 31, 1],
	[["peer", 1, "rule", 0, "id"], 33, 1],
];

test("every form of TOML key has its line and column", () => {
	parse(DOCUMENT);
	const locate = locateToml(DOCUMENT);
	for (const [path, line, column] of places) assert.deepEqual(locate(path), { line, column }, JSON.stringify(path));
});

test("what is not written has the place of what is around it", () => {
	const locate = locateToml(DOCUMENT);
	assert.deepEqual(locate(["peer", 1, "edge"]), { line: 30, column: 1 });
	assert.deepEqual(locate(["peer", 0, "throttle", "burst"]), { line: 23, column: 1 });
	assert.deepEqual(locate(["fake"]), { line: 1, column: 1 });
	assert.deepEqual(locate([]), { line: 1, column: 1 });
});

test("CRLF line ends, a byte order mark and no last line end do not shift places", () => {
	const locate = locateToml('\ufeff[edge]\r\nfqdn = "x"\r\nlisten = [\r\n  "a",\r\n  "b"]');
	assert.deepEqual(locate(["edge", "fqdn"]), { line: 2, column: 1 });
	assert.deepEqual(locate(["edge", "listen", 1]), { line: 5, column: 3 });
});

test("a text that is no TOML ends the scan all the same", () => {
	for (const text of [
		"[",
		"[[",
		"=",
		"a",
		"a =",
		"a = [",
		"a = {",
		'a = "',
		"a = '''",
		"a = [1",
		"a = {b",
		"]",
		"}",
		",",
		"a.=1",
		'"',
	]) {
		assert.equal(typeof locateToml(text)(["a"]).line, "number", text);
	}
});

/** Every path of a value: tables, lists, and what they hold. */
function pathsOf(value: unknown, path: TomlPath): readonly TomlPath[] {
	if (typeof value !== "object" || value === null || value instanceof Date) return [path];
	const parts: readonly (readonly [string | number, unknown])[] = Array.isArray(value)
		? value.map((item: unknown, index) => [index, item] as const)
		: Object.entries(value);
	return [path, ...parts.flatMap(([part, inner]) => pathsOf(inner, [...path, part]))];
}

test("each path that the TOML reader gives has a place of its own", () => {
	const locate = locateToml(DOCUMENT);
	for (const path of pathsOf(parse(DOCUMENT), []).filter((found) => found.length > 0)) {
		const wanted = locate(path);
		assert.notDeepEqual(
			locate([...path.slice(0, -1), "absent"]),
			path.at(-1) === 0 || path.length < 2 ? undefined : { line: -1, column: -1 },
		);
		assert.ok(wanted.line > 1, JSON.stringify(path));
	}
});
