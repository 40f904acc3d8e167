import assert from "node:assert/strict";
import { test } from "node:test";
import { type Channel, channels, type Operation, operations } from "./contract.ts";
import { createOpenApiDocument, type Json } from "./openapi.ts";
import { problems } from "./schema/problem.ts";

type Tree = { readonly [key: string]: Json };

const document = createOpenApiDocument({ version: "1.2.3", serverUrl: "https://im.contoso.example" });

/** What a JSON pointer with `#` names; undefined where there is nothing. */
function lookUp(pointer: string): Json | undefined {
	let here: Json | undefined = document;
	for (const part of pointer.slice(2).split("/")) {
		here = (here as Tree | undefined)?.[part.replaceAll("~1", "/").replaceAll("~0", "~")];
	}
	return here;
}

function tree(pointer: string): Tree {
	const found = lookUp(pointer);
	assert.ok(found !== undefined, `${pointer} is in the document`);
	return found as Tree;
}

function pathPointer(path: string): string {
	return `#/paths/${path.replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

function collectRefs(value: Json, refs: Set<string> = new Set()): Set<string> {
	if (Array.isArray(value)) for (const item of value) collectRefs(item, refs);
	else if (typeof value === "object" && value !== null) {
		for (const [key, item] of Object.entries(value)) {
			if (key === "$ref" && typeof item === "string") refs.add(item);
			else collectRefs(item, refs);
		}
	}
	return refs;
}

test("OpenAPI: the document says what it is, where the server is and which licence it has", () => {
	assert.equal(document["openapi"], "3.1.0");
	assert.equal(tree("#/info")["version"], "1.2.3");
	assert.deepEqual(document["servers"], [{ url: "https://im.contoso.example" }]);
	assert.equal(createOpenApiDocument({ version: "1" })["servers"], undefined);
});

for (const [id, operation] of Object.entries<Operation>(operations)) {
	test(`OpenAPI: ${id} is there with its parameters, its body, its answers and whose token it takes`, () => {
		const described = tree(`${pathPointer(operation.path)}/${operation.method.toLowerCase()}`);
		assert.equal(described["operationId"], id);
		const parameters = described["parameters"] as readonly { name: string; in: string; required: boolean }[];
		const named = [...operation.path.matchAll(/\{([a-z_]+)\}/g)].map(([, name]) => name);
		assert.deepEqual(
			parameters.filter((parameter) => parameter.in === "path").map(({ name, required }) => [name, required]),
			named.map((name) => [name, true]),
		);
		for (const place of ["query", "headers"] as const) {
			const names = Object.keys(operation[place]?.shape ?? {});
			const found = parameters.filter((parameter) => parameter.in === (place === "query" ? "query" : "header"));
			assert.deepEqual(
				found.map((parameter) => parameter.name),
				names,
			);
		}
		assert.equal(described["requestBody"] !== undefined, operation.body !== undefined);
		const responses = described["responses"] as Tree;
		for (const status of Object.keys(operation.responses)) assert.ok(responses[status]);
		for (const code of operation.problems ?? []) {
			assert.ok(JSON.stringify(responses[String(problems[code].status)]).includes(`\`${code}\``));
		}
		const security = { none: [], user: [{ userToken: [] }], admin: [{ adminToken: [] }] } as const;
		assert.deepEqual(described["security"], security[operation.auth]);
	});
}

for (const [id, channel] of Object.entries<Channel>(channels)) {
	test(`OpenAPI: the WebSocket ${id} is there with its query and its frames`, () => {
		const item = tree(pathPointer(channel.path));
		const described = [item["get"], item["x-websocket"]].find(
			(entry) => (entry as Tree)?.["operationId"] === id,
		) as Tree;
		const parameters = described["parameters"] as readonly { name: string }[];
		assert.deepEqual(
			parameters.map((parameter) => parameter.name),
			[...Object.keys(channel.query.shape), "Sec-WebSocket-Protocol"],
		);
		const { $ref } = (described["x-websocket"] as Tree)["frame"] as { $ref: string };
		assert.ok(lookUp($ref));
	});
}

test("OpenAPI: operations and WebSockets are all there is, and no two share an operationId", () => {
	const ids = Object.values(document["paths"] as Tree).flatMap((item) =>
		Object.values(item as Tree).map((entry) => (entry as Tree)["operationId"]),
	);
	assert.equal(new Set(ids).size, ids.length);
	assert.deepEqual(new Set(ids), new Set([...Object.keys(operations), ...Object.keys(channels)]));
});

test("OpenAPI: every reference leads somewhere, and every named schema is JSON Schema without an identity of its own", () => {
	const refs = collectRefs(document);
	assert.ok(refs.size > 30);
	for (const ref of refs) assert.ok(lookUp(ref) !== undefined, ref);
	for (const [name, schema] of Object.entries(tree("#/components/schemas"))) {
		assert.equal((schema as Tree)["$id"], undefined, name);
		assert.equal((schema as Tree)["$schema"], undefined, name);
	}
});

test("OpenAPI: words of the product stand in the schemas as they are spoken", () => {
	const state = (name: string): Json | undefined =>
		(lookUp(`#/components/schemas/${name}/properties/state`) as Tree)["enum"];
	const published = ["available", "busy", "on-the-phone", "away", "offline"];
	assert.deepEqual(state("PresenceRequest"), published);
	assert.deepEqual(state("Contact"), [...published, "pending", "unknown"]);
	assert.deepEqual((lookUp("#/components/schemas/DecisionRequest/properties/decision") as Tree)["enum"], [
		"allow",
		"deny",
		"block",
	]);
	assert.deepEqual((lookUp("#/components/schemas/Submitted/properties/fate") as Tree)["enum"], [
		"queued",
		"sending",
		"delivered",
		"accepted",
		"failed",
		"unknown",
	]);
});
