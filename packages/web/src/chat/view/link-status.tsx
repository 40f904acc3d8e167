import type { JSX } from "preact";
import { useNow } from "../../hooks/use-now.ts";
import type { ChatSession } from "../session.ts";
import type { ChatState } from "../state/chat-state.ts";

/** Whether what is shown is live; where it is not, when it will be tried again. */
export function LinkStatus({
	session,
	state,
}: {
	readonly session: ChatSession;
	readonly state: ChatState;
}): JSX.Element {
	const { link, loading } = state;
	const now = useNow(1_000, link.kind === "lost");
	const isFailed = link.kind === "live" && typeof loading === "object";
	const tone = isFailed ? "lost" : link.kind;
	return (
		<div class={`link link-${tone}`}>
			<span class="link-dot" aria-hidden="true" />
			<span role="status">
				{isFailed
					? `Connected, but your lists could not be read. ${loading.reason}`
					: link.kind === "live"
						? "Connected"
						: link.kind === "connecting"
							? "Connecting…"
							: "Not connected: what you see may be old."}
			</span>
			{link.kind === "lost" ? (
				<span class="link-retry" aria-hidden="true">
					{`Next try in ${Math.max(1, Math.ceil((link.retryAt - now) / 1_000))} s`}
				</span>
			) : null}
			{tone === "lost" ? (
				<button class="button small" type="button" onClick={() => session.reconnect()}>
					Try now
				</button>
			) : null}
		</div>
	);
}
