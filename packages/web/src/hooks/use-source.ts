import { useEffect, useState } from "preact/hooks";

/** Something that changes and tells of it. */
export interface Source<Value> {
	readonly state: Value;
	subscribe(listener: () => void): () => void;
}

/** The present value of a source; the component is drawn anew when it changes. */
export function useSource<Value>(source: Source<Value>): Value {
	const [, redraw] = useState(0);
	useEffect(() => {
		const stop = source.subscribe(() => redraw((count) => count + 1));
		// It may have changed between the first drawing and now.
		redraw((count) => count + 1);
		return stop;
	}, [source]);
	return source.state;
}
