import assert from "node:assert/strict";
import type { Row } from "./connection.ts";

/** A TEXT column that is never NULL. */
export function text(row: Row, column: string): string {
	const value = row[column];
	assert(typeof value === "string", `column ${column} holds text`);
	return value;
}

/** A TEXT column that may be NULL. */
export function optionalText(row: Row, column: string): string | undefined {
	return row[column] === null ? undefined : text(row, column);
}

/** An INTEGER column that is never NULL. */
export function integer(row: Row, column: string): number {
	const value = row[column];
	assert(typeof value === "number", `column ${column} holds an integer`);
	return value;
}

/** An INTEGER column that may be NULL. */
export function optionalInteger(row: Row, column: string): number | undefined {
	return row[column] === null ? undefined : integer(row, column);
}

/** A TEXT column that holds one of a few words. */
export function word<Word extends string>(row: Row, column: string, words: readonly Word[]): Word {
	const value = text(row, column);
	const known = words.find((candidate) => candidate === value);
	assert(known !== undefined, `column ${column} holds one of ${words.join(", ")}`);
	return known;
}

/** A TEXT column that holds one of a few words, or NULL. */
export function optionalWord<Word extends string>(row: Row, column: string, words: readonly Word[]): Word | undefined {
	return row[column] === null ? undefined : word(row, column, words);
}

/** The only number of a row from `SELECT count(*) AS count`, or of any query that always has a row. */
export function countOf(row: Row | undefined): number {
	assert(row !== undefined, "a count has a row");
	return integer(row, "count");
}
