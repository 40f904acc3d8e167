/**
 * One pass over what may be a user or a host name. Which octet it is decides no branch: names differ from message to
 * message, and the processor guesses wrongly at every dot. What is no plain name is for the reader of hosts.
 */

/** May stand in such a run. */
const RUN = 1;
/** Makes it no host name in lower case. */
const NO_HOST_NAME = 2;
const LETTER = 4;
// What may not stand beside a dot, or behind one: of two octets the bits of the first, three places down, meet those of the
// second.
const BESIDE_DOT = 8;
const BESIDE_HYPHEN = 16;
const BEHIND_DOT = 32;
const MEETS = BESIDE_DOT | BESIDE_HYPHEN | BEHIND_DOT;
const DIGIT = RUN | BEHIND_DOT;
const DOT = RUN | BESIDE_DOT | BESIDE_HYPHEN | (MEETS << 3);
const HYPHEN = RUN | BESIDE_DOT | (BESIDE_HYPHEN << 3);

const table = buildTable();

function buildTable(): Uint16Array {
	const bits = new Uint16Array(256);
	const add = (characters: string, value: number) => {
		for (const character of characters) bits[character.charCodeAt(0)] = value;
	};
	add("abcdefghijklmnopqrstuvwxyz", RUN | LETTER);
	add("0123456789", DIGIT);
	add("ABCDEFGHIJKLMNOPQRSTUVWXYZ_+~!*'", RUN | NO_HOST_NAME);
	add(".", DOT);
	add("-", HYPHEN);
	return bits;
}

/**
 * Where the run that starts at `at` ends, times two; one more where it is a plain host name, of letters in lower case,
 * digits and hyphens: labels that start with a letter and end in none but a letter or digit, and none of them is measured.
 */
export function scanName(octets: Uint8Array, at: number, end: number): number {
	let index = at;
	let seen = 0;
	let wrong = 0;
	let last = DOT;
	while (index < end) {
		const bits = table[octets[index] as number] as number;
		if (bits === 0) break;
		wrong |= (last >> 3) & bits;
		seen |= bits;
		last = bits;
		index++;
	}
	wrong |= (last >> 3) & (BESIDE_DOT | BESIDE_HYPHEN);
	const isName = (wrong & MEETS) === 0 && (seen & (NO_HOST_NAME | LETTER)) === LETTER;
	return (index << 1) | (isName ? 1 : 0);
}
