/** Changes inputs at random: octets, ranges, tokens, lines, numbers, and now and then sheer size. */
import type { Random } from "../../src/env.ts";

export interface MutationContext {
	readonly random: Random;
	/** Inputs to splice from. */
	readonly pool: readonly Uint8Array[];
	readonly tokens: readonly Uint8Array[];
}

/** A changed copy; the input itself stays as it is. */
export type Mutation = (input: Uint8Array, context: MutationContext) => Uint8Array;

/** Over the largest head and body part that any reader takes, so that the limits themselves are reached. */
export const MAX_INPUT_BYTES = 80_000;

const MOST_MUTATIONS = 8;
/** One input in so many is blown up to the size of the limits. */
const GROW_ONE_IN = 400;

/** One to eight mutations of `input`; each further one is as likely as none. */
export function mutate(
	input: Uint8Array,
	context: MutationContext,
	special: readonly Mutation[] | undefined,
): Uint8Array {
	const { random } = context;
	let octets = input;
	for (let count = 0; count < MOST_MUTATIONS; count += 1) {
		const useSpecial = special !== undefined && random.below(2) === 0;
		octets = pick(random, useSpecial ? special : GENERAL)(octets, context);
		if (random.below(2) === 0) break;
	}
	if (random.below(GROW_ONE_IN) === 0) octets = grow(octets, context);
	return octets.length > MAX_INPUT_BYTES ? octets.slice(0, MAX_INPUT_BYTES) : octets;
}

/** An item of a list that is not empty. */
export function pick<Item>(random: Random, items: readonly Item[]): Item {
	const item = items[random.below(items.length)];
	if (item === undefined) throw new Error("there is nothing to pick from");
	return item;
}

/** `input` with the octets from `start` to `end` replaced. */
export function replaceRange(input: Uint8Array, start: number, end: number, octets: Uint8Array): Uint8Array {
	const changed = new Uint8Array(input.length - (end - start) + octets.length);
	changed.set(input.subarray(0, start));
	changed.set(octets, start);
	changed.set(input.subarray(end), start + octets.length);
	return changed;
}

const NOTHING = new Uint8Array(0);
/** Separators, line ends, quotes, and octets at the edge of what a table or a decoder takes. */
const TELLING = [
	0x00, 0x09, 0x0a, 0x0d, 0x20, 0x22, 0x25, 0x26, 0x28, 0x29, 0x2c, 0x2d, 0x2e, 0x2f, 0x30, 0x3a, 0x3b, 0x3c, 0x3d,
	0x3e, 0x3f, 0x40, 0x5b, 0x5c, 0x5d, 0x7f, 0x80, 0xc0, 0xff,
];
const NUMBERS = [
	"0",
	"00",
	"1",
	"-1",
	"+1",
	"63",
	"64",
	"65",
	"100",
	"255",
	"256",
	"699",
	"700",
	"65535",
	"65536",
	"262144",
	"262145",
	"2147483647",
	"2147483648",
	"4294967295",
	"4294967296",
	"9007199254740993",
	"99999999999999999999",
	"0x10",
	"1e3",
].map((text) => Buffer.from(text, "latin1"));

function range(random: Random, length: number, longest: number): readonly [start: number, end: number] {
	if (length === 0) return [0, 0];
	const start = random.below(length);
	return [start, start + 1 + random.below(Math.min(longest, length - start))];
}

function place(random: Random, length: number): number {
	return random.below(length + 1);
}

const flipBit: Mutation = (input, { random }) => {
	if (input.length === 0) return input;
	const changed = Uint8Array.from(input);
	const at = random.below(input.length);
	changed[at] = (input[at] ?? 0) ^ (1 << random.below(8));
	return changed;
};

const setOctet: Mutation = (input, { random }) => {
	if (input.length === 0) return input;
	const changed = Uint8Array.from(input);
	changed[random.below(input.length)] = random.below(2) === 0 ? random.below(256) : pick(random, TELLING);
	return changed;
};

const insertOctet: Mutation = (input, { random }) => {
	const at = place(random, input.length);
	return replaceRange(input, at, at, Uint8Array.of(pick(random, TELLING)));
};

const deleteRange: Mutation = (input, { random }) => {
	const [start, end] = range(random, input.length, random.below(4) === 0 ? 256 : 8);
	return replaceRange(input, start, end, NOTHING);
};

const repeatRange: Mutation = (input, { random }) => {
	const [start, end] = range(random, input.length, 64);
	return replaceRange(input, end, end, repeated(input.subarray(start, end), 1 + random.below(80)));
};

const copyRange: Mutation = (input, { random }) => {
	const [start, end] = range(random, input.length, 64);
	const at = place(random, input.length);
	return replaceRange(input, at, at, input.subarray(start, end));
};

const truncate: Mutation = (input, { random }) => input.slice(0, place(random, input.length));

const splice: Mutation = (input, { random, pool }) => {
	const other = pick(random, pool);
	const from = place(random, other.length);
	return replaceRange(input, place(random, input.length), input.length, other.subarray(from));
};

const insertToken: Mutation = (input, { random, tokens }) => {
	if (tokens.length === 0) return input;
	const at = place(random, input.length);
	return replaceRange(input, at, at, pick(random, tokens));
};

const overwriteWithToken: Mutation = (input, { random, tokens }) => {
	if (tokens.length === 0) return input;
	const [start, end] = range(random, input.length, 24);
	return replaceRange(input, start, end, pick(random, tokens));
};

/** A run of digits gives way to a number at some edge. */
const changeNumber: Mutation = (input, { random }) => {
	let start = place(random, input.length);
	while (start < input.length && !isDigit(input[start])) start += 1;
	let end = start;
	while (isDigit(input[end])) end += 1;
	return end === start ? input : replaceRange(input, start, end, pick(random, NUMBERS));
};

const deleteLine: Mutation = (input, { random }) => {
	const [start, end] = line(random, input);
	return replaceRange(input, start, end, NOTHING);
};

const moveLine: Mutation = (input, { random }) => {
	const [start, end] = line(random, input);
	const rest = replaceRange(input, start, end, NOTHING);
	const [at] = line(random, rest);
	return replaceRange(rest, at, at, input.subarray(start, end));
};

const repeatLine: Mutation = (input, { random }) => {
	const [start, end] = line(random, input);
	return replaceRange(input, end, end, repeated(input.subarray(start, end), 1 + random.below(random.below(220) + 1)));
};

const takeLine: Mutation = (input, { random, pool }) => {
	const other = pick(random, pool);
	const [start, end] = line(random, other);
	const [at] = line(random, input);
	return replaceRange(input, at, at, other.subarray(start, end));
};

const foldLine: Mutation = (input, { random }) => {
	const at = place(random, input.length);
	return replaceRange(
		input,
		at,
		at,
		Buffer.from(pick(random, ["\r\n ", "\r\n\t", "\r\n  \t", "\r\n \r\n "]), "latin1"),
	);
};

const breakLineEnd: Mutation = (input, { random }) => {
	const [, end] = line(random, input);
	const other = pick(random, ["\n", "\r", "\r\r\n", "\r\n\r\n", "\n\r", "", "\0\r\n", " \r\n"]);
	return end < 2 ? input : replaceRange(input, end - 2, end, Buffer.from(other, "latin1"));
};

const GENERAL: readonly Mutation[] = [
	flipBit,
	setOctet,
	insertOctet,
	deleteRange,
	repeatRange,
	copyRange,
	truncate,
	splice,
	insertToken,
	insertToken,
	overwriteWithToken,
	overwriteWithToken,
	changeNumber,
	deleteLine,
	moveLine,
	repeatLine,
	takeLine,
	foldLine,
	breakLineEnd,
];

/** Repeats a short range until the input is as long as the limits of the readers: what is not linear shows itself here. */
const grow: Mutation = (input, { random }) => {
	const [start, end] = range(random, input.length, pick(random, [1, 4, 16, 64]));
	if (end === start) return input;
	const wanted = 4_096 << random.below(5);
	return replaceRange(input, end, end, repeated(input.subarray(start, end), Math.ceil(wanted / (end - start))));
};

function repeated(octets: Uint8Array, times: number): Uint8Array {
	const count = Math.min(times, Math.ceil(MAX_INPUT_BYTES / Math.max(octets.length, 1)));
	const all = new Uint8Array(octets.length * count);
	for (let index = 0; index < count; index += 1) all.set(octets, index * octets.length);
	return all;
}

/** A line with its line end, around a random place. */
function line(random: Random, input: Uint8Array): readonly [start: number, end: number] {
	const at = place(random, input.length);
	const start = at === 0 ? 0 : input.lastIndexOf(0x0a, at - 1) + 1;
	const feed = input.indexOf(0x0a, at);
	return [start, feed === -1 ? input.length : feed + 1];
}

function isDigit(code: number | undefined): boolean {
	return code !== undefined && code >= 0x30 && code <= 0x39;
}
