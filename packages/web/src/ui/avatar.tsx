import type { JSX } from "preact";

const hueCount = 8;

/** Two letters on a colour that stays with the address, and the state in its corner. The words stand beside it. */
export function Avatar(props: {
	readonly aor: string;
	readonly name: string;
	/** A presence state; undefined draws none. */
	readonly state?: string | undefined;
	/** Picture of the network, from this server. */
	readonly iconUrl?: string | undefined;
}): JSX.Element {
	const { aor, name, state, iconUrl } = props;
	return (
		<span class={`avatar hue-${hueOf(aor)}`} aria-hidden="true">
			{initials(name)}
			{iconUrl === undefined ? null : <img class="avatar-icon" src={iconUrl} alt="" width={16} height={16} />}
			{state === undefined ? null : <span class={`dot dot-${state}`} />}
		</span>
	);
}

function hueOf(aor: string): number {
	let sum = 0;
	for (const character of aor) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 9973;
	return sum % hueCount;
}

function initials(name: string): string {
	const words = name.split(/[\s@.]+/).filter((word) => word !== "");
	const letters = words.slice(0, 2).map((word) => String.fromCodePoint(word.codePointAt(0) ?? 0));
	return letters.join("").toLocaleUpperCase() || "?";
}
