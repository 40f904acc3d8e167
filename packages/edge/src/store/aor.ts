import assert from "node:assert/strict";

const LONGEST_AOR = 512;

/**
 * The key under which the store keeps an address of record: `user@domain`, without scheme, in lower case. Callers have
 * read the address from a URI or from checked input before; anything else here is a fault of ours.
 */
export function aorKey(address: string): string {
	const at = address.lastIndexOf("@");
	assert(
		at > 0 && at < address.length - 1 && address.length <= LONGEST_AOR && !address.includes(" "),
		"an address of record is user@domain",
	);
	return address.toLowerCase();
}

/**
 * The key of somebody a user decides about: an address, or a whole domain as `@domain`, which is no address and so meets
 * none.
 */
export function watcherKey(who: string): string {
	if (!who.startsWith("@")) return aorKey(who);
	assert(who.length > 1 && who.length <= LONGEST_AOR && !who.includes(" "), "a domain of watchers is @domain");
	return who.toLowerCase();
}

/** `@domain` of an address. */
export function domainKey(address: string): string {
	return address.slice(address.lastIndexOf("@")).toLowerCase();
}
