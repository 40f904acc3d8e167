/** The configuration for display and support archives: nothing in it says where or what a secret is. */
import { mapConfigKeys } from "./map-keys.ts";
import type { Config } from "./schema.ts";

/** What stands in place of a hidden value. */
export const HIDDEN = "(hidden)";

/** A copy in which keys marked secret show that they are set, and no more. */
export function redactConfig(config: Config): Config {
	return mapConfigKeys(config, (key, value) => (key.isSecret && value !== "" ? HIDDEN : value));
}
