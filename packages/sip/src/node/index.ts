/** `@causeway/sip/node`: the library's ports implemented on Node. */
export { type SystemClockOptions, systemClock, systemRandom } from "./system-env.ts";
export { credentialsFault, type PresentedPeer, type TlsCredentials, type TlsVersion } from "./tls-context.ts";
export {
	type DialFailure,
	type DialOutcome,
	type DialRequest,
	TlsDialler,
	type TlsDiallerOptions,
} from "./tls-dialler.ts";
export { createTurnFlusher, type Flusher } from "./tls-flusher.ts";
export { type RefusedHandshake, TlsListener, type TlsListenerOptions } from "./tls-listener.ts";
