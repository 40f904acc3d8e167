import { z } from "zod";
import { aorSchema, instantSchema, verificationSchema } from "./common.ts";

const count = z.int().min(0);

/** `GET /api/v1/status`. */
export const statusSchema = z.object({
	version: z.string(),
	fqdn: z.string().describe("The edge's name in certificate, Via and Contact"),
	ready: z.boolean(),
	not_ready: z.array(z.string()).describe("What is missing, in words; empty where ready"),
	started_at: instantSchema,
	domains: z.array(
		z.object({
			name: z.string(),
			kind: z.enum(["hosted", "relay"]),
			icon: z
				.object({
					url: z.string(),
					state: z.enum(["unchecked", "good", "refused"]).describe("refused: documents leave it out"),
					reason: z.string().optional(),
					checked_at: instantSchema.optional(),
				})
				.optional()
				.describe("Our network icon, and what was found at its URL"),
		}),
	),
	listeners: z.array(z.string()).describe("host:port of the federation listeners"),
	users: count,
	connections: count,
	dialogs: count,
	subscriptions: count,
	messages_waiting: count.describe("Messages whose fate is not final"),
});

const certificateSummary = {
	subject: z.string(),
	issuer: z.string(),
	fingerprint_sha256: z.string(),
	serial_number: z.string(),
	not_before: instantSchema,
	not_after: instantSchema,
} as const;

/** What was decided about a peer's certificate, and why: the same in log, trace, metrics label and here. */
export const certificateVerdictSchema = z.object({
	ok: z.boolean(),
	expected: z.object({
		names: z.array(z.string()).describe("Any one of these had to be there; empty where no name was asked for"),
		purpose: z.enum(["server", "client"]).describe("server: we dialled the peer; client: it dialled us"),
	}),
	shown: z
		.object({
			...certificateSummary,
			names: z.array(z.string()),
			chain: z.array(z.object(certificateSummary)).describe("All certificates as presented, leaf first"),
			path: z.array(z.string()).describe("Subjects from the leaf to the trust anchor; empty where none was found"),
		})
		.optional()
		.describe("Absent where the peer showed no readable certificate"),
	valid_until: instantSchema.optional().describe("When the first certificate of the path ends"),
	faults: z.array(
		z.object({
			code: z.string(),
			whose: z.enum(["ours", "peer", "ca", "either"]).describe("Who can mend it"),
			text: z.string(),
			remedy: z.string(),
		}),
	),
	warnings: z.array(z.object({ code: z.string(), text: z.string() })),
});

/** One TLS connection with a peer's edge, as `GET /api/v1/connections` shows it. */
export const connectionSchema = z.object({
	id: z.string(),
	direction: z.enum(["inbound", "outbound"]),
	state: z.enum(["connecting", "open", "closing"]),
	peer: z.string().optional().describe("FQDN of the peer's edge, from its certificate"),
	domains: z.array(z.string()).optional().describe("Domains the peer may speak for"),
	remote_address: z.string().describe("ip:port"),
	local_address: z.string().optional(),
	opened_at: instantSchema,
	last_received_at: instantSchema.optional(),
	dialogs: count.optional(),
	queued_bytes: count.optional(),
	requests_in: count.optional(),
	requests_out: count.optional(),
	tls_version: z.string().optional(),
	legacy: z.boolean().optional().describe("TLS 1.0 or 1.1, or through a listener for them"),
	cipher: z.string().optional(),
	certificate: z
		.object({
			subject: z.string(),
			names: z.array(z.string()),
			issuer: z.string(),
			not_after: instantSchema,
			fingerprint_sha256: z.string(),
		})
		.optional(),
	verdict: certificateVerdictSchema.optional(),
});

export const connectionListSchema = z.object({ connections: z.array(connectionSchema) });

/** A connection that was refused or could not be made, as `GET /api/v1/connections/refused` shows it. */
export const refusedConnectionSchema = z.object({
	at: instantSchema,
	direction: z.enum(["inbound", "outbound"]),
	remote_address: z.string().describe("ip:port"),
	dialled: z.string().optional().describe("The edge name that was dialled"),
	was_open: z.boolean().describe("It was open, and what let it in holds no longer"),
	stage: z.enum(["tcp", "tls", "certificate", "limit"]).describe("How far it came"),
	code: z.string().describe("Stable; also the label of the metric and the field of the log"),
	whose: z.enum(["ours", "peer", "ca", "either", "network"]).describe("Who can mend it"),
	reason: z.string(),
	remedy: z.string().optional(),
	lines: z.array(z.string()).describe("The whole explanation for people"),
	verdict: certificateVerdictSchema.optional(),
});

export const refusedConnectionListSchema = z.object({ refused: z.array(refusedConnectionSchema) });

/** One SIP dialog. */
export const dialogSchema = z.object({
	call_id: z.string(),
	local_tag: z.string().optional().describe("Of a relayed dialog only where that side began it"),
	remote_tag: z.string().optional().describe("The same"),
	usage: z.enum(["invite", "subscribe"]),
	state: z.enum(["early", "confirmed", "terminated"]),
	role: z.enum(["uac", "uas", "relay"]),
	local: z.string(),
	remote: z.string(),
	peer: z.string().optional(),
	connection: z
		.string()
		.optional()
		.describe("id of the connection the dialog lives on; of a relayed one that of the remote side"),
	created_at: instantSchema,
	ends_at: instantSchema
		.optional()
		.describe("When the dialog is ended by age, or its subscription unless it is refreshed"),
});

export const dialogListSchema = z.object({ dialogs: z.array(dialogSchema) });

/** One presence subscription. */
export const subscriptionSchema = z.object({
	direction: z.enum(["inbound", "outbound"]).describe("inbound: a partner's user watches ours"),
	watcher: aorSchema,
	presentity: aorSchema,
	state: z.enum(["pending", "active", "terminated"]),
	peer: z.string().optional(),
	connection: z.string().optional(),
	verification: verificationSchema.optional(),
	created_at: instantSchema,
	expires_at: instantSchema.optional(),
	last_notify_at: instantSchema.optional(),
	reason: z.string().optional(),
});

export const subscriptionListSchema = z.object({ subscriptions: z.array(subscriptionSchema) });

export type Status = z.output<typeof statusSchema>;
export type Connection = z.output<typeof connectionSchema>;
export type CertificateVerdict = z.output<typeof certificateVerdictSchema>;
export type RefusedConnection = z.output<typeof refusedConnectionSchema>;
export type Dialog = z.output<typeof dialogSchema>;
export type Subscription = z.output<typeof subscriptionSchema>;
