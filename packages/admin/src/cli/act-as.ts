import { ApiError } from "../api-error.ts";
import type { Client } from "../client.ts";
import { CommandFailed } from "./command-failed.ts";

/** A client that acts as a hosted user, with a short-lived token the administrator's client makes. */
export async function actAs(admin: Client, aor: string): Promise<Client> {
	try {
		const { token } = await admin.call("mintToken", { params: { aor }, body: {} });
		return admin.withToken(token);
	} catch (error) {
		if (error instanceof ApiError && error.code === "unknown-user") {
			throw new CommandFailed(`${aor} is not a hosted user of ${admin.url}; make it with \`causeway user add ${aor}\``);
		}
		throw error;
	}
}

/** A signal that is aborted by Ctrl-C or after `seconds`; `timedOut` tells which. Call `end` when it is not needed any more. */
export function createDeadline(
	interrupted: AbortSignal,
	seconds: number | undefined,
): { readonly signal: AbortSignal; readonly timedOut: () => boolean; readonly end: () => void } {
	const controller = new AbortController();
	let late = false;
	const abort = (): void => controller.abort();
	const timer =
		seconds === undefined
			? undefined
			: setTimeout(() => {
					late = true;
					abort();
				}, seconds * 1000);
	if (interrupted.aborted) abort();
	interrupted.addEventListener("abort", abort);
	return {
		signal: controller.signal,
		timedOut: () => late,
		end: () => {
			clearTimeout(timer);
			interrupted.removeEventListener("abort", abort);
			abort();
		},
	};
}
