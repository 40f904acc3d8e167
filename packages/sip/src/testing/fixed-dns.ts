/** A DNS whose whole content is given beforehand. */
import type { AddressRecord, DnsAnswer, DnsLookup } from "../resolve/dns-lookup.ts";
import type { SrvRecord } from "../resolve/srv-order.ts";

/** The zone: names in lower case, without a final dot. */
export interface FixedDnsRecords {
	readonly srv?: Readonly<Record<string, readonly SrvRecord[]>>;
	/** Addresses in text form, IPv4 and IPv6 mixed. */
	readonly addresses?: Readonly<Record<string, readonly string[]>>;
	/** Names whose look-ups fail, with the reason. */
	readonly failing?: Readonly<Record<string, string>>;
	/** 3600 where absent. */
	readonly ttlSeconds?: number;
}

/** A name server that knows what it was told, and nothing else. */
export interface FixedDns extends DnsLookup {
	/** Every name asked for, in order. */
	readonly asked: readonly string[];
}

/** A name that appears nowhere does not exist; one that appears with another type has no data. */
export function createFixedDns(records: FixedDnsRecords): FixedDns {
	const asked: string[] = [];
	const srv = new Map(Object.entries(records.srv ?? {}));
	const addresses = new Map(
		Object.entries(records.addresses ?? {}).map(([name, texts]) => [name, texts.map(addressRecord)] as const),
	);
	const failing = new Map(Object.entries(records.failing ?? {}));

	function answer<Value>(name: string, found: readonly Value[] | undefined): DnsAnswer<Value> {
		asked.push(name);
		const reason = failing.get(name);
		if (reason !== undefined) return { kind: "failed", reason };
		if (found !== undefined && found.length > 0) {
			return { kind: "records", records: found, ttlSeconds: records.ttlSeconds ?? 3600 };
		}
		return srv.has(name) || addresses.has(name) ? { kind: "no-data" } : { kind: "no-name" };
	}

	return {
		asked,
		srv: (name) => Promise.resolve(answer(name, srv.get(name))),
		addresses: (name) => Promise.resolve(answer(name, addresses.get(name))),
	};
}

function addressRecord(address: string): AddressRecord {
	return { address, family: address.includes(":") ? 6 : 4 };
}
