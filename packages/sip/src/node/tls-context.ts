/** What a TLS connection between edges is made with, the same on both ends of the handshake. */
import { createPrivateKey, constants as cryptoConstants, X509Certificate } from "node:crypto";
import type { SecureContextOptions, TLSSocket } from "node:tls";

/** Our certificate and its key, PEM. */
export interface TlsCredentials {
	/** Leaf first, then the intermediate certificates. */
	readonly certificate: string;
	readonly key: string;
}

/** Versions of TLS that can be asked for. */
export type TlsVersion = "TLSv1" | "TLSv1.1" | "TLSv1.2" | "TLSv1.3";

/** What the other end showed in its handshake. Nothing of it has been verified. */
export interface PresentedPeer {
	/** The certificates as DER, leaf first, in the peer's order, with nothing added or left out; empty where it showed none. */
	readonly chain: readonly Uint8Array[];
	/** `TLSv1.2`, `TLSv1.3`. */
	readonly protocol: string;
	/** Standard name: `TLS_AES_128_GCM_SHA256`. */
	readonly cipher: string;
	/** The server name asked for by whoever dialled (RFC 6066 §3), lower case. */
	readonly serverName: string | undefined;
}

/** No chain in use comes near; a longer one is cut, and then fails verification. */
const maxChainLength = 16;

/**
 * No tickets, so no resumption: a resumed session does not show the chain again. No renegotiation: the identity is bound to
 * the first handshake. Node offers no early data.
 */
const secureOptions = cryptoConstants.SSL_OP_NO_TICKET | cryptoConstants.SSL_OP_NO_RENEGOTIATION;

/** COMPAT(lcs-2005): OpenSSL 3 speaks TLS 1.0 and 1.1 at security level 0 alone. */
const legacyCiphers = "DEFAULT:!aNULL:!eNULL:!EXPORT:!RC4:@SECLEVEL=0";

/**
 * Options of the secure context for both roles. The list of trusted authorities is empty on purpose: our own verifier judges
 * what was presented, so OpenSSL must neither complete the chain from a store nor spend time on it.
 */
export function secureContextOptions(credentials: TlsCredentials, minVersion: TlsVersion): SecureContextOptions {
	return {
		cert: credentials.certificate,
		key: credentials.key,
		ca: [],
		minVersion,
		secureOptions,
		...(minVersion === "TLSv1" || minVersion === "TLSv1.1" ? { ciphers: legacyCiphers } : {}),
	};
}

/** Why these credentials cannot be used, in words; undefined where they can. */
export function credentialsFault(credentials: TlsCredentials): string | undefined {
	let certificate: X509Certificate;
	try {
		certificate = new X509Certificate(credentials.certificate);
	} catch {
		return "the certificate is not a readable PEM certificate";
	}
	try {
		if (!certificate.checkPrivateKey(createPrivateKey(credentials.key)))
			return "the key does not belong to the certificate";
	} catch {
		return "the key is not a readable PEM private key";
	}
	return undefined;
}

/** Reads what the peer presented; only after the handshake. */
export function readPresented(socket: TLSSocket, serverName: string | undefined): PresentedPeer {
	const chain: Uint8Array[] = [];
	// `issuerCertificate` of this object walks the certificates in the order of the peer's message, whether or not one issued the other.
	let certificate = socket.getPeerX509Certificate();
	while (certificate !== undefined && chain.length < maxChainLength) {
		chain.push(certificate.raw);
		certificate = certificate.issuerCertificate;
	}
	return {
		chain,
		protocol: socket.getProtocol() ?? "",
		cipher: socket.getCipher().standardName,
		serverName,
	};
}
