/** Rich Text Format as plain text: one pass over the octets, nothing interpreted but what carries text. */
import { type Result, refusal, success } from "../fault.ts";

const RULE = "RTF 1.9";
/** Groups open at once; a text of Word has about ten. */
const MAX_DEPTH = 128;
const LONGEST_WORD = 32;
/** Groups whose content is no text of the message. `\*` marks every other one that may be passed over. */
const HIDDEN: ReadonlySet<string> = new Set([
	"fonttbl",
	"colortbl",
	"stylesheet",
	"info",
	"pict",
	"object",
	"header",
	"headerl",
	"headerr",
	"footer",
	"footerl",
	"footerr",
	"footnote",
	"fldinst",
	"themedata",
	"colorschememapping",
	"datastore",
	"latentstyles",
	"listtable",
	"listoverridetable",
	"filetbl",
	"revtbl",
	"rsidtbl",
	"generator",
	"xmlnstbl",
]);
const WORDS: ReadonlyMap<string, string> = new Map([
	["par", "\n"],
	["line", "\n"],
	["row", "\n"],
	["sect", "\n"],
	["page", "\n"],
	["tab", "\t"],
	["cell", "\t"],
	["emdash", "\u2014"],
	["endash", "\u2013"],
	["bullet", "\u2022"],
	["lquote", "\u2018"],
	["rquote", "\u2019"],
	["ldblquote", "\u201c"],
	["rdblquote", "\u201d"],
	["emspace", " "],
	["enspace", " "],
]);
const SYMBOLS: ReadonlyMap<string, string> = new Map([
	["\\", "\\"],
	["{", "{"],
	["}", "}"],
	["~", "\u00a0"],
	["_", "-"],
	["\n", "\n"],
	["\r", "\n"],
]);

interface Group {
	readonly isHidden: boolean;
	/** Characters that stand behind `\u` for readers that do not know it. */
	readonly fallbacks: number;
}

/**
 * The text of an RTF document. Faults: `bad-rtf` (415) for what is none, whose groups do not close, or which nests too
 * deep. The outcome is text, not markup, and is never longer than twice the document.
 */
export function rtfToText(octets: Uint8Array): Result<string> {
	const reader = new Reader(octets);
	return reader.read();
}

class Reader {
	readonly #octets: Uint8Array;
	readonly #pieces: string[] = [];
	/** Octets of the code page that wait to be decoded together: a character may have two. */
	#encoded: number[] = [];
	#decoder = new TextDecoder("windows-1252");
	readonly #outer: Group[] = [];
	#group: Group = { isHidden: false, fallbacks: 1 };
	#toSkip = 0;
	#at = 0;

	constructor(octets: Uint8Array) {
		this.#octets = octets;
	}

	read(): Result<string> {
		if (!this.#startsWith("{\\rtf")) return bad(0, "the document does not begin with {\\rtf");
		while (this.#at < this.#octets.length) {
			const code = this.#octets[this.#at] ?? 0;
			this.#at += 1;
			if (code === 0x7b) {
				if (this.#outer.length === MAX_DEPTH) return bad(this.#at, "the document nests too many groups");
				this.#outer.push(this.#group);
				this.#toSkip = 0;
			} else if (code === 0x7d) {
				const outer = this.#outer.pop();
				if (outer === undefined) return bad(this.#at, "the document closes a group that is not open");
				this.#flush();
				this.#group = outer;
				this.#toSkip = 0;
				if (this.#outer.length === 0) return success(tidy(this.#pieces.join("")));
			} else if (code === 0x5c) {
				this.#control();
			} else if (code !== 0x0d && code !== 0x0a && code !== 0) {
				this.#octet(code);
			}
		}
		return bad(this.#at, "the document ends inside a group");
	}

	#startsWith(text: string): boolean {
		for (let index = 0; index < text.length; index += 1) {
			if (this.#octets[index] !== text.charCodeAt(index)) return false;
		}
		return true;
	}

	/** Behind a backslash: a symbol, an octet in hexadecimal, or a word with its number. */
	#control(): void {
		const first = String.fromCharCode(this.#octets[this.#at] ?? 0);
		if (!isLetter(first)) {
			this.#at += 1;
			if (first === "'") this.#hexadecimal();
			else if (first === "*") this.#hide();
			else this.#text(SYMBOLS.get(first) ?? "");
			return;
		}
		let word = "";
		while (word.length < LONGEST_WORD && isLetter(this.#peek())) {
			word += this.#peek();
			this.#at += 1;
		}
		const number = this.#number();
		if (this.#peek() === " ") this.#at += 1;
		this.#word(word, number);
	}

	#word(word: string, number: number | undefined): void {
		if (word === "bin") {
			this.#at += Math.max(0, number ?? 0);
		} else if (word === "u" && number !== undefined) {
			const unit = number < 0 ? number + 0x10000 : number;
			this.#text(unit >= 0x20 && unit <= 0xffff ? String.fromCharCode(unit) : "");
			this.#toSkip = this.#group.fallbacks;
		} else if (word === "uc") {
			this.#group = { ...this.#group, fallbacks: Math.min(Math.max(0, number ?? 1), 8) };
		} else if (word === "ansicpg") {
			this.#codePage(number ?? 1252);
		} else if (HIDDEN.has(word)) {
			this.#hide();
		} else {
			const text = WORDS.get(word);
			if (text !== undefined) this.#text(text);
		}
	}

	#number(): number | undefined {
		const isNegative = this.#peek() === "-";
		if (isNegative) this.#at += 1;
		let value: number | undefined;
		for (let digits = 0; digits < 10; digits += 1) {
			const digit = (this.#octets[this.#at] ?? 0) - 0x30;
			if (digit < 0 || digit > 9) break;
			value = (value ?? 0) * 10 + digit;
			this.#at += 1;
		}
		return value === undefined || !isNegative ? value : -value;
	}

	#hexadecimal(): void {
		const text = this.#peek() + String.fromCharCode(this.#octets[this.#at + 1] ?? 0);
		const value = isHex(text) ? Number.parseInt(text, 16) : undefined;
		if (value === undefined) return;
		this.#at += 2;
		this.#octet(value);
	}

	/** One octet of the document's code page. */
	#octet(code: number): void {
		if (this.#toSkip > 0) this.#toSkip -= 1;
		else if (!this.#group.isHidden && (code >= 0x20 || code === 0x09)) this.#encoded.push(code);
	}

	#text(text: string): void {
		if (text === "" || this.#group.isHidden) return;
		this.#flush();
		this.#pieces.push(text);
	}

	#flush(): void {
		if (this.#encoded.length === 0) return;
		this.#pieces.push(this.#decoder.decode(new Uint8Array(this.#encoded)));
		this.#encoded = [];
	}

	#hide(): void {
		this.#flush();
		this.#group = { ...this.#group, isHidden: true };
	}

	#codePage(page: number): void {
		this.#flush();
		const label = CODE_PAGES.get(page) ?? `windows-${page}`;
		try {
			this.#decoder = new TextDecoder(label);
		} catch {
			// A page that nobody knows: its octets are read as the usual ones.
			this.#decoder = new TextDecoder("windows-1252");
		}
	}

	#peek(): string {
		const code = this.#octets[this.#at];
		return code === undefined ? "" : String.fromCharCode(code);
	}
}

/** Numbers of Microsoft's code pages that are no `windows-…` labels of the encoding standard. */
const CODE_PAGES: ReadonlyMap<number, string> = new Map([
	[866, "ibm866"],
	[932, "shift_jis"],
	[936, "gbk"],
	[949, "euc-kr"],
	[950, "big5"],
	[10_000, "macintosh"],
	[65_001, "utf-8"],
]);

function isLetter(character: string): boolean {
	return (character >= "a" && character <= "z") || (character >= "A" && character <= "Z");
}

function isHex(text: string): boolean {
	for (const character of text) {
		const isDigit = character >= "0" && character <= "9";
		const isLow = character >= "a" && character <= "f";
		const isHigh = character >= "A" && character <= "F";
		if (!isDigit && !isLow && !isHigh) return false;
	}
	return text.length === 2;
}

/** The empty paragraphs at the end are the editor's, and half a surrogate pair is nobody's. */
function tidy(text: string): string {
	return text.trimEnd().toWellFormed();
}

function bad(offset: number, detail: string): Result<never> {
	return refusal("bad-rtf", RULE, offset, detail, 415);
}
