import type { FieldFault, Operation } from "@causeway/admin";
import type { z } from "zod";
import { ApiProblem } from "./handlers.ts";

/** At most so many faults are told: a list of thousands helps nobody. */
const maxFaults = 20;

type Place = FieldFault["in"];

/** What came in, not yet read. */
export interface RawRequest {
	readonly params: unknown;
	readonly query: unknown;
	readonly headers: unknown;
	readonly body: unknown;
}

/** Reads a request by the contract; throws `validation-failed` with every field at fault, wherever it stands. */
export function readRequest(
	operation: Pick<Operation, "params" | "query" | "headers" | "body">,
	raw: RawRequest,
): { readonly params: unknown; readonly query: unknown; readonly headers: unknown; readonly body: unknown } {
	const faults: FieldFault[] = [];
	const read = {
		params: readPart(operation.params, raw.params, "path", faults) ?? {},
		query: readQuery(operation.query, raw.query, faults) ?? {},
		headers: readPart(operation.headers, raw.headers, "header", faults) ?? {},
		body: readPart(operation.body, raw.body, "body", faults),
	};
	if (faults.length > 0) {
		throw new ApiProblem("validation-failed", undefined, { errors: faults.slice(0, maxFaults) });
	}
	return read;
}

function readPart(schema: z.ZodType | undefined, value: unknown, place: Place, faults: FieldFault[]): unknown {
	if (schema === undefined) return undefined;
	const read = schema.safeParse(value);
	if (read.success) return read.data;
	for (const issue of read.error.issues) faults.push(...describeIssue(issue, place));
	return undefined;
}

/** An operation without a query takes none, so that a misspelt filter is not silently everything. */
function readQuery(schema: z.ZodType | undefined, value: unknown, faults: FieldFault[]): unknown {
	if (schema !== undefined) return readPart(schema, value, "query", faults);
	for (const name of Object.keys(value ?? {})) faults.push(unknownKey("query", [], name));
	return undefined;
}

function describeIssue(issue: z.core.$ZodIssue, place: Place): readonly FieldFault[] {
	if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownKey(place, issue.path, key));
	return [{ in: place, pointer: formatPointer(issue.path), detail: issue.message }];
}

function unknownKey(place: Place, path: readonly PropertyKey[], key: string): FieldFault {
	return { in: place, pointer: formatPointer([...path, key]), detail: "is not known here" };
}

/** JSON pointer, RFC 6901 §3. */
function formatPointer(path: readonly PropertyKey[]): string {
	return path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}
