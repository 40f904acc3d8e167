/** Entry of the writer's thread: opens the store, runs batches as they come, and closes when told. */
import assert from "node:assert/strict";
import { parentPort, workerData } from "node:worker_threads";
import { openDatabase } from "./open-database.ts";
import { describeFailure } from "./store-failed.ts";
import type { ThreadAnswer, ThreadRequest } from "./thread-writer.ts";
import { Writer } from "./writer.ts";

const port = parentPort;
assert(port !== null, "the writer runs in a thread of its own");
const answer = (message: ThreadAnswer): void => port.postMessage(message);

try {
	const open = openDatabase(workerData);
	const writer = new Writer(open.database);
	port.on("message", (request: ThreadRequest) => {
		if (request.kind === "batch") {
			answer({ kind: "done", outcome: writer.run(request.batch) });
			writer.tidy();
		} else {
			// Closing the last connection checkpoints the log into the file; the reader has closed before.
			open.close();
			port.close();
		}
	});
	answer({ kind: "opened", opened: open.opened });
} catch (error) {
	answer({ kind: "refused", failure: describeFailure(error) });
}
