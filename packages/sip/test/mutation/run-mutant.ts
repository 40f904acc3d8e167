/**
 * Runs test files with one source file changed: `MUTANT` holds the file's URL, the place, the length and the text to put
 * there, as JSON; the test files are the arguments. Exits 0 where all tests pass, and at the first failure otherwise.
 */
import { registerHooks, stripTypeScriptTypes } from "node:module";
import { pathToFileURL } from "node:url";
import fc from "fast-check";

interface Change {
	readonly url: string;
	readonly start: number;
	readonly length: number;
	readonly replacement: string;
}

const { MUTANT: given } = process.env;
if (given !== undefined) {
	const { url: changed, start, length, replacement } = JSON.parse(given) as Change;
	registerHooks({
		load(url, context, nextLoad) {
			const loaded = nextLoad(url, context);
			if (url !== changed) return loaded;
			const text = Buffer.from(loaded.source as Uint8Array | string as string).toString("utf8");
			const mutated = text.slice(0, start) + replacement + text.slice(start + length);
			return { format: "module", source: stripTypeScriptTypes(mutated), shortCircuit: true };
		},
	});
}
// The same inputs for every mutant: whether one is found must not be luck.
fc.configureGlobal({ seed: 4475 });
for (const file of process.argv.slice(2)) await import(pathToFileURL(file).href);
