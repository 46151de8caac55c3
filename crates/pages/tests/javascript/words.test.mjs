// What a page says of a problem, and of a number.
import assert from "node:assert/strict";
import test from "node:test";
import { problem, say, use } from "../../assets/words.mjs";

test("a problem has words of its own, with how long to wait; another is named by its code", () => {
  use({ problem_too_many_commands: "Wait {time}.", problem_busy: "Press again.", problem_other: "Refused ({code})." });
  assert.equal(problem("too_many_commands", "3 s"), "Wait 3 s.");
  assert.equal(problem("busy", "1 s"), "Press again.");
  assert.equal(problem("made_tomorrow", "1 s"), "Refused (made_tomorrow).");
});

test("one has a form of its own", async () => {
  use((await import(`${process.env.WORDS}/words-en.mjs`)).words);
  assert.deepEqual([0, 1, 2, "11", "1,001"].map((n) => say("units_in", { n })), ["0 units", "1 unit", "2 units", "11 units", "1,001 units"]);
  assert.equal(say("stock_bar", { n: 3, paid: 1, held: 0, left: 2 }), "Of 3 units 1 is paid, 0 are held, 2 are left.");
  use((await import(`${process.env.WORDS}/words-zh-CN.mjs`)).words);
  assert.equal(say("units_in", { n: 1 }), "1 件");
});
