/** What a partner's edge answers: that it takes our certificate, that it takes our domains, and what its clock says. */
import { type Hop, parseSdp, readCapabilities, type SipResponse } from "@causeway/sip";
import type { Config } from "../config/schema.ts";
import { type Finding, fault, ok, warning } from "./finding.ts";
import { answeredAt, type OptionsProbe, type ProbeOutcome } from "./options-probe.ts";

export interface AnswersInput {
	readonly hop: Hop;
	/** How the finding calls the other end. */
	readonly place: string;
	readonly domain: string;
	readonly config: Config;
	/** Milliseconds since 1970. */
	readonly wall: () => number;
}

/** Certificates and signatures bear no more; between machines with NTP the difference is below a second. */
const MOST_SKEW_MS = 120_000;
/** The user part of addresses that nobody has: OPTIONS says nothing about a user, whether or not there is one. */
const NOBODY = "federation-check";

export async function checkAnswers(probe: OptionsProbe, input: AnswersInput): Promise<readonly Finding[]> {
	const { config, domain, hop, wall } = input;
	const asked = await probe.ask(`sip:${config.edge.fqdn}`, `sip:${hop.serverName}`);
	const findings = [explainEdgeAnswer(asked, input)];
	if (asked.kind !== "answered") return findings;
	findings.push(...checkClock(asked.response, wall()));
	for (const { name } of config.domain) {
		const answer = await probe.ask(`sip:${NOBODY}@${name}`, `sip:${NOBODY}@${domain}`);
		findings.push(explainDomainAnswer(answer, name, input));
	}
	return findings;
}

function explainEdgeAnswer(outcome: ProbeOutcome, { config, place }: AnswersInput): Finding {
	switch (outcome.kind) {
		case "answered":
			return ok("options", place, `answers OPTIONS with ${outcome.status} ${outcome.reasonPhrase}`);
		case "closed":
			return fault(
				"options",
				place,
				`${place} closed the connection before it answered: it does not take our certificate`,
				{
					whose: "either",
					remedy: `their log names the reason; they must trust our authority and have ${config.edge.fqdn} as a partner's edge`,
					mend: ["causeway peer invite   # prints what they need"],
					details: [`the end of the connection: ${outcome.reason}`],
				},
			);
		case "silent":
			return fault("options", place, `${place} took the connection and does not answer`, {
				whose: "partner",
				remedy: "they look at their edge: the handshake went through, and a request gets no answer",
			});
	}
}

function explainDomainAnswer(outcome: ProbeOutcome, ours: string, { config, domain, place }: AnswersInput): Finding {
	const subject = `${ours} to ${domain}`;
	if (outcome.kind !== "answered") {
		const what = outcome.kind === "silent" ? "no answer" : `the connection ended: ${outcome.reason}`;
		return fault("admission", subject, `${place} did not answer a request from ${ours} (${what})`, {
			whose: "partner",
			remedy: "their log names the reason",
		});
	}
	const { status, reasonPhrase, response } = outcome;
	if (status >= 200 && status < 300) {
		return takesMessages(response)
			? ok("admission", subject, "requests are taken, and so are message sessions")
			: warning("admission", subject, `${place} takes requests, and does not say that it takes message sessions`, {
					whose: "partner",
					remedy:
						"messages may be refused there: they offer `m=message` in their answer to OPTIONS where they take them",
				});
	}
	if (status === 404) {
		return fault("admission", subject, `${place} answers 404: it does not serve ${domain}`, {
			whose: "partner",
			remedy: `they serve ${domain} on that edge, or correct the record that leads there`,
		});
	}
	if (status === 403) {
		return fault("admission", subject, `${place} refuses requests from ${ours} (403)`, {
			whose: "either",
			remedy: `they allow ${ours} with the edge ${config.edge.fqdn}; where they find us by DNS, our SRV record must point to that name`,
			mend: ["causeway peer invite   # prints what they need"],
		});
	}
	return warning("admission", subject, `${place} answers ${status} ${reasonPhrase} to a request from ${ours}`, {
		whose: "partner",
		remedy: "their log names the reason; the connection itself is good",
	});
}

function takesMessages(response: SipResponse): boolean {
	const body = parseSdp(response.body);
	return body.ok && readCapabilities(body.value).kind !== "none";
}

function checkClock(response: SipResponse, now: number): readonly Finding[] {
	const theirs = answeredAt(response);
	if (theirs === undefined) return [];
	const skewMs = Math.abs(theirs - now);
	if (skewMs <= MOST_SKEW_MS) return [ok("clock", "both sides", "the clocks agree")];
	const text = `the clocks differ by ${describeSpan(skewMs)}: here it is ${instant(now)}, there ${instant(theirs)}`;
	return [
		fault("clock", "both sides", text, {
			whose: "either",
			remedy: "set the one that is wrong: certificates and signatures are judged by it",
			mend: ["date -u", "timedatectl set-ntp true"],
		}),
	];
}

function describeSpan(ms: number): string {
	const minutes = Math.round(ms / 60_000);
	if (minutes < 120) return `${minutes} minutes`;
	const hours = Math.round(minutes / 60);
	return hours < 48 ? `${hours} hours` : `${Math.round(hours / 24)} days`;
}

function instant(ms: number): string {
	return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
