import type { WriterPort } from "./batch.ts";
import type { OpenDatabase } from "./open-database.ts";
import { Writer } from "./writer.ts";

/** The writer on the calling thread, for stores in memory: the same commands and SQL, answered at once. */
export function createLocalWriter(open: OpenDatabase): WriterPort {
	const writer = new Writer(open.database);
	return {
		opened: open.opened,
		run(batch, done) {
			done(writer.run(batch));
			writer.tidy();
		},
		close() {
			open.close();
			return Promise.resolve();
		},
	};
}
