/** The targets of the edge, in the order in which they run. */
import type { FuzzTarget } from "../../../sip/test/fuzz/fuzz-target.ts";
import { createCertificateTarget } from "./target/certificate.ts";
import { createPngHeaderTarget } from "./target/png-header.ts";
import { createRouteTokenTarget } from "./target/route-token.ts";
import { createSrvAnswerTarget } from "./target/srv-answer.ts";

export function createTargets(): readonly FuzzTarget[] {
	return [createSrvAnswerTarget(), createCertificateTarget(), createRouteTokenTarget(), createPngHeaderTarget()];
}
