/** Texts as octets: the engine reads an octet of an array twice as fast as a character of a string. */

/** What was looked at last, and its octets; one for heads and one for everything else, so that neither ousts the other. */
interface View {
	text: string;
	octets: Uint8Array;
}

const USUAL_LENGTH = 8192;
/** In no class of characters and no separator, as every character that is no octet. */
const NO_OCTET = 0x7f;

const headView: View = { text: "", octets: new Uint8Array(USUAL_LENGTH) };
const otherView: View = { text: "", octets: new Uint8Array(USUAL_LENGTH) };
let viewedHead: { readonly text: string } | undefined;

/**
 * The characters of `text`, each as one octet; one above 0xff becomes DEL, which is in no class of characters. Behind the
 * last stands a NUL; what follows is nothing. The octets are overwritten when another text is asked for.
 */
export function octetsOf(text: string): Uint8Array {
	if (text === headView.text) return headView.octets;
	if (text !== otherView.text) {
		reserve(otherView, text);
		const { octets } = otherView;
		for (let at = 0; at < text.length; at++) {
			const code = text.charCodeAt(at);
			octets[at] = code > 0xff ? NO_OCTET : code;
		}
	}
	return otherView.octets;
}

/** As {@link octetsOf}, of a head, whose text holds octets only and is about to be read field by field. */
export function octetsOfHead(head: { readonly text: string }): Uint8Array {
	const { text } = head;
	// Asked first, and nearly always enough: to compare two long texts takes as long as to write one.
	if (head !== viewedHead || text !== headView.text) {
		viewedHead = head;
		reserve(headView, text);
		Buffer.prototype.latin1Write.call(headView.octets, text, 0, text.length);
	}
	return headView.octets;
}

function reserve(view: View, text: string): void {
	const { length } = view.octets;
	if (text.length >= length || (length > USUAL_LENGTH && text.length < USUAL_LENGTH)) {
		view.octets = new Uint8Array(Math.max(USUAL_LENGTH, text.length + 1));
	}
	view.octets[text.length] = 0;
	view.text = text;
}
