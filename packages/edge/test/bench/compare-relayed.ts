/** Whether a proxy left alone what is not its own: everything but the fields that a proxy owns (RFC 3261 §16.6), byte for byte. */

const OWNED = ["via", "v", "route", "record-route", "max-forwards", "ms-asserted-verification-level"] as const;

/** Undefined where both are the same but for owned fields; else the first difference. Both are whole messages, latin1. */
export function compareRelayed(sent: string, received: string): string | undefined {
	const left = foreignParts(sent);
	const right = foreignParts(received);
	for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
		if (left[index] !== right[index]) {
			return `relayed otherwise than sent: ${JSON.stringify(left[index])} became ${JSON.stringify(right[index])}`;
		}
	}
	const vias = viaLines(sent);
	const relayedVias = viaLines(received);
	// A request has one more Via behind the proxy, a response one less.
	const [more, less] = vias.length < relayedVias.length ? [relayedVias, vias] : [vias, relayedVias];
	// RFC 3261 §18.2.1: a receiver notes the source address where sent-by names another host.
	const noted = (line: string | undefined): string | undefined => line?.replace(";received=127.0.0.1", "");
	return more.length === less.length + 1 && more.slice(1).every((line, index) => noted(line) === noted(less[index]))
		? undefined
		: `the Via stack came through otherwise: ${JSON.stringify(vias)} became ${JSON.stringify(relayedVias)}`;
}

/** Lines that no proxy owns, and the body as the last part. */
function foreignParts(message: string): readonly string[] {
	const end = message.indexOf("\r\n\r\n");
	const lines = message.slice(0, end).split("\r\n");
	return [...lines.filter((line, index) => index === 0 || !isOwned(line)), message.slice(end)];
}

function viaLines(message: string): readonly string[] {
	return message
		.slice(0, message.indexOf("\r\n\r\n"))
		.split("\r\n")
		.filter((line) => nameOf(line) === "via");
}

function isOwned(line: string): boolean {
	const name = nameOf(line);
	return OWNED.some((owned) => owned === name);
}

function nameOf(line: string): string {
	return line
		.slice(0, Math.max(0, line.indexOf(":")))
		.trimEnd()
		.toLowerCase();
}
