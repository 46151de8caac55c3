// What is said to whoever pressed on a page that was not true any more.
import assert from "node:assert/strict";
import test from "node:test";
import { changed, sight } from "../../assets/seen.mjs";
import { use } from "../../assets/words.mjs";

const drop = (more) => ({
  drop: "d1", phase: "paused", revision: 1, phase_changes: 3, version: 9, plan: { title: "Mugs" },
  skus: [{ supplied: 5, available: 0, held: 5, sold: 0 }], ...more,
});

for (const [language, lines] of [
  ["en", ["Mugs⁩ has changed: Open, all taken for now.", "Mugs⁩ has changed: Settled.", "has changed and is Paused again", "The terms of ⁨Mugs⁩ were edited."]],
  ["zh-CN", ["Mugs⁩已变为开售中，暂时抢光，", "Mugs⁩已变为已结算，", "现又为已暂停，", "条款已被修改"]],
]) {
  test(`what changed is said in ${language}`, async () => {
    use((await import(`${process.env.WORDS}/words-${language}.mjs`)).words);
    const seen = sight(drop());
    assert.deepEqual(seen, { phase: "paused", revision: 1, phase_changes: 3 });
    const now = (more) => ({ ...seen, phase_changes: 5, ...more });
    // The page has heard of it by now, or not yet.
    assert.match(changed(drop({ phase: "open" }), seen, now({ phase: "open" })), new RegExp(lines[0]));
    assert.match(changed(drop(), seen, now({ phase: "settled" })), new RegExp(lines[1]));
    assert.match(changed(drop(), seen, now()), new RegExp(lines[2]));
    assert.match(changed(drop(), seen, now({ revision: 2 })), new RegExp(lines[3]));
  });
}
