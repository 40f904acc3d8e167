/** What the proxy changes in a message it sends on (RFC 3261 §16.6, §16.7), as edits of the octets that came; nothing else is touched. */
import {
	countFields,
	type Edit,
	FIELD_STRIDE,
	findField,
	findParam,
	HeaderId,
	headerValues,
	isSipUri,
	parseVia,
	type SipMessage,
	type SipRequest,
	unfold,
} from "@causeway/sip";
import type { SortedRoutes } from "./route-check.ts";
import { listItemEnd, type RouteValue } from "./route-values.ts";

export const MOST_HOPS = 70;

export interface RequestPlan {
	/** Where the request came from: noted in its Via where sent-by says otherwise. */
	readonly source: string;
	readonly routes: SortedRoutes;
	/** Ours, the one nearest the receiver first; none in a request that opens no dialog. */
	readonly recordRoutes: readonly string[];
}

/** The Via values below ours as they leave, joined with commas: what the branch is signed over. */
export function viaBelow(request: SipRequest, source: string): string {
	const values = headerValues(request, HeaderId.via);
	const [top] = values;
	if (top !== undefined && needsReceived(request, source)) values[0] = `${top};received=${source}`;
	return values.join(",");
}

/** Everything but our own Via, which needs its branch first. */
export function requestEdits(request: SipRequest, { source, routes, recordRoutes }: RequestPlan): readonly Edit[] {
	return [
		...hopEdits(request),
		...receivedEdits(request, source),
		...recordRoutes.map((value) => recordRouteEdit(request, value)),
		...routeEdits(request, routes),
	];
}

/** Our Via on top of all others. */
export function viaEdit({ head }: SipRequest, value: string): Edit {
	return { kind: "insert", field: findField(head, HeaderId.via) ?? 0, id: HeaderId.via, value };
}

/** Takes our Via off a response; undefined where no readable Via is left, and nobody to send it to. */
export function popVia(response: SipMessage): Edit | undefined {
	const { head } = response;
	const field = findField(head, HeaderId.via);
	const next = headerValues(response, HeaderId.via)[1];
	if (field === undefined || next === undefined || !parseVia(next, 0, next.length).ok) return undefined;
	const { start, end } = valueSpan(head.fields, field);
	const itemEnd = listItemEnd(head.text, start, end);
	if (itemEnd >= end) return { kind: "remove", field };
	return { kind: "replace", field, start, end: skipBlanks(head.text, itemEnd + 1, end), value: "" };
}

function hopEdits({ head, maxForwards }: SipRequest): readonly Edit[] {
	const field = findField(head, HeaderId.maxForwards);
	if (field === undefined || maxForwards === undefined) {
		return [{ kind: "insert", field: countFields(head), id: HeaderId.maxForwards, value: String(MOST_HOPS) }];
	}
	const { start, end } = valueSpan(head.fields, field);
	return [{ kind: "replace", field, start, end, value: String(Math.min(maxForwards - 1, MOST_HOPS)) }];
}

/** RFC 3261 §18.2.1. */
function receivedEdits(request: SipRequest, source: string): readonly Edit[] {
	if (!needsReceived(request, source)) return [];
	const { head } = request;
	const field = findField(head, HeaderId.via) ?? 0;
	const { start, end } = valueSpan(head.fields, field);
	const itemEnd = listItemEnd(head.text, start, end);
	return [{ kind: "replace", field, start: itemEnd, end: itemEnd, value: `;received=${source}` }];
}

function needsReceived({ topVia }: SipRequest, source: string): boolean {
	return topVia.host !== source && findParam(topVia.params, "received") === undefined;
}

/** Before the Record-Routes that are there, else behind the Vias on top. */
function recordRouteEdit({ head }: SipRequest, value: string): Edit {
	let field = findField(head, HeaderId.recordRoute);
	if (field === undefined) {
		field = findField(head, HeaderId.via) ?? 0;
		while (head.fields[field * FIELD_STRIDE] === HeaderId.via) field += 1;
	}
	return { kind: "insert", field, id: HeaderId.recordRoute, value };
}

/** Ours are taken out. §16.4 and §16.6 step 6: a strict router before or behind us has the Request-URI in its Route. */
function routeEdits(request: SipRequest, routes: SortedRoutes): readonly Edit[] {
	const gone = new Set<RouteValue>(routes.places);
	const edits: Edit[] = [];
	let target = request.requestUri.text;
	if (routes.requestUri !== undefined) {
		gone.add(routes.requestUri);
		target = routes.requestUri.address.uri.text;
	}
	const [next] = routes.rest;
	const all = [...routes.places, ...routes.rest, ...(routes.requestUri === undefined ? [] : [routes.requestUri])];
	if (next !== undefined && isStrict(next)) {
		gone.add(next);
		const last = all.reduce((field, value) => Math.max(field, value.field), 0);
		edits.push({ kind: "insert", field: last + 1, id: HeaderId.route, value: `<${target}>` });
		target = next.address.uri.text;
	}
	if (target !== request.requestUri.text) edits.push({ kind: "request-uri", uri: target });
	for (const field of new Set([...gone].map((value) => value.field))) {
		const kept = all.filter((value) => value.field === field && !gone.has(value));
		const [first] = kept;
		const last = kept.at(-1);
		if (first === undefined || last === undefined) edits.push({ kind: "remove", field });
		else {
			const { start, end } = valueSpan(request.head.fields, field);
			const value = unfold(request.head.text, skipBlanks(request.head.text, first.start, last.end), last.end);
			edits.push({ kind: "replace", field, start, end, value });
		}
	}
	return edits;
}

function valueSpan(fields: readonly number[], field: number): { readonly start: number; readonly end: number } {
	return { start: fields[field * FIELD_STRIDE + 2] as number, end: fields[field * FIELD_STRIDE + 3] as number };
}

function skipBlanks(text: string, start: number, end: number): number {
	let at = start;
	while (at < end && text.charCodeAt(at) <= 0x20) at++;
	return at;
}

/** Whether the element of a Route value wants itself in the Request-URI (RFC 2543). */
function isStrict({ address: { uri } }: RouteValue): boolean {
	return isSipUri(uri) && findParam(uri.params, "lr") === undefined;
}
