/** Mutations that keep DER whole: an element changes, and the lengths around it are written anew. */
import type { Random } from "@causeway/sip";
import { type Mutation, pick } from "../../../sip/test/fuzz/mutate.ts";

export interface DerNode {
	tag: number;
	/** Content of a primitive element. */
	content: Uint8Array;
	/** Undefined for a primitive element. */
	children: DerNode[] | undefined;
}

const MAX_DEPTH = 12;
const CONSTRUCTED = 0x20;
const OCTET_STRING = 0x04;
const TAGS = [
	0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0c, 0x13, 0x16, 0x17, 0x18, 0x1e, 0x30, 0x31, 0x81, 0x82, 0x86, 0x87, 0xa0,
	0xa1, 0xa3, 0xa4,
];

/** Changes, doubles, removes or moves one element; input that is not DER stays as it is. */
export const mutateDer: Mutation = (input, { random }) => {
	const roots = readDer(input);
	if (roots === undefined || roots.length === 0) return input;
	const places: { readonly siblings: DerNode[]; readonly index: number }[] = [];
	const walk = (siblings: DerNode[]): void => {
		for (const [index, node] of siblings.entries()) {
			places.push({ siblings, index });
			if (node.children !== undefined) walk(node.children);
		}
	};
	walk(roots);
	const { siblings, index } = pick(random, places);
	const node = siblings[index];
	if (node === undefined) return input;
	change(random, node, siblings, index, pick(random, places));
	return Buffer.concat(roots.map(writeDer));
};

function change(
	random: Random,
	node: DerNode,
	siblings: DerNode[],
	index: number,
	other: { readonly siblings: DerNode[]; readonly index: number },
): void {
	switch (random.below(6)) {
		case 0:
			siblings.splice(index, 1);
			break;
		case 1:
			siblings.splice(index, 0, ...new Array<DerNode>(1 + random.below(random.below(40) + 1)).fill(node));
			break;
		case 2:
			node.tag = pick(random, TAGS);
			break;
		case 3: {
			const copied = other.siblings[other.index];
			// Written and read again: an element must not become part of itself.
			const copy = copied === undefined ? undefined : readDer(writeDer(copied));
			if (copy !== undefined) siblings.splice(index, 0, ...copy);
			break;
		}
		default:
			if (node.children === undefined) node.content = changeContent(random, node.content);
			else
				node.children.push({ tag: pick(random, TAGS), content: new Uint8Array(random.below(4)), children: undefined });
	}
}

function changeContent(random: Random, content: Uint8Array): Uint8Array {
	const changed = Uint8Array.from(content);
	if (changed.length === 0 || random.below(3) === 0) {
		return Uint8Array.from({ length: random.below(40) }, () => random.below(256));
	}
	if (random.below(3) === 0) return changed.subarray(0, random.below(changed.length));
	changed[random.below(changed.length)] = random.below(256);
	return changed;
}

/** The elements that fill `octets`; undefined where they are not DER. Octet strings that hold DER are looked into. */
export function readDer(octets: Uint8Array, depth = 0): DerNode[] | undefined {
	const nodes: DerNode[] = [];
	let at = 0;
	while (at < octets.length) {
		const tag = octets[at] ?? 0;
		let length = octets[at + 1] ?? 0;
		at += 2;
		if (length >= 0x80) {
			const count = length - 0x80;
			if (count === 0 || count > 3) return undefined;
			length = 0;
			for (let index = 0; index < count; index += 1) length = length * 256 + (octets[at + index] ?? 0);
			at += count;
		}
		const content = octets.subarray(at, at + length);
		if (content.length !== length) return undefined;
		const mayHold = (tag & CONSTRUCTED) !== 0 || tag === OCTET_STRING;
		const children = mayHold && depth < MAX_DEPTH && length > 0 ? readDer(content, depth + 1) : undefined;
		nodes.push({ tag, content, children });
		at += length;
	}
	return nodes;
}

/** The octets of an element; lengths in their shortest form. */
export function writeDer(node: DerNode): Uint8Array {
	const content = node.children === undefined ? node.content : Buffer.concat(node.children.map(writeDer));
	const length = content.length;
	const head =
		length < 0x80
			? [node.tag, length]
			: length < 0x100
				? [node.tag, 0x81, length]
				: length < 0x10000
					? [node.tag, 0x82, length >> 8, length & 0xff]
					: [node.tag, 0x83, length >> 16, (length >> 8) & 0xff, length & 0xff];
	return Buffer.concat([Uint8Array.from(head), content]);
}
