/** The usual methods, each as one string: a request of such a method needs no string of its own for it. */
import { createUsualTexts, findUsualText } from "../text/usual-texts.ts";

const METHODS = [
	"ACK",
	"BYE",
	"CANCEL",
	"INFO",
	"INVITE",
	"MESSAGE",
	"NOTIFY",
	"OPTIONS",
	"PRACK",
	"PUBLISH",
	"REFER",
	"REGISTER",
	"SERVICE",
	"SUBSCRIBE",
	"UPDATE",
] as const;

const usual = createUsualTexts(METHODS);

/** The method from `start` to `end`, as written; `octets` are those of `text`. */
export function methodIn(octets: Uint8Array, text: string, start: number, end: number): string {
	return METHODS[findUsualText(usual, octets, start, end)] ?? text.slice(start, end);
}
