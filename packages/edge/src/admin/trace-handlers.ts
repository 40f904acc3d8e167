/** The trace as the API shows it: what went over the wire, bodies left out unless they are asked for. */
import type { TraceEntry as ApiTraceEntry, TraceFilter } from "@causeway/admin";
import { HeaderId, headerValue, isSipUri, type NameAddr, octetsToText, type SipMessage } from "@causeway/sip";
import type { Trace, TraceEntry, TraceRefusal } from "../observe/trace.ts";
import type { ApiHandlers, ChannelHandlers } from "./handlers.ts";

const DEFAULT_LIMIT = 100;

export function createTraceHandlers(
	trace: Trace,
): Pick<ApiHandlers, "listTrace"> & Pick<ChannelHandlers, "watchTrace"> {
	return {
		listTrace({ query }) {
			const limit = query.limit ?? DEFAULT_LIMIT;
			const after = query.after ?? 0;
			const messages = trace.list(after).filter((entry) => isWanted(entry, query));
			const refusals = trace.listRefusals(after).filter((refusal) => isRefusalWanted(refusal, query));
			const entries = [
				...messages.slice(-limit).map((entry) => toEntry(entry, query.bodies === true)),
				...refusals.slice(-limit).map(toRefusalEntry),
			].sort((one, other) => one.seq - other.seq);
			return { status: 200, body: { entries: entries.slice(-limit) } };
		},
		watchTrace({ query }, sink) {
			const stopMessages = trace.listen((entry) => {
				if (isWanted(entry, query)) sink.send(toEntry(entry, query.bodies === true));
			});
			const stopRefusals = trace.listenRefusals((refusal) => {
				if (isRefusalWanted(refusal, query)) sink.send(toRefusalEntry(refusal));
			});
			return () => {
				stopMessages();
				stopRefusals();
			};
		},
	};
}

function isWanted({ message, peer }: TraceEntry, filter: TraceFilter): boolean {
	if (filter.call_id !== undefined && message.callId !== filter.call_id) return false;
	const from = address(message.from);
	const to = address(message.to);
	if (filter.user !== undefined && from !== filter.user && to !== filter.user) return false;
	if (filter.peer === undefined) return true;
	const wanted = filter.peer.toLowerCase();
	return peer === wanted || from?.endsWith(`@${wanted}`) === true || to?.endsWith(`@${wanted}`) === true;
}

/** A refused connection has no message, so it belongs to no user and no call. */
function isRefusalWanted({ peer }: TraceRefusal, filter: TraceFilter): boolean {
	if (filter.call_id !== undefined || filter.user !== undefined) return false;
	if (filter.peer === undefined) return true;
	const wanted = filter.peer.toLowerCase();
	return peer === wanted || peer?.endsWith(`.${wanted}`) === true;
}

function toRefusalEntry({ seq, at, direction, peer, remote, code, lines }: TraceRefusal): ApiTraceEntry {
	return {
		seq,
		kind: "refusal",
		at: new Date(at).toISOString(),
		direction,
		...(peer === undefined ? {} : { peer }),
		remote_address: remote,
		start_line: lines[0] ?? code,
		note: code,
		text: lines.join("\n"),
	};
}

function toEntry(entry: TraceEntry, withBody: boolean): ApiTraceEntry {
	const { message } = entry;
	const from = address(message.from);
	const to = address(message.to);
	const { text } = message.head;
	return {
		seq: entry.seq,
		at: new Date(entry.at).toISOString(),
		direction: entry.direction,
		connection: String(entry.connectionId),
		peer: entry.peer,
		start_line: octetsToText(text.slice(0, text.indexOf("\r\n"))),
		call_id: message.callId,
		cseq: headerValue(message, HeaderId.cseq) ?? "",
		...(from === undefined ? {} : { from }),
		...(to === undefined ? {} : { to }),
		text: octetsToText(withBody ? text : withoutTexts(text)) + bodyText(message, withBody),
	};
}

/** Headers in which peers of the LCS family carry the first message of a conversation (protocol sheet 3.7). */
const TEXT_HEADERS: readonly string[] = ["ms-text-format", "ms-im-format"];

/** The head without what people wrote: such a header keeps its name alone, its folded lines go with it. */
function withoutTexts(head: string): string {
	const lower = head.toLowerCase();
	if (!TEXT_HEADERS.some((name) => lower.includes(name))) return head;
	let isLeftOut = false;
	const lines = head.split("\r\n").flatMap((line) => {
		if (line.startsWith(" ") || line.startsWith("\t")) return isLeftOut ? [] : [line];
		const name = line.slice(0, Math.max(0, line.indexOf(":"))).trimEnd();
		isLeftOut = TEXT_HEADERS.includes(name.toLowerCase());
		return isLeftOut ? [`${name}: (${line.length - name.length} octets left out)`] : [line];
	});
	return lines.join("\r\n");
}

function bodyText(message: SipMessage, withBody: boolean): string {
	if (message.body.length === 0) return "";
	return withBody ? new TextDecoder().decode(message.body) : `(${message.body.length} octets left out)`;
}

function address({ uri }: NameAddr): string | undefined {
	return isSipUri(uri) && uri.user !== undefined ? `${uri.user}@${uri.host}`.toLowerCase() : undefined;
}
