// The allowed imports, in one place. An import that no rule of `layers` allows fails `npm run check`, and so does a cycle.
// Each list reads upwards: a folder may import itself and what stands before it.
const sip = [
	"env\\.ts",
	"fault\\.ts",
	"assert\\.ts",
	"text/",
	"uri/",
	"header/",
	"message/",
	"(body|transport|resolve)/",
	"transaction/",
	"dialog/",
	"(event|session)/",
];
const edge = [
	"(config|observe|store|pki)/",
	"federation/",
	"proxy/",
	"ua/",
	"(presence|im)/",
	"admin/",
	"edge\\.ts",
	"(doctor|setup)/",
	"cli/",
	"demo/",
	"main\\.ts",
];

const web = ["(api|strict-content)\\.ts", "hooks/", "ui/", "(chat|console)/"];

/** For each layer: nothing of it imports a layer above it. */
function layers(base, list) {
	return list.slice(0, -1).map((layer, index) => ({
		name: `${base.split("/")[1]}: ${layer.replaceAll("\\", "")} imports downwards only`,
		severity: "error",
		from: { path: `^${base}/${layer}`, pathNot: "\\.test\\.ts$" },
		to: { path: list.slice(index + 1).map((above) => `^${base}/${above}`) },
	}));
}

module.exports = {
	forbidden: [
		{ name: "no cycles", severity: "error", from: {}, to: { circular: true } },
		...layers("packages/sip/src", sip),
		...layers("packages/edge/src", edge),
		...layers("packages/web/src", web),
		{
			name: "sip: node and testing implement ports; nothing imports them back",
			severity: "error",
			from: { path: "^packages/sip/src/(?!node/|testing/)", pathNot: "\\.test\\.ts$" },
			to: { path: "^packages/sip/src/(node|testing)/" },
		},
		{
			name: "sip: no Node.js module outside node/",
			severity: "error",
			from: { path: "^packages/sip/src/(?!node/)", pathNot: "\\.test\\.ts$" },
			to: { dependencyTypes: ["core"] },
		},
		{
			name: "sip imports no other package of ours",
			severity: "error",
			from: { path: "^packages/sip/" },
			to: { path: "^packages/(edge|admin|web)/" },
		},
		{
			name: "admin imports no other package of ours",
			severity: "error",
			from: { path: "^packages/admin/" },
			to: { path: "^packages/(edge|sip|web)/" },
		},
		{
			name: "admin runs in browsers: no Node.js module outside cli/",
			severity: "error",
			from: { path: "^packages/admin/src/(?!cli/)", pathNot: "\\.test\\.ts$" },
			to: { dependencyTypes: ["core"] },
		},
		{
			name: "web imports packages/admin and nothing else of ours",
			severity: "error",
			from: { path: "^packages/web/src/" },
			to: { path: "^packages/(edge|sip)/" },
		},
		{
			name: "web runs in browsers: no Node.js module",
			severity: "error",
			from: { path: "^packages/web/src/", pathNot: "\\.test\\.ts$" },
			to: { dependencyTypes: ["core"] },
		},
		{
			name: "siblings chat and console do not know each other",
			severity: "error",
			from: { path: "^packages/web/src/(chat|console)/", pathNot: "\\.test\\.ts$" },
			to: { path: "^packages/web/src/(chat|console)/", pathNot: "^packages/web/src/$1/" },
		},
		{
			name: "siblings presence and im do not know each other",
			severity: "error",
			from: { path: "^packages/edge/src/(presence|im)/", pathNot: "\\.test\\.ts$" },
			to: { path: "^packages/edge/src/(presence|im)/", pathNot: "^packages/edge/src/$1/" },
		},
		{
			name: "test helpers stay in tests",
			severity: "error",
			from: { path: "^packages/[^/]+/src/", pathNot: "(\\.test\\.ts$|/testing/)" },
			to: { path: "^packages/[^/]+/test/" },
		},
		{ name: "nothing unresolvable", severity: "error", from: {}, to: { couldNotResolve: true } },
	],
	options: {
		doNotFollow: { path: "node_modules" },
		exclude: { path: "(^|/)dist/" },
		tsPreCompilationDeps: true,
		tsConfig: { fileName: "tsconfig.json" },
		enhancedResolveOptions: {
			exportsFields: ["exports"],
			conditionNames: ["causeway-source", "import", "node", "default"],
		},
	},
};
