import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createRequest, type HeaderInput } from "../message/build.ts";
import type { SipRequest } from "../message/message.ts";
import { confirmUasDialog, createUasDialog, type Dialog } from "./dialog.ts";
import { createDialogRequest } from "./dialog-request.ts";
import { PackedDialog } from "./packed-dialog.ts";
import { RouteSetCache } from "./route-set-cache.ts";

const CONTACT = "<sip:omar@edge.contoso.example:5061;transport=tls;fs=1.k.a.7.n-1.mac>";
const VIA = "SIP/2.0/TLS edge.contoso.example:5061;branch=z9hG4bK1;alias";

function subscribe(parts: {
	readonly from?: string;
	readonly to?: string;
	readonly contact?: string;
	readonly cseq?: number;
	readonly headers?: readonly HeaderInput[];
}): SipRequest {
	return createRequest({
		method: "SUBSCRIBE",
		requestUri: "sip:omar@contoso.example",
		headers: [
			["Via", "SIP/2.0/TLS edge.fabrikam.example:5061;branch=z9hG4bKs"],
			["From", parts.from ?? "<sip:anna@fabrikam.example>;tag=a"],
			["To", parts.to ?? "<sip:omar@contoso.example>"],
			["Call-ID", "c1@fabrikam.example"],
			["CSeq", `${parts.cseq ?? 1} SUBSCRIBE`],
			["Contact", parts.contact ?? "<sip:anna@edge.fabrikam.example:5061;transport=tls>"],
			...(parts.headers ?? []),
		],
	});
}

function accept(request: SipRequest): { readonly packed: PackedDialog; readonly dialog: Dialog } {
	const packed = PackedDialog.accept(request, "ours", CONTACT, new RouteSetCache());
	const dialog = createUasDialog(request, "ours", CONTACT);
	assert.ok(packed.ok && dialog.ok);
	return { packed: packed.value, dialog: confirmUasDialog(dialog.value) };
}

const dialogs: readonly (readonly [name: string, request: SipRequest])[] = [
	["plain", subscribe({})],
	["a From without tag", subscribe({ from: "<sip:anna@fabrikam.example>" })],
	["a tag before other parameters", subscribe({ from: '"A;tag=x" <sip:anna@fabrikam.example>;tag=a;x=y' })],
	["a display name in To", subscribe({ to: '"Omar \u00e9" <sip:omar@contoso.example>;x="a;tag=b"' })],
	["a Contact with headers and method", subscribe({ contact: "<sip:a@h.example;method=INVITE?x=y>;expires=9" })],
	["routes", subscribe({ headers: [["Record-Route", "<sip:p1.example;lr>, <sip:p2.example;lr>"]] })],
	["a strict route", subscribe({ headers: [["Record-Route", "<sip:p1.example;x=y>"]] })],
];

describe("a packed dialog", () => {
	for (const [name, request] of dialogs) {
		test(`§12.1.1 ${name}: its parts are those of the dialog`, () => {
			const { packed, dialog } = accept(request);
			assert.deepEqual(packed.unpack(), dialog);
			assert.deepEqual(PackedDialog.of(dialog).unpack(), dialog);
			const { callId, localTag, remoteTag, localContact } = packed;
			assert.deepEqual({ callId, localTag, remoteTag, localContact }, { ...dialog.id, localContact: CONTACT });
		});

		test(`§12.2.1.1 ${name}: its requests are those of the dialog, octet for octet`, () => {
			const { packed, dialog } = accept(request);
			const body = Buffer.from("<presence/>");
			const headers: readonly HeaderInput[] = [
				["Event", "presence"],
				["Subscription-State", "active;expires=60"],
				["Content-Type", "application/pidf+xml"],
			];
			const fields = headers.map(([header, value]) => `${header}: ${value}\r\n`).join("");
			const [first, expected] = createDialogRequest(dialog, { method: "NOTIFY", via: VIA, headers, body });
			const written = packed.write({ method: "NOTIFY", via: VIA, branch: "z9hG4bK1", fields, body });
			assert.equal(written.head.text, expected.head.text);
			assert.equal(written.body, body);
			const [, next] = createDialogRequest(first, { method: "NOTIFY", via: VIA });
			assert.equal(packed.write({ method: "NOTIFY", via: VIA, branch: "b", fields: "" }).head.text, next.head.text);
		});
	}

	test("§12.2.2 a request of the peer counts where its number is above that of the last one", () => {
		const { packed } = accept(subscribe({ cseq: 7 }));
		for (const [number, isTaken] of [
			[7, false],
			[6, false],
			[9, true],
			[9, false],
		] as const) {
			assert.equal(packed.take(subscribe({ cseq: number })), isTaken, String(number));
		}
		assert.equal(packed.unpack().remoteCSeq, 9);
	});

	test("RFC 6665 §4.4.1 the Contact of a refresh is the remote target; one that cannot be used changes nothing", () => {
		const { packed, dialog } = accept(subscribe({}));
		packed.refreshTarget(subscribe({ contact: "<tel:+123>" }));
		assert.deepEqual(packed.unpack(), dialog);
		packed.refreshTarget(subscribe({ contact: "<sip:b@other.example>" }));
		assert.deepEqual(packed.unpack(), { ...dialog, remoteTarget: "sip:b@other.example" });
	});

	test("§8.1.1.8 a request without a usable Contact makes none", () => {
		const outcome = PackedDialog.accept(subscribe({ contact: "<tel:+123>" }), "ours", CONTACT, new RouteSetCache());
		assert.equal(outcome.ok ? "" : outcome.fault.code, "contact-missing");
	});

	test("our Contact holds no line end: what we write is one header", () => {
		const broken = () => PackedDialog.accept(subscribe({}), "ours", "<sip:a@b>\r\nX: y", new RouteSetCache());
		assert.throws(broken, /line end/);
	});
});

describe("route sets that many dialogs have in common", () => {
	test("the same Record-Route gives the same route set, and a full cache forgets", () => {
		const cache = new RouteSetCache(2);
		const of = (route: string) => {
			const found = cache.ofRequest(subscribe({ headers: [["Record-Route", route]] }));
			assert.ok(found.ok);
			return found.value;
		};
		const first = of("<sip:p1.example;lr>");
		assert.equal(of("<sip:p1.example;lr>"), first);
		assert.deepEqual(first, { routes: ["<sip:p1.example;lr>"], isStrict: false });
		of("<sip:p2.example;lr>");
		of("<sip:p3.example;lr>");
		assert.ok(cache.size <= 2);
	});

	test("Record-Route that cannot be read is a fault, and nothing is remembered", () => {
		const cache = new RouteSetCache();
		const outcome = cache.ofRequest(subscribe({ headers: [["Record-Route", "<sip:p1.example"]] }));
		assert.equal(outcome.ok, false);
		assert.equal(cache.size, 0);
	});
});
