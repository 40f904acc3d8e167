/** Texts as octets: the engine reads an octet of an array twice as fast as a character of a string. */
import { copyOctets, writeOctets } from "./octet-copy.ts";

/** What was looked at last, and its octets; one for heads and one for everything else, so that neither ousts the other. */
interface View {
	/** Undefined while the octets are those of no text. */
	text: string | undefined;
	octets: Uint8Array;
	/** The same memory, four octets in each. */
	words: Int32Array;
	/** The same memory, for words that start anywhere. */
	data: DataView;
}

/** Octets that were copied to be searched, and the same memory four octets in each, the first of them in the lowest bits. */
export interface LoadedOctets {
	readonly octets: Uint8Array;
	readonly words: Int32Array;
	/** The same memory, for words that start anywhere. */
	readonly data: DataView;
}

/** With the NUL behind it a whole number of words. */
const USUAL_LENGTH = 8191;
/** In no class of characters and no separator, as every character that is no octet. */
const NO_OCTET = 0x7f;

const headView = createView(USUAL_LENGTH);
const otherView = createView(USUAL_LENGTH);
let viewedHead: { readonly text: string } | undefined;
/** What {@link isFolded} says of the head in view; undefined where nobody has looked yet. */
let viewedFolds: boolean | undefined;
let number = 0;

/**
 * The characters of `text`, each as one octet; one above 0xff becomes DEL, which is in no class of characters. Behind the
 * last stands a NUL; what follows is nothing. The octets are overwritten when another text is asked for.
 */
export function octetsOf(text: string): Uint8Array {
	if (text === headView.text) return headView.octets;
	if (text !== otherView.text) {
		reserve(otherView, text.length);
		otherView.text = text;
		const { octets } = otherView;
		for (let at = 0; at < text.length; at++) {
			const code = text.charCodeAt(at);
			octets[at] = code > 0xff ? NO_OCTET : code;
		}
	}
	return otherView.octets;
}

/** As {@link octetsOf}; three octets behind the NUL can be read too. */
export function dataOf(text: string): DataView {
	return octetsOf(text) === headView.octets ? headView.data : otherView.data;
}

/** As {@link octetsOf}, of a head, whose text holds octets only and is about to be read field by field. */
export function octetsOfHead(head: { readonly text: string }): Uint8Array {
	const { text } = head;
	// Asked first, and nearly always enough: to compare two long texts takes as long as to write one.
	if (head !== viewedHead || text !== headView.text) {
		reserve(headView, text.length);
		writeOctets(text, headView.octets);
		keepHead(head);
	}
	return headView.octets;
}

/**
 * Copies the octets from `from` to `end`, in which a head is looked for; a NUL stands behind the last. They take the place
 * of the head that {@link octetsOfHead} gave, and are overwritten as those are.
 */
export function loadOctets(octets: Uint8Array, from: number, end: number): LoadedOctets {
	reserve(headView, end - from);
	copyOctets(octets, from, end, headView.octets, 0);
	viewedHead = undefined;
	return headView;
}

/** Tells the octets in view of heads from those that were there before. */
export function viewNumber(): number {
	return number;
}

/** Says of the octets loaded last what {@link isFolded} says of their head. */
export function noteFolds(folds: boolean): void {
	viewedFolds = folds;
}

/** Says that the head starts where the octets loaded last start, so that {@link octetsOfHead} need not write them again. */
export function keepHead(head: { readonly text: string }): void {
	headView.text = head.text;
	headView.octets[head.text.length] = 0;
	viewedHead = head;
}

/** Whether a line of the head begins with white space and so continues the line before (RFC 3261 §7.3.1). */
export function isFolded(head: { readonly text: string }): boolean {
	octetsOfHead(head);
	viewedFolds ??= head.text.includes("\r\n ") || head.text.includes("\r\n\t");
	return viewedFolds;
}

function createView(length: number): View {
	// A word more than the octets fill, for the NUL behind them, and one for who reads words that start anywhere.
	const words = new Int32Array((length >> 2) + 2);
	return { text: undefined, octets: new Uint8Array(words.buffer), words, data: new DataView(words.buffer) };
}

/** Makes room for a text and the NUL behind it, which is written here. What a text of unusual length took is given back. */
function reserve(view: View, length: number): void {
	const room = view.octets.length - 5;
	if (length > room || (room > USUAL_LENGTH && length < USUAL_LENGTH)) {
		const { octets, words, data } = createView(Math.max(USUAL_LENGTH, length));
		view.octets = octets;
		view.words = words;
		view.data = data;
	}
	view.octets[length] = 0;
	view.text = undefined;
	if (view === headView) {
		number++;
		viewedFolds = undefined;
	}
}
