import assert from "node:assert/strict";
import { test } from "node:test";
import { SimClock } from "@causeway/sip/testing";
import { type ContactIconLimits, ContactIcons } from "./contact-icons.ts";
import type { IconResult } from "./icon-fetch.ts";
import { OwnIcons } from "./own-icons.ts";
import { readPngIcon } from "./png.ts";
import { createPng } from "./testing.ts";

const URL_1 = "https://icons.fabrikam.example/net16.png";
const HOUR_MS = 3_600_000;
const log = { debug() {}, info() {}, warn() {}, error() {} };

function good(width = 16): IconResult {
	const read = readPngIcon(createPng({ width }));
	assert.ok(read.ok);
	return { ok: true, icon: read.value };
}

const refused: IconResult = { ok: false, code: "too-deep", reason: "The icon has too many bits.", isVerdict: true };
const unheard: IconResult = { ok: false, code: "timeout", reason: "It did not arrive.", isVerdict: false };

function createWorld(limits: Partial<ContactIconLimits> = {}) {
	const clock = new SimClock();
	const fetched: string[] = [];
	const changed: string[] = [];
	const answers: IconResult[] = [];
	const icons = new ContactIcons({
		clock,
		log,
		limits,
		fetch(url) {
			fetched.push(url);
			return Promise.resolve(answers.shift() ?? good());
		},
		changed: (url) => changed.push(url),
	});
	return { clock, icons, fetched, changed, answers };
}

const settle = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

test("protocol 5.4: an icon is fetched once a day for each URL, however many contacts show it, and has a path of ours", async () => {
	const { clock, icons, fetched, changed } = createWorld();
	for (let contact = 0; contact < 100; contact += 1) icons.want(URL_1, "fabrikam.example");
	assert.equal(icons.pathOf(URL_1), undefined, "nothing is shown before it was checked");
	await settle();
	assert.deepEqual(fetched, [URL_1]);
	assert.deepEqual(changed, [URL_1]);
	const path = icons.pathOf(URL_1) ?? "";
	assert.match(path, /^\/api\/v1\/icons\/[0-9a-f]{32}$/);
	assert.ok(icons.find(path.slice(path.lastIndexOf("/") + 1)));
	clock.advance(23 * HOUR_MS);
	icons.want(URL_1, "fabrikam.example");
	clock.advance(HOUR_MS);
	icons.want(URL_1, "fabrikam.example");
	await settle();
	assert.equal(fetched.length, 2);
	assert.deepEqual(changed, [URL_1], "the same icon is no change");
});

test("an icon that is refused is not shown any more; one that cannot be fetched again stays", async () => {
	const { clock, icons, changed, answers } = createWorld();
	answers.push(good(), unheard, refused);
	const wantAgain = async (): Promise<void> => {
		clock.advance(25 * HOUR_MS);
		icons.want(URL_1, "fabrikam.example");
		await settle();
	};
	await wantAgain();
	await wantAgain();
	assert.ok(icons.pathOf(URL_1) !== undefined);
	await wantAgain();
	assert.equal(icons.pathOf(URL_1), undefined);
	assert.equal(changed.length, 2);
});

test("protocol 5.4: a domain that gives each user an address of its own gets eight of them fetched, and no more that day", async () => {
	const { clock, icons, fetched } = createWorld();
	const wantAll = async (): Promise<void> => {
		for (let user = 0; user < 50; user += 1) icons.want(`${URL_1}?user=${user}`, "fabrikam.example");
		for (let turn = 0; turn < 20; turn += 1) await settle();
	};
	await wantAll();
	await wantAll();
	assert.equal(fetched.length, 8);
	icons.want("https://icons.example.org/a.png", "example.org");
	await settle();
	assert.equal(fetched.length, 9);
	clock.advance(25 * HOUR_MS);
	await wantAll();
	assert.equal(fetched.length, 17);
});

test("so many URLs are remembered, so many fetched at once, and so many wait", async () => {
	const { icons, fetched } = createWorld({ urls: 3, fetchesAtOnce: 2, fetchesWaiting: 5, urlsPerDomain: 100 });
	for (let place = 0; place < 20; place += 1) icons.want(`${URL_1}?${place}`, "fabrikam.example");
	assert.equal(fetched.length, 2);
	for (let turn = 0; turn < 20; turn += 1) await settle();
	assert.equal(fetched.length, 7);
	icons.want(URL_1, "fabrikam.example");
	await settle();
	assert.equal(icons.pathOf(`${URL_1}?0`), undefined);
});

test("REQ-14 to REQ-18: our icon is left out of documents once its content is seen to be wrong, and comes back when it is right", async () => {
	const clock = new SimClock();
	const answers = [unheard, refused, good()];
	const shown: (string | undefined)[] = [];
	const own = new OwnIcons({
		clock,
		log,
		icons: new Map([["contoso.example", URL_1]]),
		fetch: () => Promise.resolve(answers.shift() ?? good()),
		show: (_domain, url) => shown.push(url),
	});
	const state = (): string | undefined => own.find("contoso.example")?.state;
	own.start();
	await settle();
	assert.deepEqual([state(), shown], ["unchecked", []], "not to be reached is no verdict");
	clock.advance(HOUR_MS);
	await settle();
	assert.deepEqual([state(), shown], ["refused", [undefined]]);
	assert.equal(own.find("contoso.example")?.reason, "The icon has too many bits.");
	clock.advance(HOUR_MS);
	await settle();
	assert.deepEqual([state(), shown], ["good", [undefined, URL_1]]);
	own.close();
	assert.equal(clock.pendingTimers, 0);
});
