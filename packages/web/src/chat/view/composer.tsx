import { maxTextBytes } from "@causeway/admin";
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../../ui/icon.tsx";
import type { ChatSession } from "../session.ts";

/** From here on the octets left are told. */
const warnBytes = maxTextBytes - 4_096;

/** The field for the next message. Enter sends, Shift and Enter begin a new line. */
export function Composer(props: {
	readonly session: ChatSession;
	readonly aor: string;
	readonly name: string;
}): JSX.Element {
	const { session, aor, name } = props;
	const [text, setText] = useState("");
	const field = useRef<HTMLTextAreaElement>(null);
	useEffect(() => {
		// On a telephone the keyboard would cover what one came to read.
		if (matchMedia("(min-width: 720px)").matches) field.current?.focus();
	}, []);
	// An octet of UTF-8 is at most a third of a UTF-16 unit's worth: short texts need no counting.
	const bytes = text.length * 3 < warnBytes ? 0 : new TextEncoder().encode(text).byteLength;
	const isTooLong = bytes > maxTextBytes;
	const canSend = text.trim() !== "" && !isTooLong;
	const send = (): void => {
		if (!canSend) return;
		session.send(aor, text);
		setText("");
		field.current?.focus();
	};
	return (
		<form
			class="composer-place composer"
			onSubmit={(event) => {
				event.preventDefault();
				send();
			}}
		>
			<textarea
				ref={field}
				aria-label={`Message to ${name}`}
				placeholder="Write a message"
				rows={1}
				dir="auto"
				aria-invalid={isTooLong}
				value={text}
				onInput={(event) => {
					setText(event.currentTarget.value);
					session.writing(aor, event.currentTarget.value);
				}}
				onKeyDown={(event) => {
					// While a character is composed, Enter chooses it.
					if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
					event.preventDefault();
					send();
				}}
			/>
			<button class="button primary square" type="submit" aria-label="Send" title="Send (Enter)" disabled={!canSend}>
				<Icon name="send" />
			</button>
			{bytes < warnBytes ? null : (
				<p class={isTooLong ? "composer-count bad" : "composer-count"} role="status">
					{isTooLong
						? `Too long by ${(bytes - maxTextBytes).toLocaleString()} octets: a message holds 64 KiB.`
						: `${(maxTextBytes - bytes).toLocaleString()} octets left`}
				</p>
			)}
		</form>
	);
}
