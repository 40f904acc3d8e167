/** Changes of header fields as pieces of a head that give way to others: what `applyEdits` does for a message that was read, without an index of the outcome. */
import assert from "node:assert/strict";
import { type Edit, FIELD_STRIDE, type HeadSplices, headerName, type MessageHead } from "@causeway/sip";

/** Offset of the first octet of a field's line, or of the empty line; `fields` as in {@link MessageHead}, the first `length` of them. */
export function lineStart(fields: readonly number[], length: number, field: number): number {
	const at = field * FIELD_STRIDE;
	// Behind the last field stands one number more: where the empty line is.
	return fields[at === length - 1 ? at : at + 1] as number;
}

/** Puts an edit of header fields among the pieces; that of a Request-URI is not one of them. */
export function putEdit(splices: HeadSplices, { fields }: MessageHead, edit: Edit): void {
	switch (edit.kind) {
		case "remove":
			splices.put(lineStart(fields, fields.length, edit.field), lineStart(fields, fields.length, edit.field + 1), "");
			break;
		case "replace":
			splices.put(edit.start, edit.end, edit.value);
			break;
		case "insert": {
			const start = lineStart(fields, fields.length, edit.field);
			splices.put(start, start, `${headerName(edit.id).name}: ${edit.value}\r\n`);
			break;
		}
		case "request-uri":
			assert.fail("no boundary rule concerns the Request-URI");
	}
}
