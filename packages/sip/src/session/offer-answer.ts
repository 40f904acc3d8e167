/**
 * Offer and answer of message sessions: RFC 3264 with the message line of the federation profile (REQ-25 … REQ-33,
 * protocol.md 3.3, 3.4, 3.9).
 */
import { acceptTypes, createSdp, rejectMedia, type Sdp, type SdpMedia } from "../body/sdp.ts";
import { equalsIgnoreCase } from "../text/ascii.ts";

/** How a peer wants the message line of an offer: as the profile prints it, as Lync writes it, or with our Contact URI. */
export type ImProfile = "profile" | "lync" | "uri";

/** Decorative: nothing ever connects to it (protocol.md 10, row 9). */
const MESSAGE_PORT = 5060;

/** Transports that mean "MESSAGE inside the dialog"; MSRP means something else (REQ-54). */
const MESSAGE_TRANSPORTS = ["sip", "sip/tcp", "sip/tls", "tcp/sip"] as const;

/** Who describes. */
export interface Describer {
	/** `o=` session id, unique per description. */
	readonly originId: number | string;
	/** `o=` version: one more for each change of our own description within a session (RFC 3264 §8). */
	readonly originVersion: number | string;
	/** Our public name. */
	readonly host: string;
	/** Media types that we take in a MESSAGE. */
	readonly acceptTypes: readonly string[];
}

/** Whether a line offers what we speak, its port left aside. */
export function isMessageMedia(media: SdpMedia): boolean {
	const isMessage = equalsIgnoreCase(media.media, "message") || equalsIgnoreCase(media.media, "x-ms-message");
	return isMessage && MESSAGE_TRANSPORTS.some((transport) => equalsIgnoreCase(transport, media.transport));
}

/** The line of an offer that becomes the session: the first usable one whose port is not 0. Undefined: answer 488. */
export function chooseMessageLine(offer: Sdp): SdpMedia | undefined {
	return offer.media.find((media) => media.port !== 0 && isMessageMedia(media));
}

/** Our offer. `contactUri`, without brackets, stands in the line of profile `uri` (REQ-26). */
export function createOffer(profile: ImProfile, contactUri: string, describer: Describer): Sdp {
	return describe(describer, [
		{
			line: `message ${MESSAGE_PORT} ${messageTransport(profile, contactUri)}`,
			attributes: acceptAttributes(describer),
		},
	]);
}

/**
 * Our answer: as many lines as the offer, in its order (RFC 3264 §6). `chosen` is taken up, in its own media name and
 * transport; every other line is rejected as written, with port 0 (REQ-31). To `*` we answer `*`, to a URI or `null` with
 * our Contact (REQ-26; so do the products that offer `null`). Without `chosen` every line is rejected: legal for a
 * re-INVITE, while an INVITE gets 488.
 */
export function createAnswer(offer: Sdp, chosen: SdpMedia | undefined, contactUri: string, describer: Describer): Sdp {
	return describe(
		describer,
		offer.media.map((media) => {
			if (media !== chosen) return { line: rejectMedia(media) };
			const line = `${media.media} ${MESSAGE_PORT} ${media.transport} ${answerFormat(media, contactUri)}`;
			return { line, attributes: acceptAttributes(describer) };
		}),
	);
}

/**
 * What OPTIONS and 488 carry (REQ-32, REQ-33): the literal line, or port 0 as RFC 3264 §9 wants it, by
 * `capability_port` of the peer. It holds no `accept-types`: it names the medium, and no session.
 */
export function createCapabilities(port: "literal" | "zero", describer: Omit<Describer, "acceptTypes">): Sdp {
	return describe(describer, [{ line: `message ${port === "literal" ? MESSAGE_PORT : 0} sip/tcp *` }], "-");
}

/** What a 200 to our INVITE says. */
export type AnswerReading =
	/** The media types the peer takes, lower case; undefined where it names none, which means text/plain (protocol.md 3.4). */
	| { readonly kind: "accepted"; readonly acceptTypes: readonly string[] | undefined }
	/** No message line, or port 0 on it: the session has no use and ends with BYE. */
	| { readonly kind: "declined" };

/** Reads the answer to an offer of ours, which has one line. Its port is decorative as long as it is not 0. */
export function readAnswer(answer: Sdp): AnswerReading {
	const media = chooseMessageLine(answer);
	return media === undefined ? { kind: "declined" } : { kind: "accepted", acceptTypes: acceptTypes(answer, media) };
}

/** What the body of an OPTIONS answer or of a 488 says. */
export type CapabilityReading =
	/** `profile` is the form of line to offer to this peer. */
	{ readonly kind: "message"; readonly profile: ImProfile } | { readonly kind: "none" };

/** Reads a capability description. The port means nothing here: 0 is "supported" (protocol.md 3.9). */
export function readCapabilities(description: Sdp): CapabilityReading {
	const media = description.media.find(isMessageMedia);
	if (media === undefined) return { kind: "none" };
	if (!equalsIgnoreCase(media.transport, "sip")) return { kind: "message", profile: "profile" };
	return { kind: "message", profile: isUriFormat(media) ? "uri" : "lync" };
}

/**
 * The form to offer after a refusal (488, 415 or 606), once: that of the refusal's own line where it differs from what was
 * offered (protocol.md 3.3). Undefined: do not try again.
 */
export function fallbackProfile(offered: ImProfile, refusalBody: Sdp | undefined): ImProfile | undefined {
	if (offered !== "profile" || refusalBody === undefined) return undefined;
	const capabilities = readCapabilities(refusalBody);
	if (capabilities.kind === "none" || capabilities.profile === offered) return undefined;
	return "lync";
}

/** Whether a later offer inside the session keeps the stream; port 0 on its message line ends it (protocol.md 3.5). */
export function judgeReoffer(offer: Sdp): "keeps" | "removes" | "refused" {
	if (chooseMessageLine(offer) !== undefined) return "keeps";
	return offer.media.some(isMessageMedia) ? "removes" : "refused";
}

function messageTransport(profile: ImProfile, contactUri: string): string {
	switch (profile) {
		case "profile":
			return "sip/tcp *";
		case "lync":
			return "sip null";
		case "uri":
			return `sip ${contactUri}`;
	}
}

function answerFormat(media: SdpMedia, contactUri: string): string {
	return isUriFormat(media) || media.formats[0] === "null" ? contactUri : "*";
}

function isUriFormat(media: SdpMedia): boolean {
	return media.formats[0]?.includes(":") ?? false;
}

function acceptAttributes(describer: Describer): readonly string[] {
	return describer.acceptTypes.length === 0 ? [] : [`accept-types:${describer.acceptTypes.join(" ")}`];
}

function describe(
	describer: Omit<Describer, "acceptTypes">,
	media: readonly { readonly line: string; readonly attributes?: readonly string[] }[],
	sessionName = "session",
): Sdp {
	const { originId, originVersion, host } = describer;
	return createSdp({ originId, originVersion, host, sessionName, media });
}
