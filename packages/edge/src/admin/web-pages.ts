import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance } from "fastify";

/**
 * What the pages may do: load their own files and talk to their own server. Text of a message can become neither script
 * nor style nor a request to anybody else, and no other page may frame them.
 */
const contentSecurityPolicy = [
	"default-src 'none'",
	"script-src 'self'",
	"style-src 'self'",
	"img-src 'self'",
	"connect-src 'self'",
	"base-uri 'none'",
	"form-action 'none'",
	"frame-ancestors 'none'",
	"require-trusted-types-for 'script'",
	"trusted-types 'none'",
].join("; ");

/** Files in this folder have a hash of their content in their names. */
const hashedFolder = "assets";
const immutable = "public, max-age=31536000, immutable";

const notBuilt = `The web chat is not built.

In a checkout of Causeway, \`npm run build\` makes it (\`npm start\` does so by itself).
Then start the edge again. The HTTP API is at /api/v1, its description at /api/openapi.json.
`;

/** Folder of the built pages of the package `@causeway/web`, which need not be built; undefined without the package. */
export function findWebFolder(): string | undefined {
	try {
		return join(dirname(createRequire(import.meta.url).resolve("@causeway/web/package.json")), "dist");
	} catch {
		return undefined;
	}
}

/**
 * Serves the pages at `/`. The folder is read once, here: each file gets a route, and no other path is ever looked up in
 * the file system.
 */
export async function registerWebPages(app: FastifyInstance, folder: string | undefined): Promise<void> {
	if (folder === undefined || !existsSync(join(folder, "index.html"))) {
		app.get("/", (_request, reply) => reply.code(503).type("text/plain; charset=utf-8").send(notBuilt));
		return;
	}
	await app.register(fastifyStatic, {
		root: folder,
		wildcard: false,
		cacheControl: false,
		acceptRanges: false,
		dotfiles: "deny",
		decorateReply: false,
		setHeaders: (reply, path) => {
			const isHashed = relative(folder, path).startsWith(hashedFolder);
			reply.header("cache-control", isHashed ? immutable : "no-store");
			reply.header("content-security-policy", contentSecurityPolicy);
			reply.header("cross-origin-resource-policy", "same-origin");
		},
	});
}
