// Checks docs/rfc-coverage.md: every linked file exists, every named test stands in its file, with the section in its title.
// Usage: node scripts/check-rfc-coverage.mjs [--ran FILE [--all]]. FILE holds the tests that passed, as the reporter of npm test
// writes them: those that the page names must be among them, where their file ran, or with --all whether it ran or not.
// Prints what is wrong and exits 1, or exits 0.
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const PAGE = "docs/rfc-coverage.md";
const COLUMNS = ["section", "rule", "file", "test", "missing"];
const RFCS = ["2782", "3261", "3263", "3264", "3428", "3863", "3994", "4028", "4480", "4482", "6026", "6665"];

const wrong = [];
/** The tests that the page names: `path`, `title` and `place`. */
const named = [];
const texts = new Map();

/** A test file as it is searched: what a template puts in is `…`, as on the page. */
function testText(path) {
	let text = texts.get(path);
	if (text === undefined) {
		text = withoutInsertions(readFileSync(path, "utf8"));
		texts.set(path, text);
	}
	return text;
}

/** Every `${…}` becomes `…`; braces inside it are counted. */
function withoutInsertions(text) {
	let plain = "";
	let at = 0;
	for (let open = text.indexOf("${"); open >= 0; open = text.indexOf("${", at)) {
		plain += `${text.slice(at, open)}…`;
		let depth = 1;
		at = open + 2;
		while (at < text.length && depth > 0) {
			if (text[at] === "{") depth += 1;
			else if (text[at] === "}") depth -= 1;
			at += 1;
		}
	}
	return plain + text.slice(at);
}

/** Whether a string of the file is exactly this title. */
function hasTitle(path, title) {
	const text = testText(path);
	return ['"', "`", "'"].some((quote) => text.includes(`${quote}${title}${quote}`));
}

/** `§4.1` is named by itself and by its subsections, not by `§4.10`. */
function namesSection(title, rfc, section) {
	if (section === "–") return title.includes(`RFC ${rfc}`);
	let at = title.indexOf(section);
	while (at >= 0) {
		if (!/^\d/.test(title.slice(at + section.length))) return true;
		at = title.indexOf(section, at + 1);
	}
	return false;
}

/** Where a title names an RFC before its section, it is this one. */
function namesRfc(title, rfc) {
	const named = [...title.matchAll(/RFC (\d{4})/g)].map(([, number]) => number);
	return named.length === 0 ? rfc === "3261" : named.includes(rfc);
}

function checkLinks(cell, place) {
	for (const [, target] of cell.matchAll(/\]\(([^)]+)\)/g)) {
		if (!existsSync(join(root, dirname(PAGE), target))) wrong.push(`${place}: ${target} does not exist`);
	}
}

function checkTests(cell, rfc, section, place) {
	for (const entry of cell.split("<br>")) {
		const match = /^\[[^\]]+\]\(([^)]+)\) `([^`]+)`$/.exec(entry.trim());
		if (match === null) {
			wrong.push(`${place}: "${entry}" is not a linked file and a title`);
			continue;
		}
		const [, target, title] = match;
		const path = join(root, dirname(PAGE), target);
		if (!existsSync(path) || !statSync(path).isFile()) continue;
		if (!target.endsWith(".test.ts")) wrong.push(`${place}: ${target} is no test file`);
		named.push({ path: relative(root, path).replaceAll("\\", "/"), title, place });
		if (!hasTitle(path, title)) wrong.push(`${place}: ${target} has no test "${title}"`);
		if (!namesSection(title, rfc, section) || !namesRfc(title, rfc)) {
			wrong.push(`${place}: "${title}" does not name RFC ${rfc} ${section}`);
		}
	}
}

function checkRow(line, rfc, place) {
	const cells = line
		.split("|")
		.slice(1, -1)
		.map((cell) => cell.trim());
	if (cells.length !== COLUMNS.length) {
		wrong.push(`${place}: ${cells.length} cells, not ${COLUMNS.length}`);
		return 0;
	}
	const [section, , file, test, missing] = cells;
	if (!/^(–|§\d+(\.\d+)*(, §\d+(\.\d+)*)*)$/.test(section)) wrong.push(`${place}: "${section}" is no section`);
	if (cells.some((cell) => cell === "")) wrong.push(`${place}: an empty cell`);
	if (test === "–" && missing === "–") wrong.push(`${place}: neither a test nor what is missing`);
	checkLinks(file, place);
	checkLinks(test, place);
	if (test === "–") return 0;
	if (file === "–") wrong.push(`${place}: a test of no file`);
	checkTests(test, rfc, section, place);
	return test.split("<br>").length;
}

const rows = new Map(RFCS.map((rfc) => [rfc, 0]));
let tests = 0;
let rfc;
for (const [index, line] of readFileSync(join(root, PAGE), "utf8").split("\n").entries()) {
	const place = `${PAGE}:${index + 1}`;
	if (line.startsWith("## ")) rfc = /^## RFC (\d{4}):/.exec(line)?.[1];
	if (!line.startsWith("|")) {
		checkLinks(line, place);
		continue;
	}
	if (rfc === undefined || line.startsWith("| section |") || line.startsWith("| --- |")) continue;
	rows.set(rfc, (rows.get(rfc) ?? 0) + 1);
	tests += checkRow(line, rfc, place);
}
for (const [number, count] of rows) {
	if (count === 0) wrong.push(`${PAGE}: RFC ${number} has no row`);
}
if (tests === 0) wrong.push(`${PAGE}: no test is named`);

/** Whether a title with `…` for what a test puts in fits the name of a test that ran. */
function fits(title, name) {
	const pattern = title.split("…").map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
	// A row of a table of tests is cited by its own words; the test may add what it expects.
	return new RegExp(`^${pattern.join(".*")}(?:: .*)?$`, "s").test(name);
}

function checkRan(file, mustAllRun) {
	const ran = new Map();
	for (const line of readFileSync(file, "utf8").split("\n")) {
		if (line === "") continue;
		const { path, name } = JSON.parse(line);
		ran.set(path, [...(ran.get(path) ?? []), name]);
	}
	for (const { path, title, place } of named) {
		const names = ran.get(path);
		if (names === undefined && !mustAllRun) continue;
		if (!names?.some((name) => fits(title, name))) wrong.push(`${place}: "${title}" of ${path} did not run and pass`);
	}
}

const ranAt = process.argv.indexOf("--ran");
if (ranAt > 0) checkRan(process.argv[ranAt + 1], process.argv.includes("--all"));

for (const line of wrong) process.stdout.write(`${line}\n`);
if (wrong.length === 0) {
	const total = [...rows.values()].reduce((sum, count) => sum + count, 0);
	process.stdout.write(`${PAGE}: ${total} rows, ${tests} tests\n`);
}
process.exit(wrong.length === 0 ? 0 : 1);
