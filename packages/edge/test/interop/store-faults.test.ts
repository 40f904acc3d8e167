// The disk is full, the store is held by another program: clear errors, nothing acknowledged that is not kept, and no restart.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { ApiError } from "@causeway/admin";
import { formatRequest, type Link, MESSAGE_LINE, sdp, startWireWorld } from "../wire/wire-world.ts";
import { enterPrivateNamespace } from "./harness/namespace.ts";
import { until } from "./harness/until.ts";

enterPrivateNamespace(import.meta.filename);

const BODY = "x".repeat(4_000);

/** An edge on a small disk of its own, Alice, and a partner with an open session; what each is told of one message. */
async function startOnSmallDisk(context: TestContext) {
	let data = "";
	const world = await startWireWorld(context, "", (folder) => {
		data = join(folder, "data");
		execFileSync("mkdir", [data]);
		execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m,mode=0700", "tmpfs", data]);
		// Before the world removes its folder; the edge keeps what it has open until it closes.
		context.after(() => execFileSync("umount", ["-l", data]));
	});
	const alice = await world.createUser("alice@contoso.example", "Alice");
	await alice.client.call("putPresence", { body: { state: "available" } });
	const carol = await world.createUser("carol@contoso.example", "Carol");
	const link = await world.connect();
	link.write(formatRequest({ method: "INVITE", callId: "c", body: sdp(MESSAGE_LINE) }));
	const toTag = (await finalResponse(link)).to.tag ?? "";
	link.write(formatRequest({ method: "ACK", callId: "c", toTag }));
	const kept = { received: 0, submitted: 0 };
	let cseq = 1;
	return {
		world,
		data,
		alice,
		kept,
		/** Status of the partner's MESSAGE. */
		async receive(): Promise<number> {
			cseq += 1;
			link.write(formatRequest({ method: "MESSAGE", callId: "c", toTag, cseq, body: BODY, contentType: "text/plain" }));
			const { statusCode } = await finalResponse(link, 30_000);
			if (statusCode < 300) kept.received += 1;
			return statusCode;
		},
		/** `accepted`, or the code of the problem. */
		async submit(): Promise<string> {
			try {
				await alice.client.call("submitMessage", { body: { to: carol.aor, text: BODY } });
				kept.submitted += 1;
				return "accepted";
			} catch (error) {
				if (error instanceof ApiError) return error.code;
				throw error;
			}
		},
		/** Everything that was acknowledged, as Alice reads it. */
		async stored() {
			let received = 0;
			let submitted = 0;
			for (let after: string | undefined; ; ) {
				const query = { limit: 500, ...(after === undefined ? {} : { after }) };
				const { messages, next } = await alice.client.call("listMessages", { query });
				for (const { direction } of messages) {
					if (direction === "in") received += 1;
					else submitted += 1;
				}
				if (next === undefined) return { received, submitted };
				after = next;
			}
		},
	};
}

async function finalResponse(link: Link, waitMs?: number) {
	let response = await link.response(waitMs);
	while (response.statusCode < 200) response = await link.response(waitMs);
	return response;
}

test("promise 1, disk full: messages are refused and nothing is lost; with room again the edge goes on by itself", async (context) => {
	const disk = await startOnSmallDisk(context);
	assert.deepEqual([await disk.receive(), await disk.submit()], [200, "accepted"]);
	const filler = join(disk.data, "filler");
	const { bavail, bsize } = statfsSync(disk.data);
	writeFileSync(filler, Buffer.alloc(bavail * bsize));

	let status = 200;
	for (let count = 0; status === 200 && count < 500; count += 1) status = await disk.receive();
	assert.equal(status, 500);
	assert.equal(await disk.submit(), "store-unavailable");
	const failure = disk.world.log.find(({ event }) => event === "store cannot write");
	assert.equal(failure?.fields["code"], "disk-full");
	assert.deepEqual(await disk.stored(), disk.kept);

	rmSync(filler);
	await until(async () => ((await disk.submit()) === "accepted" ? true : undefined), {
		what: "the store writes again",
		deadlineMs: 30_000,
	});
	assert.equal(await disk.receive(), 200);
	assert.ok(disk.world.log.some(({ event }) => event === "store writes again"));
	assert.deepEqual(await disk.stored(), disk.kept);
});

test("promise 1, store locked by another program: the same, and the edge waits for a while first", async (context) => {
	const disk = await startOnSmallDisk(context);
	assert.deepEqual([await disk.receive(), await disk.submit()], [200, "accepted"]);
	const other = new DatabaseSync(join(disk.data, "causeway.sqlite"));
	other.exec("BEGIN IMMEDIATE");
	const [status, problem] = await Promise.all([disk.receive(), disk.submit()]);
	assert.deepEqual([status, problem], [500, "store-unavailable"]);
	const failure = disk.world.log.find(({ event }) => event === "store cannot write");
	assert.equal(failure?.fields["code"], "locked");
	other.exec("ROLLBACK");
	other.close();
	await until(async () => ((await disk.submit()) === "accepted" ? true : undefined), {
		what: "the store writes again",
		deadlineMs: 30_000,
	});
	assert.equal(await disk.receive(), 200);
	assert.deepEqual(await disk.stored(), disk.kept);
});
