import { type FieldFault, problemSchema } from "./schema/problem.ts";

/** A call of the API that did not succeed: refused by the server, or not answered at all. */
export class ApiError extends Error {
	/** HTTP status; 0 where no answer came. */
	readonly status: number;
	/** Stable code of the server's problem, or `unreachable`, `not-causeway`. */
	readonly code: string;
	/** One sentence for a person. */
	readonly detail: string;
	readonly errors: readonly FieldFault[];

	constructor(
		status: number,
		code: string,
		detail: string,
		more: { readonly errors?: readonly FieldFault[]; readonly cause?: unknown } = {},
	) {
		super(detail, more.cause === undefined ? {} : { cause: more.cause });
		this.name = "ApiError";
		this.status = status;
		this.code = code;
		this.detail = detail;
		this.errors = more.errors ?? [];
	}
}

const refusedWords: Readonly<Record<string, string>> = {
	ECONNREFUSED: "connection refused",
	ECONNRESET: "connection reset",
	ENOTFOUND: "no such host",
	EAI_AGAIN: "the name could not be looked up",
	ETIMEDOUT: "no answer",
	UND_ERR_CONNECT_TIMEOUT: "no answer",
	UND_ERR_HEADERS_TIMEOUT: "no answer",
	UND_ERR_SOCKET: "connection lost",
	DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is self-signed",
	SELF_SIGNED_CERT_IN_CHAIN: "its certificate is not from a trusted authority",
	UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate is not from a trusted authority",
	CERT_HAS_EXPIRED: "its certificate has expired",
	ERR_TLS_CERT_ALTNAME_INVALID: "its certificate carries another name",
};

/** Says that nothing answers at `url`, why, and what to do. */
export function createUnreachableError(url: string, cause: unknown): ApiError {
	return new ApiError(
		0,
		"unreachable",
		`no Causeway answers at ${url} (${explainCause(cause)}); start it with \`causeway serve\``,
		{ cause },
	);
}

/** The deepest cause that has a code: fetch wraps the socket's error, and several addresses make an aggregate. */
function explainCause(error: unknown): string {
	let current = error;
	for (let depth = 0; depth < 8 && current instanceof Error; depth++) {
		const code = "code" in current && typeof current.code === "string" ? current.code : undefined;
		if (code !== undefined) return refusedWords[code] ?? code;
		if (current.name === "TimeoutError") return "no answer";
		if (current instanceof AggregateError && current.errors.length > 0) current = current.errors[0];
		else if (current.cause === undefined) return current.message;
		else current = current.cause;
	}
	return "connection failed";
}

/** The error an answer that is no success stands for. */
export function readApiError(url: string, status: number, text: string): ApiError {
	const problem = problemSchema.safeParse(parseJson(text));
	if (!problem.success) {
		return new ApiError(status, "not-causeway", `what answers at ${url} is not a Causeway (HTTP status ${status})`);
	}
	const { code, title, detail, errors = [] } = problem.data;
	const places = errors.map((fault) => `${fault.in} ${fault.pointer || "/"}: ${fault.detail}`);
	const sentence = detail ?? title;
	return new ApiError(status, code, places.length === 0 ? sentence : `${sentence} (${places.join("; ")})`, { errors });
}

/** The value of a JSON text, or undefined where it is none. */
export function parseJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}
