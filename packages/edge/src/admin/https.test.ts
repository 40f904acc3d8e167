import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:https";
import { test } from "node:test";
import { createEdgeCertificate, createRootAuthority } from "../pki/authority.ts";
import { startHttpServer } from "./http-server.ts";
import { createFakeServerOptions } from "./testing.ts";

const validity = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) } as const;

test("HTTPS: the server speaks it with its certificate, and with the new one once that was set", async (context) => {
	const root = await createRootAuthority({ ...validity, commonName: "Test CA" });
	const issueTls = async () => {
		const { chain, key } = await createEdgeCertificate(root, { ...validity, names: ["localhost"] });
		return { certificate: chain, key };
	};
	const server = await startHttpServer({ ...createFakeServerOptions().options, tls: await issueTls() });
	context.after(() => server.close());

	/** Status of an answer and the certificate it came under. */
	const ask = async (origin: string): Promise<readonly [number | undefined, string]> => {
		const asked = request({
			host: "127.0.0.1",
			port: server.address.port,
			servername: "localhost",
			method: "POST",
			path: "/api/v1/login",
			headers: { host: "localhost", origin },
			ca: root.certificate,
			agent: false,
		});
		const socket = once(asked, "socket").then(([opened]) => opened);
		const [response] = await once(asked.end(), "response");
		const { fingerprint256 } = (await socket).getPeerCertificate();
		response.resume();
		return [response.statusCode, fingerprint256];
	};

	const [status, before] = await ask("https://localhost");
	assert.equal(status, 400, "an own page comes in; the body is missing");
	assert.equal((await ask("http://localhost"))[0], 403, "a page of the same name without TLS is another origin");
	server.setTls(await issueTls());
	assert.notEqual((await ask("https://localhost"))[1], before);
});
