/** Which TLS versions a peer may come with: 1.2 or later, unless its own entry says otherwise. */
import type { CertificateFault, CertificateWarning } from "./certificate/verdict.ts";
import type { Peer } from "./peers.ts";

/** Versions as OpenSSL names them, oldest first. */
const versions: readonly string[] = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"];

/** The oldest version that a peer may speak, as OpenSSL names it. */
export function oldestVersionOf(peer: Peer): "TLSv1" | "TLSv1.1" | "TLSv1.2" | "TLSv1.3" {
	return peer.minVersion === "1.0" ? "TLSv1" : `TLSv${peer.minVersion}`;
}

/** Whether its entry lets this peer speak TLS 1.0 or 1.1. */
export function isLegacyPeer(peer: Peer): boolean {
	return peer.minVersion === "1.0" || peer.minVersion === "1.1";
}

/** Why a peer may not come with this version, or over a legacy listener; undefined where it may. */
export function tlsVersionFault(peer: Peer, protocol: string, isLegacy: boolean): CertificateFault | undefined {
	if (isLegacy && !isLegacyPeer(peer)) {
		return {
			code: "not-for-legacy",
			whose: "either",
			text: `${peer.name} came in through a listener for TLS 1.0 and 1.1, and is not among the peers that need it`,
			remedy: 'the peer must dial the ordinary port; or set min_version = "1.0" for this peer',
		};
	}
	if (versions.indexOf(protocol) >= versions.indexOf(oldestVersionOf(peer))) return undefined;
	return {
		code: "tls-too-old",
		whose: "either",
		text: `the connection speaks ${protocol}, and ${peer.name} must speak TLS ${peer.minVersion} or later`,
		remedy: "the peer must offer a later TLS version; or lower min_version for this peer",
	};
}

/** What is said of a connection with an old version that is allowed. */
export function tlsVersionWarning(protocol: string): CertificateWarning | undefined {
	if (versions.indexOf(protocol) >= versions.indexOf("TLSv1.2")) return undefined;
	const text = `the connection speaks ${protocol}, which is no longer safe; min_version of this peer allows it`;
	return { code: "old-tls", text };
}
