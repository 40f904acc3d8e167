/** Secrets and names for signing keys, from the operating system's generator. */
import { randomBytes } from "node:crypto";
import type { Random } from "@causeway/sip";
import { formatBase36 } from "./base36.ts";
import type { KeySource } from "./key-ring.ts";
import { SECRET_BYTES } from "./mac-key.ts";

const KID_LENGTH = 4;
const KIDS = 36 ** KID_LENGTH;

export function systemKeySource(random: Random): KeySource {
	return {
		secret: () => randomBytes(SECRET_BYTES),
		kid: () => formatBase36(random.below(KIDS)).padStart(KID_LENGTH, "0"),
	};
}
