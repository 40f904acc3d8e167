/** How old a subscription's dialog grows: it is replaced before the peer's key, or ours, has expired (REQ-66, protocol sheet 4.7). */
import type { Random } from "@causeway/sip";

const HOUR_MS = 3_600_000;
/** So long before the end, and spread by a quarter of it on each side. */
const MARGIN_MS = HOUR_MS;

/** The age at which our side ends or replaces the dialog: 23 hours for `dialog_hours = 24`. */
export function subscriptionDialogMs(dialogHours: number): number {
	return Math.max(dialogHours * HOUR_MS - MARGIN_MS, (dialogHours * HOUR_MS) / 2);
}

/** The same with up to 15 minutes taken off or added, so that what began together does not end together. */
export function jitteredDialogMs(dialogMs: number, random: Random): number {
	const jitterMs = MARGIN_MS / 4;
	return dialogMs - jitterMs + random.below(2 * jitterMs + 1);
}
