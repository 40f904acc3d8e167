/** The libraries that are measured: how each reads a message in full, and what it then says of it. */
import { createRequire } from "node:module";
import { HeaderId } from "../../src/header/names.ts";
import { applyEdits, countFields, findField } from "../../src/message/edit.ts";
import * as read from "../../src/message/fields.ts";
import { formatMessage } from "../../src/message/format.ts";
import { Framer } from "../../src/message/framer.ts";
import { DEFAULT_FRAMER_LIMITS } from "../../src/message/limits.ts";
import { FIELD_STRIDE, type SipRequest } from "../../src/message/message.ts";
import type { OctetFrame } from "../../src/message/octet-frame.ts";
import { parseMessage } from "../../src/message/parse.ts";
import { isSipUri, type Uri } from "../../src/uri/uri.ts";

/** Decoded values by name: `from.user`, `via.branch`. A library that does not decode a header has no value of it. */
export type Values = Readonly<Record<string, string | number | undefined>>;

export interface Library {
	readonly name: string;
	/**
	 * From the octets of one message to typed values of start line, top Via, From, To, Call-ID, CSeq, Contact, Route,
	 * Record-Route, Max-Forwards and Content-Type, everything else indexed.
	 */
	parse(octets: Buffer): unknown;
	/** What `parse` gave, for comparison; not timed. */
	values(parsed: unknown): Values;
	/** Parse, as above, and write as a message again; undefined where the library cannot write what it parsed. */
	readonly rewrite: ((octets: Buffer) => unknown) | undefined;
	/** Messages in one round. */
	readonly runs: number;
}

const require = createRequire(import.meta.url);

function unquoted(text: string | undefined): string | undefined {
	return text?.startsWith('"') ? text.slice(1, -1) : text;
}

interface Parts {
	readonly user?: string | undefined;
	readonly host: string;
	readonly port?: number | undefined;
}

function uriValues(name: string, uri: Parts): Record<string, string | number | undefined> {
	return {
		[`${name}.user`]: uri.user,
		[`${name}.host`]: uri.host,
		[`${name}.port`]: uri.port === undefined || Number.isNaN(uri.port) ? undefined : uri.port,
	};
}

interface OurParsed {
	readonly message: SipRequest;
	readonly contacts: ReturnType<typeof read.contacts>;
	readonly routes: ReturnType<typeof read.routes>;
	readonly recordRoutes: ReturnType<typeof read.recordRoutes>;
	readonly contentType: ReturnType<typeof read.contentType>;
}

/** This library: framing included, since that is where its validation begins. */
export function createOurs(): Library & { forward(octets: Buffer): Uint8Array } {
	let message: SipRequest | undefined;
	const user = {
		frame(frame: OctetFrame) {
			const outcome = parseMessage(frame.decode());
			if (!outcome.ok || outcome.message.kind !== "request") throw new Error("a sample is no request");
			message = outcome.message;
		},
		ping() {},
		pong() {},
		fault(fault: { readonly detail: string }) {
			throw new Error(fault.detail);
		},
	};
	const framer = new Framer(DEFAULT_FRAMER_LIMITS);
	const parse = (octets: Buffer): OurParsed => {
		framer.push(octets, user);
		const request = message as SipRequest;
		return {
			message: request,
			contacts: read.contacts(request),
			routes: read.routes(request),
			recordRoutes: read.recordRoutes(request),
			contentType: read.contentType(request),
		};
	};
	return {
		name: "@causeway/sip",
		parse,
		values: (parsed) => ourValues(parsed as OurParsed),
		rewrite: (octets) => formatMessage(parse(octets).message),
		forward: (octets) => formatMessage(applyProxyEdits(parse(octets).message)),
		runs: 4_000,
	};
}

/** What a proxy does: its Via and Record-Route on top, the Via of the hop before popped, Max-Forwards one less. */
function applyProxyEdits(request: SipRequest): SipRequest {
	const { head } = request;
	const via = findField(head, HeaderId.via) ?? countFields(head);
	const hops = findField(head, HeaderId.maxForwards) ?? countFields(head);
	return applyEdits(request, [
		{ kind: "insert", field: via, id: HeaderId.via, value: OWN_VIA },
		{ kind: "insert", field: via, id: HeaderId.recordRoute, value: OWN_ROUTE },
		{ kind: "remove", field: via },
		{
			kind: "replace",
			field: hops,
			start: head.fields[hops * FIELD_STRIDE + 2] ?? 0,
			end: head.fields[hops * FIELD_STRIDE + 3] ?? 0,
			value: String((request.maxForwards ?? 70) - 1),
		},
	]);
}

const OWN_VIA = "SIP/2.0/TLS sip.fabrikam.example:5061;branch=z9hG4bK5b1f20c7a9d34e68;alias";
const OWN_ROUTE = "<sip:sip.fabrikam.example:5061;transport=tls;lr;fs=1.k7.q8Zt0aXr55>";

function partsOf(uri: Uri | undefined): Parts {
	if (uri === undefined || !isSipUri(uri)) throw new Error("an address of a sample is no SIP URI");
	return uri;
}

function ourValues({ message, contacts, routes, recordRoutes, contentType }: OurParsed): Values {
	if (!contacts.ok || contacts.value === "*" || !routes.ok || !recordRoutes.ok || !contentType.ok) {
		throw new Error("a header of a sample cannot be read");
	}
	const route = routes.value[0];
	const recordRoute = recordRoutes.value[0];
	return {
		method: message.method,
		...uriValues("uri", partsOf(message.requestUri)),
		"via.transport": message.topVia.transport,
		...uriValues("via", message.topVia),
		"via.branch": message.topVia.branch,
		"from.name": message.from.displayName,
		...uriValues("from", partsOf(message.from.uri)),
		"from.tag": message.from.tag,
		...uriValues("to", partsOf(message.to.uri)),
		"to.tag": message.to.tag,
		callId: message.callId,
		cseq: message.cseq.number,
		...uriValues("contact", partsOf(contacts.value[0]?.uri)),
		...(route && uriValues("route", partsOf(route.uri))),
		...(recordRoute && uriValues("recordRoute", partsOf(recordRoute.uri))),
		maxForwards: message.maxForwards,
		contentType: `${contentType.value?.type}/${contentType.value?.subtype}`,
	};
}

interface Address {
	readonly name?: string | undefined;
	readonly uri: string | Parts;
	readonly params: { readonly tag?: string };
}

/** What `sip` and `drachtio-sip`, which comes from it, make of a message. */
interface LooseMessage {
	readonly method: string;
	readonly uri: string;
	readonly headers: {
		readonly via: readonly {
			readonly protocol: string;
			readonly host: string;
			readonly port?: number;
			readonly params: { readonly branch?: string };
		}[];
		readonly from: Address;
		readonly to: Address;
		readonly contact: readonly Address[];
		readonly route?: readonly { readonly uri: Parts }[];
		readonly "record-route"?: readonly { readonly uri: Parts }[];
		readonly "call-id": string;
		readonly cseq: { readonly seq: number };
		readonly "max-forwards": string;
		readonly "content-type": string;
	};
}

interface LooseParsed {
	readonly message: LooseMessage;
	readonly uris: readonly Parts[];
	readonly maxForwards: number;
}

type ParseUri = (text: string) => Parts;

/** Both leave these URIs and Max-Forwards as text until they are asked. */
function decodeLoose(message: LooseMessage, parseUri: ParseUri): LooseParsed {
	const { from, to, contact } = message.headers;
	const texts = [message.uri, from.uri as string, to.uri as string, contact[0]?.uri as string];
	return { message, uris: texts.map(parseUri), maxForwards: Number(message.headers["max-forwards"]) };
}

function looseValues(parsed: unknown): Values {
	const { message, uris, maxForwards } = parsed as LooseParsed;
	const { headers } = message;
	const [uri, from, to, contact] = uris as [Parts, Parts, Parts, Parts];
	const via = headers.via[0];
	const route = headers.route?.[0];
	const recordRoute = headers["record-route"]?.[0];
	if (via === undefined) throw new Error("a sample has no Via");
	return {
		method: message.method,
		...uriValues("uri", uri),
		"via.transport": via.protocol,
		...uriValues("via", via),
		"via.branch": via.params.branch,
		"from.name": unquoted(headers.from.name),
		...uriValues("from", from),
		"from.tag": headers.from.params.tag,
		...uriValues("to", to),
		"to.tag": headers.to.params.tag,
		callId: headers["call-id"],
		cseq: headers.cseq.seq,
		...uriValues("contact", contact),
		...(route && uriValues("route", route.uri)),
		...(recordRoute && uriValues("recordRoute", recordRoute.uri)),
		maxForwards,
	};
}

interface SipModule {
	parse(octets: Buffer): LooseMessage;
	stringify(message: LooseMessage): string;
	parseUri: ParseUri;
}

function createSip(): Library {
	const sip = require("sip") as SipModule;
	const parse = (octets: Buffer) => decodeLoose(sip.parse(octets), sip.parseUri);
	return {
		name: "sip",
		parse,
		values: looseValues,
		rewrite: (octets) => Buffer.from(sip.stringify(parse(octets).message), "latin1"),
		runs: 1_000,
	};
}

interface DrachtioModule {
	readonly parser: { parseSipMessage(head: string, lazy: boolean): LooseMessage; parseUri: ParseUri };
	readonly SipMessage: new (text: string) => { toString(): string };
}

function createDrachtio(): Library {
	const { parser } = require("drachtio-sip") as DrachtioModule;
	return {
		name: "drachtio-sip",
		parse(octets) {
			const text = octets.toString("latin1");
			return decodeLoose(parser.parseSipMessage(text.slice(0, text.indexOf("\r\n\r\n")), false), parser.parseUri);
		},
		values: looseValues,
		// It writes only what it has not decoded: see `drachtio-sip, nothing decoded`.
		rewrite: undefined,
		runs: 1_000,
	};
}

/** `drachtio-sip` as its own users call it: headers are cut at their colons and stay text. */
export function createLazyDrachtio(): Pick<Library, "name" | "parse" | "rewrite" | "runs"> {
	const { SipMessage } = require("drachtio-sip") as DrachtioModule;
	return {
		name: "drachtio-sip, nothing decoded",
		parse: (octets) => new SipMessage(octets.toString("latin1")),
		rewrite: (octets) => Buffer.from(new SipMessage(octets.toString("latin1")).toString(), "latin1"),
		runs: 1_000,
	};
}

/** What `sip.js` and `jssip`, which have one ancestor, make of a message. */
interface BrowserMessage {
	readonly method: string;
	readonly ruri: Parts;
	readonly via: { readonly transport: string; readonly host: string; readonly port?: number; readonly branch: string };
	readonly from: BrowserAddress;
	readonly to: BrowserAddress;
	readonly callId?: string;
	readonly call_id?: string;
	readonly cseq: number;
	parseHeader(name: string): unknown;
	toString(): string;
}

interface BrowserAddress {
	readonly uri: Parts;
	readonly displayName?: string;
	readonly display_name?: string;
	getParam(name: string): string | undefined;
}

interface BrowserParsed {
	readonly message: BrowserMessage;
	readonly contact: BrowserAddress;
	readonly recordRoute: BrowserAddress | undefined;
	readonly maxForwards: number;
	readonly contentType: string;
}

function decodeBrowser(message: BrowserMessage): BrowserParsed {
	return {
		message,
		contact: message.parseHeader("contact") as BrowserAddress,
		recordRoute: message.parseHeader("record-route") as BrowserAddress | undefined,
		maxForwards: message.parseHeader("max-forwards") as number,
		contentType: message.parseHeader("content-type") as string,
	};
}

function browserValues(parsed: unknown): Values {
	const { message, contact, recordRoute, maxForwards, contentType } = parsed as BrowserParsed;
	const { via, from, to } = message;
	return {
		method: message.method,
		...uriValues("uri", message.ruri),
		"via.transport": via.transport,
		...uriValues("via", via),
		"via.branch": via.branch,
		"from.name": from.displayName ?? from.display_name,
		...uriValues("from", from.uri),
		"from.tag": from.getParam("tag"),
		...uriValues("to", to.uri),
		"to.tag": to.getParam("tag"),
		callId: message.callId ?? message.call_id,
		cseq: message.cseq,
		...uriValues("contact", contact.uri),
		...(recordRoute && uriValues("recordRoute", recordRoute.uri)),
		maxForwards,
		contentType: contentType.split(";")[0],
	};
}

function createJssip(): Library {
	const { parseMessage: parseText } = require("jssip/lib/Parser.js") as {
		parseMessage(this: void, text: string, ua: object): BrowserMessage;
	};
	return {
		name: "jssip",
		parse: (octets) => decodeBrowser(parseText(octets.toString("utf8"), {})),
		values: browserValues,
		rewrite: undefined,
		runs: 60,
	};
}

async function createSipJs(): Promise<Library> {
	// Its parser is no part of its public surface.
	const location = new URL("./lib/core/messages/parser.js", `file://${require.resolve("sip.js/package.json")}`);
	const { Parser } = (await import(location.href)) as {
		Parser: { parseMessage(text: string, logger: { warn(text: string): void }): BrowserMessage };
	};
	const logger = {
		warn(text: string) {
			throw new Error(text);
		},
	};
	return {
		name: "sip.js",
		parse: (octets) => decodeBrowser(Parser.parseMessage(octets.toString("utf8"), logger)),
		values: browserValues,
		rewrite: undefined,
		runs: 6,
	};
}

/** The libraries of others. */
export async function createOthers(): Promise<readonly Library[]> {
	return [createDrachtio(), createSip(), createJssip(), await createSipJs()];
}
