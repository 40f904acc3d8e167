/** What a domain says about its user: verified or not (protocol sheet 7.6, REQ-71 to REQ-75). */
import { lowerAscii } from "../text/ascii.ts";
import { unquote } from "../text/quoting.ts";
import { listParams } from "../uri/params.ts";
import { parseParams } from "./params.ts";

/** What a domain says of its user (REQ-71, REQ-72). */
export type VerificationLevel = "verified" | "unverified";

const parameter = "ms-source-verification-level";
const laterParameter = "ms-source-verified-user";

/** The value of `Ms-asserted-verification-level` as the profile writes it (REQ-75). */
export function formatVerificationLevel(level: VerificationLevel): string {
	return `${parameter}=${level}`;
}

/**
 * Reads all values of `Ms-asserted-verification-level` and `ms-edge-proxy-message-trust` of one message. Either name of
 * the parameter counts, in any case, quoted or not, a full stop at the end or not. Undefined where nothing is said,
 * where the words are none of ours, or where they contradict each other: the caller takes that as unverified.
 */
export function parseVerificationLevel(values: readonly string[]): VerificationLevel | undefined {
	let level: VerificationLevel | undefined;
	for (const value of values) {
		const text = `;${withoutStop(value.trim())}`;
		const params = parseParams(text, 0, text.length);
		if (params === undefined) return undefined;
		for (const param of listParams(params)) {
			const name = lowerAscii(param.name);
			if (name !== parameter && name !== laterParameter) continue;
			const said = lowerAscii(withoutStop(unquote(param.value ?? "")));
			if (said !== "verified" && said !== "unverified") return undefined;
			if (level !== undefined && level !== said) return undefined;
			level = said;
		}
	}
	return level;
}

function withoutStop(text: string): string {
	return text.endsWith(".") ? text.slice(0, -1) : text;
}
