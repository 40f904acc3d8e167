import { requirePackages } from "./debian-packages.ts";
import type { Lab } from "./lab.ts";
import type { Credentials } from "./pki.ts";
import type { Program } from "./process.ts";

export interface TunnelOptions {
	/** Name of its files. */
	readonly name: string;
	/** "client": plain TCP in, mutual TLS out; "server": mutual TLS in, plain TCP out. */
	readonly role: "client" | "server";
	/** Addresses as `ip:port`. */
	readonly accept: string;
	readonly connect: string;
	readonly credentials: Credentials;
	/** CA certificate that the other side's chain must end in. */
	readonly trust: string;
	/** Client: name sent as SNI and required in the server's certificate. */
	readonly serverName?: string;
	/** Server: name required in the client's certificate. */
	readonly clientName?: string;
}

/** Gives a program that speaks plain TCP mutual TLS, with both certificates required and verified. */
export async function startTunnel(lab: Lab, options: TunnelOptions): Promise<Program> {
	requirePackages(["stunnel4"]);
	const { name, role, accept, connect, credentials, trust, serverName, clientName } = options;
	const required = serverName ?? clientName;
	const config = lab.write(
		`${name}.conf`,
		[
			...[
				"foreground = yes",
				"pid =",
				"debug = info",
				"syslog = no",
				`[${name}]`,
				`client = ${role === "client" ? "yes" : "no"}`,
			],
			...[
				`accept = ${accept}`,
				`connect = ${connect}`,
				`cert = ${credentials.certificate}`,
				`key = ${credentials.key}`,
			],
			...[`CAfile = ${trust}`, "verifyChain = yes", "sslVersionMin = TLSv1.2", "TIMEOUTclose = 0"],
			...(required === undefined ? [] : [`checkHost = ${required}`]),
			...(serverName === undefined ? [] : [`sni = ${serverName}`]),
			"",
		].join("\n"),
	);
	const program = await lab.run({ name, command: "stunnel4", args: [config] });
	await program.waitForLine("its start", (line) => line.includes(`bound to ${accept}`));
	return program;
}
