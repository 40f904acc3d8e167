/** One request on its way through the proxy: its server transaction on one side, its client transaction on the other (RFC 3261 §16.7). */
import assert from "node:assert/strict";
import {
	applyEdits,
	type ClientFailure,
	type ClientTransaction,
	type ClientTransactionUser,
	type Connection,
	createResponse,
	formatDiagnosticsPublic,
	type HeaderInput,
	type ServerTransaction,
	type SipResponse,
} from "@causeway/sip";
import type { Link } from "../federation/link.ts";
import { boundaryEdits, type Crossing } from "./boundary-headers.ts";
import { popVia } from "./message-edits.ts";
import type { DialogRoute } from "./relay-dialogs.ts";
import type { SortedRoutes } from "./route-check.ts";

export interface RelayedRequestUser {
	/** A response that was sent on. */
	answered(relayed: RelayedRequest, response: SipResponse): void;
	/** A final response or failure: nothing more is to come, repeated 2xx apart. `code` is for log and metrics. */
	ended(relayed: RelayedRequest, status: number, code: string): void;
	/**
	 * Where it was sent cannot serve it: takes it to the next address of its destination, and calls `giveUp` where there is none. False
	 * where it may not go elsewhere.
	 */
	elsewhere(relayed: RelayedRequest, giveUp: () => void): boolean;
	newTag(): string;
}

export class RelayedRequest implements ClientTransactionUser {
	#server: ServerTransaction | undefined;
	readonly #connection: Connection;
	/** Our routes in the request, where it may open a dialog. */
	route: DialogRoute | undefined;
	/** The Route values it came with. */
	routes: SortedRoutes | undefined;
	/** Where it was sent to so far, the last one last. */
	readonly tried = new Set<Link>();
	/** The way of the responses. */
	readonly back: Crossing;
	readonly #user: RelayedRequestUser;
	#client: ClientTransaction | undefined;
	#isCancelled = false;
	#isProceeding = false;

	constructor(server: ServerTransaction, back: Crossing, user: RelayedRequestUser) {
		this.#server = server;
		this.#connection = server.connection;
		this.back = back;
		this.#user = user;
	}

	/** The transaction of the side that asked; nobody asks for it after a 2xx. */
	get server(): ServerTransaction {
		assert(this.#server !== undefined, "a request is forgotten with its 2xx");
		return this.#server;
	}

	/** It was sent on. */
	sent(client: ClientTransaction): void {
		this.#client = client;
		if (this.#isCancelled) client.cancel();
	}

	/** The side that asked wants no answer any more (§16.10). */
	cancel(): void {
		this.#isCancelled = true;
		if (this.#client === undefined) this.fail(487, "cancelled");
		else this.#client.cancel();
	}

	/** Id of the connection it was sent on. */
	get departureId(): number | undefined {
		return this.#client?.connection.id;
	}

	get isCancelled(): boolean {
		return this.#isCancelled;
	}

	/** Answers in place of the far end. */
	fail(status: number, code: string, headers: readonly HeaderInput[] = []): void {
		const { request } = this.server;
		if (!this.server.hasFinal) {
			const toTag = request.to.tag === undefined ? { toTag: this.#user.newTag() } : {};
			this.server.respond(createResponse(request, status, { ...toTag, headers }));
		}
		this.#user.ended(this, status, code);
	}

	// ClientTransactionUser.

	response(response: SipResponse): void {
		const { statusCode } = response;
		this.#isProceeding = statusCode > 100;
		// §16.7 step 5: a 100 is of one hop.
		if (statusCode === 100) return;
		const isRepeated = this.#server === undefined || this.#server.hasFinal;
		const via = popVia(response);
		if (via === undefined) {
			// What comes back without the Vias it went with has nowhere to go on to.
			if (statusCode >= 200 && this.#server !== undefined) this.fail(502, "via-lost");
			return;
		}
		if (statusCode === 503) {
			// §16.7 step 6: a 503 says that we are overloaded; that somebody behind us is, is an error to whoever asked.
			this.#goElsewhere(() => this.fail(500, "far-end-503"));
			return;
		}
		const relayed = applyEdits(response, [via, ...boundaryEdits(response.head, undefined, this.back)]);
		if (this.#server === undefined) {
			this.#connection.send(relayed);
			return;
		}
		this.#server.respond(relayed);
		if (isRepeated) return;
		this.#user.answered(this, response);
		if (statusCode >= 200) this.#user.ended(this, statusCode, "relayed");
		// Of an INVITE another 2xx may come for half a minute, as it came from behind: the request must not be held so long.
		if (statusCode >= 200 && statusCode < 300) this.#server = undefined;
	}

	failed(failure: ClientFailure): void {
		if (failure === "timeout") this.fail(this.#isCancelled ? 487 : 408, "far-end-silent");
		// §16.9: a connection that fails is like a 503. Where somebody rings already, another would ring as well.
		else if (this.#isProceeding) this.fail(504, "far-end-lost", unreachable);
		else this.#goElsewhere(() => this.fail(504, "far-end-lost", unreachable));
	}

	/** RFC 3263 §4.3. */
	#goElsewhere(giveUp: () => void): void {
		if (this.server.hasFinal || this.#isCancelled) {
			giveUp();
			return;
		}
		this.#client = undefined;
		const isTaken = this.#user.elsewhere(this, () => {
			// Meanwhile it may have been cancelled.
			if (!this.server.hasFinal) giveUp();
		});
		if (!isTaken) giveUp();
	}
}

const unreachable: readonly HeaderInput[] = [
	["ms-diagnostics-public", formatDiagnosticsPublic(1007, "Temporarily cannot route")],
];
