/** Why a request cannot leave toward a domain, with what its sender is told. */

/** Stable diagnostics ids of the field (protocol sheet 7.7) stand beside our own words. */
export interface FederationRefusal {
	/** Status code that the local sender sees. */
	readonly status: number;
	/** `ms-diagnostics` id; undefined where none fits. */
	readonly diagnosticsId: number | undefined;
	/** Stable: `blocked-domain`, `not-listed`, `srv-absent`, `connect-failed`, `certificate-refused`, `connection-limit`. */
	readonly code: string;
	/** One sentence for a person. */
	readonly reason: string;
	readonly blame: "us" | "peer" | "network";
}
