/** Host names, addresses and `host:port` as the configuration writes them. */
import { isIP, isIPv4, isIPv6 } from "node:net";

export interface HostPort {
	/** A name in lower case, or an address; IPv6 without brackets. */
	readonly host: string;
	/** Undefined where the text names none. */
	readonly port: number | undefined;
	readonly kind: "name" | "ipv4" | "ipv6";
}

/** Reads `host`, `host:port`, `192.0.2.1:port` or `[2001:db8::1]:port`; undefined for everything else. */
export function parseHostPort(text: string): HostPort | undefined {
	if (text.startsWith("[")) {
		const close = text.indexOf("]");
		const host = text.slice(1, close).toLowerCase();
		const port = parsePort(text.slice(close + 1));
		return close === -1 || !isIPv6(host) || port === "bad" ? undefined : { host, port, kind: "ipv6" };
	}
	const colon = text.indexOf(":");
	const host = (colon === -1 ? text : text.slice(0, colon)).toLowerCase();
	const port = parsePort(colon === -1 ? "" : text.slice(colon));
	if (port === "bad") return undefined;
	if (isIPv4(host)) return { host, port, kind: "ipv4" };
	return isHostName(host) && !looksLikeAddress(host) ? { host, port, kind: "name" } : undefined;
}

/** `name.example` with at least two labels, letters, digits and inner hyphens only: RFC 1123 §2.1. Any case. */
export function isFqdn(text: string): boolean {
	return isHostName(text) && text.includes(".") && !looksLikeAddress(text);
}

/** An address, or an address with a prefix length. */
export function isAddressRange(text: string): boolean {
	const slash = text.indexOf("/");
	const family = isIP(slash === -1 ? text : text.slice(0, slash));
	if (family === 0) return false;
	return slash === -1 || decimal(text.slice(slash + 1), family === 4 ? 32 : 128) !== undefined;
}

/** Whether only programs of this machine reach the address. */
export function isLoopback(host: string): boolean {
	return host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."));
}

function isHostName(text: string): boolean {
	return text.length <= 253 && text.split(".").every(isLabel);
}

function isLabel(label: string): boolean {
	if (label.length === 0 || label.length > 63 || label.startsWith("-") || label.endsWith("-")) return false;
	return /^[0-9a-z-]+$/i.test(label);
}

/** A last label of digits alone is an address gone wrong, never a name (RFC 3696 §2). */
function looksLikeAddress(text: string): boolean {
	return /^[0-9]+$/.test(text.slice(text.lastIndexOf(".") + 1));
}

/** `:port`, or nothing. */
function parsePort(text: string): number | undefined | "bad" {
	if (text === "") return undefined;
	const port = text.startsWith(":") ? decimal(text.slice(1), 65_535) : undefined;
	return port ?? "bad";
}

function decimal(digits: string, limit: number): number | undefined {
	if (!/^[0-9]{1,5}$/.test(digits)) return undefined;
	const value = Number(digits);
	return value <= limit ? value : undefined;
}
