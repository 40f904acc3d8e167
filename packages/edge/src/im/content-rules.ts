/** The administrator's rules about what messages may say: `[[content_rule]]`. */

export interface ContentRule {
	/** Words and phrases; one of them suffices. */
	readonly contains: readonly string[];
	readonly direction: "in" | "out" | "both";
	/** Domains of the other side, lower case; empty: all. */
	readonly domains: readonly string[];
	/** What the sender is told. */
	readonly reason: string;
}

/** The reason of the first rule that refuses the text; undefined where none does. */
export type ContentCheck = (direction: "in" | "out", otherDomain: string, text: string) => string | undefined;

/** Case, width, composition, invisible characters and the kind of white space make no difference. */
export function createContentCheck(rules: readonly ContentRule[]): ContentCheck {
	if (rules.length === 0) return () => undefined;
	const prepared = rules.map((rule) => ({ ...rule, contains: rule.contains.map((phrase) => plain(phrase).trim()) }));
	return (direction, otherDomain, text) => {
		const applicable = prepared.filter(
			(rule) =>
				(rule.direction === "both" || rule.direction === direction) &&
				(rule.domains.length === 0 || rule.domains.includes(otherDomain)),
		);
		if (applicable.length === 0) return undefined;
		const said = plain(text);
		return applicable.find(({ contains }) => contains.some((phrase) => phrase !== "" && said.includes(phrase)))?.reason;
	};
}

function plain(text: string): string {
	const characters: string[] = [];
	for (const character of text.normalize("NFKC").toLowerCase()) {
		const code = character.codePointAt(0) ?? 0;
		const isInvisible = code === 0xad || (code >= 0x200b && code <= 0x200f) || code === 0x2060 || code === 0xfeff;
		if (isInvisible) continue;
		const isBlank = code <= 0x20 || code === 0x85 || code === 0x2028 || code === 0x2029;
		if (!isBlank) characters.push(character);
		else if (characters.at(-1) !== " ") characters.push(" ");
	}
	return characters.join("");
}
