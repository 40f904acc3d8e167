/** Where each key of a TOML text stands: the parser gives values without places, and a problem needs one. */
import { parse } from "smol-toml";

export interface TomlPosition {
	/** Both from 1; the column counts UTF-16 units, as the parser's errors do. */
	readonly line: number;
	readonly column: number;
}

/** Key path of a value: names, and indexes of arrays. */
export type TomlPath = readonly (string | number)[];

/** A table, an array or a value: where its key, its header or (in an array) itself starts, and what it holds. */
interface Place {
	readonly offset: number;
	readonly inner: Map<string | number, Place>;
	/** How many `[[headers]]` made elements of it. */
	headers: number;
}

interface Cursor {
	readonly text: string;
	at: number;
}

interface Name {
	readonly text: string;
	readonly offset: number;
}

/** Finds places in a text that the parser took: of a path, or of the nearest thing around it that has one. */
export function locateToml(text: string): (path: TomlPath) => TomlPosition {
	// A byte order mark is no part of the first line.
	const start = text.startsWith("\ufeff") ? 1 : 0;
	const root = readDocument(text, start);
	const lineStarts = [start];
	for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", end + 1)) lineStarts.push(end + 1);
	return (path) => {
		let place = root;
		for (const part of path) {
			const inner = place.inner.get(part);
			if (inner === undefined) break;
			place = inner;
		}
		const line = lineOf(lineStarts, place.offset);
		return { line, column: place.offset - (lineStarts[line - 1] ?? 0) + 1 };
	};
}

/** The last line that starts at the offset or before it, from 1. */
function lineOf(lineStarts: readonly number[], offset: number): number {
	let low = 0;
	let high = lineStarts.length;
	while (high - low > 1) {
		const middle = (low + high) >> 1;
		if ((lineStarts[middle] ?? 0) <= offset) low = middle;
		else high = middle;
	}
	return low + 1;
}

function readDocument(text: string, from: number): Place {
	const root = createPlace(from);
	const cursor: Cursor = { text, at: from };
	let table = root;
	skipBlank(cursor);
	while (cursor.at < text.length) {
		const start = cursor.at;
		if (text[start] === "[") table = readHeader(cursor, root);
		else readPair(cursor, table);
		// Only a text that the parser would refuse holds the cursor here.
		if (cursor.at === start) cursor.at += 1;
		skipBlank(cursor);
	}
	return root;
}

/** `[a.b]` or `[[a.b]]`: the table that the following pairs belong to. */
function readHeader(cursor: Cursor, root: Place): Place {
	const start = cursor.at;
	const isArray = cursor.text[start + 1] === "[";
	cursor.at += isArray ? 2 : 1;
	const names = readKey(cursor);
	cursor.at += isArray ? 2 : 1;
	let place = root;
	for (const [index, name] of names.entries()) {
		place = enter(place, name.text, start);
		if (isArray && index === names.length - 1) place.headers += 1;
		if (place.headers > 0) place = enter(place, place.headers - 1, start);
	}
	return place;
}

/** `a.b = value`. */
function readPair(cursor: Cursor, table: Place): void {
	let place = table;
	for (const name of readKey(cursor)) place = enter(place, name.text, name.offset);
	if (cursor.text[cursor.at] !== "=") return;
	cursor.at += 1;
	skipSpace(cursor);
	readValue(cursor, place);
}

/** The parts of a dotted key; the cursor ends on what follows it. */
function readKey(cursor: Cursor): readonly Name[] {
	const names: Name[] = [];
	do {
		if (names.length > 0) cursor.at += 1;
		skipSpace(cursor);
		names.push(readName(cursor));
		skipSpace(cursor);
	} while (cursor.text[cursor.at] === ".");
	return names;
}

function readName(cursor: Cursor): Name {
	const offset = cursor.at;
	const quote = cursor.text[offset];
	if (quote === '"' || quote === "'") {
		skipString(cursor, quote);
		const raw = cursor.text.slice(offset, cursor.at);
		// Escapes in a key are rare enough to let the parser undo them.
		const text = raw.includes("\\") ? Object.keys(parse(`${raw} = 0`))[0] : raw.slice(1, -1);
		return { text: text ?? "", offset };
	}
	skipUntil(cursor, ".=]\t \r\n");
	return { text: cursor.text.slice(offset, cursor.at), offset };
}

function readValue(cursor: Cursor, place: Place): void {
	const first = cursor.text[cursor.at];
	if (first === '"' || first === "'") skipString(cursor, first);
	else if (first === "[") readElements(cursor, "]", (index) => readValue(cursor, enter(place, index, cursor.at)));
	else if (first === "{") readElements(cursor, "}", () => readPair(cursor, place));
	else skipUntil(cursor, ",]}#\r\n");
}

/** What stands between brackets or braces, separated by commas. */
function readElements(cursor: Cursor, close: string, read: (index: number) => void): void {
	cursor.at += 1;
	skipBlank(cursor);
	for (let index = 0; cursor.at < cursor.text.length && cursor.text[cursor.at] !== close; index += 1) {
		const start = cursor.at;
		read(index);
		skipBlank(cursor);
		if (cursor.text[cursor.at] === "," || cursor.at === start) cursor.at += 1;
		skipBlank(cursor);
	}
	cursor.at += 1;
}

/** A string of one line or of several, from its first quote to behind its last. */
function skipString(cursor: Cursor, quote: string): void {
	const { text } = cursor;
	const fence = text.startsWith(quote.repeat(3), cursor.at) ? quote.repeat(3) : quote;
	cursor.at += fence.length;
	while (cursor.at < text.length && !text.startsWith(fence, cursor.at)) {
		cursor.at += quote === '"' && text[cursor.at] === "\\" ? 2 : 1;
	}
	cursor.at += fence.length;
	// TOML 1.0, "String": one or two quotes may stand right before the closing three.
	for (let spare = 0; fence.length === 3 && spare < 2 && text[cursor.at] === quote; spare += 1) cursor.at += 1;
}

function skipSpace(cursor: Cursor): void {
	while (cursor.text[cursor.at] === " " || cursor.text[cursor.at] === "\t") cursor.at += 1;
}

/** White space, line ends and comments. */
function skipBlank(cursor: Cursor): void {
	for (;;) {
		const character = cursor.text[cursor.at];
		if (character === "#") skipUntil(cursor, "\n");
		else if (character !== undefined && " \t\r\n".includes(character)) cursor.at += 1;
		else return;
	}
}

function skipUntil(cursor: Cursor, ends: string): void {
	while (cursor.at < cursor.text.length && !ends.includes(cursor.text.charAt(cursor.at))) cursor.at += 1;
}

/** What a name or an index leads to, made where this is its first mention. */
function enter(place: Place, part: string | number, offset: number): Place {
	const known = place.inner.get(part);
	if (known !== undefined) return known;
	const made = createPlace(offset);
	place.inner.set(part, made);
	return made;
}

function createPlace(offset: number): Place {
	return { offset, inner: new Map(), headers: 0 };
}
