/** The two runs of the crash test: our user writes while the edge is killed, and the partner does (promise 1, promise 5). */
import { setTimeout as delay } from "node:timers/promises";
import { isFinalFate, type Message } from "@causeway/admin";
import { ALICE, type CrashWorld, openCrashWorld } from "./crash-world.ts";

export interface CrashPlan {
	/** Kills in each phase. */
	readonly perPhase: number;
	/** Kills at moments that nobody chose. */
	readonly atRandom: number;
	readonly log?: (text: string) => void;
}

export interface CrashReport {
	readonly kills: number;
	/** Messages submitted, or sent by the partner. */
	readonly messages: number;
	/** Final fate → how many; for the partner's messages `accepted` and `not answered`. */
	readonly fates: Readonly<Record<string, number>>;
	/** `unknown` ones that the partner had received. */
	readonly unknownReceived: number;
	/** What broke a promise, in words; empty where nothing did. */
	readonly broken: readonly string[];
}

const RECIPIENTS = ["lena", "ben", "mia", "tom"].map((name) => `${name}@fabrikam.example`);
const LONGEST_MOMENT_MS = 400;
const SETTLE_LIMIT_MS = 120_000;

/** What our user writes, with an id of its own for each text; a submission that was not answered is made again with its key. */
class Submissions {
	readonly #world: CrashWorld;
	readonly #ids = new Map<string, { readonly to: string; id: string | undefined }>();
	#last = 0;

	constructor(world: CrashWorld) {
		this.#world = world;
	}

	get size(): number {
		return this.#ids.size;
	}

	/** Texts of one recipient, in the order in which they were accepted. */
	of(to: string): readonly { readonly text: string; readonly id: string }[] {
		return [...this.#ids].flatMap(([text, entry]) =>
			entry.to === to && entry.id !== undefined ? [{ text, id: entry.id }] : [],
		);
	}

	next(): { readonly text: string; readonly to: string } {
		this.#last += 1;
		const to = RECIPIENTS[this.#last % RECIPIENTS.length] ?? "";
		const text = `out-${this.#last}`;
		this.#ids.set(text, { to, id: undefined });
		return { text, to };
	}

	/** True where it was accepted. */
	async submit(text: string, to: string): Promise<boolean> {
		try {
			const { id } = await this.#world.alice.call("submitMessage", {
				body: { to, text },
				headers: { "idempotency-key": text },
			});
			const entry = this.#ids.get(text);
			if (entry !== undefined) entry.id = id;
			return true;
		} catch {
			return false;
		}
	}

	async again(): Promise<void> {
		for (const [text, { to, id }] of this.#ids) if (id === undefined) await this.submit(text, to);
	}
}

/** Our user submits; the edge is killed before it stored, when it stored, when it sent, when it was answered, and at random. */
export async function runOutgoing(plan: CrashPlan): Promise<CrashReport> {
	const world = await openCrashWorld();
	try {
		const submissions = new Submissions(world);
		const restart = async (): Promise<void> => {
			await world.restart();
			await submissions.again();
			plan.log?.(`outgoing: ${world.kills} kills, ${submissions.size} messages`);
		};
		for (let round = 0; round < plan.perPhase; round += 1) {
			// Before it is stored: the request is on its way.
			const early = submissions.next();
			const pending = submissions.submit(early.text, early.to);
			world.kill();
			await pending;
			await restart();
			// Stored: the 202 is here.
			const stored = submissions.next();
			await submissions.submit(stored.text, stored.to);
			world.kill();
			await restart();
			// Sent: the partner has it, and does not answer.
			world.tell({ kind: "answers", answers: false });
			await submitUntil(world, submissions, "received");
			world.kill();
			world.tell({ kind: "answers", answers: true });
			await restart();
			// Answered: what the answer said is perhaps not recorded.
			await submitUntil(world, submissions, "answered");
			world.kill();
			await restart();
		}
		for (let round = 0; round < plan.atRandom; round += 1) {
			let isUp = true;
			const flow = Array.from({ length: 4 }, async () => {
				while (isUp) {
					const { text, to } = submissions.next();
					if (!(await submissions.submit(text, to))) return;
				}
			});
			await delay(Math.random() * LONGEST_MOMENT_MS);
			world.kill();
			isUp = false;
			await Promise.all(flow);
			await restart();
		}
		return await judgeOutgoing(world, submissions);
	} finally {
		await world.close();
	}
}

/** Submits until the partner says this of a message. One whose way could not be found in time has failed: that is an end too. */
async function submitUntil(world: CrashWorld, submissions: Submissions, kind: "received" | "answered"): Promise<void> {
	for (;;) {
		const { text, to } = submissions.next();
		const said = world
			.note(kind, world.notes.length, (note) => note.text === text)
			.then(
				() => true,
				() => false,
			);
		if (!(await submissions.submit(text, to))) continue;
		const id = submissions.of(to).find((one) => one.text === text)?.id ?? "";
		for (;;) {
			if (await Promise.race([said, delay(250, undefined)])) return;
			if ((await world.alice.call("getMessage", { params: { id } })).fate === "failed") break;
		}
	}
}

async function judgeOutgoing(world: CrashWorld, submissions: Submissions): Promise<CrashReport> {
	await submissions.again();
	const broken: string[] = [];
	const fates: Record<string, number> = {};
	let unknownReceived = 0;
	const histories = await Promise.all(RECIPIENTS.map((to) => settledHistory(world, to)));
	const received = new Map<string, number>();
	for (const note of world.notes) {
		if (note.kind === "received") received.set(note.text, (received.get(note.text) ?? 0) + 1);
	}
	for (const [index, to] of RECIPIENTS.entries()) {
		const accepted = submissions.of(to);
		const history = histories[index] ?? [];
		const known = new Map(history.map((message) => [message.id, message]));
		for (const { text, id } of accepted) {
			const message = known.get(id);
			const count = received.get(text) ?? 0;
			if (message === undefined) {
				broken.push(`${text} was accepted and is gone`);
				continue;
			}
			fates[message.fate] = (fates[message.fate] ?? 0) + 1;
			if (!isFinalFate(message.fate)) broken.push(`${text} is still ${message.fate}`);
			if (count > 1) broken.push(`${text} was received ${count} times`);
			if (message.fate === "delivered" && count !== 1)
				broken.push(`${text} is delivered and was received ${count} times`);
			if (message.fate === "failed" && count !== 0) broken.push(`${text} has failed and was received`);
			if (message.fate === "unknown" && count === 1) unknownReceived += 1;
		}
		if (history.length !== accepted.length) {
			broken.push(`${to} has ${history.length} messages in the store, and ${accepted.length} were accepted`);
		}
		const inOrder = history.map(({ text }) => text).filter((text) => received.has(text));
		const asReceived = world.notes.flatMap((note) =>
			note.kind === "received" && note.to.includes(to) ? [note.text] : [],
		);
		if (inOrder.join() !== asReceived.join()) broken.push(`${to} received in another order than the store has`);
	}
	// One message of each recipient may be on its way at a kill.
	const most = world.kills * RECIPIENTS.length;
	if ((fates["unknown"] ?? 0) > most)
		broken.push(`${fates["unknown"]} are unknown, and ${most} can have been under way`);
	return { kills: world.kills, messages: submissions.size, fates, unknownReceived, broken };
}

/** All messages of Alice with somebody, once each has its final fate. */
async function settledHistory(world: CrashWorld, other: string): Promise<readonly Message[]> {
	const end = performance.now() + SETTLE_LIMIT_MS;
	for (;;) {
		const history = await readHistory(world, other);
		if (history.every(({ direction, fate }) => direction === "in" || isFinalFate(fate))) return history;
		if (performance.now() > end) return history;
		await delay(100);
	}
}

async function readHistory(world: CrashWorld, other: string): Promise<readonly Message[]> {
	const all: Message[] = [];
	for (let after: string | undefined; ; ) {
		const query = { with: other, limit: 500, ...(after === undefined ? {} : { after }) };
		const { messages, next } = await world.alice.call("listMessages", { query });
		all.push(...messages);
		if (next === undefined) return all;
		after = next;
	}
}

/** The partner writes; the edge is killed when a MESSAGE has left it, when it was answered, and at random. */
export async function runIncoming(plan: CrashPlan): Promise<CrashReport> {
	const world = await openCrashWorld();
	const write = (): void => world.tell({ kind: "write", port: world.port, callers: RECIPIENTS, to: ALICE });
	const restart = async (): Promise<void> => {
		await world.restart();
		plan.log?.(`incoming: ${world.kills} kills`);
	};
	try {
		for (let round = 0; round < plan.perPhase; round += 1) {
			for (const phase of ["sent", "accepted"] as const) {
				const before = world.notes.length;
				write();
				await world.note(phase, before);
				world.kill();
				await restart();
			}
		}
		for (let round = 0; round < plan.atRandom; round += 1) {
			write();
			await delay(Math.random() * LONGEST_MOMENT_MS);
			world.kill();
			await restart();
		}
		// And once to the end, so that the last start is seen to serve.
		const before = world.notes.length;
		write();
		await world.note("accepted", before);
		world.tell({ kind: "pause" });
		await world.note("rests", world.notes.length);
		return await judgeIncoming(world);
	} finally {
		await world.close();
	}
}

async function judgeIncoming(world: CrashWorld): Promise<CrashReport> {
	const broken: string[] = [];
	const accepted = new Set(world.notes.flatMap((note) => (note.kind === "accepted" ? [note.text] : [])));
	const sent = world.notes.flatMap((note) => (note.kind === "sent" ? [note] : []));
	let unanswered = 0;
	for (const from of RECIPIENTS) {
		const texts = (await readHistory(world, from)).map(({ text }) => text);
		const counts = new Map<string, number>();
		for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
		const own = sent.filter((note) => note.from === from).map(({ text }) => text);
		for (const text of own) {
			const count = counts.get(text) ?? 0;
			if (accepted.has(text) && count !== 1) broken.push(`${text} was accepted and is stored ${count} times`);
			if (count > 1) broken.push(`${text} is stored ${count} times`);
			if (!accepted.has(text)) unanswered += 1;
		}
		if (texts.some((text) => !own.includes(text))) broken.push(`a text is stored that ${from} never sent`);
		if (own.filter((text) => counts.has(text)).join() !== texts.join()) {
			broken.push(`what ${from} sent is stored in another order`);
		}
	}
	return {
		kills: world.kills,
		messages: sent.length,
		fates: { accepted: accepted.size, "not answered": unanswered },
		unknownReceived: 0,
		broken,
	};
}
