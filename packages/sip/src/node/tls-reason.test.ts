import assert from "node:assert/strict";
import { test } from "node:test";
import { describeTlsError } from "./tls-reason.ts";

function systemError(code: string): Error {
	return Object.assign(new Error(`connect ${code} 192.0.2.1:5061`), { code });
}

function openSslError(code: string, message: string, reason: string): Error {
	return Object.assign(new Error(message), { code, library: "SSL routines", reason });
}

function alert(number: number): Error {
	const message = `error:0A000418:SSL routines:ssl3_read_bytes:tlsv1 alert:rec_layer_s3.c:918:SSL alert number ${number}\n`;
	return openSslError("ERR_SSL_TLSV1_ALERT", message, "tlsv1 alert");
}

const cases: readonly (readonly [error: Error, code: string, by: string, words: RegExp])[] = [
	[alert(48), "alert-unknown-ca", "peer", /refused our certificate: unknown ca/],
	[alert(42), "alert-bad-certificate", "peer", /refused our certificate/],
	[alert(45), "alert-certificate-expired", "peer", /refused our certificate: expired/],
	[alert(116), "alert-certificate-required", "peer", /wants a certificate/],
	[alert(40), "alert-handshake-failure", "peer", /ended the handshake/],
	[alert(70), "alert-protocol-version", "peer", /TLS version/],
	[alert(200), "alert-200", "peer", /alert 200/],
	[systemError("ECONNREFUSED"), "connection-refused", "network", /refused/],
	[systemError("ECONNRESET"), "connection-reset", "network", /reset/],
	[systemError("EHOSTUNREACH"), "host-unreachable", "network", /no route/],
	[systemError("ESOMETHING"), "esomething", "network", /ESOMETHING/],
	[
		openSslError("ERR_SSL_NO_SHARED_CIPHER", "error", "no shared cipher"),
		"no-shared-cipher",
		"us",
		/no cipher in common/,
	],
	[openSslError("ERR_SSL_HTTP_REQUEST", "error", "http request"), "not-tls", "us", /HTTP/],
	[openSslError("ERR_SSL_ODD_THING", "error", "odd thing"), "tls-failed", "us", /odd thing/],
	[new Error("plain"), "connection-failed", "network", /failed/],
];
for (const [error, code, by, words] of cases) {
	test(`RFC 8446 §6: "${error.message.trim().slice(-24)}" is told as ${code}`, () => {
		const reason = describeTlsError(error);
		assert.equal(reason.code, code);
		assert.equal(reason.by, by);
		assert.match(reason.words, words);
		assert(!reason.words.endsWith("."));
	});
}
