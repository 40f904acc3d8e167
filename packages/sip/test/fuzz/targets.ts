/** The targets of the library, in the order in which they run. */
import type { FuzzTarget } from "./fuzz-target.ts";
import { createFramerTarget } from "./target/framer.ts";
import { createMessageTarget } from "./target/message.ts";
import { createNameAddrTarget } from "./target/name-addr.ts";
import { createPidfTarget } from "./target/pidf.ts";
import { createSdpTarget } from "./target/sdp.ts";
import { createTextBodyTarget } from "./target/text-body.ts";
import { createUriTarget } from "./target/uri.ts";
import { createViaTarget } from "./target/via.ts";

export function createTargets(): readonly FuzzTarget[] {
	return [
		createFramerTarget(),
		createMessageTarget(),
		createUriTarget(),
		createNameAddrTarget(),
		createViaTarget(),
		createSdpTarget(),
		createPidfTarget(),
		createTextBodyTarget(),
	];
}
