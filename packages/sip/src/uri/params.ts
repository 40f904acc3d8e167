/** Parameters of URIs and header values: `;name=value` in their order. */

export interface Param {
	/** As written. */
	readonly name: string;
	/** As written, quotes included; undefined for a parameter without `=`. */
	readonly value: string | undefined;
}

export type Params = readonly Param[];
