// Writes docs/api from the docstrings of packages/sip: every export of each entry point with its signature, its text and its
// members. Usage: node scripts/write-api.mjs [--check]. With --check nothing is written; exits 1 where a page is not current.
// Exits 1 also where an export has no docstring.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const root = fileURLToPath(new URL("..", import.meta.url));
const FOLDER = "docs/api";
const ENTRIES = [
	{ page: "sip.md", title: "@causeway/sip", source: "packages/sip/src/index.ts" },
	{ page: "node.md", title: "@causeway/sip/node", source: "packages/sip/src/node/index.ts" },
	{ page: "testing.md", title: "@causeway/sip/testing", source: "packages/sip/src/testing/index.ts" },
];

const options = {
	target: ts.ScriptTarget.ESNext,
	module: ts.ModuleKind.NodeNext,
	moduleResolution: ts.ModuleResolutionKind.NodeNext,
	allowImportingTsExtensions: true,
	noEmit: true,
	strict: true,
	exactOptionalPropertyTypes: true,
	customConditions: ["causeway-source"],
	types: ["node"],
};
const program = ts.createProgram(
	ENTRIES.map(({ source }) => join(root, source)),
	options,
);
const checker = program.getTypeChecker();
const wrong = [];

/** The export itself, not the line that passes it on. */
function target(symbol) {
	return (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol);
}

/** The text of the docstring, its links in the form of code. */
function docOf(node) {
	const [doc] = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc).slice(-1);
	const text = doc === undefined ? undefined : ts.getTextOfJSDocComment(doc.comment);
	return text?.replaceAll(/\{@link (\w+)\}/g, "`$1`").replaceAll(/\s*\n\s*/g, "\n");
}

/** A declaration without what it does: a signature, a type, the members of an interface. */
function signatureOf(declaration) {
	const source = declaration.getSourceFile();
	const start = declaration.getStart(source);
	if (ts.isFunctionDeclaration(declaration)) {
		return source.text.slice(start, declaration.body?.getStart(source) ?? declaration.end).trim();
	}
	if (ts.isVariableDeclaration(declaration))
		return `const ${declaration.name.getText(source)}: ${typeText(declaration)}`;
	if (ts.isClassDeclaration(declaration)) return classText(declaration, source);
	return source.text.slice(start, declaration.end);
}

function typeText(declaration) {
	if (declaration.type !== undefined) return declaration.type.getText();
	const type = checker.getTypeAtLocation(declaration);
	const flags = ts.TypeFormatFlags.NoTruncation | ts.TypeFormatFlags.MultilineObjectLiterals;
	return checker.typeToString(type, declaration, flags);
}

/** The public members of a class, each with its docstring. */
function classText(declaration, source) {
	const members = declaration.members.filter(
		(member) => member.name === undefined || !ts.isPrivateIdentifier(member.name),
	);
	const lines = members.map((member) => {
		const text = source.text.slice(member.getStart(source), member.body?.getStart(source) ?? member.end).trim();
		const doc = docOf(member);
		return `${doc === undefined ? "" : `\t/** ${doc.replaceAll("\n", "\n\t * ")} */\n`}\t${text};`;
	});
	const heritage = declaration.heritageClauses?.map((clause) => ` ${clause.getText(source)}`).join("") ?? "";
	return `class ${declaration.name?.text ?? ""}${heritage} {\n${lines.join("\n")}\n}`;
}

function tidy(text) {
	return text.replace(/^export /, "").replaceAll("\r\n", "\n");
}

function describe(symbol, place) {
	const { declarations = [] } = target(symbol);
	const documented = declarations.map((declaration) =>
		docOf(ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration),
	);
	const [first] = declarations;
	if (first === undefined) return undefined;
	const doc = documented.find((text) => text !== undefined);
	const file = relative(root, first.getSourceFile().fileName).replaceAll("\\", "/");
	if (doc === undefined) {
		const line = first.getSourceFile().getLineAndCharacterOfPosition(first.getStart()).line + 1;
		wrong.push(`${file}:${line}: ${symbol.name}, an export of ${place}, has no docstring`);
	}
	return { name: symbol.name, doc: doc ?? "", file, signatures: declarations.map((item) => tidy(signatureOf(item))) };
}

function pageOf({ title, source }) {
	const file = program.getSourceFile(join(root, source));
	const module = file && checker.getSymbolAtLocation(file);
	if (module === undefined) throw new Error(`${source} exports nothing`);
	const items = checker.getExportsOfModule(module).map((symbol) => describe(symbol, source));
	const byFile = new Map();
	for (const item of items.filter((found) => found !== undefined)) {
		byFile.set(item.file, [...(byFile.get(item.file) ?? []), item]);
	}
	const about = file && ts.getLeadingCommentRanges(file.text, 0)?.[0];
	const lines = [`# ${title}`, "", "Written by `node scripts/write-api.mjs` from the docstrings; do not edit.", ""];
	if (about !== undefined) lines.push(commentText(file.text.slice(about.pos, about.end)), "");
	for (const path of [...byFile.keys()].sort()) {
		const { text } = program.getSourceFile(join(root, path)) ?? { text: "" };
		const [range] = ts.getLeadingCommentRanges(text, 0) ?? [];
		lines.push(`## ${path.replace("packages/sip/src/", "")}`, "");
		if (range !== undefined) lines.push(commentText(text.slice(range.pos, range.end)), "");
		for (const { name, doc, signatures } of byFile.get(path)) {
			lines.push(`### ${name}`, "", doc, "", "```ts", ...signatures, "```", "");
		}
	}
	return lines.join("\n");
}

function commentText(comment) {
	return comment
		.replace(/^\/\*\*?/, "")
		.replace(/\*\/$/, "")
		.replaceAll(/\n\s*\* ?/g, "\n")
		.replaceAll(/\{@link ([\w.]+)\}/g, "`$1`")
		.trim();
}

const isCheck = process.argv.includes("--check");
mkdirSync(join(root, FOLDER), { recursive: true });
for (const entry of ENTRIES) {
	const path = join(root, FOLDER, entry.page);
	const text = pageOf(entry);
	if (!isCheck) writeFileSync(path, text);
	else if (!existsSync(path) || readFileSync(path, "utf8") !== text) {
		wrong.push(`${FOLDER}/${entry.page} is not current: run node scripts/write-api.mjs`);
	}
}
for (const line of wrong) process.stdout.write(`${line}\n`);
if (wrong.length === 0) process.stdout.write(`${FOLDER}: ${ENTRIES.length} pages, every export has a docstring\n`);
process.exit(wrong.length === 0 ? 0 : 1);
