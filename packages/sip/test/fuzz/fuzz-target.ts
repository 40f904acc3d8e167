/** What is fuzzed: one reader of ours, with inputs to start from and a verdict on each run. */
import type { Mutation } from "./mutate.ts";

export interface FuzzTarget {
	/** Lower case, as on the command line: `name-addr`. Unique. */
	readonly name: string;
	/** What is read, in a few words. */
	readonly summary: string;
	/** The source files whose branches are counted, by the end of their paths: `/sip/src/uri/parse-uri.ts`. */
	readonly sources: readonly string[];
	/** Inputs that the first mutations start from; at least one. */
	readonly seeds: readonly Uint8Array[];
	/** Octets (latin1 characters) that mean something to the reader. */
	readonly tokens: readonly string[];
	/** Mutations that know the form of the input, beside the general ones. */
	readonly mutations?: readonly Mutation[];
	/**
	 * Reads the input and checks what must hold of the outcome; a throw is a fault found. Returns the kind of outcome in a
	 * few words: an input with a new kind is kept to be mutated further.
	 */
	run(input: Uint8Array): string | Promise<string>;
}
