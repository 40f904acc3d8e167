import type { Message } from "@causeway/admin";
import type { ComponentChildren, JSX } from "preact";
import { memo } from "preact/compat";
import { useState } from "preact/hooks";
import type { ChatSession } from "../session.ts";
import type { OutboxEntry } from "../state/chat-state.ts";
import { describeFate } from "../words.ts";

/** Longer texts are shown in part until somebody wants the rest. */
const longText = 1_500;

/** One message and what became of it. */
export const MessageItem = memo(function MessageItem(props: {
	readonly session: ChatSession;
	readonly message: Message;
	readonly name: string;
}): JSX.Element {
	const { session, message, name } = props;
	const { direction, text, created_at, content_type } = message;
	const fate = describeFate(message);
	const canRepeat = message.fate === "failed" || message.fate === "unknown";
	return (
		<article class={`message ${direction}`} data-fate={message.fate} data-id={message.id}>
			<span class="hidden">{direction === "in" ? `${name} wrote:` : "You wrote:"}</span>
			<Text text={text} />
			<p class="message-foot">
				{content_type === undefined ? null : <span class="message-type">sent as {content_type}, shown as text</span>}
				<time dateTime={created_at} title={new Date(created_at).toLocaleString()}>
					{timeOf(created_at)}
				</time>
				{fate === undefined ? null : <span class={`fate fate-${fate.tone}`}>{fate.text}</span>}
			</p>
			{fate?.more === undefined || fate.more === "" ? null : <p class={`fate-more fate-${fate.tone}`}>{fate.more}</p>}
			{canRepeat ? (
				<p class="acts">
					<button class="button small" type="button" onClick={() => session.send(message.with, text)}>
						{message.fate === "unknown" ? "Send again all the same" : "Send again"}
					</button>
				</p>
			) : null}
		</article>
	);
});

/** A message that the server has not taken yet. */
export function OutboxItem({
	session,
	entry,
}: {
	readonly session: ChatSession;
	readonly entry: OutboxEntry;
}): JSX.Element {
	const { key, text, at, state } = entry;
	return (
		<article class="message out" data-fate={state.kind}>
			<span class="hidden">You wrote:</span>
			<Text text={text} />
			<p class="message-foot">
				<time dateTime={new Date(at).toISOString()}>{timeOf(at)}</time>
				<OutboxWords state={state} />
			</p>
			{state.kind === "refused" ? (
				<>
					<p class="fate-more fate-bad">{state.reason}</p>
					<p class="acts">
						<button class="button small" type="button" onClick={() => session.retry(key)}>
							Try again
						</button>
						<button class="button small quiet" type="button" onClick={() => session.discard(key)}>
							Discard
						</button>
					</p>
				</>
			) : null}
			{state.kind === "retrying" ? (
				<p class="fate-more fate-passing">{state.reason} It is tried again by itself.</p>
			) : null}
		</article>
	);
}

function OutboxWords({ state }: { readonly state: OutboxEntry["state"] }): JSX.Element {
	switch (state.kind) {
		case "waiting":
		case "submitting":
			return <Fate tone="passing">Handing over</Fate>;
		case "retrying":
			return <Fate tone="passing">Not handed over yet</Fate>;
		case "refused":
			return <Fate tone="bad">Not taken</Fate>;
	}
}

function Fate(props: { readonly tone: string; readonly children: ComponentChildren }): JSX.Element {
	return <span class={`fate fate-${props.tone}`}>{props.children}</span>;
}

/** Text as text: it is never read as anything else. */
function Text({ text }: { readonly text: string }): JSX.Element {
	const [isWhole, setWhole] = useState(false);
	const isLong = text.length > longText;
	const shown = isLong && !isWhole ? text.slice(0, longText) : text;
	return (
		<div class="message-body">
			<p class="message-text" dir="auto">
				{shown}
				{shown.length < text.length ? "…" : ""}
			</p>
			{isLong ? (
				<button class="button small" type="button" onClick={() => setWhole(!isWhole)}>
					{isWhole ? "Show less" : `Show all (${text.length.toLocaleString()} characters)`}
				</button>
			) : null}
		</div>
	);
}

function timeOf(at: string | number): string {
	return new Date(at).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
}
