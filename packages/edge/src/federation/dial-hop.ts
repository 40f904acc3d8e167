/** One attempt to reach an edge: TCP, TLS, and the verdict about its certificate. */
import type { ByteStream, Hop, Logger } from "@causeway/sip";
import type { PresentedPeer, TlsDialler } from "@causeway/sip/node";
import { type Admission, type AdmissionOptions, admitDialled } from "./admission.ts";
import { type FederationRefusal, refusal } from "./outcome.ts";
import type { Peer } from "./peers.ts";

export interface DialHopOptions extends AdmissionOptions {
	readonly log: Logger;
	readonly dialler: TlsDialler;
}

export type DialHopResult =
	| {
			readonly ok: true;
			readonly stream: ByteStream;
			readonly presented: PresentedPeer;
			readonly admission: Extract<Admission, { ok: true }>;
	  }
	| { readonly ok: false; readonly refusal: FederationRefusal };

/** Dials a hop of this peer. `timeoutMs` is for all of it. */
export async function dialHop(
	hop: Hop,
	peer: Peer,
	timeoutMs: number,
	options: DialHopOptions,
): Promise<DialHopResult> {
	const remote = `${hop.address}:${hop.port}`;
	const outcome = await options.dialler.dial({
		address: hop.address,
		port: hop.port,
		serverName: hop.serverName,
		minVersion: peer.minVersion === "1.0" ? "TLSv1" : `TLSv${peer.minVersion}`,
		timeoutMs,
	});
	if (!outcome.ok) {
		const { stage, code, reason } = outcome.failure;
		options.log.warn("peer not reached", { peer: hop.serverName, remote, stage, code, reason });
		const words = `${hop.serverName} (${remote}): ${reason}`;
		return {
			ok: false,
			refusal:
				stage === "tls"
					? refusal(504, 1010, "connect-failed", words, "peer")
					: refusal(504, 1007, "connect-failed", words, "network"),
		};
	}
	const { stream, presented } = outcome;
	const admission = admitDialled(presented, peer, hop.serverName, options);
	if (admission.ok) return { ok: true, stream, presented, admission };
	stream.destroy("certificate refused");
	logRefusedCertificate(options.log, admission, remote, hop.serverName);
	const blame = admission.whose === "ours" ? "us" : "peer";
	const words = `${hop.serverName}: ${firstLine(admission.text)}`;
	return { ok: false, refusal: refusal(504, 1010, "certificate-refused", words, blame) };
}

export function logRefusedCertificate(
	log: Logger,
	admission: Extract<Admission, { ok: false }>,
	remote: string,
	dialled: string | undefined,
): void {
	log.warn("peer refused: certificate", {
		remote,
		code: admission.code,
		whose: admission.whose,
		expected: admission.expected,
		shown: admission.shown,
		verdict: admission.text,
		...(dialled === undefined ? {} : { dialled }),
	});
}

function firstLine(text: string): string {
	const end = text.indexOf("\n");
	return end === -1 ? text : text.slice(0, end);
}
