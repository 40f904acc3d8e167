/** A bare Node TLS server: OpenSSL verifies the client's chain against the same authority, and nothing more is done. */
import { constants } from "node:crypto";
import type { AddressInfo } from "node:net";
import { createServer } from "node:tls";

export interface HandshakeServerPlan {
	readonly certificate: string;
	readonly key: string;
	readonly authority: string;
}

process.on("message", ({ certificate, key, authority }: HandshakeServerPlan) => {
	const server = createServer(
		{
			cert: certificate,
			key,
			ca: authority,
			requestCert: true,
			rejectUnauthorized: true,
			// The same work as an edge does: no session is kept for later.
			secureOptions: constants.SSL_OP_NO_TICKET,
		},
		(socket) => {
			socket.on("error", () => socket.destroy());
			socket.resume();
		},
	);
	server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port }));
});
process.on("disconnect", () => process.exit());
