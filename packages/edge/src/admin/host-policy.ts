import type { ProblemCode } from "@causeway/admin";

/** What a server is called: everything else in a Host header is somebody else's name for its address. */
export interface HostPolicyOptions {
	readonly listen: { readonly host: string };
	/** Empty where there is none. */
	readonly publicUrl: string;
	readonly https: boolean;
}

/** Decides by Host and Origin whether a request may come in: against DNS rebinding and foreign web pages. */
export interface HostPolicy {
	/** `rawHeaders` as Node gives them (name, value, …): its parsed headers keep the first of two Host headers without a word. */
	checkHost(rawHeaders: readonly string[], localAddress: string | undefined): ProblemCode | undefined;
	/** For requests that change state and for WebSockets; call after `checkHost`. An absent Origin is no browser's. */
	checkOrigin(origin: string | undefined, host: string): ProblemCode | undefined;
}

const wildcards: ReadonlySet<string> = new Set(["0.0.0.0", "::", "[::]", ""]);

/** The rules for one listener: loopback names, the name it listens on, and the public URL's are its own. */
export function createHostPolicy(options: HostPolicyOptions): HostPolicy {
	const publicUrl = options.publicUrl === "" ? undefined : new URL(options.publicUrl);
	const names = new Set(["localhost", "127.0.0.1", "[::1]"]);
	if (!wildcards.has(options.listen.host)) names.add(bracketed(options.listen.host.toLowerCase()));
	if (publicUrl !== undefined) names.add(publicUrl.hostname);
	const ownScheme = options.https ? "https:" : "http:";
	return {
		checkHost: (rawHeaders, localAddress) => {
			const hosts = rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === "host");
			const [host] = hosts;
			if (host === undefined || hosts.length !== 1) return "bad-host";
			const name = hostName(host);
			if (name === undefined) return "bad-host";
			// The address the client connected to cannot be a rebound name: it is no name.
			if (names.has(name) || (localAddress !== undefined && name === bracketed(plainAddress(localAddress)))) {
				return undefined;
			}
			return "host-not-allowed";
		},
		checkOrigin: (origin, host) => {
			if (origin === undefined) return undefined;
			const url = URL.canParse(origin) ? new URL(origin) : undefined;
			if (url === undefined || url.origin === "null") return "origin-not-allowed";
			if (url.origin === publicUrl?.origin) return undefined;
			const own = `${ownScheme}//${host}`;
			return URL.canParse(own) && new URL(own).origin === url.origin ? undefined : "origin-not-allowed";
		},
	};
}

/** Host name of a Host header value, lower case, IPv6 in brackets; undefined where the value is no host. */
function hostName(host: string): string | undefined {
	if (!/^(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?$/.test(host)) return undefined;
	const end = host.startsWith("[") ? host.indexOf("]") + 1 : host.indexOf(":");
	return (end <= 0 ? host : host.slice(0, end)).toLowerCase();
}

function bracketed(address: string): string {
	return address.includes(":") && !address.startsWith("[") ? `[${address}]` : address;
}

/** An IPv4 client of an IPv6 socket has reached an IPv4 address. */
function plainAddress(address: string): string {
	const plain = address.toLowerCase();
	return plain.startsWith("::ffff:") && plain.includes(".") ? plain.slice(7) : plain;
}
