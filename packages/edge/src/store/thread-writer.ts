import { Worker } from "node:worker_threads";
import type { Batch, BatchOutcome, Opened, WriterPort } from "./batch.ts";
import type { DatabaseOptions } from "./open-database.ts";
import { describeFailure, StoreFailed, type StoreFailure } from "./store-failed.ts";

/** What the main thread asks of the writer's. */
export type ThreadRequest = { readonly kind: "batch"; readonly batch: Batch } | { readonly kind: "close" };

/** What the writer's thread answers: first `opened` or `refused`, then `done` once per batch. */
export type ThreadAnswer =
	| { readonly kind: "opened"; readonly opened: Opened }
	| { readonly kind: "refused"; readonly failure: StoreFailure }
	| { readonly kind: "done"; readonly outcome: BatchOutcome };

/** The same file name as ours decides: source runs by type stripping, a build as JavaScript. */
const ENTRY = new URL(import.meta.url.endsWith(".ts") ? "./writer-thread.ts" : "./writer-thread.js", import.meta.url);

/** Starts the writer in a thread of its own. Rejects with `StoreFailed` where it cannot open the store. */
export function startThreadWriter(options: DatabaseOptions): Promise<WriterPort> {
	const worker = new Worker(ENTRY, { name: "store-writer", workerData: options });
	const ended = Promise.withResolvers<void>();
	let waiting: ((outcome: BatchOutcome) => void) | undefined;
	let stopped: StoreFailure | undefined;

	const settle = (outcome: BatchOutcome): void => {
		const done = waiting;
		waiting = undefined;
		done?.(outcome);
	};
	const stop = (failure: StoreFailure): void => {
		stopped ??= failure;
		settle({ results: [], failures: [], failure: stopped, transactions: 0 });
	};

	return new Promise((resolve, reject) => {
		worker.on("message", (answer: ThreadAnswer) => {
			if (answer.kind === "done") {
				settle(answer.outcome);
			} else if (answer.kind === "refused") {
				reject(new StoreFailed(answer.failure));
			} else {
				resolve({
					opened: answer.opened,
					run(batch, done) {
						waiting = done;
						if (stopped === undefined) worker.postMessage({ kind: "batch", batch } satisfies ThreadRequest);
						else stop(stopped);
					},
					close() {
						worker.postMessage({ kind: "close" } satisfies ThreadRequest);
						return ended.promise;
					},
				});
			}
		});
		worker.on("error", (error) => {
			const failure: StoreFailure = { code: "writer-stopped", detail: describeFailure(error).detail };
			reject(new StoreFailed(failure, error));
			stop(failure);
		});
		worker.on("exit", () => {
			const failure: StoreFailure = { code: "writer-stopped", detail: "the store's writer has ended" };
			reject(new StoreFailed(failure));
			stop(failure);
			ended.resolve();
		});
	});
}
