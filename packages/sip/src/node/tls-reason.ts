/** What went wrong on a TLS connection, in words: alerts (RFC 8446 §6, RFC 5246 §7.2), OpenSSL's reasons, socket errors. */

/** A failure below SIP, for logs, metrics and administrators. */
export interface TlsReason {
	/** Stable: `alert-unknown-ca`, `connection-refused`, `no-shared-cipher`. */
	readonly code: string;
	/** One sentence without its full stop. */
	readonly words: string;
	/** Who ended it, as far as the error tells. */
	readonly by: "us" | "peer" | "network";
}

type Row = readonly [code: string, words: string];

/** Alerts by number. Those of 42 … 49 and 116 are the peer's judgement of the certificate that we showed. */
const alerts: Readonly<Record<number, Row>> = {
	0: ["alert-close-notify", "the peer closed the TLS session"],
	10: ["alert-unexpected-message", "the peer did not expect what we sent (TLS alert: unexpected message)"],
	20: ["alert-bad-record-mac", "the peer could not decrypt what we sent (TLS alert: bad record mac)"],
	22: ["alert-record-overflow", "the peer found a TLS record too long (TLS alert: record overflow)"],
	40: [
		"alert-handshake-failure",
		"the peer ended the handshake (TLS alert: handshake failure): no common protocol version or cipher, or it wants another certificate",
	],
	42: ["alert-bad-certificate", "the peer refused our certificate: bad certificate"],
	43: [
		"alert-unsupported-certificate",
		"the peer refused our certificate: unsupported certificate, often its key usage",
	],
	44: ["alert-certificate-revoked", "the peer refused our certificate: revoked"],
	45: ["alert-certificate-expired", "the peer refused our certificate: expired or not yet valid"],
	46: ["alert-certificate-unknown", "the peer refused our certificate: certificate unknown"],
	47: ["alert-illegal-parameter", "the peer refused a handshake field (TLS alert: illegal parameter)"],
	48: ["alert-unknown-ca", "the peer refused our certificate: unknown ca"],
	49: ["alert-access-denied", "the peer refused us: access denied"],
	50: ["alert-decode-error", "the peer could not read our handshake (TLS alert: decode error)"],
	51: ["alert-decrypt-error", "the peer could not verify a signature of the handshake (TLS alert: decrypt error)"],
	70: ["alert-protocol-version", "the peer does not speak a TLS version that we accept (TLS alert: protocol version)"],
	71: ["alert-insufficient-security", "the peer finds our ciphers too weak (TLS alert: insufficient security)"],
	80: ["alert-internal-error", "the peer reports an error of its own (TLS alert: internal error)"],
	86: ["alert-inappropriate-fallback", "the peer suspects a downgrade (TLS alert: inappropriate fallback)"],
	90: ["alert-user-canceled", "the peer cancelled the handshake"],
	100: ["alert-no-renegotiation", "the peer refuses to renegotiate"],
	109: ["alert-missing-extension", "the peer misses a handshake extension (TLS alert: missing extension)"],
	112: ["alert-unrecognized-name", "the peer does not serve the name that we asked for (TLS alert: unrecognized name)"],
	116: ["alert-certificate-required", "the peer wants a certificate and got none (TLS alert: certificate required)"],
	120: ["alert-no-application-protocol", "the peer wants another application protocol"],
};

/** Our own side's verdicts and the operating system's, by the `code` of the error. */
const localFaults: Readonly<Record<string, Row>> = {
	ECONNREFUSED: ["connection-refused", "nothing listens at that address and port (connection refused)"],
	ECONNRESET: ["connection-reset", "the connection was reset"],
	ECONNABORTED: ["connection-aborted", "the connection was aborted"],
	EPIPE: ["connection-reset", "the connection was gone when we wrote to it"],
	ETIMEDOUT: ["network-timeout", "the network gave no answer in time"],
	EHOSTUNREACH: ["host-unreachable", "no route to the host"],
	ENETUNREACH: ["network-unreachable", "no route to the network"],
	EADDRNOTAVAIL: ["address-not-available", "the address cannot be used from this machine"],
	EACCES: ["not-permitted", "the operating system forbids the connection"],
	EPERM: ["not-permitted", "the operating system forbids the connection"],
	EMFILE: ["too-many-files", "this process has no free file descriptor"],
	ERR_SSL_UNSUPPORTED_PROTOCOL: ["unsupported-protocol", "the two sides have no TLS version in common"],
	ERR_SSL_VERSION_TOO_LOW: ["unsupported-protocol", "the peer chose a TLS version that we do not accept"],
	ERR_SSL_NO_SHARED_CIPHER: ["no-shared-cipher", "the two sides have no cipher in common with the certificate in use"],
	ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM: [
		"no-shared-signature-algorithm",
		"the two sides have no signature algorithm in common",
	],
	ERR_SSL_WRONG_VERSION_NUMBER: ["not-tls", "what arrived is not TLS"],
	ERR_SSL_HTTP_REQUEST: ["not-tls", "what arrived is not TLS but an HTTP request"],
	ERR_SSL_PACKET_LENGTH_TOO_LONG: ["not-tls", "what arrived is not TLS"],
	ERR_SSL_UNEXPECTED_EOF_WHILE_READING: ["truncated", "the peer cut the connection without closing the TLS session"],
	ERR_SSL_NO_RENEGOTIATION: ["renegotiation-refused", "the peer tried to renegotiate, which is refused"],
	ERR_SSL_EXCESSIVE_MESSAGE_SIZE: ["handshake-too-large", "a handshake message is too large"],
	ERR_SSL_BAD_SIGNATURE: [
		"bad-handshake-signature",
		"the peer does not hold the key of the certificate that it showed",
	],
	ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC: ["bad-record", "a TLS record did not decrypt"],
};

const alertMarker = "SSL alert number ";

/** The alert's number in the text of an OpenSSL error, which is the only place where it stands. */
function alertNumber(message: string): number | undefined {
	const at = message.lastIndexOf(alertMarker);
	if (at < 0) return undefined;
	const value = Number.parseInt(message.slice(at + alertMarker.length, at + alertMarker.length + 3), 10);
	return Number.isNaN(value) ? undefined : value;
}

function isNetworkCode(code: string): boolean {
	return code.startsWith("E") && !code.startsWith("ERR_");
}

/** Reads an error of a socket of `node:net` or `node:tls`. */
export function describeTlsError(error: Error): TlsReason {
	const code = "code" in error && typeof error.code === "string" ? error.code : "";
	const alert = alertNumber(error.message);
	if (alert !== undefined) {
		const [alertCode, words] = alerts[alert] ?? [
			`alert-${alert}`,
			`the peer ended the TLS session with alert ${alert}`,
		];
		return { code: alertCode, words, by: "peer" };
	}
	const known = localFaults[code];
	if (known !== undefined) return { code: known[0], words: known[1], by: isNetworkCode(code) ? "network" : "us" };
	const reason = "reason" in error && typeof error.reason === "string" ? error.reason : "";
	if (reason !== "") return { code: "tls-failed", words: `TLS failed: ${reason}`, by: "us" };
	if (code !== "")
		return { code: code.toLowerCase().replaceAll("_", "-"), words: `the connection failed (${code})`, by: "network" };
	return { code: "connection-failed", words: "the connection failed", by: "network" };
}
