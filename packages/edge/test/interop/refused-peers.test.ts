// Peers that must not get in: what the other side sees, and what our log says about it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { startCauseway } from "./harness/causeway.ts";
import { createLab } from "./harness/lab.ts";
import { CONTOSO, FABRIKAM } from "./harness/names.ts";
import { enterPrivateNamespace } from "./harness/namespace.ts";
import { createAuthority } from "./harness/pki.ts";
import { createOptions } from "./harness/sip-text.ts";
import { tryTlsClient } from "./harness/tls-client.ts";
import { until } from "./harness/until.ts";

enterPrivateNamespace(import.meta.filename);

const REQUEST = createOptions({ from: FABRIKAM, to: CONTOSO });

test("REQ-44, REQ-46: a peer with no certificate or a wrong one is cut before its request is read, and the log says why", async (context) => {
	const lab = createLab(context);
	const authority = createAuthority(lab, "authority");
	const stranger = createAuthority(lab, "stranger");
	const names = [FABRIKAM.edge];
	const causeway = await startCauseway(lab, {
		home: CONTOSO,
		credentials: authority.issue("contoso", { names: [CONTOSO.edge] }),
		trust: authority.certificate,
		config: `[[peer]]
kind = "direct"
domains = ["${FABRIKAM.domain}"]
edge = "${FABRIKAM.edge}:5061"
`,
	});

	const refused = [
		{ code: "no-certificate", credentials: undefined, said: [] },
		{
			code: "untrusted-issuer",
			credentials: stranger.issue("fabrikam", { names }),
			said: [FABRIKAM.edge, "CN=stranger"],
		},
		{
			code: "expired",
			credentials: authority.issue("expired", { names, fromDay: -9, toDay: -1 }),
			said: [FABRIKAM.edge],
		},
		{ code: "not-yet-valid", credentials: authority.issue("early", { names, fromDay: 2 }), said: [FABRIKAM.edge] },
		{
			code: "wrong-name",
			credentials: authority.issue("other", { names: ["sip.woodgrove.example"] }),
			said: [FABRIKAM.edge, "sip.woodgrove.example"],
		},
	];
	for (const { code, credentials, said } of refused) {
		await context.test(code, async () => {
			const before = causeway.program.lines.length;
			const answer = await tryTlsClient({ to: CONTOSO, credentials, request: REQUEST });
			assert.equal(answer, "");
			const line = await until(() => causeway.program.lines.slice(before).find((entry) => entry.includes(code)), {
				what: `the log says ${code}`,
			});
			for (const words of said) assert.ok(line.includes(words), `${words} is not in: ${line}`);
		});
	}

	await context.test("control: the same request with the right certificate is answered", async () => {
		const credentials = authority.issue("fabrikam", { names });
		const answer = await tryTlsClient({ to: CONTOSO, credentials, request: REQUEST, until: "\r\n\r\n" });
		assert.match(answer, /^SIP\/2\.0 200 /);
	});
});
