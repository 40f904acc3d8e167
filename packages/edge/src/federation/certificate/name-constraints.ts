/** Name constraints of an authority (RFC 5280 §4.2.1.10), as far as DNS names go; what we cannot judge is refused. */
import type { Certificate } from "./certificate.ts";
import type { GeneralName, NameConstraints } from "./extensions.ts";
import { certificateNames } from "./names.ts";

/** Why the constraints forbid this certificate, as one clause; undefined where they allow it. */
export function constraintFault(
	certificate: Certificate,
	isLeaf: boolean,
	constraints: NameConstraints,
): string | undefined {
	const all = [...constraints.permitted, ...constraints.excluded];
	if (all.some((name) => name.kind === "directory")) return "they speak of directory names, which we do not judge";
	const names = certificate.alternativeNames ?? (isLeaf ? certificateNames(certificate).common.map(commonName) : []);
	for (const name of names) {
		if (name.kind === "dns") {
			const fault = dnsFault(name.value.toLowerCase(), constraints);
			if (fault !== undefined) return fault;
		} else if (all.some((constraint) => constraint.kind === name.kind)) {
			return `they speak of names of the kind "${name.kind}", which the certificate has and we do not judge`;
		}
	}
	return undefined;
}

/** Without a subject alternative name the common name may be taken for a DNS name, so it is bound as one. */
function commonName(value: string): GeneralName {
	return { kind: "dns", value };
}

function dnsFault(name: string, constraints: NameConstraints): string | undefined {
	const permitted = constraints.permitted.filter((constraint) => constraint.kind === "dns");
	if (permitted.length > 0 && !permitted.some((constraint) => isWithin(name, constraint.value.toLowerCase()))) {
		return "a name of the certificate is not among the permitted ones";
	}
	for (const { kind, value } of constraints.excluded) {
		const excluded = value.toLowerCase();
		if (kind !== "dns") continue;
		const covered = name.startsWith("*.") && excluded.endsWith(name.slice(1));
		if (covered || isWithin(name, excluded)) return "a name of the certificate is among the excluded ones";
	}
	return undefined;
}

/** COMPAT(common authorities): a base with a leading dot stands for the names below it alone. */
function isWithin(name: string, base: string): boolean {
	if (base === "" || name === base) return true;
	return name.endsWith(base.startsWith(".") ? base : `.${base}`);
}
