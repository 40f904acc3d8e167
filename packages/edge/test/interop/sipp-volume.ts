// Many messages in many sessions with SIPp behind stunnel, each way: what SIPp logged against what the API delivered.
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { type Causeway, startCauseway, type User } from "./harness/causeway.ts";
import { createLab, type Lab } from "./harness/lab.ts";
import { CONTOSO, NWTRADERS } from "./harness/names.ts";
import { createAuthority } from "./harness/pki.ts";
import { startScenario } from "./harness/sipp.ts";
import { startTunnel } from "./harness/stunnel.ts";
import { until } from "./harness/until.ts";

export interface Volume {
	readonly dialogs: number;
	readonly messagesPerDialog: number;
	readonly deadlineMs: number;
}

export interface VolumeResult {
	readonly messages: number;
	readonly elapsedMs: number;
}

const PEER = `[[peer]]
kind = "direct"
domains = ["${NWTRADERS.domain}"]
edge = "${NWTRADERS.edge}:${NWTRADERS.port}"
connect = "${NWTRADERS.address}:${NWTRADERS.port}"
`;
const CALLED = "alice@contoso.example";
const SUBMITTED_AT_ONCE = 16;

interface World {
	readonly lab: Lab;
	readonly causeway: Causeway;
	readonly alice: User;
	readonly issue: (name: string, names: readonly string[]) => ReturnType<ReturnType<typeof createAuthority>["issue"]>;
	readonly trust: string;
}

async function startWorld(context: TestContext): Promise<World> {
	const lab = createLab(context);
	const authority = createAuthority(lab, "authority");
	const causeway = await startCauseway(lab, {
		home: CONTOSO,
		credentials: authority.issue("contoso", { names: [CONTOSO.edge] }),
		trust: authority.certificate,
		config: PEER,
	});
	const alice = await causeway.createUser(CALLED, "Alice of Contoso");
	await alice.publish("available");
	return {
		lab,
		causeway,
		alice,
		issue: (name, names) => authority.issue(name, { names: [...names] }),
		trust: authority.certificate,
	};
}

function trader(number: number): string {
	return `trader${number}@${NWTRADERS.domain}`;
}

/** SIPp calls and writes; every text is in our user's history once, in its order. */
export async function receiveVolume(context: TestContext, volume: Volume): Promise<VolumeResult> {
	const { dialogs, messagesPerDialog, deadlineMs } = volume;
	const { lab, alice, issue, trust } = await startWorld(context);
	await startTunnel(lab, {
		name: "nwtraders-out",
		role: "client",
		accept: `${NWTRADERS.address}:15071`,
		connect: `${CONTOSO.address}:${CONTOSO.port}`,
		credentials: issue("nwtraders", [NWTRADERS.edge]),
		trust,
		serverName: CONTOSO.edge,
	});
	const startedAt = performance.now();
	const calling = await startScenario(lab, {
		name: "calling",
		file: lab.write("calling.xml", callingScenario(messagesPerDialog)),
		local: `${NWTRADERS.address}:15072`,
		remote: `${NWTRADERS.address}:15071`,
		calls: dialogs,
		callsPerSecond: 50,
		callsAtOnce: dialogs,
		keys: { fqdn: NWTRADERS.edge, domain: NWTRADERS.domain, called: CALLED },
		deadlineMs,
	});
	assert.deepEqual(await calling.finished(), { successfulCalls: dialogs, failedCalls: 0 });
	const elapsedMs = performance.now() - startedAt;

	const sent = new Map<string, string[]>();
	for (const { direction, method, body, headers } of calling.messages()) {
		if (direction !== "sent" || method !== "MESSAGE") continue;
		const from = /<sip:([^>]+)>/.exec(headers.find(([name]) => name.toLowerCase() === "from")?.[1] ?? "")?.[1] ?? "";
		sent.set(from, [...(sent.get(from) ?? []), body]);
	}
	const stored = await history(alice);
	assert.equal(sent.size, dialogs);
	for (const [from, bodies] of sent) {
		assert.equal(bodies.length, messagesPerDialog);
		assert.deepEqual(stored.get(from), bodies, from);
	}
	assert.equal(stored.size, dialogs);
	return { messages: dialogs * messagesPerDialog, elapsedMs };
}

/** Our user writes; SIPp logged every text once, in its order, and each is known as delivered. */
export async function sendVolume(context: TestContext, volume: Volume): Promise<VolumeResult> {
	const { dialogs, messagesPerDialog, deadlineMs } = volume;
	const { lab, alice, issue, trust } = await startWorld(context);
	await startTunnel(lab, {
		name: "nwtraders-in",
		role: "server",
		accept: `${NWTRADERS.address}:${NWTRADERS.port}`,
		connect: `${NWTRADERS.address}:15090`,
		credentials: issue("nwtraders", [NWTRADERS.edge]),
		trust,
		clientName: CONTOSO.edge,
	});
	const called = await startScenario(lab, {
		name: "called",
		file: lab.write("called.xml", calledScenario(messagesPerDialog)),
		local: `${NWTRADERS.address}:15090`,
		calls: dialogs,
		callsAtOnce: dialogs,
		keys: { fqdn: NWTRADERS.edge },
		deadlineMs,
	});
	const startedAt = performance.now();
	// One submission of a recipient at a time, so that the order of acceptance is that of the numbers.
	const recipients = Array.from({ length: dialogs }, (_, index) => trader(index + 1));
	const waiting = [...recipients];
	const submit = async (): Promise<void> => {
		for (let to = waiting.shift(); to !== undefined; to = waiting.shift()) {
			for (let number = 1; number <= messagesPerDialog; number += 1) await alice.send(to, `${number} for ${to}`);
		}
	};
	await Promise.all(Array.from({ length: SUBMITTED_AT_ONCE }, submit));
	assert.deepEqual(await called.finished(), { successfulCalls: dialogs, failedCalls: 0 });
	const elapsedMs = performance.now() - startedAt;

	const received = new Map<string, string[]>();
	for (const { direction, method, body, headers } of called.messages()) {
		if (direction !== "received" || method !== "MESSAGE") continue;
		const to = /<sip:([^>]+)>/.exec(headers.find(([name]) => name.toLowerCase() === "to")?.[1] ?? "")?.[1] ?? "";
		received.set(to, [...(received.get(to) ?? []), body]);
	}
	for (const to of recipients) {
		const texts = Array.from({ length: messagesPerDialog }, (_, index) => `${index + 1} for ${to}`);
		assert.deepEqual(received.get(to), texts, to);
	}
	assert.equal(received.size, dialogs);
	await until(async () => ((await alice.history()).every(({ fate }) => fate === "delivered") ? true : undefined), {
		what: "every message is known as delivered",
		deadlineMs: 60_000,
	});
	return { messages: dialogs * messagesPerDialog, elapsedMs };
}

/** Texts that came in, by sender, in the order of the store. */
async function history(user: User): Promise<ReadonlyMap<string, readonly string[]>> {
	const bySender = new Map<string, string[]>();
	for (const message of await user.history()) {
		assert.deepEqual([message.direction, message.fate], ["in", "received"]);
		const texts = bySender.get(message.with) ?? [];
		texts.push(message.text);
		bySender.set(message.with, texts);
	}
	return bySender;
}

const SDP = "v=0\no=- 1 1 IN IP4 [fqdn]\ns=session\nc=IN IP4 [fqdn]\nt=0 0\nm=message 5060 sip/tcp *\n";
const CALLER = "From: <sip:trader[call_number]@[domain]>;tag=[pid]c[call_number]";

function send(text: string): string {
	return `<send>\n<![CDATA[\n${text}]]>\n</send>\n`;
}

function callingScenario(messages: number): string {
	const inDialog = (method: string, cseq: number, more: string): string =>
		send(
			`${method} [next_url] SIP/2.0\nVia: SIP/2.0/TLS [fqdn]:5061;branch=[branch];alias\n[routes]\nMax-Forwards: 70\n${CALLER}\nTo:[$remote]\nCall-ID: [call_id]\nCSeq: ${cseq} ${method}\n${more}`,
		);
	const texts = Array.from(
		{ length: messages },
		(_, index) =>
			`${inDialog("MESSAGE", index + 2, `Content-Type: text/plain; charset=UTF-8\nContent-Length: [len]\n\n${index + 1} of trader[call_number]`)}<recv response="200"/>\n`,
	);
	return `<?xml version="1.0" encoding="utf-8"?>
<scenario name="many messages, calling">
${send(`INVITE sip:[called] SIP/2.0\nVia: SIP/2.0/TLS [fqdn]:5061;branch=[branch];alias\nMax-Forwards: 70\n${CALLER}\nTo: <sip:[called]>\nCall-ID: [call_id]\nCSeq: 1 INVITE\nContact: <sip:trader[call_number]@[fqdn]:5061;transport=tls>\nMs-asserted-verification-level: ms-source-verification-level=verified\nContent-Type: application/sdp\nContent-Length: [len]\n\n${SDP}`)}
<recv response="100" optional="true"/>
<recv response="200" rrs="true"><action><ereg regexp=".*" search_in="hdr" header="To:" assign_to="remote"/></action></recv>
${inDialog("ACK", 1, "Content-Length: 0\n\n")}
${texts.join("")}
${inDialog("BYE", messages + 2, "Content-Length: 0\n\n")}
<recv response="200"/>
</scenario>
`;
}

function calledScenario(messages: number): string {
	const answer = send(
		"SIP/2.0 200 OK\n[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\nContent-Length: 0\n\n",
	);
	return `<?xml version="1.0" encoding="utf-8"?>
<scenario name="many messages, called">
<recv request="INVITE" rrs="true"><action>
<ereg regexp=".*" search_in="hdr" header="From:" assign_to="caller"/>
<ereg regexp=".*" search_in="hdr" header="To:" assign_to="called"/>
</action></recv>
${send(`SIP/2.0 200 OK\n[last_Via:]\n[last_Record-Route:]\n[last_From:]\n[last_To:];tag=[pid]u[call_number]\n[last_Call-ID:]\n[last_CSeq:]\nContact: <sip:[fqdn]:5061;transport=tls>\nContent-Type: application/sdp\nContent-Length: [len]\n\n${SDP}`)}
<recv request="ACK"/>
${`<recv request="MESSAGE"/>\n${answer}`.repeat(messages)}
${send("BYE [next_url] SIP/2.0\nVia: SIP/2.0/TLS [fqdn]:5061;branch=[branch];alias\n[routes]\nMax-Forwards: 70\nFrom:[$called];tag=[pid]u[call_number]\nTo:[$caller]\nCall-ID: [call_id]\nCSeq: 1 BYE\nContent-Length: 0\n\n")}
<recv response="200"/>
</scenario>
`;
}
