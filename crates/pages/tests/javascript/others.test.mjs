// Who else is at a show, by name.
import assert from "node:assert/strict";
import test from "node:test";
import { deed, whoCanPause } from "../../assets/others.mjs";
import { use } from "../../assets/words.mjs";

const drops = [{ drop: "d1", plan: { title: "Mugs", skus: [{ id: "mug", title: "Mug", options: [{ name: "Colour", value: "Grey" }] }] } }];
const people = (...names) => names.map((name) => ({ name, role: "host" }));
const words = async (language) => use((await import(`${process.env.WORDS}/words-${language}.mjs`)).words);
const plain = (text) => text.replace(/[\u2068\u2069]/g, "");

test("an alarm names at most two who can pause", async () => {
  await words("en");
  assert.equal(whoCanPause([]), "");
  assert.equal(plain(whoCanPause(people("Jonas"))), "Jonas may be able to pause it; tell them.");
  assert.equal(plain(whoCanPause(people("Jonas", "Ilse"))), "Jonas and Ilse may be able to pause it; tell one of them.");
  assert.equal(plain(whoCanPause(people("Jonas", "Ilse", "Mara", "Ben"))), "Jonas, Ilse and 2 more may be able to pause it; tell one of them.");
});

test("what somebody did is a sentence in both languages, each action its own", async () => {
  const actions = ["pause", "resume", "open", "cancel_countdown", "close", "feature", "plan", "edit", "cancel", "restock", "take_back", "amend", "wind_down", "move"];
  for (const language of ["en", "zh-CN"]) {
    await words(language);
    const said = actions.map((action) => deed({ drop: "d1", action, actor: "Ines", sku: "mug", units: 1000 }, drops));
    assert.equal(new Set(said).size, actions.length);
    for (const one of said) assert.match(one, /Ines/);
  }
  await words("en");
  const given = { drop: "d1", actor: "Ines", action: "pause" };
  assert.equal(plain(deed(given, drops)), "Ines paused Mugs");
  assert.equal(plain(deed({ ...given, action: "restock", sku: "mug", units: 1000 }, drops)), "Ines restocked Grey by 1,000");
  assert.equal(plain(deed({ ...given, action: "take_back", sku: "mug", units: 1000 }, drops)), "Ines took 1,000 of Grey off sale");
  assert.equal(plain(deed({ ...given, drop: "d7" }, drops)), "Ines paused d7");
  assert.equal(plain(deed({ ...given, action: "edit" }, drops)), "Ines edited the plan of Mugs");
  assert.equal(plain(deed({ ...given, action: "edit", moved: true }, drops)), "Ines moved Mugs in the running order");
  assert.equal(deed({ ...given, action: "tomorrow" }, drops), null);
});
