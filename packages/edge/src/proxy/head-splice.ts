/** Replaces pieces of a head's text and copies the rest: what `applyEdits` does for a message that was read, without an index of the outcome. */
import { type Edit, FIELD_STRIDE, headerName, type MessageHead } from "@causeway/sip";

/** Octets from `start` to `end` of the head give way to `text`. */
export interface Splice {
	readonly start: number;
	readonly end: number;
	readonly text: string;
}

/** Offset of the first octet of a field's line, or of the empty line. */
export function lineStart({ fields }: MessageHead, field: number): number {
	const at = field * FIELD_STRIDE;
	return fields[at === fields.length - 1 ? at : at + 1] as number;
}

/** An edit of header fields as a splice; that of a Request-URI is not one of them. */
export function spliceOf(head: MessageHead, edit: Exclude<Edit, { kind: "request-uri" }>): Splice {
	switch (edit.kind) {
		case "remove":
			return { start: lineStart(head, edit.field), end: lineStart(head, edit.field + 1), text: "" };
		case "replace":
			return { start: edit.start, end: edit.end, text: edit.value };
		case "insert": {
			const start = lineStart(head, edit.field);
			return { start, end: start, text: `${headerName(edit.id).name}: ${edit.value}\r\n` };
		}
	}
}

/** The text with the splices made, which do not overlap; those at one place stand in their order. Sorts them. */
export function spliceText(text: string, splices: Splice[]): string {
	// Few, and nearly in order.
	for (let index = 1; index < splices.length; index++) {
		const splice = splices[index] as Splice;
		let before = index - 1;
		while (before >= 0 && (splices[before] as Splice).start > splice.start) {
			splices[before + 1] = splices[before] as Splice;
			before--;
		}
		splices[before + 1] = splice;
	}
	let out = "";
	let copied = 0;
	for (const { start, end, text: replacement } of splices) {
		out += text.slice(copied, start) + replacement;
		copied = end;
	}
	return out + text.slice(copied);
}
