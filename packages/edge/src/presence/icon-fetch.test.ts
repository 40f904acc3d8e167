/** Icons fetched from a real web server on loopback, which serves each of them wrong in its own way. */
import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { createSecureContext } from "node:tls";
import type { AddressRecord, DnsAnswer } from "@causeway/sip";
import { systemClock } from "@causeway/sip/node";
import { createEdgeCertificate, createRootAuthority } from "../pki/authority.ts";
import { fetchIcon, type IconFetchOptions } from "./icon-fetch.ts";
import { createPng } from "./testing.ts";

const HOST = "icons.fabrikam.example";
const DAY_MS = 86_400_000;
const PNG = createPng({});

async function startWeb(context: TestContext) {
	const validity = { notBefore: new Date(Date.now() - DAY_MS), notAfter: new Date(Date.now() + DAY_MS) };
	const authority = await createRootAuthority({ commonName: "Icon test authority", ...validity });
	const issued = await createEdgeCertificate(authority, { names: [HOST], ...validity });
	let serve = (response: ServerResponse): void => void response.end();
	const asked: string[] = [];
	const server = createServer({ cert: issued.chain, key: issued.key }, (request, response) => {
		asked.push(`${request.headers.host} ${request.url} ${request.headers.cookie ?? "-"}`);
		serve(response);
	});
	let connections = 0;
	server.on("connection", () => {
		connections += 1;
	});
	await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
	context.after(() => {
		server.closeAllConnections();
		server.close();
	});
	const { port } = server.address() as AddressInfo;
	const trusted = createSecureContext({ ca: [authority.certificate] });
	const questions: string[] = [];
	const fetch = (url: string, parts: Partial<IconFetchOptions> & { readonly addresses?: readonly string[] } = {}) =>
		fetchIcon(url, {
			clock: systemClock(),
			lookup: {
				addresses(name): Promise<DnsAnswer<AddressRecord>> {
					questions.push(name);
					const records = (parts.addresses ?? ["127.0.0.1"]).map((address) => ({
						address,
						family: address.includes(":") ? (6 as const) : (4 as const),
					}));
					if (records.length === 0) return Promise.resolve({ kind: "no-name" });
					// The next answer of a rebinding name would be another one; nobody may ask for it.
					return Promise.resolve({ kind: "records", records, ttlSeconds: 0 });
				},
			},
			secureContext: () => trusted,
			allowPrivateAddresses: true,
			...parts,
		});
	return {
		port,
		asked,
		questions,
		url: `https://${HOST}:${port}/net16.png`,
		fetch,
		connections: () => connections,
		serve(how: (response: ServerResponse) => void) {
			serve = how;
		},
	};
}

function send(octets: Buffer, headers: Record<string, string> = {}): (response: ServerResponse) => void {
	return (response) => void response.writeHead(200, { "content-type": "image/png", ...headers }).end(octets);
}

test("REQ-14 to REQ-18: a good icon is fetched once, by name, with neither cookie nor second look-up", async (context) => {
	const web = await startWeb(context);
	web.serve(send(PNG, { "set-cookie": "watcher=alice" }));
	const result = await web.fetch(web.url);
	assert.ok(result.ok, JSON.stringify(result));
	assert.equal(result.icon.width, 16);
	assert.deepEqual(web.questions, [HOST]);
	assert.deepEqual(web.asked, [`${HOST}:${web.port} /net16.png -`]);
});

for (const [name, how, code, isVerdict] of [
	["a redirect to another host", redirect(302, "https://192.0.2.1/x.png"), "redirect", true],
	["a redirect to the same host", redirect(301, "/other.png"), "redirect", true],
	["a status that is no 200", (response: ServerResponse) => void response.writeHead(404).end(), "bad-status", true],
	["another type", send(PNG, { "content-type": "text/html" }), "wrong-type", true],
	["SVG", send(Buffer.from("<svg/>"), { "content-type": "image/svg+xml" }), "wrong-type", true],
	["no type", (response: ServerResponse) => void response.writeHead(200).end(PNG), "wrong-type", true],
	["a packed body", send(PNG, { "content-encoding": "gzip" }), "wrong-type", true],
	["a length above 8 KB", send(Buffer.alloc(8_193)), "too-large", true],
	["a body without end", endless, "too-large", true],
	["a PNG that is too large in pixels", send(createPng({ width: 32, height: 32 })), "too-many-pixels", true],
	["octets that are no PNG", send(Buffer.from("hello")), "not-png", true],
	["a connection that ends in the middle", halfway, "unreachable", false],
	["a header that goes on and on", send(PNG, { "x-long": "x".repeat(20_000) }), "unreachable", false],
] as const) {
	test(`REQ-14 to REQ-18: ${name} gives no icon: ${code}`, async (context) => {
		const web = await startWeb(context);
		web.serve(how);
		const result = await web.fetch(web.url);
		assert.ok(!result.ok);
		assert.deepEqual([result.code, result.isVerdict], [code, isVerdict], result.reason);
		assert.equal(web.asked.length, 1);
	});
}

for (const [name, how] of [
	["sends nothing", () => {}],
	[
		"sends an octet now and then",
		(response: ServerResponse) => {
			response.writeHead(200, { "content-type": "image/png" });
			const drip = setInterval(() => void response.write("x"), 20);
			response.on("close", () => clearInterval(drip));
		},
	],
] as const) {
	test(`protocol 5.4: a server that ${name} is left when the time is over`, async (context) => {
		const web = await startWeb(context);
		web.serve(how);
		const result = await web.fetch(web.url, { timeoutMs: 300 });
		assert.ok(!result.ok);
		assert.deepEqual([result.code, result.isVerdict], ["timeout", false]);
	});
}

for (const [name, address] of [
	["loopback", "127.0.0.1"],
	["a private network", "10.1.2.3"],
	["a cloud's metadata", "169.254.169.254"],
	["IPv6 loopback", "::1"],
	["a mapped private address", "::ffff:192.168.0.1"],
] as const) {
	test(`security: a name at ${name} is not dialled, alone or beside a public address`, async (context) => {
		const web = await startWeb(context);
		for (const addresses of [[address], ["198.51.100.1", address]]) {
			const result = await web.fetch(web.url, { allowPrivateAddresses: false, addresses });
			assert.ok(!result.ok);
			assert.equal(result.code, "private-address");
		}
		assert.equal(web.connections(), 0);
	});
}

for (const [url, code] of [
	["http://www.contoso.com/brandingicon.png", "not-https"],
	["ftp://icons.fabrikam.example/x.png", "not-https"],
	["file:///etc/passwd", "not-https"],
	["data:image/png;base64,AAAA", "not-https"],
	["https://user:secret@icons.fabrikam.example/x.png", "not-https"],
	["https://127.0.0.1/x.png", "no-name"],
	["https://[::1]/x.png", "no-name"],
	["https://0x7f000001/x.png", "no-name"],
	["https://2130706433/x.png", "no-name"],
	["no url", "not-https"],
] as const) {
	test(`REQ-18: ${url} is not asked for: ${code}`, async (context) => {
		const web = await startWeb(context);
		const result = await web.fetch(url);
		assert.ok(!result.ok);
		assert.equal(result.code, code);
		assert.deepEqual([web.questions, web.connections()], [[], 0]);
	});
}

test("a name without address, a certificate for another name, and an edge that stops give no icon", async (context) => {
	const web = await startWeb(context);
	web.serve(() => {});
	const absent = await web.fetch(web.url, { addresses: [] });
	assert.equal(!absent.ok && absent.code, "not-found");
	const other = await web.fetch(`https://other.example:${web.port}/x.png`);
	assert.equal(!other.ok && other.code, "unreachable");
	assert.match(!other.ok ? other.reason : "", /altnames|certificate/i);
	const stop = new AbortController();
	const waiting = web.fetch(web.url, { signal: stop.signal });
	stop.abort();
	const stopped = await waiting;
	assert.equal(!stopped.ok && stopped.code, "unreachable");
});

function redirect(status: number, location: string): (response: ServerResponse) => void {
	return (response) => void response.writeHead(status, { location }).end();
}

function endless(response: ServerResponse): void {
	response.writeHead(200, { "content-type": "image/png" });
	const more = (): void => {
		while (!response.destroyed && response.write(PNG));
	};
	response.on("drain", more);
	more();
}

function halfway(response: ServerResponse): void {
	response.writeHead(200, { "content-type": "image/png", "content-length": String(PNG.length) });
	response.write(PNG.subarray(0, 10), () => response.destroy());
}
