/** How much a peer may send (profile fact sheet 2.1): every reader here takes its bounds from these records. */

export interface HeadLimits {
	/** Octets of the start line without its line end. */
	readonly startLineBytes: number;
	/** Octets of one header field, name and folds included. */
	readonly fieldBytes: number;
	/** The same for `ms-text-format` and `ms-im-format`, which carry a whole text in base64. */
	readonly textFieldBytes: number;
	/** Header fields of one message. */
	readonly fields: number;
	/** Via values of one message. */
	readonly vias: number;
}

/** Bounds of one message. */
export interface FramerLimits {
	/** Octets of start line, header fields and empty line together. */
	readonly headBytes: number;
	readonly bodyBytes: number;
	readonly head: HeadLimits;
}

/** Start line 2 KiB, a field 8 KiB, 200 fields, 64 Via values (protocol sheet 2.1). */
export const DEFAULT_HEAD_LIMITS: HeadLimits = {
	startLineBytes: 2048,
	fieldBytes: 8192,
	textFieldBytes: 65536,
	fields: 200,
	vias: 64,
};

/** 64 KiB of head, 256 KiB of body (product contract 3). */
export const DEFAULT_FRAMER_LIMITS: FramerLimits = {
	headBytes: 65536,
	bodyBytes: 262144,
	head: DEFAULT_HEAD_LIMITS,
};
