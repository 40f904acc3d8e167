/** `@causeway/sip/testing`: the library's ports as a test wants them. */
export { describeStep } from "./describe-step.ts";
export { createFixedDns, type FixedDns, type FixedDnsRecords } from "./fixed-dns.ts";
export { frameOf } from "./frame-of.ts";
export { createMemoryPair, type MemoryPairOptions, MemoryStream } from "./memory-stream.ts";
export { readSent } from "./read-sent.ts";
export { RecordingConnection } from "./recording-connection.ts";
export { createSampleRequest, type SampleRequest, viaWithBranch } from "./sample-messages.ts";
export { SimClock, type SimClockOptions } from "./sim-clock.ts";
export { SimRandom } from "./sim-random.ts";
