// REQ-06 as the operating system sees it: the edge has no SIP socket but its TLS ones, whatever a peer's headers say.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { createEdgeCertificate } from "../../src/pki/authority.ts";
import { createTrustWorld, dialEdge, FABRIKAM_PEER, startRawEdge, until } from "../wire/trust-world.ts";
import { formatRequest, MESSAGE_LINE, sdp } from "../wire/wire-world.ts";
import { enterPrivateNamespace } from "./harness/namespace.ts";

enterPrivateNamespace(import.meta.filename);

const INSIDE = "10.9.9.9";
const TRAP_PORTS = [5060, 5062, 8080];
const LISTENING = "0A";

interface Sockets {
	/** `address:port` of listening TCP sockets and of all UDP sockets, in the form of proc(5). */
	readonly listening: readonly number[];
	readonly udp: readonly number[];
	/** Remote ports of TCP connections. */
	readonly remote: readonly number[];
}

function readSockets(): Sockets {
	const rows = (...names: readonly string[]) =>
		names.flatMap((name) =>
			readFileSync(`/proc/net/${name}`, "latin1")
				.trim()
				.split("\n")
				.slice(1)
				.map((line) => {
					const [, local = "", remote = "", state = ""] = line.trim().split(/\s+/);
					const port = (address: string): number => Number.parseInt(address.slice(address.indexOf(":") + 1), 16);
					return { local: port(local), remote: port(remote), state };
				}),
		);
	const tcp = rows("tcp", "tcp6");
	return {
		listening: tcp.filter(({ state }) => state === LISTENING).map(({ local }) => local),
		udp: rows("udp", "udp6").map(({ local }) => local),
		remote: tcp.filter(({ state }) => state !== LISTENING).map(({ remote }) => remote),
	};
}

test("REQ-06, REQ-59: no plain TCP or UDP socket, whatever Contact, Route, Via and Record-Route say", async (context) => {
	execFileSync("ip", ["address", "add", `${INSIDE}/32`, "dev", "lo"]);
	const caught: string[] = [];
	for (const address of ["127.0.0.1", INSIDE]) {
		for (const port of TRAP_PORTS) {
			const tcp = createServer((socket) => {
				caught.push(`TCP ${address}:${port}`);
				socket.destroy();
			});
			await new Promise<void>((resolve) => void tcp.listen(port, address, resolve));
			const udp = createSocket("udp4");
			udp.on("message", () => caught.push(`UDP ${address}:${port}`));
			await new Promise<void>((resolve) => void udp.bind(port, address, resolve));
			context.after(() => {
				tcp.close();
				udp.close();
			});
		}
	}
	const world = await createTrustWorld(context);
	const shown = await createEdgeCertificate(world.authority, { ...world.dates, names: ["sip.fabrikam.example"] });
	const partner = await startRawEdge(context, shown);
	const started = await world.start(`${FABRIKAM_PEER}connect = "127.0.0.1:${partner.port}"\n`);
	const httpPort = Number(new URL(started.edge.httpUrl).port);
	const aor = "alice@contoso.example";
	await started.admin.call("putUser", { params: { aor }, body: { password: "correct horse" } });
	const { token } = await started.admin.call("login", { body: { aor, password: "correct horse" } });
	const alice = started.admin.withToken(token);

	const inOrder = (ports: readonly number[]): readonly number[] => ports.toSorted((one, other) => one - other);
	const traps = inOrder([...TRAP_PORTS, ...TRAP_PORTS]);
	const look = (): void => {
		const { listening, udp, remote } = readSockets();
		const ours = inOrder(listening.filter((port) => !TRAP_PORTS.includes(port)));
		assert.deepEqual(ours, inOrder([started.port, httpPort, partner.port]), "listening TCP sockets");
		assert.deepEqual(inOrder(udp), traps, "UDP sockets");
		const trapped = remote.filter((port) => TRAP_PORTS.includes(port));
		assert.deepEqual(trapped, [], "connections to plain ports");
	};
	look();

	const peer = await dialEdge(context, started.port, shown);
	const aims = [
		...TRAP_PORTS.flatMap((port) =>
			["127.0.0.1", INSIDE].flatMap((host) =>
				["udp", "tcp", "sctp", "ws"].map((transport) => `sip:lena@${host}:${port};transport=${transport}`),
			),
		),
		`sip:lena@sip.fabrikam.example:5060;transport=udp;maddr=${INSIDE}`,
		`sip:lena@${INSIDE}`,
		"sip:lena@localhost",
	];
	let answered = 0;
	for (const [number, aim] of aims.entries()) {
		const hostPort = aim.slice(aim.indexOf("@") + 1).split(";")[0] ?? "";
		const disguise = (text: string): string =>
			text
				.replace(/^Contact: .*$/m, `Contact: <${aim}>`)
				.replace(
					/^Via: .*branch=(.*)$/m,
					`Via: SIP/2.0/UDP ${hostPort};received=${INSIDE};rport=5060;maddr=${INSIDE};branch=$1`,
				);
		const route = `Record-Route: <${aim.replace("lena@", "")};lr>`;
		const call = (method: string, parts = {}): string =>
			disguise(formatRequest({ method, callId: `${method}${number}`, headers: [route], ...parts }));
		peer.write(call("OPTIONS"));
		peer.write(call("INVITE", { body: sdp(MESSAGE_LINE) }));
		peer.write(call("SUBSCRIBE", { headers: ["Event: presence", "Expires: 600", route] }));
		peer.write(call("MESSAGE", { body: "x", contentType: "text/plain" }));
		const wanted = 4 * (number + 1);
		await until(`the answers to ${aim}`, () => {
			answered = peer.text.match(/^SIP\/2\.0 [2-6]\d\d /gm)?.length ?? 0;
			return answered >= wanted ? true : undefined;
		});
		look();
	}
	// What our users begin in those dialogs, and out of the blue, leaves over TLS too.
	assert.ok(peer.text.includes("NOTIFY "), "our requests in these dialogs came back on the connection");
	await alice.call("submitMessage", { body: { to: "lena@fabrikam.example", text: "hello" } });
	await alice.call("putContact", { params: { aor: "max@fabrikam.example" }, body: {} });
	await until("our requests", () => (/^(MESSAGE|SUBSCRIBE|BYE) /m.test(peer.text + partner.text) ? true : undefined));
	look();
	peer.destroy();
	await until("the end of the connection", async () => {
		const { connections } = await started.admin.call("listConnections");
		return connections.every(({ direction }) => direction === "outbound") ? true : undefined;
	});
	for (let turn = 0; turn < 20; turn += 1) {
		await setImmediate();
		look();
	}
	assert.deepEqual(caught, []);
});
