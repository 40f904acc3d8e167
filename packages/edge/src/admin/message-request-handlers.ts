/** The message-request folder, and what a user decides about the messages of others. */
import type { UserEventContent } from "@causeway/admin";
import type { ImService } from "../im/im-service.ts";
import type { MessageRequest } from "../store/message-requests.ts";
import type { Settings } from "../store/settings.ts";
import type { Store } from "../store/store.ts";
import { type ApiHandlers, ApiProblem } from "./handlers.ts";

export interface MessageRequestHandlerOptions {
	readonly store: Pick<Store, "messageRequests" | "settings" | "watchers">;
	readonly im: Pick<ImService, "letIn" | "hangUp">;
	/** A block is in the store: who is blocked has to notice. */
	readonly block: (owner: string, other: string) => void;
}

export type MessageRequestHandlers = Pick<
	ApiHandlers,
	"listMessageRequests" | "decideMessageRequest" | "getSettings" | "putSettings"
>;

export function createMessageRequestHandlers(options: MessageRequestHandlerOptions): MessageRequestHandlers {
	const { block, im, store } = options;
	return {
		listMessageRequests: ({ caller }) => ({
			status: 200,
			body: { requests: store.messageRequests.list(caller.aor).map(toMessageRequest) },
		}),
		async decideMessageRequest({ caller, params, body }) {
			if (store.messageRequests.get(caller.aor, params.aor) === undefined) {
				throw new ApiProblem("unknown-request", `${params.aor} has not written to you.`);
			}
			switch (body.decision) {
				case "accept":
					await im.letIn(caller.aor, params.aor);
					break;
				case "decline":
					await store.messageRequests.decline(caller.aor, params.aor);
					im.hangUp(caller.aor, params.aor);
					break;
				case "block": {
					const result = await store.watchers.decide(caller.aor, params.aor, "block");
					if (result.kind !== "decided") throw new ApiProblem("queue-full", "Too many decisions are recorded already.");
					await store.messageRequests.decline(caller.aor, params.aor);
					block(caller.aor, params.aor);
					break;
				}
			}
			return { status: 204 };
		},
		getSettings: ({ caller }) => ({ status: 200, body: toSettings(store.settings.get(caller.aor)) }),
		async putSettings({ caller, body }) {
			const before = store.settings.get(caller.aor);
			const settings: Settings = {
				messagesFrom: body.messages_from ?? before.messagesFrom,
				blockedAnswer: body.blocked_answer ?? before.blockedAnswer,
			};
			if (!(await store.settings.put(caller.aor, settings))) throw new ApiProblem("unknown-user");
			return { status: 200, body: toSettings(settings) };
		},
	};
}

/** Somebody whom the user has not let in has written. */
export function messageRequestEvent(request: MessageRequest): UserEventContent {
	const { aor, requested_at, verification } = toMessageRequest(request);
	return { kind: "request", wants: "messages", aor, verification, requested_at, state: "pending" };
}

function toMessageRequest({ messages, peer, requestedAt, verification }: MessageRequest) {
	return { aor: peer, verification, requested_at: new Date(requestedAt).toISOString(), messages };
}

function toSettings({ blockedAnswer, messagesFrom }: Settings) {
	return { messages_from: messagesFrom, blocked_answer: blockedAnswer };
}
