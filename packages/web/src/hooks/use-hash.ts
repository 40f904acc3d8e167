import { useEffect, useState } from "preact/hooks";

/** What stands behind `#` in the address; undefined where nothing does. The browser's Back button moves it. */
export function useHash(): readonly [hash: string | undefined, setHash: (hash: string | undefined) => void] {
	const [hash, setState] = useState(readHash);
	useEffect(() => {
		const changed = (): void => setState(readHash());
		addEventListener("hashchange", changed);
		return () => removeEventListener("hashchange", changed);
	}, []);
	return [
		hash,
		(next) => {
			location.hash = next === undefined ? "" : encodeURIComponent(next);
		},
	];
}

function readHash(): string | undefined {
	try {
		const text = decodeURIComponent(location.hash.slice(1));
		return text === "" ? undefined : text;
	} catch {
		return undefined;
	}
}
