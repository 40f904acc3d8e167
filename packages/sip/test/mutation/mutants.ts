/** Small changes of a source text, each of which some test should notice, and one text that holds them all. */
import ts from "typescript";

export interface Mutant {
	/** Path of the source from the package's `src`: `uri/host.ts`. */
	readonly file: string;
	/** From 1. */
	readonly line: number;
	/** Stable as long as the line is: file, text of the line, the change, and which of several equal ones it is. */
	readonly id: string;
	/** The expression or statement that is exchanged, by its place in the source, and what stands there instead. */
	readonly start: number;
	readonly end: number;
	readonly replacement: string;
	readonly isStatement: boolean;
	/** It acts when its module is loaded, not when a function runs. */
	readonly isAtLoad: boolean;
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
	const change: Change = (node, from, to, replacement = to) => {
		const start = node.getStart(source);
		const line = source.getLineAndCharacterOfPosition(start).line + 1;
		const key = `${file}: ${(lines[line - 1] ?? "").trim()} :: ${from} -> ${to}`;
		const count = (seen.get(key) ?? 0) + 1;
		seen.set(key, count);
		mutants.push({
			file,
			line,
			id: count === 1 ? key : `${key} #${count}`,
			start,
			end: node.end,
			replacement,
			isStatement: ts.isStatement(node),
			isAtLoad: ts.findAncestor(node, ts.isFunctionLike) === undefined,
		});
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

/** Names a change of `node`: the words `from` and `to` for people, the text that stands there instead. */
type Change = (node: ts.Node, from: string, to: string, replacement?: string) => void;

function mutate(node: ts.Node, change: Change): void {
	if (ts.isBinaryExpression(node)) mutateBinary(node, change);
	else if (ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) mutateUnary(node, change);
	else if (ts.isIfStatement(node)) mutateCondition(node.expression, change);
	else if (ts.isConditionalExpression(node)) mutateCondition(node.condition, change);
	else if (ts.isWhileStatement(node)) change(node.expression, node.expression.getText(), "false");
	else if (ts.isForStatement(node) && node.condition) change(node.condition, node.condition.getText(), "false");
	else if (ts.isExpressionStatement(node) || ts.isBreakStatement(node) || ts.isContinueStatement(node)) {
		change(node, node.getText(), ";");
	} else if (node.kind === ts.SyntaxKind.TrueKeyword) change(node, "true", "false");
	else if (node.kind === ts.SyntaxKind.FalseKeyword) change(node, "false", "true");
	else if (ts.isNumericLiteral(node)) change(node, node.getText(), `${Number(node.text) + 1}`);
	else if (ts.isStringLiteral(node) && !isSentence(node.text)) {
		change(node, node.getText(), node.text === "" ? '"changed"' : '""');
	} else if (ts.isArrayLiteralExpression(node) && node.elements.length > 0) change(node, node.getText(), "[]");
}

function mutateBinary(node: ts.BinaryExpression, change: Change): void {
	const operator = node.operatorToken.getText();
	const [left, right] = [node.left.getText(), node.right.getText()];
	for (const other of BINARY[operator] ?? []) change(node, operator, other, `${left} ${other} ${right}`);
	if (operator === "??") change(node, node.getText(), left);
}

function mutateCondition(condition: ts.Expression, change: Change): void {
	for (const always of ["true", "false"]) change(condition, condition.getText(), always);
}

function mutateUnary(node: ts.PrefixUnaryExpression | ts.PostfixUnaryExpression, change: Change): void {
	const operand = node.operand.getText();
	if (node.operator === ts.SyntaxKind.PlusPlusToken) change(node, node.getText(), `${operand}--`);
	else if (node.operator === ts.SyntaxKind.MinusMinusToken) change(node, node.getText(), `${operand}++`);
	else if (node.operator === ts.SyntaxKind.ExclamationToken || node.operator === ts.SyntaxKind.MinusToken) {
		change(node, node.getText(), operand);
	}
}

/**
 * The source with all mutants in it: number `first + n` acts where `globalThis.mutant` has that value. One text, so that
 * thousands of mutants need no thousand processes.
 */
export function holdAll(text: string, mutants: readonly Mutant[], first: number): string {
	const numbered = mutants.map((mutant, index) => ({ mutant, number: first + index }));
	// Outer ones before those inside them.
	numbered.sort((left, right) => left.mutant.start - right.mutant.start || right.mutant.end - left.mutant.end);
	let next = 0;
	const emit = (from: number, to: number): string => {
		let out = "";
		let at = from;
		for (let top = numbered[next]; top !== undefined && top.mutant.start < to; top = numbered[next]) {
			const { start, end, isStatement } = top.mutant;
			let open = "";
			let close = "";
			for (; numbered[next]?.mutant.start === start && numbered[next]?.mutant.end === end; next += 1) {
				const { mutant, number } = numbered[next] as (typeof numbered)[number];
				if (mutant.isStatement !== isStatement) break;
				open += isStatement
					? `if (globalThis.mutant === ${number}) {${mutant.replacement}} else {`
					: `(globalThis.mutant === ${number} ? (${mutant.replacement}) : (`;
				close += isStatement ? "}" : "))";
			}
			out += text.slice(at, start) + open + emit(start, end) + close;
			at = end;
		}
		return out + text.slice(at, to);
	};
	return emit(0, text.length);
}
