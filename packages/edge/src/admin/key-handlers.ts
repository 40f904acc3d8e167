/** The signing keys as administrators see and rotate them; never a secret. */
import type { SigningKey } from "@causeway/admin";
import type { Logger } from "@causeway/sip";
import type { SigningAlarms, SigningKeyListing, SigningKeys } from "../federation/signature/signing-keys.ts";
import type { Audit } from "../store/audit.ts";
import { type ApiHandlers, ApiProblem } from "./handlers.ts";

export type KeyHandlers = Pick<ApiHandlers, "listKeys" | "rotateKeys">;

export interface KeyHandlerOptions {
	readonly keys: Pick<SigningKeys, "list" | "rotate" | "alarms">;
	readonly audit: Pick<Audit, "append">;
	readonly log: Logger;
}

export function createKeyHandlers({ keys, audit, log }: KeyHandlerOptions): KeyHandlers {
	return {
		listKeys: () => ({
			status: 200,
			body: { keys: keys.list().map(toSigningKey), alarms: alarmsInWords(keys.alarms) },
		}),
		async rotateKeys({ caller }) {
			let kid: string | undefined;
			try {
				kid = await keys.rotate();
			} catch (error) {
				throw new ApiProblem(
					"store-unavailable",
					`The new key could not be written, the old one goes on: ${String(error)}`,
				);
			}
			if (kid === undefined)
				throw new ApiProblem("too-many-requests", "The keys were rotated too often in three days.");
			// The act is done: a record that cannot be written is told in the log and undoes nothing.
			await audit
				.append({ actor: caller.name, action: "key.rotate", target: kid, details: {} })
				.catch((error: unknown) =>
					log.error("audit record lost", { action: "key.rotate", target: kid, detail: String(error) }),
				);
			const key = keys.list().find((listed) => listed.kid === kid);
			if (key === undefined) throw new Error(`assertion: key ${kid} is in the ring it was rotated into`);
			return { status: 201, body: toSigningKey(key) };
		},
	};
}

function toSigningKey(key: SigningKeyListing): SigningKey {
	const { kid, state, createdAtMs, activatedAtMs, retiredAtMs, rotatesAtMs, diesAtMs } = key;
	return {
		kid,
		state,
		created_at: instant(createdAtMs),
		...(activatedAtMs === undefined ? {} : { activated_at: instant(activatedAtMs) }),
		...(retiredAtMs === undefined ? {} : { retired_at: instant(retiredAtMs) }),
		...(rotatesAtMs === undefined ? {} : { rotates_at: instant(rotatesAtMs) }),
		...(diesAtMs === undefined ? {} : { ends_at: instant(diesAtMs) }),
	};
}

function alarmsInWords({ clockBehindMs, keysDiscarded, notOnDisk }: SigningAlarms): string[] {
	const words: string[] = [];
	if (clockBehindMs > 0) {
		const seconds = Math.round(clockBehindMs / 1000);
		words.push(`The clock was set back by ${seconds} s while the edge ran: check the time service (NTP).`);
	}
	if (keysDiscarded) {
		words.push(
			"At the start the clock was behind the time seen before: the older keys were destroyed, their dialogs ended.",
		);
	}
	if (notOnDisk) words.push("The keys could not be written: a restart would end dialogs. Check the disk of data_dir.");
	return words;
}

function instant(ms: number): string {
	return new Date(ms).toISOString();
}
