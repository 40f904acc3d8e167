/** The library: SIP text, messages, transactions, dialogs, subscriptions and message sessions, without a socket or a clock inside. */

export { type BodyPart, findBodyPart } from "./body/multipart.ts";
export {
	type BasicStatus,
	CIPID_NAMESPACE,
	DATA_MODEL_NAMESPACE,
	entityMatches,
	MAX_DISPLAY_NAME_LENGTH,
	MAX_NOTE_LENGTH,
	PIDF_MEDIA_TYPE,
	PIDF_NAMESPACE,
	type PresenceDocument,
	RPID_DRAFT_NAMESPACE,
	RPID_NAMESPACE,
	RPID_STATUS_NAMESPACE,
	RPID_TUPLE_NAMESPACE,
} from "./body/pidf.ts";
export { type PidfReadOptions, parsePidf } from "./body/pidf-read.ts";
export { formatPidf, type PidfToWrite, type PresenceProfile, type WrittenActivity } from "./body/pidf-write.ts";
export { type PresenceWord, presenceStatus, presenceWord } from "./body/presence-words.ts";
export { rtfToText } from "./body/rtf-to-text.ts";
export {
	acceptTypes,
	createSdp,
	formatSdp,
	MAX_SDP_BYTES,
	MAX_SDP_LINES,
	MAX_SDP_MEDIA,
	parseSdp,
	rejectMedia,
	type Sdp,
	type SdpAttribute,
	type SdpMedia,
	type SdpMediaToWrite,
	type SdpToWrite,
} from "./body/sdp.ts";
export { decodeTextBody, htmlToText } from "./body/text-body.ts";
export {
	type ComposingStatus,
	formatIsComposing,
	formatKeyboardActivity,
	type IsComposingToWrite,
	parseIsComposing,
	parseKeyboardActivity,
} from "./body/typing.ts";
export { escapeXml } from "./body/xml.ts";
export {
	applyTargetRefresh,
	confirmUacDialog,
	confirmUasDialog,
	createNotifiedDialog,
	createUacDialog,
	createUasDialog,
	type Dialog,
	type DialogRequestMatch,
	isTargetRefresh,
	matchDialogRequest,
	terminateDialog,
} from "./dialog/dialog.ts";
export { type DialogId, equalDialogIds, requestDialogId, responseDialogId } from "./dialog/dialog-id.ts";
export { type AckParts, createAck, createDialogRequest, type DialogRequestParts } from "./dialog/dialog-request.ts";
export { DialogTable, type DialogTableItem, type DialogTableSlot } from "./dialog/dialog-table.ts";
export { PackedDialog, type WrittenParts } from "./dialog/packed-dialog.ts";
export {
	applyRouteSet,
	createRouteSet,
	emptyRouteSet,
	type RequestRoute,
	type RouteSet,
	requestUriText,
} from "./dialog/route-set.ts";
export { RouteSetCache } from "./dialog/route-set-cache.ts";
export type { Clock, LogFields, Logger, Random, Timer } from "./env.ts";
export { type ExpiresGrant, type ExpiresPolicy, grantExpires } from "./event/grant-expires.ts";
export {
	initialNotifierState,
	type NotifierContext,
	type NotifierEffect,
	type NotifierEnd,
	type NotifierEvent,
	type NotifierReason,
	type NotifierState,
	type NotifierStep,
	type NotifierTimer,
	stepNotifier,
} from "./event/notifier.ts";
export {
	adviseAfterFailure,
	adviseAfterTermination,
	adviseOnceAtOnce,
	adviseSpread,
	type RetryAdvice,
	type RetrySituation,
} from "./event/retry-advice.ts";
export {
	defaultSubscriberTiming,
	initialSubscriberState,
	type LiveSubscriptionState,
	type SubscriberContext,
	type SubscriberEffect,
	type SubscriberEnd,
	type SubscriberEvent,
	type SubscriberState,
	type SubscriberStep,
	type SubscriberTimer,
	type SubscriberTiming,
	stepSubscriber,
} from "./event/subscriber.ts";
export { type Fault, type Result, refusal, success } from "./fault.ts";
export { type CSeq, formatCSeq, parseCSeq } from "./header/cseq.ts";
export { type Diagnostics, formatDiagnosticsPublic, parseDiagnostics } from "./header/diagnostics.ts";
export { type Event, formatEvent, parseEvent } from "./header/event.ts";
export { formatMediaType, type MediaType, matchMediaType, parseMediaType } from "./header/media-type.ts";
export { formatNameAddr, type NameAddr, type NameAddrParts, parseNameAddr } from "./header/name-addr.ts";
export { findHeaderId, HeaderId, type HeaderName, headerName, isSameHeader, LAST_SINGLE_ID } from "./header/names.ts";
export { parseDeltaSeconds, parseMaxForwards } from "./header/number.ts";
export { unquotedParam } from "./header/params.ts";
export {
	formatSubscriptionState,
	parseSubscriptionState,
	type SubscriptionState,
	type SubscriptionStateParts,
} from "./header/subscription-state.ts";
export { formatTokenList, parseTokenList } from "./header/token-list.ts";
export {
	formatVerificationLevel,
	parseVerificationLevel,
	type VerificationLevel,
} from "./header/verification-level.ts";
export { formatVia, parseVia, type Via } from "./header/via.ts";
export { formatWarning, parseWarning, type Warning } from "./header/warning.ts";
export {
	createErrorResponse,
	createRequest,
	createResponse,
	type RequestParts,
	type ResponseParts,
} from "./message/build.ts";
export { applyEdits, countFields, type Edit, findField } from "./message/edit.ts";
export {
	accept,
	addresses,
	contacts,
	contentType,
	diagnostics,
	event,
	expires,
	type FieldSource,
	hasHeader,
	headerValue,
	headerValues,
	headerValuesByName,
	MAX_LIST_VALUES,
	minExpires,
	recordRoutes,
	retryAfter,
	routes,
	subscriptionState,
	tokens,
	verificationLevel,
	vias,
	warnings,
} from "./message/fields.ts";
export { formatMessage, placeOf } from "./message/format.ts";
export { Framer, type FramerProgress, type FramerUser } from "./message/framer.ts";
export { type HeadOutcome, indexHead } from "./message/head-index.ts";
export { HeadSplices } from "./message/head-splices.ts";
export type { HeaderInput } from "./message/head-writer.ts";
export { DEFAULT_FRAMER_LIMITS, DEFAULT_HEAD_LIMITS, type FramerLimits, type HeadLimits } from "./message/limits.ts";
export {
	FIELD_STRIDE,
	type MessageHead,
	type SipMessage,
	type SipRequest,
	type SipResponse,
} from "./message/message.ts";
export { type Frame, type MessagePlace, OctetFrame } from "./message/octet-frame.ts";
export { methodOf, type ParseOutcome, parseMessage, readTopVia } from "./message/parse.ts";
export { reasonPhrase } from "./message/reason-phrase.ts";
export { findSips, mentionsSips } from "./message/sips-check.ts";
export type { WrittenRequest } from "./message/written-request.ts";
export type { AddressRecord, DnsAnswer, DnsLookup } from "./resolve/dns-lookup.ts";
export { isWithinDomain, normaliseHostName } from "./resolve/host-name.ts";
export { isNumericHost, isPrivateAddress } from "./resolve/ip-address.ts";
export {
	federationServiceName,
	type Hop,
	type HopsOutcome,
	type ResolveOptions,
	type ResolveReason,
	type ResolveRefusal,
	type ResolveTarget,
	resolveHops,
} from "./resolve/resolve-hops.ts";
export { orderSrvRecords, type SrvRecord } from "./resolve/srv-order.ts";
export { chooseSession, judgeSecondInvite, reinvitePauseMs, type SessionCandidate } from "./session/glare.ts";
export {
	type Closing,
	canSendInSession,
	type InviteEffect,
	type InviteEnd,
	type InviteEvent,
	type InviteState,
	type InviteStep,
	initialInviteState,
	stepInvite,
} from "./session/invite-usage.ts";
export {
	type AnswerReading,
	type CapabilityReading,
	chooseMessageLine,
	createAnswer,
	createCapabilities,
	createOffer,
	type Describer,
	fallbackProfile,
	type ImProfile,
	isMessageMedia,
	judgeReoffer,
	readAnswer,
	readCapabilities,
} from "./session/offer-answer.ts";
export { equalsIgnoreCase, lowerAscii, lowerCode, matchesIgnoreCase, upperAscii } from "./text/ascii.ts";
export { assertNever, invariant } from "./text/assert.ts";
export { isToken } from "./text/char-class.ts";
export { octetsOfHead } from "./text/octet-view.ts";
export { detach, octetsToText, utf8ToOctets } from "./text/octets.ts";
export { quote, unfold, unquote } from "./text/quoting.ts";
export { ShortLivedMap } from "./text/short-lived-map.ts";
export { RetransmitUntilAck, type RetransmitUntilAckUser } from "./transaction/accepted-invite.ts";
export {
	acknowledges,
	cancelledTransactionKey,
	clientTransactionKey,
	MAGIC_COOKIE,
	mergeKey,
	ownBranch,
	serverTransactionKey,
} from "./transaction/key.ts";
export type { PartedUser, RelayedPair, RelayedPairUser } from "./transaction/relayed-pair.ts";
export {
	createWheelEntry,
	TimerWheel,
	type TimerWheelOptions,
	type WheelEntry,
	type WheelUser,
} from "./transaction/timer-wheel.ts";
export {
	createTiming,
	defaultTiming,
	type Interval,
	type TimerName,
	type Timing,
	type TimingOptions,
	timerDelayMs,
} from "./transaction/timing.ts";
export {
	type PairRequest,
	type PreparedPair,
	TransactionLayer,
	type TransactionLayerOptions,
} from "./transaction/transaction-layer.ts";
export {
	type ClientFailure,
	type ClientTransaction,
	type ClientTransactionUser,
	defaultTransactionLimits,
	type ServerTransaction,
	type TransactionCounters,
	type TransactionLimits,
	type TransactionUser,
} from "./transaction/transaction-user.ts";
export type { PlainAnswer, WrittenRequestUser } from "./transaction/written-client.ts";
export type { ByteStream, ByteStreamUser, CloseCause, Endpoint } from "./transport/byte-stream.ts";
export type { Connection, ConnectionUser, MessageOctets } from "./transport/connection.ts";
export {
	type ArrivalTimes,
	type ConnectionHooks,
	DEFAULT_ARRIVAL_TIMES,
	DEFAULT_MAX_QUEUED_BYTES,
	SipConnection,
	type SipConnectionOptions,
} from "./transport/sip-connection.ts";
export { type Aor, aorKey, formatAor, parseAor, parseAorText } from "./uri/aor.ts";
export { compareUris, normaliseEscapes } from "./uri/compare-uris.ts";
export { escapeUser, formatSipUri, type SipUriParts } from "./uri/format-uri.ts";
export { equalHosts, type Host, parseHost, parseIpv4, parseIpv6 } from "./uri/host.ts";
export { findParam, formatParams, listParams, MAX_PARAMS, type Param, type Params, paramValue } from "./uri/params.ts";
export { parseUri, parseUriText } from "./uri/parse-uri.ts";
export { isSipUri, type OtherUri, type SipUri, type Uri } from "./uri/uri.ts";
