/** The nearest word to a misspelt one. */

/** The candidate with the fewest edits, at most one for each three letters begun; undefined where none is near. */
export function nearestWord(word: string, candidates: readonly string[]): string | undefined {
	const limit = Math.ceil(word.length / 3);
	let best: { readonly candidate: string; readonly distance: number } | undefined;
	for (const candidate of candidates) {
		const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
		const isNear = distance <= limit && distance < Math.max(word.length, candidate.length);
		if (isNear && (best === undefined || distance < best.distance)) best = { candidate, distance };
	}
	return best?.candidate;
}

/** Insertions, deletions, replacements and swaps of neighbours that lead from one word to the other. */
export function editDistance(from: string, to: string): number {
	let beforeLast: number[] = [];
	let last = Array.from({ length: to.length + 1 }, (_, column) => column);
	for (let row = 1; row <= from.length; row += 1) {
		const current = [row];
		for (let column = 1; column <= to.length; column += 1) {
			const same = from[row - 1] === to[column - 1];
			let cost = Math.min(
				(last[column] ?? 0) + 1,
				(current[column - 1] ?? 0) + 1,
				(last[column - 1] ?? 0) + (same ? 0 : 1),
			);
			const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
			if (swapped) cost = Math.min(cost, (beforeLast[column - 2] ?? 0) + 1);
			current.push(cost);
		}
		beforeLast = last;
		last = current;
	}
	return last[to.length] ?? 0;
}
