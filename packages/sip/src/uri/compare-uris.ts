/** Comparison of URIs: RFC 3261 §19.1.4. */
import { equalsIgnoreCase, lowerAscii } from "../text/ascii.ts";
import { CharClass, hasClass } from "../text/char-class.ts";
import { equalHosts } from "./host.ts";
import { findParam, listParams, type Params } from "./params.ts";
import { isSipUri, type SipUri, type Uri } from "./uri.ts";

/** Whether two URIs are equivalent (RFC 3261 §19.1.4). URIs of other schemes are equivalent when their texts are equal. */
export function compareUris(left: Uri, right: Uri): boolean {
	if (!isSipUri(left) || !isSipUri(right)) return !isSipUri(left) && !isSipUri(right) && left.text === right.text;
	return (
		left.scheme === right.scheme &&
		left.port === right.port &&
		equalHosts(left.host, right.host) &&
		equalEscaped(left.user, right.user) &&
		equalEscaped(left.password, right.password) &&
		equalParams(left, right) &&
		equalHeaders(left.headers, right.headers)
	);
}

/** `text` with every escape undone that stands for an unreserved character, and the others in capitals. */
export function normaliseEscapes(text: string): string {
	if (!text.includes("%")) return text;
	let normal = "";
	for (let index = 0; index < text.length; index++) {
		const pair = text.slice(index + 1, index + 3);
		const isEscape = text.charCodeAt(index) === 0x25 && isHexPair(pair);
		if (!isEscape) {
			normal += text.charAt(index);
			continue;
		}
		const code = Number.parseInt(pair, 16);
		normal += hasClass(code, CharClass.unreserved) ? String.fromCharCode(code) : `%${pair.toUpperCase()}`;
		index += 2;
	}
	return normal;
}

function isHexPair(pair: string): boolean {
	return (
		pair.length === 2 && hasClass(pair.charCodeAt(0), CharClass.hex) && hasClass(pair.charCodeAt(1), CharClass.hex)
	);
}

function equalEscaped(left: string | undefined, right: string | undefined): boolean {
	if (left === right) return true;
	return left !== undefined && right !== undefined && normaliseEscapes(left) === normaliseEscapes(right);
}

/** These decide also where only one of the two URIs carries them. */
const decisive = ["user", "ttl", "method", "maddr"];

function equalParams(left: SipUri, right: SipUri): boolean {
	for (const name of decisive) {
		if ((findParam(left.params, name) === undefined) !== (findParam(right.params, name) === undefined)) return false;
	}
	return paramsAgree(left.params, right.params);
}

function paramsAgree(left: Params, right: Params): boolean {
	for (const param of listParams(left)) {
		const other = findParam(right, normaliseEscapes(param.name));
		if (other === undefined) continue;
		if (!equalsIgnoreCase(normaliseEscapes(param.value ?? ""), normaliseEscapes(other.value ?? ""))) return false;
	}
	return true;
}

// Header components count always, in any order; names case-blind, values as they are.
function equalHeaders(left: string, right: string): boolean {
	if (left === right) return true;
	const leftParts = sortedHeaders(left);
	const rightParts = sortedHeaders(right);
	return leftParts.length === rightParts.length && leftParts.every((part, index) => part === rightParts[index]);
}

function sortedHeaders(headers: string): string[] {
	return headers
		.split("&")
		.map((part) => {
			const normal = normaliseEscapes(part);
			const equals = normal.indexOf("=");
			return equals < 0 ? lowerAscii(normal) : lowerAscii(normal.slice(0, equals)) + normal.slice(equals);
		})
		.sort();
}
