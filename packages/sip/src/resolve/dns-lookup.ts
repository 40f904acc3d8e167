/** The port through which resolution asks the DNS. `node/` and `testing/` implement it. */
import type { SrvRecord } from "./srv-order.ts";

/** One A or AAAA record. */
export interface AddressRecord {
	/** Text form without brackets. */
	readonly address: string;
	readonly family: 4 | 6;
}

/** What the DNS said. */
export type DnsAnswer<Record> =
	/** At least one record; `ttlSeconds` is the smallest of the answer. */
	| { readonly kind: "records"; readonly records: readonly Record[]; readonly ttlSeconds: number }
	/** NXDOMAIN: the name does not exist. */
	| { readonly kind: "no-name" }
	/** The name exists and has no record of this type. */
	| { readonly kind: "no-data" }
	/** No usable answer: time-out, SERVFAIL, refused. `reason` is for the log. */
	| { readonly kind: "failed"; readonly reason: string };

/** Never rejects: what goes wrong is an answer. The implementation bounds the time of a look-up and the size of an answer. */
export interface DnsLookup {
	srv(name: string): Promise<DnsAnswer<SrvRecord>>;
	/** A and AAAA together. */
	addresses(name: string): Promise<DnsAnswer<AddressRecord>>;
}
