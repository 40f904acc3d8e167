/** What signs Contacts in tests that have no key file. */
import type { Clock } from "@causeway/sip";
import { createTestKey, createTestLookup } from "../federation/signature/testing.ts";
import type { ContactKeys } from "./signed-contact.ts";

export function createTestContactKeys(clock: Pick<Clock, "wall">): ContactKeys {
	const active = createTestKey("test");
	return { ...createTestLookup(active), active, now: () => clock.wall() };
}
