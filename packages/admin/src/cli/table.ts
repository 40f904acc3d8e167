import { type CommandContext, paint, printable, type Style } from "./context.ts";

/** One column of a table. */
export interface Column<Row> {
	readonly title: string;
	readonly value: (row: Row) => string | number | undefined;
	readonly align?: "left" | "right";
	readonly style?: (row: Row) => Style | undefined;
}

/** Columns stand two blanks apart. */
const gap = "  ";

/** Writes rows under their titles, each column as wide as its widest cell; what is absent is a dash. */
export function writeTable<Row>(
	context: Pick<CommandContext, "stdout" | "isTty" | "env">,
	columns: readonly Column<Row>[],
	rows: readonly Row[],
): void {
	const cells = rows.map((row) => columns.map((column) => formatCell(column.value(row))));
	const widths = columns.map((column, index) =>
		Math.max(displayWidth(column.title), ...cells.map((line) => displayWidth(line[index] ?? ""))),
	);
	const writeLine = (texts: readonly string[], styleOf: (index: number) => Style | undefined): void => {
		const parts = texts.map((text, index) => {
			const padding = " ".repeat(Math.max(0, (widths[index] ?? 0) - displayWidth(text)));
			const style = styleOf(index);
			const painted = style === undefined ? text : paint(context, style, text);
			if (columns[index]?.align === "right") return padding + painted;
			return index === texts.length - 1 ? painted : painted + padding;
		});
		context.stdout.write(`${parts.join(gap)}\n`);
	};
	writeLine(
		columns.map((column) => column.title),
		() => "bold",
	);
	for (const [at, row] of rows.entries()) writeLine(cells[at] ?? [], (index) => columns[index]?.style?.(row));
}

/** Writes `name  value` lines, the values under each other. */
export function writeFields(
	context: Pick<CommandContext, "stdout" | "isTty" | "env">,
	fields: readonly (readonly [name: string, value: string | number])[],
): void {
	const width = Math.max(...fields.map(([name]) => name.length));
	for (const [name, value] of fields) {
		const padding = " ".repeat(width - name.length);
		context.stdout.write(`${paint(context, "bold", name)}${padding}${gap}${printable(String(value))}\n`);
	}
}

function formatCell(value: string | number | undefined): string {
	return value === undefined || value === "" ? "-" : printable(String(value));
}

/** Cells of a terminal a text takes: two for East Asian wide characters and emoji, none for combining marks. */
function displayWidth(text: string): number {
	let width = 0;
	for (const character of text) {
		if (/\p{Mn}|\p{Me}|\u200d/u.test(character)) continue;
		width += /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|\p{Emoji_Presentation}/u.test(
			character,
		)
			? 2
			: 1;
	}
	return width;
}
