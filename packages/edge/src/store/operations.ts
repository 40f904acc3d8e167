import { auditWrites } from "./audit.ts";
import { contactWrites } from "./contacts.ts";
import { keptDialogWrites } from "./kept-dialogs.ts";
import { policyWrites } from "./live-policy.ts";
import { messageWrites } from "./message-writes.ts";
import { presenceWrites } from "./published-presence.ts";
import { settingsWrites } from "./settings.ts";
import { tokenWrites } from "./tokens.ts";
import { userWrites } from "./users.ts";
import { watcherWrites } from "./watchers.ts";

/** Every write the store can do, by name. Both threads load this table; they speak of an operation by its place in it. */
export const OPERATIONS = {
	...userWrites,
	...presenceWrites,
	...contactWrites,
	...watcherWrites,
	...messageWrites,
	...settingsWrites,
	...tokenWrites,
	...auditWrites,
	...policyWrites,
	...keptDialogWrites,
} as const;

export type OperationName = keyof typeof OPERATIONS;
