import { spawn } from "node:child_process";
import { requirePackages } from "./debian-packages.ts";
import type { FederatedDomain } from "./dnsmasq.ts";
import type { Credentials } from "./pki.ts";

const DEADLINE_MS = 10_000;

export interface TlsTrial {
	readonly to: FederatedDomain;
	/** Undefined: a client that shows no certificate. */
	readonly credentials: Credentials | undefined;
	/** Sent at once when the handshake is over. */
	readonly request: string;
	/** The client hangs up when it has read this; without it, it waits for the other side to close. */
	readonly until?: string;
}

/** What a TLS client of openssl reads until one side closes; rejects where nobody listens, and when neither closes within 10 s. */
export function tryTlsClient({ to, credentials, request, until }: TlsTrial): Promise<string> {
	requirePackages(["openssl"]);
	const shown = credentials === undefined ? [] : ["-cert", credentials.certificate, "-key", credentials.key];
	const target = ["-connect", `${to.address}:${to.port}`, "-servername", to.edge];
	const child = spawn("openssl", ["s_client", ...target, "-quiet", ...shown], { stdio: "pipe" });
	let output = "";
	let complaints = "";
	child.stderr.setEncoding("utf8").on("data", (text: string) => {
		complaints += text;
	});
	child.stdout.setEncoding("utf8").on("data", (text: string) => {
		output += text;
		if (until !== undefined && output.includes(until)) child.kill();
	});
	// The other side may be gone before the request is written.
	child.stdin.on("error", () => undefined);
	child.stdin.write(request);
	return new Promise((resolve, reject) => {
		const timer = setTimeout(() => {
			child.kill();
			reject(new Error(`not closed within ${DEADLINE_MS} ms; read: ${output}`));
		}, DEADLINE_MS);
		child.once("error", reject).once("close", () => {
			clearTimeout(timer);
			// Nobody listening is no refusal.
			if (complaints.includes("connect:errno")) reject(new Error(complaints));
			else resolve(output);
		});
	});
}
