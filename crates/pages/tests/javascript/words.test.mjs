// What a page says of a problem.
import assert from "node:assert/strict";
import test from "node:test";
import { problem, use } from "../../assets/words.mjs";

test("a problem has words of its own, with how long to wait; another is named by its code", () => {
  use({ problem_too_many_commands: "Wait {time}.", problem_busy: "Press again.", problem_other: "Refused ({code})." });
  assert.equal(problem("too_many_commands", "3 s"), "Wait 3 s.");
  assert.equal(problem("busy", "1 s"), "Press again.");
  assert.equal(problem("made_tomorrow", "1 s"), "Refused (made_tomorrow).");
});
