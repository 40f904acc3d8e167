/** Prints how the time of each reader of the edge grows with its input; exit code 1 where one is not linear. */
import { type DoublingCase, printDoubling } from "../../../sip/test/fuzz/measure-doubling.ts";
import { readDer, writeDer } from "./mutate-der.ts";
import { createCertificateTarget } from "./target/certificate.ts";
import { createSrvAnswerTarget } from "./target/srv-answer.ts";

const dns = createSrvAnswerTarget();
const certificate = createCertificateTarget();
const [plainAnswer] = dns.seeds;
/** Furthest place that a compression pointer of a name can name (RFC 1035 §4.1.4). */
const FURTHEST_POINTER = 0x3fff;
const HEADER_BYTES = 12;

/** The answer with other octets behind its question, and so many records. */
function withRecords(records: readonly Uint8Array[], count: number): Buffer {
	const question = Buffer.from(plainAnswer ?? []);
	const end = question.indexOf(0, HEADER_BYTES) + 5;
	const prefix = question.subarray(0, end);
	const octets = Buffer.concat([prefix, ...records]);
	octets.writeUInt16BE(Math.min(count, 0xffff), 6);
	return octets;
}

/** Half the octets are pointers, each to the one before it; the other half are records whose names follow them all. */
function pointerChain(bytes: number): Uint8Array {
	const question = withRecords([], 0).length;
	const chainStart = question + 12;
	const chainBytes = Math.min(bytes >> 1, FURTHEST_POINTER - chainStart) & ~1;
	const chain = Buffer.alloc(chainBytes);
	chain.writeUInt16BE(0xc000 | HEADER_BYTES, 0);
	for (let at = 2; at < chainBytes; at += 2) chain.writeUInt16BE(0xc000 | (chainStart + at - 2), at);
	// A NULL record (type 10) holds the chain as its data.
	const holder = Buffer.from([0xc0, HEADER_BYTES, 0, 10, 0, 1, 0, 0, 0, 60, chainBytes >> 8, chainBytes & 0xff]);
	const last = 0xc000 | (chainStart + chainBytes - 2);
	const record = Buffer.from([last >> 8, last & 0xff, 0, 10, 0, 1, 0, 0, 0, 60, 0, 0]);
	const count = Math.floor((bytes - question - holder.length - chainBytes) / record.length);
	return withRecords([holder, chain, Buffer.alloc(count * record.length, record)], count + 1);
}

function dnsRecords(record: readonly number[]): (bytes: number) => Uint8Array {
	return (bytes) => {
		const count = Math.floor((bytes - 70) / record.length);
		return withRecords([Buffer.alloc(count * record.length, Buffer.from(record))], count);
	};
}

/** A certificate of the corpus with one element repeated: the first whose content starts so. */
function repeatedElement(seed: number, contentStart: readonly number[]): (bytes: number) => Uint8Array {
	const source = certificate.seeds[seed] ?? new Uint8Array(0);
	return (bytes) => {
		const roots = readDer(source) ?? [];
		const repeat = (siblings: typeof roots): boolean =>
			siblings.some((node, index) => {
				if (node.children !== undefined && repeat(node.children)) return true;
				const octets = writeDer(node);
				const content = octets.subarray(2, 2 + contentStart.length);
				if (!contentStart.every((octet, at) => content[at] === octet)) return false;
				const count = Math.floor((bytes - source.length) / octets.length);
				siblings.splice(index, 0, ...new Array<(typeof roots)[number]>(count).fill(node));
				return true;
			});
		repeat(roots);
		return Buffer.concat(roots.map(writeDer));
	};
}

const run =
	(target: { run(input: Uint8Array): unknown }) =>
	(input: Uint8Array): unknown =>
		target.run(input);

const AUTHORITY = 0;
const LEAF = 1;
const REVOCATION_LIST = 2;

const cases: readonly DoublingCase[] = [
	{
		name: "srv-answer: SRV records",
		create: dnsRecords([0xc0, 12, 0, 33, 0, 1, 0, 0, 0, 60, 0, 8, 0, 1, 0, 1, 19, 197, 0xc0, 12]),
		run: run(dns),
	},
	{ name: "srv-answer: records without data", create: dnsRecords([0, 0, 10, 0, 1, 0, 0, 0, 60, 0, 0]), run: run(dns) },
	{ name: "srv-answer: a chain of pointers", create: pointerChain, run: run(dns) },
	{
		name: "certificate: alternative names",
		create: repeatedElement(LEAF, [...Buffer.from("sip.contoso.example")]),
		run: run(certificate),
	},
	{
		name: "certificate: organisations",
		create: repeatedElement(LEAF, [0x30, 0x0e, 0x06, 0x03, 0x55, 0x04, 0x0a]),
		run: run(certificate),
	},
	{ name: "certificate: purposes", create: repeatedElement(LEAF, [0x2b, 6, 1, 5, 5, 7, 3, 1]), run: run(certificate) },
	{ name: "certificate: name constraints", create: repeatedElement(AUTHORITY, [0x82, 0x0f]), run: run(certificate) },
	{
		name: "certificate: revoked serial numbers",
		create: repeatedElement(REVOCATION_LIST, [0x02, 0x02, 0x01, 0xab]),
		run: run(certificate),
	},
	{
		name: "certificate: a number with many octets",
		create: repeatedElement(LEAF, [0x55, 0x1d, 0x11]),
		run: run(certificate),
	},
];

process.exitCode = (await printDoubling(cases)) === 0 ? 0 : 1;
