/** Settings that the contract names and this version does not serve yet: said at start, never passed over in silence. */
import { type Finding, formatKeyPath, type Problem } from "./problem.ts";
import type { Config } from "./schema.ts";

export interface NotServed {
	/** The start refuses these: what would run is not what the file describes. */
	readonly errors: readonly Problem[];
	/** The edge serves without them. */
	readonly warnings: readonly Problem[];
}

/** `file` is how the problems call the configuration. */
export function findNotServed(config: Config, file: string): NotServed {
	const errors: Finding[] = [];
	const warnings: Finding[] = [];
	if (config.trace.hep !== "") {
		warnings.push({ path: ["trace", "hep"], message: "copies to a Homer collector are not sent by this version" });
	}
	const place = ({ path, ...words }: Finding): Problem => ({
		file,
		line: undefined,
		column: undefined,
		key: formatKeyPath(path),
		...words,
	});
	return { errors: errors.map(place), warnings: warnings.map(place) };
}
