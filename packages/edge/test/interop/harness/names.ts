import type { FederatedDomain } from "./dnsmasq.ts";

/** The three organisations of the tests; each edge has a loopback address of its own, so that all can use port 5061. */
export const CONTOSO = {
	domain: "contoso.example",
	edge: "sip.contoso.example",
	// Connections that leave for another loopback address come from 127.0.0.1: the edge whose connections a peer is to
	// know again by address and port (RFC 5923) must live there.
	address: "127.0.0.1",
	port: 5061,
} as const satisfies FederatedDomain;

export const FABRIKAM = {
	domain: "fabrikam.example",
	edge: "sip.fabrikam.example",
	address: "127.0.0.2",
	port: 5061,
} as const satisfies FederatedDomain;

export const NWTRADERS = {
	domain: "nwtraders.example",
	edge: "sip.nwtraders.example",
	address: "127.0.0.3",
	port: 5061,
} as const satisfies FederatedDomain;
