/** The real way of a request, from octets on a stream to the answer, on a clock that a test moves: no sockets, no TLS. */
import type { Clock, DnsLookup, SipMessage, SipResponse } from "@causeway/sip";
import { DEFAULT_FRAMER_LIMITS, SipConnection } from "@causeway/sip";
import { createFixedDns, createMemoryPair, type FixedDnsRecords, SimClock, SimRandom } from "@causeway/sip/testing";
import { Federation } from "../../src/federation/federation.ts";
import { type Peer, PeerDirectory, type PeerPolicy } from "../../src/federation/peers.ts";
import { presentTestCertificate, testJudge } from "../../src/federation/testing.ts";
import type { ThrottleLimits } from "../../src/federation/throttle/peer-throttle.ts";
import { Throttles } from "../../src/federation/throttle/throttles.ts";
import { Trace } from "../../src/observe/trace.ts";
import { Reception } from "../../src/proxy/reception.ts";
import type { SignedContact } from "../../src/ua/signed-contact.ts";
import { createTestContactKeys } from "../../src/ua/testing.ts";
import { type DialogUsage, UserAgent } from "../../src/ua/user-agent.ts";

const UNUSED = undefined as never;
const silent = { debug() {}, info() {}, warn() {}, error() {} };

export interface BoundaryOptions extends Partial<PeerPolicy> {
	readonly peers: readonly Peer[];
	readonly dns?: FixedDnsRecords;
	readonly throttle?: ThrottleLimits;
}

/** A final response; undefined where it repeats a From that cannot be read. */
export interface FarResponse {
	readonly statusCode: number;
	readonly response: SipResponse | undefined;
}

/** The far end of one connection. */
export interface FarEnd {
	write(text: string): void;
	/** Final responses since the last call. */
	take(): readonly FarResponse[];
	readonly isOpen: boolean;
	close(): void;
}

export interface BoundaryWorld {
	readonly clock: SimClock;
	readonly throttles: Throttles;
	/** Requests in the dialog that every far end may speak in (`Call-ID: dialog`, our tag `ours`): method by method. */
	readonly inDialog: string[];
	/** Our signed Contact in the dialog that the last connection has. */
	readonly contact: string;
	/** A connection whose certificate carries this name. */
	connect(name: string): Promise<FarEnd>;
	/** Lets everything that waits for an answer of the DNS go on. */
	settle(): Promise<void>;
}

/** An edge that answers every SUBSCRIBE and INVITE that gets through with 200, and everything in its one dialog too. */
export function createBoundaryWorld(options: BoundaryOptions): BoundaryWorld {
	const clock = new SimClock();
	const random = new SimRandom(1);
	const ownDomains = new Set(["contoso.example"]);
	const { peers, blocked = new Set<string>(), discovery = false, dns = {} } = options;
	const directory = new PeerDirectory({ peers, blocked, discovery });
	const lookup: DnsLookup = createFixedDns(dns);
	const unlimited = { messagesPerSecond: undefined, suspiciousMessagesPerSecond: undefined, distinctUsers: undefined };
	const throttles = new Throttles({
		clock,
		directory: () => directory,
		limits: () => options.throttle ?? { ...unlimited, dryRun: false },
	});
	const reception: Reception = new Reception({
		clock,
		random,
		log: silent,
		findLink: (id) => federation.findLink(id),
		rules: {
			hostedDomains: ownDomains,
			fqdn: "sip.contoso.example",
			bind: (link, domain) => federation.bind(link, domain),
			throttles,
			proxy: undefined,
		},
	});
	const agent: UserAgent = new UserAgent({
		clock,
		random,
		log: silent,
		identity: () => ({ fqdn: "sip.contoso.example", port: 5061 }),
		reception,
		federation: () => federation,
		outsideOf: () => "all",
		hidesUsersFrom: () => false,
		throttles,
		keys: createTestContactKeys(clock),
		tokenRefused: () => {},
		counted: () => {},
	});
	const federation: Federation = new Federation({
		clock,
		random,
		log: silent,
		lookup,
		dialler: UNUSED,
		judge: testJudge,
		trace: new Trace(1, clock),
		directory: () => directory,
		ownDomains,
		allowPrivateAddresses: true,
		linkLimits: { perEdge: 4, perNetwork: 40 },
		streamLimits: { headBytes: 65_536, bodyBytes: 262_144, headMs: 10_000, bodyMs: 20_000 },
		handshakeMs: 10_000,
		user: reception,
		refused: () => {},
	});
	reception.serve(agent);
	agent.start({
		invite: ({ transaction }) => agent.answer(transaction, 200, { code: "test" }),
		subscribe: ({ transaction }) => agent.answer(transaction, 200, { code: "test" }),
		earlyNotify: () => false,
		revive() {},
	});
	const inDialog: string[] = [];
	let contact: SignedContact | undefined;
	const usage: DialogUsage = {
		usage: "invite",
		get localContact() {
			return contact?.value;
		},
		request: (transaction) => {
			inDialog.push(transaction.request.method);
			agent.answer(transaction, 200, { code: "test" });
		},
		acknowledged: () => inDialog.push("ACK"),
		repeated() {},
		lost() {},
		rejected() {},
		describe: () => ({
			local: "alice@contoso.example",
			remote: "lena@fabrikam.example",
			role: "uas",
			state: "confirmed",
			createdAt: 0,
		}),
	};
	const settle = async (): Promise<void> => {
		for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
	};
	return {
		clock,
		throttles,
		inDialog,
		get contact() {
			return contact?.uri ?? "";
		},
		settle,
		async connect(name) {
			const [near, far] = createMemoryPair({ schedule: (run) => run() });
			const far_ = createFarEnd(far, clock);
			federation.accepted(near, presentTestCertificate("public", name));
			await settle();
			const [link] = [...federation.links].slice(-1);
			const id = { callId: "dialog", localTag: "ours", remoteTag: "theirs" };
			agent.dialogs.remove(id);
			if (link !== undefined) {
				contact = agent.contacts.create({
					user: "alice",
					initiatedBy: "peer",
					usage: "invite",
					connectionId: link.connection.id,
					peer: name,
					callId: id.callId,
					initiatorTag: id.remoteTag,
					initiator: "lena@fabrikam.example",
					other: "alice@contoso.example",
				});
				agent.dialogs.add(id, link.connection.id, usage);
			}
			return far_;
		},
	};
}

function createFarEnd(stream: ConstructorParameters<typeof SipConnection>[0]["stream"], clock: Clock): FarEnd {
	const responses: FarResponse[] = [];
	const connection = new SipConnection({
		id: 0,
		direction: "outbound",
		stream,
		clock,
		random: new SimRandom(2),
		limits: DEFAULT_FRAMER_LIMITS,
		times: { headMs: 10_000, bodyMs: 20_000 },
		user: {
			received: (_connection, message: SipMessage) => {
				if (message.kind !== "response" || message.statusCode < 200) return;
				responses.push({ statusCode: message.statusCode, response: message });
			},
			closed() {},
		},
		hooks: {
			malformed: (_connection, _fault, head) => {
				const statusCode = Number(head?.text.slice("SIP/2.0 ".length, "SIP/2.0 400".length));
				responses.push({ statusCode, response: undefined });
			},
		},
	});
	connection.start();
	return {
		write: (text) => stream.write(text),
		take: () => responses.splice(0),
		get isOpen() {
			return stream.isOpen;
		},
		close: () => stream.close("the test is done with it"),
	};
}

let lastBranch = 0;

/** A request of the far end; From, To and Request-URI as they are given, whatever they are. */
export function formatFarRequest(parts: {
	readonly method?: string;
	readonly uri?: string;
	readonly from?: string;
	readonly to?: string;
	readonly inDialog?: boolean;
	readonly headers?: readonly string[];
}): string {
	lastBranch += 1;
	const { method = "SUBSCRIBE", from = "sip:lena@fabrikam.example", to = "sip:alice@contoso.example" } = parts;
	const isInside = parts.inDialog === true;
	return [
		`${method} ${parts.uri ?? to} SIP/2.0`,
		`Via: SIP/2.0/TLS sip.fabrikam.example:5061;branch=z9hG4bKboundary${lastBranch}`,
		"Max-Forwards: 70",
		`From: <${from}>;tag=${isInside ? "theirs" : "far"}`,
		`To: <${to}>${isInside ? ";tag=ours" : ""}`,
		`Call-ID: ${isInside ? "dialog" : `call${lastBranch}`}`,
		`CSeq: ${lastBranch} ${method}`,
		"Contact: <sip:lena@sip.fabrikam.example:5061;transport=tls>",
		...(parts.headers ?? []),
		"Content-Length: 0",
		"",
		"",
	].join("\r\n");
}
