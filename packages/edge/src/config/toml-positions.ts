/** Where each key of a TOML text stands: the parser gives values without places, and a problem needs one. */

export interface TomlPosition {
	/** Both from 1. */
	readonly line: number;
	readonly column: number;
}

/** Key path of a value: names, and indexes of arrays. */
export type TomlPath = readonly (string | number)[];

/** Positions of tables and keys in a TOML text that parses; the same path as in its value. */
function findPositions(text: string): ReadonlyMap<string, TomlPosition> {
	const positions = new Map<string, TomlPosition>();
	const counts = new Map<string, number>();
	let table: (string | number)[] = [];
	let skipUntil: string | undefined;
	let depth = 0;
	for (const [index, raw] of text.split("\n").entries()) {
		const line = index + 1;
		if (skipUntil !== undefined) {
			if (raw.includes(skipUntil)) skipUntil = undefined;
			continue;
		}
		if (depth > 0) {
			depth += openBrackets(raw);
			continue;
		}
		const trimmed = raw.trimStart();
		const column = raw.length - trimmed.length + 1;
		if (trimmed === "" || trimmed.startsWith("#")) continue;
		if (trimmed.startsWith("[")) {
			const isArray = trimmed.startsWith("[[");
			const close = trimmed.indexOf(isArray ? "]]" : "]");
			const names = splitKey(trimmed.slice(isArray ? 2 : 1, close));
			table = resolve(names, counts, isArray);
			note(positions, table, { line, column });
			continue;
		}
		const equals = keyEnd(trimmed);
		if (equals === -1) continue;
		note(positions, [...table, ...splitKey(trimmed.slice(0, equals))], { line, column });
		const value = trimmed.slice(equals + 1).trim();
		for (const quote of ['"""', "'''"]) {
			if (value.startsWith(quote) && !value.slice(3).includes(quote)) skipUntil = quote;
		}
		if (skipUntil === undefined) depth = Math.max(0, openBrackets(value));
	}
	return positions;
}

/** Finds places in a TOML text that parses: of a path, or of the nearest thing around it that has one. */
export function locateToml(text: string): (path: TomlPath) => TomlPosition {
	const positions = findPositions(text);
	return (path) => positionOf(positions, path);
}

function positionOf(positions: ReadonlyMap<string, TomlPosition>, path: TomlPath): TomlPosition {
	for (let length = path.length; length > 0; length -= 1) {
		const found = positions.get(pathKey(path.slice(0, length)));
		if (found !== undefined) return found;
	}
	return { line: 1, column: 1 };
}

function pathKey(path: TomlPath): string {
	return JSON.stringify(path);
}

function note(positions: Map<string, TomlPosition>, path: TomlPath, position: TomlPosition): void {
	for (let length = path.length; length > 0; length -= 1) {
		const key = pathKey(path.slice(0, length));
		if (!positions.has(key)) positions.set(key, position);
	}
}

/** The header's names with the indexes of the arrays of tables they go through. */
function resolve(names: readonly string[], counts: Map<string, number>, isArray: boolean): (string | number)[] {
	const path: (string | number)[] = [];
	for (const [index, name] of names.entries()) {
		path.push(name);
		const key = pathKey(path);
		if (isArray && index === names.length - 1) counts.set(key, (counts.get(key) ?? 0) + 1);
		const count = counts.get(key);
		if (count !== undefined) path.push(count - 1);
	}
	return path;
}

function splitKey(text: string): string[] {
	const names: string[] = [];
	let name = "";
	let quote = "";
	for (const character of text) {
		if (quote !== "") {
			if (character === quote) quote = "";
			else name += character;
		} else if (character === '"' || character === "'") {
			quote = character;
		} else if (character === ".") {
			names.push(name.trim());
			name = "";
		} else {
			name += character;
		}
	}
	names.push(name.trim());
	return names;
}

/** Where the `=` behind a key stands; -1 where there is none. */
function keyEnd(text: string): number {
	let quote = "";
	for (let index = 0; index < text.length; index += 1) {
		const character = text.charAt(index);
		if (quote !== "") {
			if (character === quote) quote = "";
		} else if (character === '"' || character === "'") {
			quote = character;
		} else if (character === "=") {
			return index;
		} else if (character === "#") {
			return -1;
		}
	}
	return -1;
}

/** Brackets opened more than closed, outside strings and comments. */
function openBrackets(text: string): number {
	let open = 0;
	let quote = "";
	for (let index = 0; index < text.length; index += 1) {
		const character = text.charAt(index);
		if (quote !== "") {
			if (character === "\\" && quote === '"') index += 1;
			else if (character === quote) quote = "";
		} else if (character === '"' || character === "'") {
			quote = character;
		} else if (character === "#") {
			break;
		} else if (character === "[" || character === "{") {
			open += 1;
		} else if (character === "]" || character === "}") {
			open -= 1;
		}
	}
	return open;
}
