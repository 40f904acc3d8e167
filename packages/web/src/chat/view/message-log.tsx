import type { Message } from "@causeway/admin";
import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { ChatSession } from "../session.ts";
import type { ConversationState, OutboxEntry } from "../state/chat-state.ts";
import { MessageItem, OutboxItem } from "./message-item.tsx";

/** Nearer than this to the end, the log follows what comes. */
const nearPixels = 80;

/** What was said, oldest first; new messages are read out as they come. */
export function MessageLog(props: {
	readonly session: ChatSession;
	readonly conversation: ConversationState;
	readonly entries: readonly OutboxEntry[];
	readonly name: string;
}): JSX.Element {
	const { session, conversation, entries, name } = props;
	const { messages, reading, fault, previous, isTyping } = conversation;
	const log = useRef<HTMLDivElement>(null);
	const place = useRef({ isAtEnd: true, height: 0, first: "" });

	const [first] = messages;
	useLayoutEffect(() => {
		const element = log.current;
		if (element === null) return;
		const before = place.current;
		// Earlier messages came in above: what was read stays where it was.
		const isGrownAbove = before.first !== "" && first !== undefined && first.id < before.first;
		if (before.isAtEnd) element.scrollTop = element.scrollHeight;
		else if (isGrownAbove) element.scrollTop += element.scrollHeight - before.height;
		place.current = { ...before, height: element.scrollHeight, first: first?.id ?? "" };
	}, [messages, entries.length, isTyping, reading]);
	useEffect(() => {
		const element = log.current;
		if (element === null) return;
		const observer = new ResizeObserver(() => {
			if (place.current.isAtEnd) element.scrollTop = element.scrollHeight;
		});
		observer.observe(element);
		return () => observer.disconnect();
	}, []);

	const scrolled = (): void => {
		const element = log.current;
		if (element === null) return;
		const left = element.scrollHeight - element.scrollTop - element.clientHeight;
		place.current = { ...place.current, isAtEnd: left < nearPixels, height: element.scrollHeight };
		if (element.scrollTop < nearPixels && reading === "read" && previous !== undefined) {
			void session.readEarlier(conversation.with);
		}
	};

	const isEmpty = messages.length === 0 && entries.length === 0;
	return (
		// biome-ignore lint/a11y/noNoninteractiveTabindex: without a place in the order, nobody can scroll it by keys.
		<div ref={log} class="log" role="log" aria-label={`Messages with ${name}`} tabIndex={0} onScroll={scrolled}>
			{reading === "reading" ? <p class="log-note">Reading messages…</p> : null}
			{reading === "failed" ? (
				<p class="log-note bad">
					Messages could not be read. {fault}{" "}
					<button class="button small" type="button" onClick={() => void session.readEarlier(conversation.with)}>
						Try again
					</button>
				</p>
			) : null}
			{reading === "read" && previous !== undefined ? (
				<p class="log-note">
					<button class="button small" type="button" onClick={() => void session.readEarlier(conversation.with)}>
						Earlier messages
					</button>
				</p>
			) : null}
			{reading === "read" && isEmpty ? <p class="log-note">No messages yet. Say hello.</p> : null}
			<ol class="messages">
				{messages.map((message, index) => (
					<li key={message.id}>
						<DayMark message={message} before={messages[index - 1]} />
						<MessageItem session={session} message={message} name={name} />
					</li>
				))}
				{entries.map((entry) => (
					<li key={entry.key}>
						<OutboxItem session={session} entry={entry} />
					</li>
				))}
			</ol>
			<p class="typing" role="status">
				{isTyping ? `${name} is typing…` : ""}
			</p>
		</div>
	);
}

/** The date, where a day begins. */
function DayMark(props: { readonly message: Message; readonly before: Message | undefined }): JSX.Element | null {
	const day = dayOf(props.message);
	if (props.before !== undefined && dayOf(props.before) === day) return null;
	return <p class="day">{day}</p>;
}

function dayOf({ created_at }: Message): string {
	return new Date(created_at).toLocaleDateString(undefined, {
		weekday: "long",
		day: "numeric",
		month: "long",
		year: "numeric",
	});
}
