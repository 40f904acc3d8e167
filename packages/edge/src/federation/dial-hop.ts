/** One attempt to reach an edge: TCP, TLS, and the verdict about its certificate. */
import type { ByteStream, Hop } from "@causeway/sip";
import type { DialFailure, PresentedPeer, TlsDialler } from "@causeway/sip/node";
import { type Admission, type AdmissionOptions, admitDialled } from "./admission.ts";
import { type FederationRefusal, refusal } from "./outcome.ts";
import type { Peer } from "./peers.ts";
import type { RefusedConnections } from "./refused-connections.ts";
import { oldestVersionOf } from "./tls-version.ts";

export interface DialHopOptions extends AdmissionOptions {
	readonly dialler: TlsDialler;
	readonly refusedConnections: RefusedConnections;
}

export type DialHopResult =
	| {
			readonly ok: true;
			readonly stream: ByteStream;
			readonly presented: PresentedPeer;
			readonly admission: Extract<Admission, { ok: true }>;
	  }
	| { readonly ok: false; readonly refusal: FederationRefusal; readonly isTimeout: boolean };

/** Dials a hop of this peer. `timeoutMs` is for all of it. */
export async function dialHop(
	hop: Hop,
	peer: Peer,
	timeoutMs: number,
	options: DialHopOptions,
): Promise<DialHopResult> {
	const { address, port, serverName } = hop;
	const where = {
		direction: "outbound",
		remote: formatEndpoint({ address, port }),
		dialled: serverName,
		wasOpen: false,
	} as const;
	const outcome = await options.dialler.dial({
		address,
		port,
		serverName,
		minVersion: oldestVersionOf(peer),
		timeoutMs,
	});
	if (!outcome.ok) {
		const { failure } = outcome;
		options.refusedConnections.record({ ...where, ...explainFailure(failure), verdict: undefined });
		const words = `${serverName} (${where.remote}): ${failure.reason}`;
		return {
			ok: false,
			isTimeout: failure.stage === "timeout",
			refusal:
				failure.stage === "tls"
					? refusal(504, 1010, "connect-failed", words, "peer")
					: refusal(504, 1007, "connect-failed", words, "network"),
		};
	}
	const { stream, presented } = outcome;
	const admission = admitDialled(presented, peer, serverName, options);
	if (admission.ok) return { ok: true, stream, presented, admission };
	stream.destroy("certificate refused");
	const { text, code, whose } = options.refusedConnections.certificate(admission.verdict, where);
	const words = `${serverName}: certificate refused: ${text} (${code})`;
	const blame = whose === "ours" ? "us" : "peer";
	return { ok: false, isTimeout: false, refusal: refusal(504, 1010, "certificate-refused", words, blame) };
}

/** `192.0.2.1:5061`, `[2001:db8::1]:5061`. */
export function formatEndpoint({ address, port }: { readonly address: string; readonly port: number }): string {
	return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Alerts by which a peer says that it does not take our certificate, or wants one. */
const aboutOurCertificate: ReadonlySet<string> = new Set([
	"alert-bad-certificate",
	"alert-unsupported-certificate",
	"alert-certificate-revoked",
	"alert-certificate-expired",
	"alert-certificate-unknown",
	"alert-unknown-ca",
	"alert-access-denied",
	"alert-certificate-required",
]);

/** A failure below the certificate, with who can mend it. */
export function explainFailure({ stage, code, reason }: Pick<DialFailure, "stage" | "code" | "reason">): {
	readonly stage: "tcp" | "tls";
	readonly code: string;
	readonly whose: "ours" | "peer" | "either" | "network";
	readonly text: string;
	readonly remedy: string | undefined;
} {
	const isTcp = stage === "tcp" || code === "tcp-timeout";
	const told = { stage: isTcp ? "tcp" : "tls", code, text: reason } as const;
	if (aboutOurCertificate.has(code)) {
		const remedy =
			"compare what our certificate carries (names, authority, dates, purposes) with what the peer expects: causeway cert show";
		return { ...told, whose: "either", remedy };
	}
	if (isTcp) {
		const remedy = "check the address, the port and the firewalls on the way; the peer must listen there";
		return { ...told, whose: code === "connection-refused" ? "peer" : "network", remedy };
	}
	if (code === "unsupported-protocol" || code === "alert-protocol-version") {
		const remedy = "the peer must offer TLS 1.2 or later; or lower min_version for this peer";
		return { ...told, whose: "either", remedy };
	}
	if (code === "not-tls") {
		return { ...told, whose: "peer", remedy: "the peer must speak TLS at once on its federation port" };
	}
	return { ...told, whose: "peer", remedy: undefined };
}
