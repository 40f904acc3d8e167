/** What is usual has readers of its own. Whatever they take, the readers of the whole grammar must read in the same way. */
import assert from "node:assert/strict";
import { readAnyMediaType, readMediaType } from "../../src/header/media-type.ts";
import { readAnyParams, readParams } from "../../src/header/params.ts";
import { octetsOf } from "../../src/text/octet-view.ts";
import { findAnyHost, findHost } from "../../src/uri/host.ts";
import { readAnyUri, readUriIn } from "../../src/uri/parse-uri.ts";

/** Asks both readers of URIs, hosts, parameters and media types for each place of the text where such a thing may start. */
export function assertReadersAgree(text: string, most = 200): void {
	// Twice the work of a reader for each place: what is long is looked at in its first octets.
	const end = Math.min(text.length, most);
	const octets = octetsOf(text);
	for (let at = 0; at < end; at++) {
		const place = `at ${at} of ${JSON.stringify(text.slice(0, end))}`;
		const code = text.charCodeAt(at);
		if (at === 0 || code === 0x73) {
			const uri = readUriIn(octets, text, at, end);
			assert.deepEqual(uri, readAnyUri(octets, text, at, end), `two readers disagree on the URI ${place}`);
		}
		if (at === 0 || "@: ".includes(text.charAt(at - 1))) {
			const host = findHost(octets, text, at, end);
			assert.equal(host, findAnyHost(octets, text, at, end), `two readers disagree on the host ${place}`);
		}
		if (code === 0x3b) {
			for (const wanted of ["tag", "branch", ""]) {
				const found = readParams(octets, text, at, end, wanted);
				const any = readAnyParams(octets, text, at, end, wanted);
				assert.deepEqual(found, any, `two readers disagree on the parameters ${place}`);
			}
		}
	}
	const mediaType = readMediaType(octets, text, 0, end);
	assert.deepEqual(mediaType, readAnyMediaType(octets, text, 0, end), `two readers disagree on a media type: ${text}`);
}
