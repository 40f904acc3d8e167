import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { connect } from "node:tls";
import {
	createTurnFlusher,
	type PresentedPeer,
	type TlsCredentials,
	TlsDialler,
	TlsListener,
} from "@causeway/sip/node";
import {
	createEdgeCertificate,
	createIntermediateAuthority,
	createRootAuthority,
	type Issued,
	issue,
} from "../../pki/authority.ts";
import { parseAnchors } from "./trust.ts";
import type { Purpose } from "./verdict.ts";
import { verifyChain } from "./verify-chain.ts";

const day = 86_400_000;
const now = Date.UTC(2026, 10, 1);
const dates = { notBefore: new Date(now - 30 * day), notAfter: new Date(now + 300 * day) };
const fqdn = "sip.fabrikam.example";
const names = [fqdn];

const root = await createRootAuthority({ commonName: "Contoso root", ...dates });
const issuing = await createIntermediateAuthority(root, { commonName: "Contoso issuing", ...dates });
const stranger = await createRootAuthority({ commonName: "Stranger root", ...dates });
const ours = await createEdgeCertificate(root, { names: ["sip.contoso.example"], ...dates });
const parsed = parseAnchors(root.certificate, "root");
assert(parsed.ok);
const { trust } = parsed;

const peers: readonly (readonly [name: string, code: string | undefined, certificate: Issued])[] = [
	["a good certificate", undefined, await createEdgeCertificate(root, { names, ...dates })],
	["a good certificate below an intermediate", undefined, await createEdgeCertificate(issuing, { names, ...dates })],
	[
		"a self-signed certificate",
		"self-signed",
		await issue(undefined, { commonName: fqdn, alternativeNames: [{ type: "dns", value: fqdn }], ...dates }),
	],
	[
		"a certificate of an unknown authority",
		"untrusted-issuer",
		await createEdgeCertificate(stranger, { names, ...dates }),
	],
	[
		"an expired certificate",
		"expired",
		await createEdgeCertificate(root, { names, notBefore: dates.notBefore, notAfter: new Date(now - day) }),
	],
	[
		"a certificate for another name",
		"wrong-name",
		await createEdgeCertificate(root, { names: ["sip.nwtraders.example"], ...dates }),
	],
];

function credentials(issued: Issued): TlsCredentials {
	return { certificate: issued.chain, key: issued.key };
}

function faultOf(presented: PresentedPeer, purpose: Purpose): string | undefined {
	const { chain } = presented;
	const options = { domains: [], cnFallback: false, wildcard: false, clientAuthEku: "require" } as const;
	return verifyChain({ chain, purpose, names, trust, now, ...options }).faults[0]?.code;
}

/** Waits for one connection; its certificate is judged, and nothing is read from it. */
async function acceptOne(context: TestContext, issued: Issued) {
	const accepted = Promise.withResolvers<PresentedPeer>();
	const listener = new TlsListener({
		addresses: [{ address: "127.0.0.1", port: 0 }],
		credentials: credentials(issued),
		flusher: createTurnFlusher(),
		accepted: (stream, presented) => {
			context.after(() => stream.destroy("the test is over"));
			accepted.resolve(presented);
		},
		refused: ({ reason }) => accepted.reject(new Error(reason)),
	});
	await listener.start();
	context.after(() => listener.close());
	return { port: listener.endpoints[0]?.port ?? 0, presented: accepted.promise };
}

for (const [name, code, certificate] of peers) {
	const outcome = code === undefined ? "is accepted" : `is refused as ${code}`;

	test(`REQ-46: a peer that dials with ${name} ${outcome}`, async (context) => {
		const { port, presented } = await acceptOne(context, ours);
		const dialler = new TlsDialler({ credentials: credentials(certificate), flusher: createTurnFlusher() });
		const dialled = await dialler.dial({ address: "127.0.0.1", port, serverName: "sip.contoso.example" });
		assert(dialled.ok);
		context.after(() => dialled.stream.destroy("the test is over"));
		assert.equal(faultOf(await presented, "client"), code);
	});

	test(`REQ-46: a peer that is dialled and has ${name} ${outcome}`, async (context) => {
		const { port, presented } = await acceptOne(context, certificate);
		const dialler = new TlsDialler({ credentials: credentials(ours), flusher: createTurnFlusher() });
		const dialled = await dialler.dial({ address: "127.0.0.1", port, serverName: fqdn });
		assert(dialled.ok);
		context.after(() => dialled.stream.destroy("the test is over"));
		await presented;
		assert.equal(faultOf(dialled.presented, "server"), code);
	});
}

test("REQ-44: a peer that dials without a certificate is refused as no-certificate", async (context) => {
	const { port, presented } = await acceptOne(context, ours);
	const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false });
	context.after(() => socket.destroy());
	socket.on("error", () => undefined);
	assert.equal(faultOf(await presented, "client"), "no-certificate");
});
