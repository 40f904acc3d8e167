/** The order in which the targets of an SRV answer are tried: RFC 2782, "Usage rules". */
import type { Random } from "../env.ts";

/** One SRV record. */
export interface SrvRecord {
	/** 0 to 65535, lower first. */
	readonly priority: number;
	/** 0 to 65535, share within one priority. */
	readonly weight: number;
	/** 0 to 65535. */
	readonly port: number;
	/** Domain name without its final dot; the root name `.` (service decidedly absent) is the empty string or `.`. */
	readonly target: string;
}

/**
 * Sorts by priority and draws by weight within a priority.
 *
 * RFC 2782 draws from 0 to the sum, both included, which prefers the first of two equal weights 2 : 1. The draw here is
 * from 1 to the sum (the text says "should"), so each record leads in proportion to its weight; records of weight 0
 * follow the others of their priority in random order.
 */
export function orderSrvRecords(records: readonly SrvRecord[], random: Random): SrvRecord[] {
	const byPriority = Map.groupBy(records, (record) => record.priority);
	const priorities = [...byPriority.keys()].sort((left, right) => left - right);
	return priorities.flatMap((priority) => drawByWeight(byPriority.get(priority) ?? [], random));
}

function drawByWeight(records: readonly SrvRecord[], random: Random): SrvRecord[] {
	const left = [...records];
	const drawn: SrvRecord[] = [];
	while (left.length > 0) {
		const sum = left.reduce((total, record) => total + record.weight, 0);
		const index = sum > 0 ? indexAtWeight(left, 1 + random.below(sum)) : random.below(left.length);
		drawn.push(...left.splice(index, 1));
	}
	return drawn;
}

/** The first record whose running sum of weights reaches `wanted`. */
function indexAtWeight(records: readonly SrvRecord[], wanted: number): number {
	let running = 0;
	return records.findIndex((record) => {
		running += record.weight;
		return running >= wanted;
	});
}
