/** REQ-48, REQ-59, REQ-60 with four connections open: each dialog's messages at the socket that it began on, in both directions. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { SipRequest } from "@causeway/sip";
import { until } from "./trust-world.ts";
import {
	formatAnswer,
	formatRequest,
	type Link,
	MESSAGE_LINE,
	sdp,
	startWireWorld,
	type WireWorld,
} from "./wire-world.ts";

const LENA = "lena@fabrikam.example";

async function openFour(world: WireWorld): Promise<readonly Link[]> {
	const links = [await world.connect(), await world.connect(), await world.connect(), await world.connect()];
	await until("four connections", async () => {
		const { connections } = await world.admin.call("listConnections");
		return connections.length === 4 ? true : undefined;
	});
	return links;
}

/** Nothing waits on any of these connections: what comes next on each is the answer to what is asked now. */
async function assertSilent(links: readonly Link[]): Promise<void> {
	for (const link of links) {
		link.write(formatRequest({ method: "OPTIONS" }));
		const message = await link.next();
		assert.equal(message.kind === "response" && message.cseq.method, "OPTIONS");
	}
}

async function statusOf(link: Link, request: string): Promise<number> {
	link.write(request);
	for (;;) {
		const { statusCode } = await link.response();
		if (statusCode >= 200) return statusCode;
	}
}

/** The partner's end of the connection that a dialog of this kind lives on. */
async function linkOf(world: WireWorld, links: readonly Link[], usage: "invite" | "subscribe"): Promise<Link> {
	const id = await until(`the ${usage} dialog`, async () => {
		const { dialogs } = await world.admin.call("listDialogs");
		return dialogs.find((dialog) => dialog.usage === usage)?.connection;
	});
	const { connections } = await world.admin.call("listConnections");
	const remote = connections.find((connection) => connection.id === id)?.remote_address ?? "";
	const link = links.find(({ localPort }) => remote.endsWith(`:${localPort}`));
	assert.ok(link, `no connection ${remote}`);
	return link;
}

function others(links: readonly Link[], own: Link): readonly Link[] {
	return links.filter((link) => link !== own);
}

function first(links: readonly Link[]): Link {
	const [link] = links;
	assert.ok(link);
	return link;
}

test("REQ-48: a session that the partner began: INVITE, re-INVITE, MESSAGE and BYE both ways on one of four connections", async (context) => {
	const world = await startWireWorld(context);
	const alice = await world.createUser("alice@contoso.example", "Alice");
	const links = await openFour(world);
	const own = links[2] as Link;
	const stray = links[0] as Link;
	own.write(formatRequest({ method: "INVITE", callId: "a1", body: sdp(MESSAGE_LINE) }));
	let answer = await own.response();
	while (answer.statusCode < 200) answer = await own.response();
	assert.equal(answer.statusCode, 200);
	const toTag = answer.to.tag ?? "";
	const inDialog = (method: string, cseq: number, parts = {}): string =>
		formatRequest({ method, callId: "a1", toTag, cseq, ...parts });
	own.write(inDialog("ACK", 1));
	const text = { body: "hello", contentType: "text/plain" };
	assert.equal(await statusOf(own, inDialog("MESSAGE", 2, text)), 202);
	assert.equal(await statusOf(stray, inDialog("MESSAGE", 3, text)), 481);
	assert.equal(await statusOf(stray, inDialog("INVITE", 3, { body: sdp(MESSAGE_LINE) })), 481);
	stray.write(inDialog("ACK", 3));
	assert.equal(await statusOf(stray, inDialog("BYE", 3)), 481);
	assert.equal(await statusOf(own, inDialog("INVITE", 3, { body: sdp(MESSAGE_LINE) })), 200);
	own.write(inDialog("ACK", 3));

	await alice.client.call("submitMessage", { body: { to: LENA, text: "and back" } });
	const message = await own.request();
	assert.equal(message.method, "MESSAGE");
	own.write(formatAnswer(message, "200 OK"));
	await alice.event("fate", ({ fate }) => fate === "delivered");
	await alice.client.call("endConversation", { params: { aor: LENA } });
	const bye = await own.request();
	assert.equal(bye.method, "BYE");
	own.write(formatAnswer(bye, "200 OK"));
	await assertSilent(links);
});

test("REQ-48: a session that our user began: INVITE, ACK, MESSAGE both ways and BYE on one of four connections", async (context) => {
	const world = await startWireWorld(context);
	const alice = await world.createUser("alice@contoso.example", "Alice");
	const links = await openFour(world);
	await alice.client.call("submitMessage", { body: { to: LENA, text: "one" } });
	// No dialog is listed before the answer: the connection that has the request is the one with a request out.
	const port = await until("the INVITE", async () => {
		const { connections } = await world.admin.call("listConnections");
		return connections.find(({ requests_out }) => requests_out === 1)?.remote_address;
	});
	const own = links.find(({ localPort }) => port.endsWith(`:${localPort}`));
	assert.ok(own);
	const invite = await own.request();
	assert.equal(invite.method, "INVITE");
	own.write(formatAnswer(invite, "200 OK", { toTag: "t1", body: sdp(MESSAGE_LINE) }));
	assert.equal((await own.request()).method, "ACK");
	const message = await own.request();
	assert.equal(message.method, "MESSAGE");
	own.write(formatAnswer(message, "200 OK"));
	await alice.event("fate", ({ fate }) => fate === "delivered");
	const back = (cseq: number): string =>
		formatRequest({
			method: "MESSAGE",
			callId: invite.callId,
			fromTag: "t1",
			toTag: invite.from.tag ?? "",
			cseq,
			body: "two",
			contentType: "text/plain",
		});
	const stray = first(others(links, own));
	assert.equal(await statusOf(stray, back(1)), 481);
	assert.ok([200, 202].includes(await statusOf(own, back(1))));
	await alice.client.call("endConversation", { params: { aor: LENA } });
	const bye = await own.request();
	assert.equal(bye.method, "BYE");
	own.write(formatAnswer(bye, "200 OK"));
	await assertSilent(links);
});

test("REQ-48: a subscription of the partner: its NOTIFYs and refreshes on one of four connections", async (context) => {
	const world = await startWireWorld(context);
	await world.createUser("alice@contoso.example", "Alice");
	const links = await openFour(world);
	const own = links[1] as Link;
	const subscribe = (cseq: number, toTag?: string): string =>
		formatRequest({
			method: "SUBSCRIBE",
			callId: "s1",
			cseq,
			headers: ["Event: presence", "Expires: 3600"],
			...(toTag === undefined ? {} : { toTag }),
		});
	own.write(subscribe(1));
	const accepted = await own.response();
	assert.equal(accepted.statusCode, 200);
	const toTag = accepted.to.tag ?? "";
	const notify = async (): Promise<void> => {
		const request = await own.request();
		assert.equal(request.method, "NOTIFY");
		own.write(formatAnswer(request, "200 OK"));
	};
	await notify();
	assert.equal(await statusOf(links[3] as Link, subscribe(2, toTag)), 481);
	assert.equal(await statusOf(own, subscribe(2, toTag)), 200);
	await notify();
	await assertSilent(links);
});

test("REQ-48: a subscription of our user: the partner's NOTIFY and our own SUBSCRIBEs on one of four connections", async (context) => {
	const world = await startWireWorld(context);
	const alice = await world.createUser("alice@contoso.example", "Alice");
	const links = await openFour(world);
	await alice.client.call("putContact", { params: { aor: LENA }, body: {} });
	const port = await until("the SUBSCRIBE", async () => {
		const { connections } = await world.admin.call("listConnections");
		return connections.find(({ requests_out }) => requests_out === 1)?.remote_address;
	});
	const own = links.find(({ localPort }) => port.endsWith(`:${localPort}`));
	assert.ok(own);
	const subscribe: SipRequest = await own.request();
	own.write(formatAnswer(subscribe, "200 OK", { toTag: "n1", headers: ["Expires: 3600"] }));
	const notify = (cseq: number): string =>
		formatRequest({
			method: "NOTIFY",
			callId: subscribe.callId,
			fromTag: "n1",
			toTag: subscribe.from.tag ?? "",
			cseq,
			headers: ["Event: presence", "Subscription-State: active;expires=3600"],
		});
	assert.equal(await statusOf(own, notify(1)), 200);
	assert.equal(await linkOf(world, links, "subscribe"), own);
	assert.equal(await statusOf(first(others(links, own)), notify(2)), 481);
	assert.equal(await statusOf(own, notify(2)), 200);
	await alice.client.call("deleteContact", { params: { aor: LENA } });
	const end = await own.request();
	assert.equal(end.method, "SUBSCRIBE");
	own.write(formatAnswer(end, "200 OK", { headers: ["Expires: 0"] }));
	await assertSilent(links);
});

test("REQ-59, REQ-60: a response whose connection is gone is dropped and counted, and nothing is dialled for it", async (context) => {
	const world = await startWireWorld(context);
	await world.createUser("alice@contoso.example", "Alice");
	const dropped = async (): Promise<number> => {
		const text = await (await fetch(`${world.edge.httpUrl}/metrics`)).text();
		return Number(/^causeway_responses_dropped (\d+)$/m.exec(text)?.[1]);
	};
	const before = await dropped();
	let attempts = 0;
	// The answer waits for the disk, the end of the connection does not: mostly the first attempt is enough.
	await until("a dropped response", async () => {
		attempts += 1;
		const link = await world.connect();
		const callId = `gone${attempts}`;
		link.write(formatRequest({ method: "INVITE", callId, body: sdp(MESSAGE_LINE) }));
		let answer = await link.response();
		while (answer.statusCode < 200) answer = await link.response();
		const toTag = answer.to.tag ?? "";
		link.write(formatRequest({ method: "ACK", callId, toTag }));
		const text = { body: "then gone", contentType: "text/plain" };
		link.write(formatRequest({ method: "MESSAGE", callId, toTag, cseq: 2, ...text }));
		// What is written leaves at the end of this turn.
		await setImmediate();
		link.destroy();
		await until("the end of the connection", async () => {
			const { connections } = await world.admin.call("listConnections");
			return connections.length === 0 ? true : undefined;
		});
		return (await dropped()) > before ? true : undefined;
	});
	assert.equal(await dropped(), before + 1);
	assert.equal(
		world.log.some(({ event, fields }) => event === "connection open" && fields["direction"] === "outbound"),
		false,
	);
	const { refused } = await world.admin.call("listRefusedConnections");
	assert.deepEqual(refused, [], "nor was it tried");
});
