/** Which form of message line a peer network takes: what the configuration says, or what its refusal taught us (protocol sheet 3.3). */
import {
	type Clock,
	contentType,
	fallbackProfile,
	type ImProfile,
	matchMediaType,
	parseSdp,
	type SipResponse,
} from "@causeway/sip";
import type { Peer } from "../federation/peers.ts";

/** Protocol sheet 3.3. */
const REMEMBERED_MS = 24 * 3_600_000;
/** Networks remembered; the oldest lesson goes when one more is learned. */
const MOST_NETWORKS = 10_000;
/** Refusals that may be about the form of the line. */
const ABOUT_THE_OFFER: readonly number[] = [415, 488, 606];

export class ProfileMemory {
	readonly #clock: Pick<Clock, "now">;
	/** By name of the network; in the order in which they were learned. */
	readonly #learned = new Map<string, { readonly profile: ImProfile; readonly untilMs: number }>();

	constructor(clock: Pick<Clock, "now">) {
		this.#clock = clock;
	}

	/** The form to offer to this peer now. A form that an administrator chose is never replaced. */
	profileOf(peer: Pick<Peer, "name" | "imProfile">): ImProfile {
		if (peer.imProfile !== "profile") return peer.imProfile;
		const learned = this.#learned.get(peer.name);
		if (learned === undefined) return peer.imProfile;
		if (learned.untilMs > this.#clock.now()) return learned.profile;
		this.#learned.delete(peer.name);
		return peer.imProfile;
	}

	/**
	 * An offer in this form was refused. True where another form is to be offered at once, and from now on for 24 hours;
	 * never a second time, because the other form's own refusal makes it forgotten.
	 */
	refused(peer: Pick<Peer, "name" | "imProfile">, offered: ImProfile, refusal: SipResponse): boolean {
		if (!ABOUT_THE_OFFER.includes(refusal.statusCode)) return false;
		const other = fallbackProfile(offered, readDescription(refusal));
		if (other === undefined || peer.imProfile !== "profile") {
			if (offered !== peer.imProfile) this.#learned.delete(peer.name);
			return false;
		}
		this.#learned.delete(peer.name);
		if (this.#learned.size >= MOST_NETWORKS) {
			const [oldest] = this.#learned.keys();
			if (oldest !== undefined) this.#learned.delete(oldest);
		}
		this.#learned.set(peer.name, { profile: other, untilMs: this.#clock.now() + REMEMBERED_MS });
		return true;
	}
}

function readDescription(refusal: SipResponse) {
	const type = contentType(refusal);
	if (!type.ok || type.value === undefined || !matchMediaType(type.value, "application", "sdp")) return undefined;
	const description = parseSdp(refusal.body);
	return description.ok ? description.value : undefined;
}
