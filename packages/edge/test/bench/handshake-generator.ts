/** Dials, finishes the handshake with a certificate of its own, closes, and waits for the other side's end. */
import { connect } from "node:tls";

export interface HandshakePlan {
	readonly kind: "run";
	readonly port: number;
	readonly serverName: string;
	readonly certificate: string;
	readonly key: string;
	readonly handshakes: number;
	/** Handshakes under way at once. */
	readonly window: number;
}

export interface HandshakeResult {
	readonly succeeded: number;
	readonly errors: number;
	readonly firstError: string | undefined;
	readonly elapsedMs: number;
	readonly cpuMs: number;
}

/** One full handshake; the reason where there was none, or where the server cut the connection by itself. */
function shake({ port, serverName, certificate, key }: HandshakePlan): Promise<string | undefined> {
	return new Promise((resolve) => {
		let reason: string | undefined = "closed during the handshake";
		const socket = connect({
			host: "127.0.0.1",
			port,
			servername: serverName,
			cert: certificate,
			key,
			rejectUnauthorized: false,
		});
		socket.on("error", (error) => {
			reason = error.message;
		});
		socket.once("secureConnect", () => {
			reason = socket.isSessionReused() ? "the session was resumed" : undefined;
			socket.end();
			socket.resume();
		});
		socket.once("close", () => resolve(reason));
	});
}

async function run(plan: HandshakePlan): Promise<HandshakeResult> {
	const cpu = process.cpuUsage();
	const started = performance.now();
	let left = plan.handshakes;
	let succeeded = 0;
	let errors = 0;
	let firstError: string | undefined;
	const work = async (): Promise<void> => {
		while (left > 0) {
			left -= 1;
			const reason = await shake(plan);
			if (reason === undefined) succeeded += 1;
			else {
				errors += 1;
				firstError ??= reason;
			}
		}
	};
	await Promise.all(Array.from({ length: plan.window }, work));
	const { user, system } = process.cpuUsage(cpu);
	return { succeeded, errors, firstError, elapsedMs: performance.now() - started, cpuMs: (user + system) / 1000 };
}

process.on("message", (plan: HandshakePlan) => {
	void run(plan).then((result) => process.send?.(result));
});
process.on("disconnect", () => process.exit());
