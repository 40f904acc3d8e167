import assert from "node:assert/strict";
import { test } from "node:test";
import type { PresentedPeer } from "@causeway/sip/node";
import type { CertificateExpectation } from "./certificate-expectation.ts";
import type { CertificateJudgement } from "./certificate-judge.ts";
import { RecentJudgements } from "./recent-judgements.ts";

const expectation: CertificateExpectation = {
	role: "accepted",
	names: ["sip.fabrikam.example"],
	domains: [],
	trust: undefined,
	cnFallback: false,
	wildcard: false,
};

function present(...chain: readonly string[]): PresentedPeer {
	return { chain: chain.map((text) => Buffer.from(text)), protocol: "TLSv1.3", cipher: "", serverName: undefined };
}

function good(validUntil: number): CertificateJudgement {
	const shown = { subject: "", issuer: "", fingerprint: "", names: [], chain: [], path: [] };
	return {
		ok: true,
		verdict: {
			ok: true,
			expected: { names: [], purpose: "client" },
			shown: { ...shown, serialNumber: "", notBefore: "", notAfter: "" },
			validUntil,
			faults: [],
			warnings: [],
		},
		identity: { names: [], subject: "", issuer: "", fingerprint: "", notAfter: validUntil, validUntil },
	};
}

function bad(): CertificateJudgement {
	const { verdict } = good(0);
	return { ok: false, verdict: { ...verdict, ok: false } };
}

/** How often the judge was asked, for a sequence of questions. */
function createCase(judgement: () => CertificateJudgement) {
	const recent = new RecentJudgements();
	let asked = 0;
	return {
		get asked() {
			return asked;
		},
		ask(now: number, presented = present("leaf", "authority"), question = expectation) {
			return recent.recall(presented, question, now, () => {
				asked += 1;
				return judgement();
			});
		},
	};
}

test("the same certificates and the same question within a second are judged once", () => {
	const one = createCase(() => good(1e12));
	const first = one.ask(1_000);
	assert.equal(one.ask(1_999), first);
	assert.equal(one.asked, 1);
});

test("REQ-90: after a second dates and revocation count anew; the end of the certificate counts at once", () => {
	const one = createCase(() => good(10_500));
	one.ask(10_000);
	one.ask(10_499);
	assert.equal(one.asked, 1);
	one.ask(10_500);
	assert.equal(one.asked, 2);
	const other = createCase(() => good(1e12));
	other.ask(10_000);
	other.ask(11_000);
	assert.equal(other.asked, 2);
});

test("a calendar that is set back makes no judgement of before hold", () => {
	const one = createCase(() => good(1e12));
	one.ask(10_000);
	one.ask(9_999);
	assert.equal(one.asked, 2);
});

test("another certificate, another order of them, another question: each is judged", () => {
	const one = createCase(() => good(1e12));
	one.ask(1_000);
	one.ask(1_000, present("authority", "leaf"));
	one.ask(1_000, present("leafauthority"));
	one.ask(1_000, present("other", "authority"));
	one.ask(1_000, present("leaf", "authority"), { ...expectation, names: ["sip.contoso.example"] });
	one.ask(1_000, present("leaf", "authority"), { ...expectation, role: "dialled" });
	one.ask(1_000, present("leaf", "authority"), { ...expectation, trust: ["other-ca.pem"] });
	one.ask(1_000, present("leaf", "authority"), { ...expectation, cnFallback: true });
	one.ask(1_000, present("leaf", "authority"), { ...expectation, wildcard: true });
	one.ask(1_000, present("leaf", "authority"), { ...expectation, domains: ["fabrikam.example"] });
	assert.equal(one.asked, 10);
});

test("a refusal is not remembered", () => {
	const one = createCase(bad);
	one.ask(1_000);
	one.ask(1_000);
	assert.equal(one.asked, 2);
});

test("what is remembered has a bound", () => {
	const one = createCase(() => good(1e12));
	for (let count = 0; count <= 1_000; count += 1) one.ask(1_000, present(`leaf ${count}`));
	one.ask(1_000, present("leaf 1000"));
	assert.equal(one.asked, 1_001);
	one.ask(1_000, present("leaf 0"));
	assert.equal(one.asked, 1_002);
});

test("what is remembered of one chain has a bound, and other chains lose nothing by it", () => {
	const one = createCase(() => good(1e12));
	one.ask(1_000, present("other"));
	for (let count = 0; count <= 16; count += 1) {
		one.ask(1_000, present("leaf"), { ...expectation, names: [`sip${count}.contoso.example`] });
	}
	one.ask(1_000, present("leaf"), { ...expectation, names: ["sip16.contoso.example"] });
	one.ask(1_000, present("other"));
	assert.equal(one.asked, 18);
	one.ask(1_000, present("leaf"), { ...expectation, names: ["sip0.contoso.example"] });
	assert.equal(one.asked, 19);
});

test("certificates of any length are told apart, also where they are kept by their hash", () => {
	const one = createCase(() => good(1e12));
	const long = "x".repeat(2_000);
	for (let round = 0; round < 2; round += 1) {
		for (const chain of [[`${long}a`], [`${long}b`], [`${long}a`, "leaf"], [`${long}a`, `${long}b`]]) {
			one.ask(1_000, present(...chain));
		}
	}
	assert.equal(one.asked, 4);
});
