/** Route sets that many dialogs have in common: what stands between a peer and us is the same for all of its users. */
import { type Result, success } from "../fault.ts";
import { HeaderId } from "../header/names.ts";
import { hasHeader, headerValues, recordRoutes } from "../message/fields.ts";
import type { SipMessage } from "../message/message.ts";
import { detach } from "../text/octets.ts";
import { createRouteSet, emptyRouteSet, type RouteSet } from "./route-set.ts";

/** Far more than peers have edges; a peer that writes a new one each time costs no more than without the cache. */
const MOST_ROUTE_SETS = 1_000;

/** Route sets of dialogs that peers began, by the text of Record-Route. */
export class RouteSetCache {
	readonly #limit: number;
	readonly #byText = new Map<string, RouteSet>();

	constructor(limit = MOST_ROUTE_SETS) {
		this.#limit = limit;
	}

	get size(): number {
		return this.#byText.size;
	}

	/** The route set of a dialog that this request makes (RFC 3261 §12.1.1). Faults: what Record-Route causes. */
	ofRequest(message: SipMessage): Result<RouteSet> {
		if (!hasHeader(message, HeaderId.recordRoute)) return success(emptyRouteSet);
		const text = headerValues(message, HeaderId.recordRoute).join(",");
		const known = this.#byText.get(text);
		if (known !== undefined) return success(known);
		const recorded = recordRoutes(message);
		if (!recorded.ok) return recorded;
		const made = createRouteSet(recorded.value, "uas");
		if (this.#byText.size >= this.#limit) this.#byText.clear();
		this.#byText.set(detach(text), made);
		return success(made);
	}
}
