import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createHttpApp, type HttpServerOptions } from "./http-server.ts";
import { createFakeServerOptions } from "./testing.ts";

async function createApp(context: TestContext, changes: Partial<HttpServerOptions>) {
	const app = await createHttpApp(createFakeServerOptions({}, changes).options);
	context.after(() => app.close());
	return app;
}

/** A built page, as Vite lays it out, and a file beside it that is none of it. */
async function createPages(context: TestContext): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), "causeway-pages-"));
	context.after(() => rm(folder, { recursive: true, force: true }));
	const pages = join(folder, "dist");
	await mkdir(join(pages, "assets"), { recursive: true });
	await writeFile(join(folder, "secret.txt"), "secret");
	await writeFile(join(pages, ".hidden"), "hidden");
	await writeFile(
		join(pages, "index.html"),
		'<!doctype html><script type="module" src="./assets/chat-1a2b.js"></script>',
	);
	await writeFile(join(pages, "assets", "chat-1a2b.js"), "export {};");
	return pages;
}

const local = { host: "localhost" };

test("product 5: the chat is served at /, never kept by a browser, and may load nothing but its own files", async (context) => {
	const app = await createApp(context, { webFolder: await createPages(context) });
	const response = await app.inject({ url: "/", headers: local });
	assert.equal(response.statusCode, 200);
	assert.match(response.headers["content-type"] as string, /^text\/html/);
	assert.equal(response.headers["cache-control"], "no-store");
	assert.equal(response.headers["x-content-type-options"], "nosniff");
	assert.equal(response.headers["referrer-policy"], "no-referrer");
	const policy = response.headers["content-security-policy"] as string;
	assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self'; /);
	assert.doesNotMatch(policy, /unsafe|https?:|\*|data:/);
	assert.match(policy, /frame-ancestors 'none'/);
});

test("files with a hash in their names are kept for a year, and asked for once", async (context) => {
	const app = await createApp(context, { webFolder: await createPages(context) });
	const response = await app.inject({ url: "/assets/chat-1a2b.js", headers: local });
	assert.equal(response.statusCode, 200);
	assert.match(response.headers["content-type"] as string, /^text\/javascript|^application\/javascript/);
	assert.equal(response.headers["cache-control"], "public, max-age=31536000, immutable");
	assert.equal(response.headers["x-content-type-options"], "nosniff");
	assert.equal((await app.inject({ method: "HEAD", url: "/assets/chat-1a2b.js", headers: local })).body, "");
});

const refused: readonly [name: string, method: "GET" | "POST", url: string, status: number][] = [
	["a file that is not there", "GET", "/assets/chat-0000.js", 404],
	["a folder", "GET", "/assets/", 404],
	["a path out of the folder", "GET", "/../secret.txt", 404],
	["the same, in escapes", "GET", "/assets/%2e%2e/%2e%2e/secret.txt", 404],
	["the same, with escaped slashes", "GET", "/assets/..%2f..%2fsecret.txt", 404],
	["a hidden file", "GET", "/.hidden", 404],
	["a POST to the page", "POST", "/", 405],
];
for (const [name, method, url, status] of refused) {
	test(`pages: ${name} is ${status}, as problem+json that nobody keeps`, async (context) => {
		const app = await createApp(context, { webFolder: await createPages(context) });
		const response = await app.inject({ method, url, headers: local });
		assert.equal(response.statusCode, status);
		assert.equal(response.headers["content-type"], "application/problem+json");
		assert.equal(response.headers["cache-control"], "no-store");
	});
}

test("pages: a foreign Host is refused as everywhere", async (context) => {
	const app = await createApp(context, { webFolder: await createPages(context) });
	const response = await app.inject({ url: "/", headers: { host: "evil.example" } });
	assert.deepEqual([response.statusCode, response.json().code], [403, "host-not-allowed"]);
});

test("pages: where nothing was built, / says which command does it", async (context) => {
	for (const webFolder of [undefined, join(tmpdir(), "causeway-never-built")]) {
		const app = await createApp(context, { webFolder });
		const response = await app.inject({ url: "/", headers: local });
		assert.equal(response.statusCode, 503);
		assert.match(response.headers["content-type"] as string, /^text\/plain/);
		assert.match(response.body, /npm run build/);
	}
});

test("pages: the listener of the administration alone does not serve the chat", async (context) => {
	const app = await createApp(context, { webFolder: await createPages(context), serves: "administration" });
	assert.equal((await app.inject({ url: "/", headers: local })).statusCode, 404);
	const users = await createApp(context, { webFolder: await createPages(context), serves: "users" });
	assert.equal((await users.inject({ url: "/", headers: local })).statusCode, 200);
});
