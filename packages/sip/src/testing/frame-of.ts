/** Messages as a framer gives them. */
import { Framer } from "../message/framer.ts";
import { DEFAULT_FRAMER_LIMITS } from "../message/limits.ts";
import { OctetFrame } from "../message/octet-frame.ts";
import { invariant } from "../text/assert.ts";

const BEFORE = "\r\n\r\n";
const BEHIND = "MESSAGE";

/** A whole message, given as octets or as latin1 characters, in the midst of other octets. Throws where it is none. */
export function frameOf(message: Uint8Array | string): OctetFrame {
	const own = typeof message === "string" ? Buffer.from(message, "latin1") : message;
	const octets = Buffer.concat([Buffer.from(BEFORE), own, Buffer.from(BEHIND)]);
	const found = new OctetFrame();
	let count = 0;
	new Framer(DEFAULT_FRAMER_LIMITS).push(octets.subarray(0, BEFORE.length + own.length), {
		frame: ({ start, headEnd, end, fields, fieldsLength }) => {
			count++;
			Object.assign(found, { octets, start, headEnd, end, fieldsLength });
			// What stands behind the index is of another message.
			found.fields.push(...fields.slice(0, fieldsLength), 1, 2, 3, 4, 5);
		},
		ping() {},
		pong() {},
		fault: (fault) => invariant(false, fault.detail),
	});
	invariant(count === 1, "one whole message");
	return found;
}
