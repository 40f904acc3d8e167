/** The extensions of a certificate that decide something (RFC 5280 §4.2). */
import {
	contentOf,
	type DerElement,
	derTag,
	readChildren,
	readObjectIdentifier,
	readSmallInteger,
	readWhole,
} from "./der.ts";

/** A name in a subject alternative name or a name constraint, raw: nothing is taken from printed text. */
export interface GeneralName {
	readonly kind: "dns" | "uri" | "email" | "ip" | "directory" | "other";
	/** The octets as latin1 characters; they may hold anything, NUL included. */
	readonly value: string;
}

/** RFC 5280 §4.2.1.10. */
export interface NameConstraints {
	readonly permitted: readonly GeneralName[];
	readonly excluded: readonly GeneralName[];
}

export interface Extensions {
	/** Basic constraints; undefined where absent. */
	readonly authority: { readonly is: boolean; readonly pathLength: number | undefined } | undefined;
	/** Key usage; undefined where absent, which allows every use. */
	readonly keyUsage:
		| {
				readonly digitalSignature: boolean;
				readonly keyEncipherment: boolean;
				readonly keyCertSign: boolean;
				readonly crlSign: boolean;
		  }
		| undefined;
	/** Extended key usage, object identifiers; undefined where absent, which allows every purpose. */
	readonly purposes: readonly string[] | undefined;
	/** Subject alternative names; undefined where the extension is absent. */
	readonly alternativeNames: readonly GeneralName[] | undefined;
	readonly nameConstraints: NameConstraints | undefined;
	/** Object identifiers of critical extensions that are not read here. */
	readonly unknownCritical: readonly string[];
}

const oids = {
	keyUsage: "2.5.29.15",
	alternativeNames: "2.5.29.17",
	basicConstraints: "2.5.29.19",
	nameConstraints: "2.5.29.30",
	extendedKeyUsage: "2.5.29.37",
} as const;

/** Critical or not, these change nothing for us: policies are not asked for, and key identifiers only help to find an issuer. */
const harmless: ReadonlySet<string> = new Set(["2.5.29.14", "2.5.29.32", "2.5.29.35", "2.5.29.18", "2.5.29.9"]);

/** All extensions; undefined where one is malformed or stands twice. `element` is the explicit [3] of the certificate. */
export function readExtensions(der: Uint8Array, element: DerElement | undefined): Extensions | undefined {
	const found = new Map<string, Uint8Array>();
	const unknownCritical: string[] = [];
	const known: readonly string[] = Object.values(oids);
	if (element !== undefined) {
		const [list] = readChildren(der, element) ?? [];
		const items = list?.tag === derTag.sequence ? readChildren(der, list) : undefined;
		if (items === undefined) return undefined;
		for (const item of items) {
			const extension = readExtension(der, item);
			if (extension === undefined || found.has(extension.oid)) return undefined;
			found.set(extension.oid, extension.value);
			if (extension.critical && !known.includes(extension.oid) && !harmless.has(extension.oid)) {
				unknownCritical.push(extension.oid);
			}
		}
	}
	const authority = decode(found.get(oids.basicConstraints), readBasicConstraints);
	const keyUsage = decode(found.get(oids.keyUsage), readKeyUsage);
	const purposes = decode(found.get(oids.extendedKeyUsage), readPurposes);
	const alternativeNames = decode(found.get(oids.alternativeNames), readAlternativeNames);
	const nameConstraints = decode(found.get(oids.nameConstraints), readNameConstraints);
	if (!authority.ok || !keyUsage.ok || !purposes.ok || !alternativeNames.ok || !nameConstraints.ok) return undefined;
	return {
		authority: authority.value,
		keyUsage: keyUsage.value,
		purposes: purposes.value,
		alternativeNames: alternativeNames.value,
		nameConstraints: nameConstraints.value,
		unknownCritical,
	};
}

type Decoded<Value> = { readonly ok: true; readonly value: Value | undefined } | { readonly ok: false };

function decode<Value>(
	octets: Uint8Array | undefined,
	read: (octets: Uint8Array) => Value | undefined,
): Decoded<Value> {
	if (octets === undefined) return { ok: true, value: undefined };
	const value = read(octets);
	return value === undefined ? { ok: false } : { ok: true, value };
}

function readExtension(
	der: Uint8Array,
	item: DerElement,
): { readonly oid: string; readonly critical: boolean; readonly value: Uint8Array } | undefined {
	const fields = item.tag === derTag.sequence ? readChildren(der, item) : undefined;
	if (fields === undefined || fields.length < 2 || fields.length > 3) return undefined;
	const oid = readObjectIdentifier(der, fields[0]);
	const flag = fields.length === 3 ? fields[1] : undefined;
	const value = fields[fields.length - 1];
	if (oid === undefined || value?.tag !== derTag.octetString) return undefined;
	if (flag !== undefined && flag.tag !== derTag.boolean) return undefined;
	return { oid, critical: flag !== undefined && der[flag.contentStart] !== 0, value: contentOf(der, value) };
}

function readBasicConstraints(octets: Uint8Array): NonNullable<Extensions["authority"]> | undefined {
	const whole = readWhole(octets, derTag.sequence);
	const fields = whole === undefined ? undefined : readChildren(octets, whole);
	if (fields === undefined || fields.length > 2) return undefined;
	const flag = fields[0]?.tag === derTag.boolean ? fields[0] : undefined;
	const length = fields[flag === undefined ? 0 : 1];
	const pathLength = length === undefined ? undefined : readSmallInteger(octets, length);
	if (length !== undefined && pathLength === undefined) return undefined;
	return { is: flag !== undefined && octets[flag.contentStart] !== 0, pathLength };
}

function readKeyUsage(octets: Uint8Array): NonNullable<Extensions["keyUsage"]> | undefined {
	const whole = readWhole(octets, derTag.bitString);
	if (whole === undefined || whole.end - whole.contentStart < 1) return undefined;
	const bits = octets[whole.contentStart + 1] ?? 0;
	return {
		digitalSignature: (bits & 0x80) !== 0,
		keyEncipherment: (bits & 0x20) !== 0,
		keyCertSign: (bits & 0x04) !== 0,
		crlSign: (bits & 0x02) !== 0,
	};
}

function readPurposes(octets: Uint8Array): readonly string[] | undefined {
	const whole = readWhole(octets, derTag.sequence);
	const items = whole === undefined ? undefined : readChildren(octets, whole);
	if (items === undefined || items.length === 0) return undefined;
	const purposes: string[] = [];
	for (const item of items) {
		const oid = readObjectIdentifier(octets, item);
		if (oid === undefined) return undefined;
		purposes.push(oid);
	}
	return purposes;
}

/** RFC 5280 §4.2.1.6: the tag numbers of GeneralName, and whether the form is constructed. */
const generalNameKinds: Readonly<Record<number, GeneralName["kind"]>> = {
	129: "email",
	130: "dns",
	134: "uri",
	135: "ip",
	164: "directory",
};

function toGeneralName(octets: Uint8Array, element: DerElement): GeneralName {
	const value = Buffer.from(contentOf(octets, element)).toString("latin1");
	return { kind: generalNameKinds[element.tag] ?? "other", value };
}

function readAlternativeNames(octets: Uint8Array): readonly GeneralName[] | undefined {
	const whole = readWhole(octets, derTag.sequence);
	const items = whole === undefined ? undefined : readChildren(octets, whole);
	return items?.map((item) => toGeneralName(octets, item));
}

function readNameConstraints(octets: Uint8Array): NameConstraints | undefined {
	const whole = readWhole(octets, derTag.sequence);
	const lists = whole === undefined ? undefined : readChildren(octets, whole);
	if (lists === undefined) return undefined;
	const permitted: GeneralName[] = [];
	const excluded: GeneralName[] = [];
	for (const list of lists) {
		const target = list.tag === 0xa0 ? permitted : list.tag === 0xa1 ? excluded : undefined;
		const subtrees = readChildren(octets, list);
		if (target === undefined || subtrees === undefined) return undefined;
		for (const subtree of subtrees) {
			const [base] = subtree.tag === derTag.sequence ? (readChildren(octets, subtree) ?? []) : [];
			if (base === undefined) return undefined;
			target.push(toGeneralName(octets, base));
		}
	}
	return { permitted, excluded };
}
