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
	const bytes = countBytes(text);
	const isTooLong = bytes > maxTextBytes;
	const canSend = isSendable(text);
	const send = (): void => {
		// What stands in the field, not what was drawn last: Enter may come before the last letters are drawn.
		const written = field.current?.value ?? text;
		if (!isSendable(written)) return;
		session.send(aor, written);
		setText("");
		if (field.current === null) return;
		field.current.value = "";
		field.current.focus();
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

/** Octets of UTF-8, counted where it may matter: a UTF-16 unit is at most three of them. */
function countBytes(text: string): number {
	return text.length * 3 < warnBytes ? 0 : new TextEncoder().encode(text).byteLength;
}

function isSendable(text: string): boolean {
	return text.trim() !== "" && countBytes(text) <= maxTextBytes;
}
