/** Small changes of a source text, each of which some test should notice. */
import ts from "typescript";

export interface Mutant {
	/** Path of the source from the package's `src`: `uri/host.ts`. */
	readonly file: string;
	/** From 1. */
	readonly line: number;
	readonly original: string;
	readonly replacement: string;
	/** Where the original stands in the source. */
	readonly start: number;
	/** Stable as long as the line is: file, text of the line, the change, and which of several equal ones it is. */
	readonly id: string;
}

const BINARY: Readonly<Record<string, readonly string[]>> = {
	"===": ["!=="],
	"!==": ["==="],
	"<": ["<=", ">="],
	"<=": ["<", ">"],
	">": [">=", "<="],
	">=": [">", "<"],
	"&&": ["||"],
	"||": ["&&"],
	"+": ["-"],
	"-": ["+"],
	"*": ["/"],
	"/": ["*"],
	"|": ["&"],
	"&": ["|"],
	"<<": [">>"],
	">>": ["<<"],
	"+=": ["-="],
	"-=": ["+="],
	"|=": ["&="],
};

/** Sentences for people: which words they use is no test's business. */
function isSentence(text: string): boolean {
	return text.includes(" ") && !text.startsWith("RFC ");
}

/** Every mutant of one source. Types, imports and sentences for people are left alone. */
export function createMutants(file: string, text: string): Mutant[] {
	const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
	const mutants: Mutant[] = [];
	const seen = new Map<string, number>();
	const lines = text.split("\n");
	const change = (node: ts.Node, ...replacements: readonly string[]) => {
		const start = node.getStart(source);
		const original = node.getText(source);
		const line = source.getLineAndCharacterOfPosition(start).line + 1;
		for (const replacement of replacements) {
			const key = `${file}: ${(lines[line - 1] ?? "").trim()} :: ${original} -> ${replacement}`;
			const count = (seen.get(key) ?? 0) + 1;
			seen.set(key, count);
			mutants.push({ file, line, original, replacement, start, id: count === 1 ? key : `${key} #${count}` });
		}
	};
	const visit = (node: ts.Node): void => {
		if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return;
		if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return;
		mutate(node, change);
		ts.forEachChild(node, visit);
	};
	visit(source);
	return mutants;
}

type Change = (node: ts.Node, ...replacements: readonly string[]) => void;

function mutate(node: ts.Node, change: Change): void {
	if (ts.isBinaryExpression(node)) {
		const operator = node.operatorToken.getText();
		change(node.operatorToken, ...(BINARY[operator] ?? []));
		if (operator === "??") change(node, node.left.getText());
	} else if (ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) mutateUnary(node, change);
	else if (ts.isIfStatement(node)) change(node.expression, "true", "false");
	else if (ts.isConditionalExpression(node)) change(node.condition, "true", "false");
	else if (ts.isWhileStatement(node)) change(node.expression, "false");
	else if (ts.isForStatement(node) && node.condition !== undefined) change(node.condition, "false");
	else if (ts.isExpressionStatement(node) || ts.isBreakStatement(node) || ts.isContinueStatement(node))
		change(node, ";");
	else if (node.kind === ts.SyntaxKind.TrueKeyword) change(node, "false");
	else if (node.kind === ts.SyntaxKind.FalseKeyword) change(node, "true");
	else if (ts.isNumericLiteral(node)) change(node, `${Number(node.text) + 1}`);
	else if (ts.isStringLiteral(node) && !isSentence(node.text)) change(node, node.text === "" ? '"changed"' : '""');
	else if (ts.isArrayLiteralExpression(node) && node.elements.length > 0) change(node, "[]");
	else if (ts.isPropertyAccessExpression(node) && node.questionDotToken !== undefined)
		change(node.questionDotToken, ".");
}

function mutateUnary(node: ts.PrefixUnaryExpression | ts.PostfixUnaryExpression, change: Change): void {
	const operand = node.operand.getText();
	if (node.operator === ts.SyntaxKind.PlusPlusToken) change(node, `${operand}--`);
	else if (node.operator === ts.SyntaxKind.MinusMinusToken) change(node, `${operand}++`);
	else if (node.operator === ts.SyntaxKind.ExclamationToken || node.operator === ts.SyntaxKind.MinusToken) {
		change(node, operand);
	}
}
