/** Both sides of network icons, ours and those of contacts, over one way of fetching. */
import { readFileSync } from "node:fs";
import { createSecureContext, getCACertificates, type SecureContext } from "node:tls";
import type { Clock, DnsLookup, Logger } from "@causeway/sip";
import { ContactIcons } from "./contact-icons.ts";
import { fetchIcon } from "./icon-fetch.ts";
import { OwnIcons } from "./own-icons.ts";

export interface IconServicesOptions {
	readonly clock: Clock;
	readonly log: Logger;
	readonly lookup: Pick<DnsLookup, "addresses">;
	/** Files of authorities beside those of the system: what `[edge.tls] trust` names. */
	readonly trust: readonly string[];
	/** For contacts' icons; ours may be at any address, the administrator chose it. */
	readonly allowPrivateAddresses: boolean;
	/** URL of our icon, by domain. */
	readonly own: ReadonlyMap<string, string>;
	readonly showOwn: (domain: string, url: string | undefined) => void;
	readonly contactIconChanged: (url: string) => void;
}

export interface IconServices {
	readonly own: OwnIcons;
	readonly contacts: ContactIcons;
	close(): void;
}

export function createIconServices(options: IconServicesOptions): IconServices {
	const { clock, log, lookup } = options;
	const stop = new AbortController();
	let context: SecureContext | undefined;
	const shared = {
		clock,
		lookup,
		signal: stop.signal,
		// Made at the first fetch: an edge without icons needs none.
		secureContext: () => {
			context ??= createSecureContext({
				ca: [...getCACertificates("default"), ...getCACertificates("system"), ...readTrust(options)],
				minVersion: "TLSv1.2",
			});
			return context;
		},
	};
	const own = new OwnIcons({
		clock,
		log,
		icons: options.own,
		fetch: (url) => fetchIcon(url, { ...shared, allowPrivateAddresses: true }),
		show: options.showOwn,
	});
	const contacts = new ContactIcons({
		clock,
		log,
		fetch: (url) => fetchIcon(url, { ...shared, allowPrivateAddresses: options.allowPrivateAddresses }),
		changed: options.contactIconChanged,
	});
	return {
		own,
		contacts,
		close() {
			own.close();
			contacts.close();
			stop.abort();
		},
	};
}

/** The start has read these files already; one that went away since is told and left out. */
function readTrust({ log, trust }: IconServicesOptions): readonly string[] {
	return trust.flatMap((file) => {
		if (file === "system") return [];
		try {
			return [readFileSync(file, "utf8")];
		} catch (error) {
			log.warn("trust file not read for icons", { file, reason: String(error) });
			return [];
		}
	});
}
