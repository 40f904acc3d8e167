import { defaultClientConditions, defineConfig } from "vite";

/** Builds the pages into `dist`: index.html is the chat. Node.js runs this file as it is. */
export default defineConfig({
	root: import.meta.dirname,
	// Relative, so that a reverse proxy may serve the pages below a path of its own.
	base: "./",
	resolve: { conditions: ["causeway-source", ...defaultClientConditions] },
	build: {
		outDir: "dist",
		emptyOutDir: true,
		target: ["chrome123", "firefox128", "safari17.5"],
		// The policy of the pages allows no data: URL, and no script in a page.
		assetsInlineLimit: 0,
		modulePreload: { polyfill: false },
		// The API client loads it where there is no WebSocket of a browser: never here.
		rolldownOptions: { external: ["ws"] },
	},
});
