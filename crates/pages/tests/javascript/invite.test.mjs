// What an invitation asks for.
import assert from "node:assert/strict";
import test from "node:test";
import { invitation } from "../../assets/invite.mjs";

const given = { name: " nina ", role: "host", merchant: "", streams: "", hours: "24" };

test("an invitation asks for what was typed, and for nothing that was not", () => {
  assert.deepEqual(invitation(given), { name: "nina", role: "host", valid_ms: 86_400_000 });
  const bound = { ...given, role: "merchant", merchant: " maison-nord ", hours: "1" };
  assert.deepEqual(invitation(bound), { name: "nina", role: "merchant", valid_ms: 3_600_000, merchant: "maison-nord" });
});

test("shows are named with commas or spaces between them, in either language", () => {
  const shows = (streams) => invitation({ ...given, streams }).streams;
  assert.deepEqual(shows("friday-show, late-show"), ["friday-show", "late-show"]);
  assert.deepEqual(shows(" friday-show，late-show、 duet "), ["friday-show", "late-show", "duet"]);
  assert.equal(shows(" , "), undefined);
});
