import { z } from "zod";
import type { Auth, Channel, Operation } from "./contract.ts";
import { channels, operations } from "./contract.ts";
import { components } from "./schema/components.ts";
import { type ProblemCode, problemMediaType, problems } from "./schema/problem.ts";
import { bearerProtocolPrefix, webSocketProtocol } from "./web-socket.ts";

/** JSON as a tree. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
type JsonObject = { readonly [key: string]: Json };

/** What the document says about this server. */
export interface OpenApiInfo {
	readonly version: string;
	/** Where the API is reached, as browsers see it. */
	readonly serverUrl?: string;
}

const jsonMediaType = "application/json";

/** Refusals that any operation of a kind may answer with. */
function commonProblems(operation: Operation): readonly ProblemCode[] {
	const reads: readonly ProblemCode[] =
		operation.params || operation.query || operation.body ? ["validation-failed"] : [];
	const writes: readonly ProblemCode[] = operation.body
		? ["bad-request", "body-too-large", "unsupported-media-type"]
		: [];
	const origin: readonly ProblemCode[] = operation.method === "GET" ? [] : ["origin-not-allowed"];
	const guarded: readonly ProblemCode[] = operation.auth === "none" ? [] : ["unauthorized", "forbidden"];
	return ["bad-host", "host-not-allowed", ...reads, ...writes, ...origin, ...guarded];
}

/** The schemas with a name, as JSON Schema 2020-12, which is OpenAPI 3.1's own. Requests are described as they are sent. */
function describeComponents(): JsonObject {
	const registry = z.registry<{ id: string }>();
	for (const [id, schema] of Object.entries(components)) registry.add(schema, { id });
	const { schemas } = z.toJSONSchema(registry, { uri: (id) => `#/components/schemas/${id}`, io: "input" });
	return Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, withoutIdentity(schema)]));
}

function withoutIdentity(schema: object): JsonObject {
	const { $schema: _dialect, $id: _place, ...rest } = JSON.parse(JSON.stringify(schema)) as JsonObject;
	return rest;
}

function reference(schema: z.ZodType): JsonObject {
	const entry = Object.entries(components).find(([, candidate]) => candidate === schema);
	if (entry === undefined) throw new Error("every body of the contract needs a name in schema/components.ts");
	return { $ref: `#/components/schemas/${entry[0]}` };
}

function content(schema: z.ZodType): JsonObject {
	return { [jsonMediaType]: { schema: reference(schema) } };
}

function describeParameters(schema: z.ZodObject | undefined, place: "path" | "query" | "header"): readonly Json[] {
	if (schema === undefined) return [];
	const described = withoutIdentity(z.toJSONSchema(schema, { io: "output" }));
	const required = Array.isArray(described["required"]) ? described["required"] : [];
	return Object.entries((described["properties"] ?? {}) as JsonObject).map(([name, value]) => ({
		name,
		in: place,
		required: required.includes(name),
		schema: value,
	}));
}

function describeSecurity(auth: Auth): readonly Json[] {
	if (auth === "none") return [];
	return [auth === "user" ? { userToken: [] } : { adminToken: [] }];
}

function describeResponses(operation: Operation): JsonObject {
	const described: Record<string, Json> = {};
	for (const [status, schema] of Object.entries(operation.responses)) {
		described[status] = schema === null ? { description: "Done" } : { description: "Done", content: content(schema) };
	}
	const codesByStatus = new Map<number, ProblemCode[]>();
	for (const code of new Set([...commonProblems(operation), ...(operation.problems ?? [])])) {
		const codes = codesByStatus.get(problems[code].status);
		if (codes === undefined) codesByStatus.set(problems[code].status, [code]);
		else codes.push(code);
	}
	for (const [status, codes] of [...codesByStatus].sort(([a], [b]) => a - b)) {
		described[String(status)] = {
			description: codes.map((code) => `\`${code}\`: ${problems[code].title}`).join("; "),
			content: { [problemMediaType]: { schema: { $ref: "#/components/schemas/Problem" } } },
		};
	}
	described["default"] = {
		description: "Any other refusal",
		content: { [problemMediaType]: { schema: { $ref: "#/components/schemas/Problem" } } },
	};
	return described;
}

function describeOperation(operationId: string, operation: Operation): JsonObject {
	return {
		operationId,
		summary: operation.summary,
		security: describeSecurity(operation.auth),
		parameters: [
			...describeParameters(operation.params, "path"),
			...describeParameters(operation.query, "query"),
			...describeParameters(operation.headers, "header"),
		],
		...(operation.body === undefined ? {} : { requestBody: { required: true, content: content(operation.body) } }),
		responses: describeResponses(operation),
	};
}

/** How a browser, which cannot send `Authorization` here, hands in its token. */
const protocolParameter: Json = {
	name: "Sec-WebSocket-Protocol",
	in: "header",
	required: false,
	schema: { type: "string" },
	description: `In place of Authorization: \`${webSocketProtocol}, ${bearerProtocolPrefix}<token>\``,
};

/** OpenAPI knows no WebSocket: the handshake is described as a GET, the frames under `x-websocket`. */
function describeChannel(operationId: string, channel: Channel): JsonObject {
	return {
		operationId,
		summary: channel.summary,
		security: describeSecurity(channel.auth),
		parameters: [...describeParameters(channel.query, "query"), protocolParameter],
		responses: { 101: { description: "WebSocket; each text frame is one JSON value of the schema named" } },
		"x-websocket": { frame: reference(channel.frame) },
	};
}

/** The OpenAPI 3.1 document of the contract, as served at `/api/openapi.json`. */
export function createOpenApiDocument(info: OpenApiInfo): JsonObject {
	const paths: Record<string, Record<string, Json>> = {};
	for (const [id, operation] of Object.entries(operations)) {
		const item = paths[operation.path] ?? {};
		item[operation.method.toLowerCase()] = describeOperation(id, operation);
		paths[operation.path] = item;
	}
	for (const [id, channel] of Object.entries(channels)) {
		const item = paths[channel.path] ?? {};
		// A path that answers both ways keeps its GET; the WebSocket is then told beside it.
		if (item["get"] === undefined) item["get"] = describeChannel(id, channel);
		else item["x-websocket"] = describeChannel(id, channel);
		paths[channel.path] = item;
	}
	return {
		openapi: "3.1.0",
		info: {
			title: "Causeway",
			description: "Presence and instant messages of hosted users, and the administration of the edge.",
			version: info.version,
			license: { name: "Apache-2.0", identifier: "Apache-2.0" },
		},
		...(info.serverUrl === undefined ? {} : { servers: [{ url: info.serverUrl }] }),
		paths,
		components: {
			schemas: describeComponents(),
			securitySchemes: {
				userToken: { type: "http", scheme: "bearer", description: "Token of a hosted user, from login" },
				adminToken: { type: "http", scheme: "bearer", description: "Content of the admin token file" },
			},
		},
	};
}
