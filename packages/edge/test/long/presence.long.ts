/**
 * Issue of hosted presence: 48 hours of 200 users on two edges, 20,000 changes of state, 50 restarts, 200 cut connections for
 * each seed. `--seeds N` (10), `--seed S` for one. Fails on correctness alone and prints what each run did.
 */
import { parseArgs } from "node:util";
import { runPresence } from "../sim/presence-run.ts";

const { values } = parseArgs({
	options: { seeds: { type: "string", default: "10" }, seed: { type: "string" } },
	allowPositionals: true,
});
const seeds =
	values.seed === undefined
		? Array.from({ length: Number(values.seeds) }, (_, index) => index + 1)
		: [Number(values.seed)];
for (const seed of seeds) {
	const startedAt = performance.now();
	const result = await runPresence({
		seed,
		hours: 48,
		usersPerEdge: 100,
		contactsPerUser: 5,
		stateChanges: 20_000,
		decisions: 300,
		restarts: 50,
		cuts: 200,
	});
	const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
	process.stdout.write(`presence seed ${seed}: ${JSON.stringify(result)} in ${seconds} s\n`);
}
