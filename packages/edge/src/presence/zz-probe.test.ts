import { test } from "node:test";
import { createUasDialog, confirmUasDialog, createDialogRequest, event, headerValue, HeaderId, createResponse, parseAor, aorKey, formatPidf } from "@causeway/sip";
import * as sip from "@causeway/sip";
const weird = ["\u0080\u00ff", "\x01", "\x7f", "%41", "\\", "\"", "<", ">", ";", "?", "=", ",", " ", "\t", "[::1]", "é", "{}", "%zz", "@", ":", "'", "\x00"];
function rnd(n: number) { return Math.floor(Math.random() * n); }
const contacts = ["<sip:l@e.example;transport=tls>", "sip:l@e.example", "<tel:+1>", "<sip:e.example?a=b>", "*", "\"x\" <sip:l@[::1]:1;lr>", "<sip:l:p@e.example;method=X?Route=%3Csip:x%3E>", "<http://x>"];
const rrs = ["<sip:r.example;lr>", "<sip:r.example>", "<tel:+1>", "<http://x/y>", "<sip:u:p@r.example;lr;x=\"y\"?h=1>", "<sip:r.example;lr>;a=b", "<mailto:a@b>"];
function mut(s: string) { let o = s; if (rnd(5) > 0) return s; for (let i = 1 + rnd(2); i > 0; i--) { const p = rnd(o.length + 1); const w = weird[rnd(weird.length)] ?? ""; o = o.slice(0, p) + w + o.slice(p); } return o; }
test("probe", () => {
  const seen = new Map<string, string>(); let okc = 0, parsed = 0;
  for (let i = 0; i < 150000; i++) {
    const text = [`SUBSCRIBE sip:alice@contoso.example SIP/2.0`, `Via: SIP/2.0/TLS h:1;branch=z9hG4bK${i}`, "Max-Forwards: 70", `From: ${mut("\"L\" <sip:lena@fabrikam.example>;tag=f1;x=y")}`, `To: ${mut("<sip:alice@contoso.example>;p=q")}`, `Call-ID: ${mut("abc@x")}`, `CSeq: 1 SUBSCRIBE`, `Contact: ${mut(contacts[rnd(contacts.length)] ?? "")}`, `Record-Route: ${mut(rrs[rnd(rrs.length)] ?? "")}`, `Event: ${mut("presence;id=\"a b\"")}`, "Content-Length: 0", "", ""].join("\r\n");
    let m: any;
    try {
      const framer: any = new sip.Framer(sip.DEFAULT_FRAMER_LIMITS);
      framer.push(Buffer.from(text, "latin1"), { frame: (f: any) => { const o = sip.parseMessage(f); if (o.ok) m = o.message; }, ping() {}, pong() {}, fault() {} });
    } catch (e) { seen.set("frame " + String(e).slice(0, 90), text); continue; }
    if (m === undefined) continue; parsed++;
    try {
      const from = parseAor(m.from.uri), to = parseAor(m.to.uri);
      if (!from.ok || !to.ok) continue;
      const ev = event(m);
      if (!ev.ok || ev.value?.package !== "presence") continue;
      const d = createUasDialog(m, "tagtag", "<sip:a@b>");
      createResponse(m, 200, { toTag: "tagtag", recordRoute: true, headers: [["Contact", "<sip:a@b>"]] });
      if (!d.ok) { createResponse(m, d.fault.status, { toTag: "x" }); continue; }
      formatPidf({ entity: `sip:${aorKey(to.value)}`, basic: "closed" } as any, "profile");
      createDialogRequest(confirmUasDialog(d.value), { method: "NOTIFY", via: "SIP/2.0/TLS x;branch=z9hG4bKa", headers: [["Event", headerValue(m, HeaderId.event) ?? ""], ["Subscription-State", "active"]] });
      okc++;
    } catch (e) { const k = String((e as Error).message).slice(0, 110); if (!seen.has(k)) seen.set(k, text); }
  }
  console.log("parsed", parsed, "ok", okc);
  for (const [k, v] of seen) console.log(k, JSON.stringify(v));
});
