import { createProblemBody, problemMediaType } from "@causeway/admin";
import type { Logger } from "@causeway/sip";
import type { FastifyReply } from "fastify";
import { StoreFailed } from "../store/store-failed.ts";
import { ApiProblem } from "./handlers.ts";

/** Answers with a refusal: RFC 9457, with the headers its status calls for. */
export function sendProblem(reply: FastifyReply, problem: ApiProblem): FastifyReply {
	const body = JSON.stringify(createProblemBody(problem.code, problem.detail, problem.errors));
	if (problem.status === 401) reply.header("www-authenticate", 'Bearer realm="causeway"');
	if (problem.retryAfterSeconds !== undefined) reply.header("retry-after", String(problem.retryAfterSeconds));
	// As octets: to a text the framework would add a charset, which JSON has not (RFC 8259 §11).
	return reply.code(problem.status).type(problemMediaType).send(Buffer.from(body));
}

/** The refusal that an error of a handler or of the HTTP layer stands for; what is nobody's refusal is our fault. */
export function problemFromError(error: unknown, log: Logger, place: string): ApiProblem {
	if (error instanceof ApiProblem) return error;
	const { code, statusCode, message } = errorParts(error);
	switch (code) {
		case "FST_ERR_CTP_BODY_TOO_LARGE":
			return new ApiProblem("body-too-large");
		case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
			return new ApiProblem("unsupported-media-type");
		case "FST_ERR_CTP_INVALID_JSON_BODY":
		case "FST_ERR_CTP_INVALID_CONTENT_LENGTH":
		case "FST_ERR_BAD_URL":
			return new ApiProblem("bad-request", message);
		default:
	}
	if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) return new ApiProblem("bad-request", message);
	if (error instanceof StoreFailed) {
		log.error("store failed", { place, code, detail: message });
		return new ApiProblem("store-unavailable", message, { retryAfterSeconds: 5 });
	}
	log.error("http handler failed", {
		place,
		detail: message,
		stack: error instanceof Error ? error.stack : undefined,
	});
	return new ApiProblem("internal", "the server's log says more");
}

function errorParts(error: unknown): { code: string | undefined; statusCode: number | undefined; message: string } {
	if (!(error instanceof Error)) return { code: undefined, statusCode: undefined, message: String(error) };
	return {
		code: "code" in error && typeof error.code === "string" ? error.code : undefined,
		statusCode: "statusCode" in error && typeof error.statusCode === "number" ? error.statusCode : undefined,
		message: error.message,
	};
}
