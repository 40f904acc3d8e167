/** Which open links should be closed, looked at now and then: none is trusted past its certificate, none stays open for nothing. */
import type { Clock, Timer } from "@causeway/sip";
import type { Link } from "./link.ts";

const LOOK_EVERY_MS = 30_000;
/** Looks: a peer that shows in a minute no domain it may speak for is no peer (protocol sheet 7.3). */
const UNPROVEN_LOOKS = 2;
/** Looks without traffic and without a dialog: a quarter of an hour (protocol sheet 1.5). */
const IDLE_LOOKS = 30;

export interface LinkUpkeepOptions {
	readonly clock: Clock;
	readonly links: Iterable<Link>;
	/** Work under way on a link. */
	readonly load: (link: Link) => number;
}

interface Watched {
	looks: number;
	quietLooks: number;
	traffic: number;
}

export class LinkUpkeep {
	readonly #options: LinkUpkeepOptions;
	readonly #watched = new WeakMap<Link, Watched>();
	#timer: Timer | undefined;

	constructor(options: LinkUpkeepOptions) {
		this.#options = options;
	}

	/** Begins to look, unless it does already. */
	start(): void {
		this.#timer ??= this.#options.clock.setTimer(LOOK_EVERY_MS, () => {
			this.#timer = undefined;
			if (this.#look() > 0) this.start();
		});
	}

	close(): void {
		this.#timer?.stop();
		this.#timer = undefined;
	}

	/** The number of links that were looked at. */
	#look(): number {
		const links = [...this.#options.links];
		for (const link of links) {
			const reason = this.#reasonToClose(link);
			if (reason !== undefined) link.connection.close(reason);
		}
		return links.length;
	}

	#reasonToClose(link: Link): string | undefined {
		const traffic = link.connection.isOpen ? link.requestsIn + link.requestsOut + link.lastReceivedAt : 0;
		const watched = this.#watched.get(link) ?? { looks: 0, quietLooks: 0, traffic };
		this.#watched.set(link, watched);
		watched.looks += 1;
		watched.quietLooks = watched.traffic === traffic ? watched.quietLooks + 1 : 0;
		watched.traffic = traffic;
		// REQ-90: trust in a connection ends with its certificate.
		if (link.identity.notAfter <= this.#options.clock.wall()) return "the peer's certificate has expired";
		if (link.network === undefined && watched.looks >= UNPROVEN_LOOKS) return "the peer proved no domain of its own";
		if (this.#options.load(link) > 0) return undefined;
		if (link.isDraining) return "the connection was replaced";
		return watched.quietLooks >= IDLE_LOOKS ? "the connection was idle" : undefined;
	}
}
