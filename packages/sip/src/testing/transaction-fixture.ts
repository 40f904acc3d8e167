/** A transaction layer on a simulated clock whose user only takes notes, for tests of what the layer does by itself. */
import { createResponse, type ResponseParts } from "../message/build.ts";
import type { SipMessage, SipResponse } from "../message/message.ts";
import { invariant } from "../text/assert.ts";
import { createTiming, type TimingOptions } from "../transaction/timing.ts";
import { TransactionLayer } from "../transaction/transaction-layer.ts";
import type { ClientTransactionUser, ServerTransaction, TransactionLimits } from "../transaction/transaction-user.ts";
import { RecordingConnection } from "./recording-connection.ts";
import { createSampleRequest, type SampleRequest } from "./sample-messages.ts";
import { SimClock } from "./sim-clock.ts";
import { SimRandom } from "./sim-random.ts";

export interface TransactionFixture {
	readonly clock: SimClock;
	readonly connection: RecordingConnection;
	readonly layer: TransactionLayer;
	/** What the layer told its users, as words. */
	readonly told: string[];
	/** Log events of the layer. */
	readonly logged: string[];
	/** Server transactions in the order of their requests. */
	readonly servers: ServerTransaction[];
	/** Notes responses and failures in `told`. */
	readonly client: ClientTransactionUser;
	/** Lets a request arrive; the server transaction it made, or the newest one where it made none. */
	readonly arrive: (sample?: SampleRequest) => ServerTransaction | undefined;
	/** Lets the response to the newest sent request of `method` arrive. */
	readonly answer: (method: string, statusCode: number, parts?: ResponseParts) => SipResponse;
	/** What was sent since the last call, as words: `MESSAGE`, `200 MESSAGE`. */
	readonly takeSent: () => readonly string[];
}

export function createTransactionFixture(timing: TimingOptions = {}, limits?: TransactionLimits): TransactionFixture {
	const clock = new SimClock();
	const connection = new RecordingConnection(1);
	const told: string[] = [];
	const logged: string[] = [];
	const servers: ServerTransaction[] = [];
	const sent: SipMessage[] = [];
	const ignore = (): void => undefined;
	const layer = new TransactionLayer({
		clock,
		random: new SimRandom(1),
		timing: createTiming(timing),
		log: { debug: ignore, info: ignore, warn: ignore, error: (event) => logged.push(event) },
		...(limits === undefined ? {} : { limits }),
		user: {
			request: (transaction) => {
				servers.push(transaction);
				told.push(`request ${transaction.request.method}`);
			},
			ack: (_connection, request) => told.push(`ack ${request.cseq.number}`),
			cancel: (transaction) => told.push(`cancel ${transaction.request.method}`),
			strayResponse: (_connection, response) => told.push(`stray ${describeMessage(response)}`),
		},
	});
	return {
		clock,
		connection,
		layer,
		told,
		logged,
		servers,
		client: {
			response: (response) => told.push(describeMessage(response)),
			failed: (failure, transaction) => told.push(`${transaction.method} failed: ${failure}`),
		},
		arrive: (sample) => {
			layer.receive(connection, createSampleRequest(sample));
			return servers.at(-1);
		},
		answer: (method, statusCode, parts = { toTag: "to-1" }) => {
			sent.push(...connection.sent);
			const request = sent.findLast((message) => message.kind === "request" && message.method === method);
			invariant(request?.kind === "request", `no ${method} was sent`);
			const response = createResponse(request, statusCode, parts);
			layer.receive(connection, response);
			return response;
		},
		takeSent: () => {
			const taken = connection.take();
			sent.push(...taken);
			return taken.map(describeMessage);
		},
	};
}

export function describeMessage(message: SipMessage): string {
	return message.kind === "request" ? message.method : `${message.statusCode} ${message.cseq.method}`;
}
