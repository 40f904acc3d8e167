import { accessSync, constants, globSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Debian package → what proves that it is there: a program's name, or a file as a glob pattern. */
const PROOFS = {
	baresip: ["baresip"],
	"dnsmasq-base": ["dnsmasq"],
	iproute2: ["ip"],
	kamailio: ["kamailio", "/usr/share/kamailio/db_sqlite/standard-create.sql"],
	"kamailio-extra-modules": ["/usr/lib/*/kamailio/modules/uuid.so"],
	"kamailio-presence-modules": ["/usr/lib/*/kamailio/modules/presence.so"],
	"kamailio-sqlite-modules": ["/usr/lib/*/kamailio/modules/db_sqlite.so"],
	"kamailio-tls-modules": ["/usr/lib/*/kamailio/modules/tls.so"],
	"kamailio-xml-modules": ["/usr/lib/*/kamailio/modules/xmlops.so"],
	"libxml2-utils": ["xmllint"],
	mount: ["mount"],
	openssl: ["openssl"],
	"sip-tester": ["sipp"],
	strace: ["strace"],
	stunnel4: ["stunnel4"],
	tshark: ["tshark"],
	"util-linux": ["unshare", "setpriv"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type DebianPackage = keyof typeof PROOFS;

/** Names every package that is missing and the command that installs them. A missing peer is a failure, never a skip. */
export function requirePackages(names: readonly DebianPackage[]): void {
	const missing = names.filter((name) => !PROOFS[name].every(isPresent));
	if (missing.length > 0) {
		throw new Error(`missing Debian packages; install them with: apt-get install -y ${missing.join(" ")}`);
	}
}

function isPresent(proof: string): boolean {
	if (proof.includes("/")) return globSync(proof).length > 0;
	return searchPath().some((folder) => isExecutable(join(folder, proof)));
}

/** The system folders come last because a user's PATH often lacks the sbin ones. */
function searchPath(): readonly string[] {
	const { PATH = "" } = process.env;
	return [...PATH.split(delimiter), "/usr/sbin", "/sbin"];
}

function isExecutable(path: string): boolean {
	try {
		accessSync(path, constants.X_OK);
		return true;
	} catch {
		return false;
	}
}
