// What is asked for a link to a report, and what is said of the answer.
import assert from "node:assert/strict";
import test from "node:test";
import { asked, whole } from "../../assets/shares.mjs";
import { why } from "../../assets/why.mjs";
import { use } from "../../assets/words.mjs";

use((await import(`${process.env.WORDS}/words-en.mjs`)).words);

const given = { what: "drop", drop: "d42", isCut: false, channel: "", days: "30", label: "" };

test("a link asks for what was chosen, and for nothing that was not", () => {
  assert.deepEqual(asked(given), { drop: "d42", valid_for_s: 2_592_000 });
  // A channel that was typed before the whole report was chosen is not sent.
  assert.deepEqual(asked({ ...given, channel: "tom" }), { drop: "d42", valid_for_s: 2_592_000 });
  const cut = { ...given, what: "show", isCut: true, channel: " tom ", days: "1", label: " For Tom " };
  assert.deepEqual(asked(cut), { show: "d42", valid_for_s: 86_400, channel: "tom", label: "For Tom" });
});

test("a link is whole, whether or not the server has an address of its own", () => {
  const path = "/shared/shr_x";
  assert.equal(whole({ path, url: "https://show.example/shared/shr_x" }, "http://here"), "https://show.example/shared/shr_x");
  assert.equal(whole({ path }, "http://here:7701"), "http://here:7701/shared/shr_x");
});

test("a refusal is said in words", () => {
  assert.equal(why({ code: "shares_full", told: {} }), "So many links are out that no other can be made. Revoke some.");
  assert.match(why({ code: "too_many_reads", told: { retry_after_ms: 2000 } }), /Wait 2\.00\u00a0s/);
  assert.match(why({ code: "", told: {} }), /connection/i);
});
