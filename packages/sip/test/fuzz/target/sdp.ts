/** Session descriptions, and the answers and capabilities made from them. */
import assert from "node:assert/strict";
import { acceptTypes, formatSdp, parseSdp, rejectMedia } from "../../../src/body/sdp.ts";
import {
	chooseMessageLine,
	createAnswer,
	fallbackProfile,
	judgeReoffer,
	readAnswer,
	readCapabilities,
} from "../../../src/session/offer-answer.ts";
import { CORPUS_FOLDER, readCorpusFiles } from "../corpus.ts";
import type { FuzzTarget } from "../fuzz-target.ts";

const DESCRIBER = {
	originId: 1,
	originVersion: 1,
	host: "sip.contoso.example",
	acceptTypes: ["text/plain", "text/html"],
};
const CONTACT_URI = "sip:alice@sip.contoso.example:5061;transport=tls";

export function createSdpTarget(): FuzzTarget {
	return {
		name: "sdp",
		summary: "session descriptions, our answers to them",
		sources: ["/sip/src/body/sdp.ts", "/sip/src/body/octets.ts", "/sip/src/session/offer-answer.ts"],
		seeds: readCorpusFiles(CORPUS_FOLDER, ".sdp"),
		tokens: [
			"v=0\r\n",
			"m=message 5060 sip/tcp *\r\n",
			"m=message 0 sip null\r\n",
			"m=x-ms-message 5060 sip sip:a@b.example\r\n",
			"m=audio 49170/2 RTP/AVP 0\r\n",
			"m=",
			"a=",
			"a=accept-types:",
			"a=accept-types:* text/plain;charset=utf-8 \r\n",
			"sip/tls",
			"TCP/SIP",
			"TCP/MSRP",
			" ",
			"/",
			"65536",
			"\0",
			"\r",
		],
		run: readSdp,
	};
}

function readSdp(input: Uint8Array): string {
	const result = parseSdp(input);
	if (!result.ok) return result.fault.detail;
	const sdp = result.value;
	assert.deepEqual(Buffer.from(formatSdp(sdp)), Buffer.from(input), "a description is not kept octet by octet");
	const chosen = chooseMessageLine(sdp);
	for (const media of sdp.media) {
		assert.ok(rejectMedia(media).startsWith("m="));
		acceptTypes(sdp, media);
	}
	const answer = createAnswer(sdp, chosen, CONTACT_URI, DESCRIBER);
	assert.equal(answer.media.length, sdp.media.length, "an answer has as many media lines as the offer");
	for (const [index, media] of answer.media.entries()) {
		assert.equal(media.port !== 0, sdp.media[index] === chosen, "an answer takes up what was not chosen");
	}
	const capabilities = readCapabilities(sdp);
	return [
		Math.min(sdp.media.length, 5),
		chosen?.transport.toLowerCase(),
		readAnswer(sdp).kind,
		capabilities.kind === "message" ? capabilities.profile : "none",
		judgeReoffer(sdp),
		fallbackProfile("profile", sdp),
	].join(" ");
}
