import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { requirePackages } from "./debian-packages.ts";
import type { Lab } from "./lab.ts";
import { until } from "./until.ts";

/** One SIP message as Wireshark's own reader saw it on the wire. */
export interface CapturedMessage {
	/** `ip:port` of the two ends. */
	readonly source: string;
	readonly destination: string;
	/** Request method, undefined for a response. */
	readonly method: string | undefined;
	/** Status code, undefined for a request. */
	readonly status: number | undefined;
	/** `1 INVITE`. */
	readonly cseq: string;
	readonly callId: string;
}

export interface Capture {
	/** Ends the capture after all that was sent before the call, and reads it with the TLS secrets of `keyLog`. */
	decode(keyLog: string): Promise<readonly CapturedMessage[]>;
}

/** Port of the datagrams that mark the two ends of a capture; nobody listens there. */
const MARK_PORT = 9;

/** Captures the TCP traffic of the namespace's loopback until it is decoded. */
export async function startCapture(lab: Lab): Promise<Capture> {
	requirePackages(["tshark"]);
	const file = lab.path("capture.pcapng");
	const program = await lab.run({
		name: "tshark",
		command: "tshark",
		args: ["-i", "lo", "-f", `tcp or udp dst port ${MARK_PORT}`, "-w", file, "-P", "-l", "-B", "32"],
	});
	// The program prints every packet that it has written: a mark that is printed is behind everything sent before it.
	const seen = (mark: string): boolean =>
		program.lines.some((line) => line.includes("UDP") && line.endsWith(`Len=${mark.length}`));
	const send = async (mark: string): Promise<void> => {
		await until(
			async () => {
				if (seen(mark)) return true;
				await sendMark(mark);
				return undefined;
			},
			{ what: "tshark captures the mark" },
		);
	};
	await send("start");

	return {
		async decode(keyLog) {
			await send("the end");
			program.signal("SIGINT");
			await program.exited(10_000);
			return decode(file, keyLog);
		},
	};
}

async function sendMark(text: string): Promise<void> {
	const socket = createSocket("udp4");
	await new Promise<void>((resolve, reject) => {
		socket.send(text, MARK_PORT, "127.0.0.1", (error) => (error === null ? resolve() : reject(error)));
	});
	socket.close();
}

function decode(file: string, keyLog: string): readonly CapturedMessage[] {
	const read = ["-r", file, "-o", `tls.keylog_file:${keyLog}`];
	// SIP is told by its port, and the ports differ from run to run: first find who served TLS.
	const served = tshark([...read, "-Y", "tls.handshake.type == 2", "-T", "fields", "-e", "tcp.srcport"]);
	const ports = [...new Set(served.split("\n").filter((port) => port !== ""))];
	const asSip = ports.flatMap((port) => ["-d", `tcp.port==${port},tls`, "-d", `tls.port==${port},sip`]);
	const json = tshark([...read, ...asSip, "-Y", "sip", "-T", "json", "--no-duplicate-keys", "-J", "ip tcp sip"]);
	return (JSON.parse(json) as readonly Packet[]).flatMap(readPacket);
}

function tshark(args: readonly string[]): string {
	return execFileSync("tshark", args, {
		encoding: "utf8",
		maxBuffer: 256 * 1024 * 1024,
		stdio: ["ignore", "pipe", "pipe"],
	});
}

type Layer = Readonly<Record<string, unknown>>;

interface Packet {
	readonly _source: { readonly layers: Readonly<Record<string, Layer | readonly Layer[]>> };
}

/** A packet may end several messages; Wireshark gives one layer for each. */
function readPacket({ _source: { layers } }: Packet): readonly CapturedMessage[] {
	const { ip: ipLayer, tcp: tcpLayer, sip: sipLayers } = layers;
	const ip = asList(ipLayer)[0] ?? {};
	const tcp = asList(tcpLayer)[0] ?? {};
	const source = `${text(ip["ip.src"])}:${text(tcp["tcp.srcport"])}`;
	const destination = `${text(ip["ip.dst"])}:${text(tcp["tcp.dstport"])}`;
	return asList(sipLayers).map((sip) => {
		const requestLine = sip["sip.Request-Line_tree"] as Layer | undefined;
		const statusLine = sip["sip.Status-Line_tree"] as Layer | undefined;
		const header = sip["sip.msg_hdr_tree"] as Layer;
		return {
			source,
			destination,
			method: requestLine === undefined ? undefined : text(requestLine["sip.Method"]),
			status: statusLine === undefined ? undefined : Number(text(statusLine["sip.Status-Code"])),
			cseq: text(header["sip.CSeq"]),
			callId: text(header["sip.Call-ID"]),
		};
	});
}

function asList(layer: Layer | readonly Layer[] | undefined): readonly Layer[] {
	if (layer === undefined) return [];
	return Array.isArray(layer) ? layer : [layer as Layer];
}

/** The first value where a field occurs more than once. */
function text(value: unknown): string {
	const first: unknown = Array.isArray(value) ? value[0] : value;
	return typeof first === "string" ? first : "";
}
