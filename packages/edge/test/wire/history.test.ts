/** What a user's programs read of messages, through the API of a whole edge. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startWireWorld } from "./wire-world.ts";

test("product 5: history is read forwards, backwards and from its end; conversations are listed, latest first", async (context) => {
	const world = await startWireWorld(context);
	const alice = await world.createUser("alice@contoso.example", "Alice");
	const names = ["bert@contoso.example", "carl@contoso.example"];
	for (const aor of names) await world.createUser(aor, aor);
	const [bert, carl] = names;
	assert(bert !== undefined && carl !== undefined);
	for (const [to, text] of [
		[bert, "1"],
		[carl, "2"],
		[bert, "3"],
		[bert, "x".repeat(300)],
	] as const) {
		const { id } = await alice.client.call("submitMessage", { body: { to, text } });
		await alice.event("fate", (event) => event.id === id && event.fate !== "sending");
	}
	const read = async (query: { with?: string; after?: string; before?: string; latest?: boolean; limit?: number }) => {
		const { messages, next, previous } = await alice.client.call("listMessages", { query });
		return { ids: messages.map(({ id }) => id), texts: messages.map(({ text }) => text.slice(0, 2)), next, previous };
	};
	const all = await read({});
	const [one, two, three, last] = all.ids;
	assert(one !== undefined && three !== undefined);
	assert.deepEqual(all, {
		ids: [one, two, three, last],
		texts: ["1", "2", "3", "xx"],
		next: undefined,
		previous: undefined,
	});
	assert.deepEqual(await read({ limit: 2 }), { ids: [one, two], texts: ["1", "2"], next: two, previous: undefined });
	assert.deepEqual((await read({ after: one, limit: 500 })).ids, [two, three, last]);
	assert.deepEqual(await read({ latest: true, with: bert, limit: 2 }), {
		ids: [three, last],
		texts: ["3", "xx"],
		next: undefined,
		previous: three,
	});
	assert.deepEqual(await read({ before: three, with: bert, limit: 2 }), {
		ids: [one],
		texts: ["1"],
		next: undefined,
		previous: undefined,
	});
	await assert.rejects(read({ before: three, latest: true }), { code: "validation-failed" });
	await assert.rejects(read({ before: three, after: one }), { code: "validation-failed" });

	const { conversations } = await alice.client.call("listConversations");
	assert.deepEqual(
		conversations.map(({ with: other, id, direction, preview }) => [other, id, direction, preview.length]),
		[
			[bert, last, "out", 200],
			[carl, two, "out", 1],
		],
	);
});
