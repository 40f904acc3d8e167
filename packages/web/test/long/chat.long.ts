/** The two web chats of the demonstration, used by two people in a real browser. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Locator, Page } from "playwright-core";
import { openPage, startBrowser, type WatchedPage } from "../browser/browser.ts";
import { type Organisation, startDemonstration } from "../browser/demonstration.ts";

async function logIn({ page }: WatchedPage, { aor, password }: Organisation): Promise<void> {
	await page.getByLabel("Address").fill(aor);
	await page.getByLabel("Password").fill(password);
	await page.getByRole("button", { name: "Log in" }).click();
	await page.getByText("Connected", { exact: true }).waitFor();
}

function personLine(page: Page, name: string | RegExp): Locator {
	return page.getByRole("navigation", { name: "People" }).getByRole("button", { name });
}

/** In the conversation that is open; with `to` in that one, which may still be about to open. */
async function say(page: Page, text: string, to?: string): Promise<void> {
	const field = page.getByRole("textbox", { name: to === undefined ? /^Message to / : `Message to ${to}` });
	await field.fill(text);
	await field.press("Enter");
}

/** The message with this text, once it has this fate. */
function message(page: Page, text: string, fate: string): Locator {
	return page.locator(`article[data-fate="${fate}"]`, { hasText: text });
}

/** Nothing is wider than the window. */
async function fits(page: Page): Promise<void> {
	const [width, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
	assert.ok((width ?? 0) <= (window ?? 0), `the page is ${width} px wide in a window of ${window} px`);
}

/** The token of whoever is logged in, as the page keeps it. */
async function tokenOf(page: Page): Promise<string> {
	return await page.evaluate(() => JSON.parse(sessionStorage.getItem("causeway.login") ?? "{}").token);
}

/** A failed request is told in the console by the browser itself; what the page says stays. */
function withoutFailedLoads(complaints: string[]): readonly string[] {
	return complaints.splice(0).filter((complaint) => !complaint.includes("Failed to load resource"));
}

void test("product 4: two people use the web chats of two organisations", async (context) => {
	const demonstration = await startDemonstration();
	context.after(() => demonstration.stop());
	const browser = await startBrowser();
	context.after(() => browser.close());
	const { contoso, fabrikam } = demonstration;
	const alice = await openPage(browser, contoso.url);
	const bob = await openPage(browser, fabrikam.url);

	await context.test("a wrong password is refused in words, and the form stays", async () => {
		await alice.page.getByLabel("Address").fill(contoso.aor);
		await alice.page.getByLabel("Password").fill("not-the-password");
		await alice.page.keyboard.press("Enter");
		await alice.page.getByRole("alert").getByText("The address or the password is wrong.").waitFor();
		assert.deepEqual(withoutFailedLoads(alice.complaints), []);
	});

	await context.test("both log in, each at their own server", async () => {
		await logIn(alice, contoso);
		await logIn(bob, fabrikam);
		await alice.page.getByText("Nobody yet. Add a contact by address").waitFor();
		assert.equal(await alice.page.title(), "alice@contoso.example – Causeway chat");
		// What the server knows is read behind the log-in.
		await bob.page
			.getByRole("combobox", { name: "My presence" })
			.and(bob.page.locator(":has(option[value=available]:checked)"))
			.waitFor();
	});

	await context.test("Alice adds Bob by keyboard; Bob is asked, allows it, and Alice sees his presence", async () => {
		await alice.page.getByRole("button", { name: "Add a contact" }).press("Enter");
		const dialog = alice.page.getByRole("dialog", { name: "Add a contact" });
		await dialog.getByLabel("Address").fill("bob");
		await alice.page.keyboard.press("Enter");
		await dialog.getByText("This is no address.").waitFor();
		await dialog.getByLabel("Address").fill("Bob@Fabrikam.example");
		await alice.page.keyboard.press("Enter");
		await personLine(alice.page, /bob@fabrikam\.example Has not decided yet/).waitFor();
		await alice.page.getByText("They were asked whether you may see their presence.").waitFor();

		const request = bob.page.getByRole("region", { name: "Request of alice@contoso.example" });
		await request.getByText("wants to see your presence").waitFor();
		await request.getByRole("button", { name: "Allow" }).click();
		await request.waitFor({ state: "detached" });
		await personLine(alice.page, /^Bob at Fabrikam .* Available$/).waitFor();
	});

	await context.test("Bob goes away with a note; Alice sees it", async () => {
		await bob.page.getByRole("textbox", { name: "My note" }).fill("Back at four");
		await bob.page.getByRole("combobox", { name: "My presence" }).selectOption("away");
		await personLine(alice.page, /^Bob at Fabrikam .* Away/).waitFor();
	});

	await context.test(
		"they write both ways; each message is delivered, the other's typing and what is unread show",
		async () => {
			await say(alice.page, "Hello Bob, are you there?");
			await message(alice.page, "Hello Bob, are you there?", "delivered").getByText("Delivered").waitFor();
			await personLine(bob.page, /^alice@contoso\.example Hello Bob, are you there\? 1 unread$/).waitFor();
			await bob.page.waitForFunction(() => document.title === "(1) bob@fabrikam.example – Causeway chat");
			await personLine(bob.page, /^alice@contoso\.example/).click();
			await message(bob.page, "Hello Bob, are you there?", "received").waitFor();
			await bob.page.waitForFunction(() => document.title === "bob@fabrikam.example – Causeway chat");

			await bob.page.getByRole("textbox", { name: /^Message to / }).pressSequentially("Y");
			await alice.page.getByRole("status").getByText("Bob at Fabrikam is typing…").waitFor();
			await say(bob.page, "Yes: café at four? <b>☕</b>");
			await message(bob.page, "Yes: café at four? <b>☕</b>", "delivered").waitFor();
			await message(alice.page, "Yes: café at four? <b>☕</b>", "received").waitFor();
			await alice.page.getByRole("status").getByText("is typing").waitFor({ state: "detached" });
		},
	);

	await context.test("where nobody is, the failure stands there in words, and whose it is", async () => {
		await alice.page.getByRole("button", { name: "Add a contact" }).click();
		await alice.page.getByRole("dialog").getByLabel("Address").fill("nobody@fabrikam.example");
		await alice.page.getByRole("button", { name: "Only write a message" }).click();
		await say(alice.page, "Hello?");
		const failed = message(alice.page, "Hello?", "failed");
		await failed.getByText("Not delivered").waitFor();
		await failed.getByText("Their server knows no such user. This is a matter of the recipient. (SIP 404)").waitFor();
		await alice.page.getByText("You do not see their presence.").waitFor();
		await failed.getByRole("button", { name: "Send again" }).waitFor();
	});

	await context.test("an answer that is lost does not double the message", async () => {
		await personLine(alice.page, /^Bob at Fabrikam/).click();
		let submissions = 0;
		await alice.page.route("**/api/v1/me/messages", async (route) => {
			if (route.request().method() !== "POST") return route.continue();
			submissions += 1;
			if (submissions > 1) return route.continue();
			// The server takes it; the page never hears of it.
			await route.fetch();
			await route.abort();
		});
		await say(alice.page, "Only once, please", "Bob at Fabrikam");
		await message(bob.page, "Only once, please", "received").waitFor();
		await say(alice.page, "And this behind it");
		await message(bob.page, "And this behind it", "received").waitFor();
		await alice.page.unroute("**/api/v1/me/messages");
		assert.equal(submissions, 3);
		assert.equal(await bob.page.locator("article", { hasText: "Only once, please" }).count(), 1);
		assert.equal(await alice.page.locator("article", { hasText: "Only once, please" }).count(), 1);
		assert.deepEqual(withoutFailedLoads(alice.complaints), []);
	});

	await context.test("long words and 64 KiB neither break the layout nor are lost, also 360 px wide", async () => {
		await say(alice.page, `https://fabrikam.example/${"x".repeat(2_000)}`);
		await say(alice.page, "The whole report. ".repeat(3_600));
		await message(alice.page, "The whole report.", "delivered").waitFor();
		for (const size of [
			{ width: 1200, height: 800 },
			{ width: 360, height: 640 },
		]) {
			await bob.page.setViewportSize(size);
			await message(bob.page, "The whole report.", "received").getByText("Show all").waitFor();
			await fits(bob.page);
		}
		await bob.page.getByRole("button", { name: "Back to the list" }).click();
		await bob.page.getByRole("button", { name: "Add a contact" }).waitFor();
		await fits(bob.page);
		await bob.page.goBack();
		await bob.page.getByRole("textbox", { name: /^Message to / }).waitFor();
		await bob.page.setViewportSize({ width: 1200, height: 800 });
	});

	await context.test("who comes back to the page finds the history, and earlier pages above it", async () => {
		const token = await tokenOf(alice.page);
		for (let number = 1; number <= 50; number += 1) {
			const submitted = await fetch(new URL("api/v1/me/messages", contoso.url), {
				method: "POST",
				headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
				body: JSON.stringify({ to: fabrikam.aor, text: `Line ${number} of many` }),
			});
			assert.equal(submitted.status, 202);
		}
		await message(alice.page, "Line 50 of many", "delivered").waitFor();
		await alice.page.reload();
		await alice.page.getByText("Connected", { exact: true }).waitFor();
		await message(alice.page, "Line 50 of many", "delivered").waitFor();
		const first = message(alice.page, "Hello Bob, are you there?", "delivered");
		assert.equal(await first.count(), 0);
		await alice.page.getByRole("log").evaluate((log) => {
			log.scrollTop = 0;
		});
		await first.waitFor();
		const texts = await alice.page.locator("article .message-text").allTextContents();
		const lines = texts.filter((text) => text.startsWith("Line "));
		assert.deepEqual(
			lines,
			Array.from({ length: 50 }, (_, index) => `Line ${index + 1} of many`),
		);
	});

	await context.test("a block stops messages, and can be lifted", async () => {
		await bob.page.getByLabel("More about this conversation").click();
		await bob.page.getByRole("button", { name: "Block", exact: true }).click();
		await bob.page.getByRole("dialog", { name: "Block" }).getByRole("button", { name: "Block" }).click();
		await bob.page.getByText("You block alice@contoso.example.").waitFor();
		await say(alice.page, "Can you read this?");
		await message(alice.page, "Can you read this?", "failed").getByText("Not delivered").waitFor();
		await bob.page.getByRole("button", { name: /^Blocked/ }).click();
		await bob.page.getByRole("button", { name: "Unblock alice@contoso.example" }).click();
		await bob.page.getByText("Nobody is blocked.").waitFor();
		await bob.page.keyboard.press("Escape");
		await bob.page.getByRole("textbox", { name: /^Message to / }).waitFor();
	});

	await context.test("a contact is renamed and removed", async () => {
		await alice.page.getByLabel("More about this conversation").click();
		await alice.page.getByRole("button", { name: "Rename contact" }).click();
		await alice.page.getByRole("dialog").getByRole("textbox").fill("Bobby");
		await alice.page.getByRole("button", { name: "Rename", exact: true }).click();
		await alice.page.getByRole("heading", { name: /^Bobby/ }).waitFor();
		await alice.page.getByLabel("More about this conversation").click();
		await alice.page.getByRole("button", { name: "Remove contact" }).click();
		await alice.page.getByRole("button", { name: "Remove", exact: true }).click();
		await alice.page.getByText("Not among your contacts").waitFor();
	});

	await context.test("who logs out is at the form again, and the token is worth nothing", async () => {
		const token = await tokenOf(alice.page);
		const ended = alice.page.waitForResponse((response) => response.url().endsWith("/api/v1/logout"));
		await alice.page.getByRole("button", { name: "Log out" }).click();
		await alice.page.getByRole("button", { name: "Log in" }).waitFor();
		assert.equal(await alice.page.evaluate(() => sessionStorage.getItem("causeway.login")), null);
		assert.equal((await ended).status(), 204);
		const headers = { authorization: `Bearer ${token}` };
		assert.equal((await fetch(new URL("api/v1/me/presence", contoso.url), { headers })).status, 401);
	});

	await context.test("in all of this no page complained: no error, no violation of its policy", () => {
		assert.deepEqual(withoutFailedLoads(alice.complaints), []);
		assert.deepEqual(bob.complaints, []);
	});
});
