/**
 * The one guarded door for XML from outside: size, depth, attributes and elements are capped while the document is read,
 * a document type declaration refuses it, nothing is ever fetched. saxes is quadratic in the nesting depth, so the depth
 * limit is ours and strikes before saxes resolves a name.
 */
import { SaxesParser } from "saxes";
import type { Result } from "../fault.ts";
import { refusal, success } from "../fault.ts";

/** The largest document read, in octets. */
export const MAX_XML_BYTES = 65_536;
/** The deepest nesting read; the root is at depth 1. */
export const MAX_XML_DEPTH = 32;
/** The most attributes on one element, namespace declarations included. */
export const MAX_XML_ATTRIBUTES = 64;
/** The most elements in one document. */
export const MAX_XML_ELEMENTS = 2000;

const RULE = "XML 1.0";

/** An element with its name resolved. */
export interface XmlElement {
	/** Local name. */
	readonly name: string;
	/** Namespace URI; empty for none. */
	readonly namespace: string;
	/** Attributes that are in no namespace, by name. */
	readonly attributes: ReadonlyMap<string, string>;
	readonly children: readonly XmlElement[];
	/** The character data directly inside, pieces joined. */
	readonly text: string;
}

interface OpenElement {
	readonly name: string;
	readonly namespace: string;
	readonly attributes: Map<string, string>;
	readonly children: XmlElement[];
	text: string;
}

/** Thrown through saxes to stop it at once; never leaves {@link parseXml}. */
class Stop extends Error {
	readonly code: string;
	readonly status: number;

	constructor(code: string, detail: string, status: number) {
		super(detail);
		this.code = code;
		this.status = status;
	}
}

/**
 * Reads a document. Octets must be UTF-8, whatever the declaration says; a declaration of `utf-16` over UTF-8 octets is
 * let through (COMPAT(lcs-2005)), any other encoding is refused. Faults: `xml-too-large` (413), `bad-xml` (400).
 */
export function parseXml(octets: Uint8Array): Result<XmlElement> {
	if (octets.length > MAX_XML_BYTES) {
		return refusal("xml-too-large", RULE, MAX_XML_BYTES, "the XML document is over its size limit", 413);
	}
	let text: string;
	try {
		text = new TextDecoder("utf-8", { fatal: true }).decode(octets);
	} catch {
		return refusal("bad-xml", RULE, 0, "the XML document is not UTF-8");
	}
	const parser = new SaxesParser({ xmlns: true });
	const roots: XmlElement[] = [];
	const open: OpenElement[] = [];
	let elements = 0;
	let attributes = 0;
	parser.on("error", () => stop("bad-xml", "the XML document is not well-formed"));
	parser.on("doctype", () => stop("bad-xml", "the XML document has a document type declaration"));
	parser.on("xmldecl", (declaration) => checkEncoding(declaration.encoding));
	parser.on("opentagstart", () => {
		attributes = 0;
		elements += 1;
		if (elements > MAX_XML_ELEMENTS) stop("xml-too-large", "the XML document has too many elements", 413);
		if (open.length === MAX_XML_DEPTH) stop("xml-too-large", "the XML document is nested too deeply", 413);
	});
	parser.on("attribute", () => {
		attributes += 1;
		if (attributes > MAX_XML_ATTRIBUTES) stop("xml-too-large", "an XML element has too many attributes", 413);
	});
	parser.on("opentag", (tag) => {
		const plain = Object.values(tag.attributes).filter((attribute) => attribute.uri === "");
		const element: OpenElement = {
			name: tag.local,
			namespace: tag.uri,
			attributes: new Map(plain.map((attribute) => [attribute.local, attribute.value])),
			children: [],
			text: "",
		};
		(open.at(-1)?.children ?? roots).push(element);
		open.push(element);
	});
	const addText = (piece: string): void => {
		const element = open.at(-1);
		if (element !== undefined) element.text += piece;
	};
	parser.on("text", addText);
	parser.on("cdata", addText);
	parser.on("closetag", () => open.pop());
	try {
		parser.write(text).close();
	} catch (error) {
		// saxes has no way to stop but an exception; one of its own on hostile input is a refusal too, not a crash.
		const offset = new TextEncoder().encode(text.slice(0, parser.position)).length;
		if (error instanceof Stop) return refusal(error.code, RULE, offset, error.message, error.status);
		return refusal("bad-xml", RULE, offset, "the XML document could not be read");
	}
	const [root] = roots;
	return root === undefined ? refusal("bad-xml", RULE, 0, "the XML document is empty") : success(root);
}

/** The first child with this name in one of these namespaces. */
export function firstChild(element: XmlElement, namespaces: readonly string[], name: string): XmlElement | undefined {
	return element.children.find((child) => child.name === name && namespaces.includes(child.namespace));
}

/**
 * Text for element content or a quoted attribute value. Characters that XML 1.0 §2.2 cannot carry (control characters,
 * lone surrogates) are left out.
 */
export function escapeXml(text: string): string {
	let escaped = "";
	for (const character of text) {
		if (isXmlCharacter(character.codePointAt(0) ?? 0)) escaped += ESCAPES.get(character) ?? character;
	}
	return escaped;
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
	["&", "&amp;"],
	["<", "&lt;"],
	[">", "&gt;"],
	['"', "&quot;"],
	["\r", "&#13;"],
]);

function isXmlCharacter(code: number): boolean {
	if (code < 0x20) return code === 0x09 || code === 0x0a || code === 0x0d;
	return !(code >= 0xd800 && code <= 0xdfff) && code !== 0xfffe && code !== 0xffff;
}

function checkEncoding(encoding: string | undefined): void {
	const name = (encoding ?? "utf-8").toLowerCase();
	if (!["utf-8", "utf8", "us-ascii", "utf-16"].includes(name)) {
		stop("bad-xml", "the XML document declares an encoding other than UTF-8");
	}
}

function stop(code: string, detail: string, status = 400): never {
	throw new Stop(code, detail, status);
}
