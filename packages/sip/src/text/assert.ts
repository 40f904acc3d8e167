/** Our own mistakes: a broken invariant stops the work at hand with its own message. */

export class BrokenInvariant extends Error {
	override readonly name = "BrokenInvariant";
}

/** Throws {@link BrokenInvariant} unless `condition` holds. For our own mistakes, never for what a peer sent. */
export function invariant(condition: boolean, message: string): asserts condition {
	if (!condition) throw new BrokenInvariant(message);
}

/** Closes a switch over a union: a case that the types rule out. */
export function assertNever(value: never): never {
	throw new BrokenInvariant(`unreachable case: ${String(value)}`);
}
