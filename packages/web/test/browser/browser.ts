/** Debian's Chromium with an empty profile, and pages that keep what they complained about. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium, type Page } from "playwright-core";

/** Any condition is awaited this long: the machine may be slow and busy. */
const deadlineMs = 90_000;

export interface Browser {
	readonly context: BrowserContext;
	close(): Promise<void>;
}

/** A page, and its complaints: errors and warnings of the console, violations of its policy among them, and exceptions. */
export interface WatchedPage {
	readonly page: Page;
	readonly complaints: string[];
}

export async function startBrowser(): Promise<Browser> {
	const profile = await mkdtemp(join(tmpdir(), "causeway-chromium-"));
	const context = await chromium.launchPersistentContext(profile, {
		executablePath: "/usr/bin/chromium",
		headless: true,
		timeout: deadlineMs,
		locale: "en-GB",
		viewport: { width: 1200, height: 800 },
		args: [
			"--no-sandbox",
			"--disable-gpu",
			"--disable-background-networking",
			"--disable-component-update",
			"--disable-sync",
			"--no-first-run",
		],
	});
	context.setDefaultTimeout(deadlineMs);
	return {
		context,
		close: async () => {
			await context.close();
			await rm(profile, { recursive: true, force: true });
		},
	};
}

export async function openPage(browser: Browser, url: string): Promise<WatchedPage> {
	const page = await browser.context.newPage();
	const complaints: string[] = [];
	page.on("console", (message) => {
		if (["error", "warning"].includes(message.type())) complaints.push(`${message.type()}: ${message.text()}`);
	});
	page.on("pageerror", (error) => complaints.push(`exception: ${error.message}`));
	await page.goto(url);
	return { page, complaints };
}
