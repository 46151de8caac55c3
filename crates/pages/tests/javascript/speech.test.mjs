// One announcement for an event; figures seldom.
import assert from "node:assert/strict";
import test, { mock } from "node:test";
import { Speech } from "../../assets/speech.mjs";

const cases = (name, run) => test(name, () => {
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_700_000_000_000 });
  const [said, cried] = [[], []];
  try {
    run(new Speech((words) => said.push(words), (words) => cried.push(words)), said, cried);
  } finally {
    mock.timers.reset();
  }
});

cases("what comes at once is one event, told by its last words", (speech, said) => {
  speech.event("Grey mug: Paused");
  speech.event("Jonas paused Grey mug");
  mock.timers.tick(10_000);
  assert.deepEqual(said, ["Jonas paused Grey mug"]);
});

cases("between two announcements are five seconds, in which the last words replace those before", (speech, said) => {
  speech.event("Paused");
  mock.timers.tick(300);
  speech.event("Resumed");
  mock.timers.tick(1000);
  speech.event("Paused again");
  mock.timers.tick(3900);
  assert.deepEqual(said, ["Paused"]);
  mock.timers.tick(100);
  assert.deepEqual(said, ["Paused", "Paused again"]);
});

cases("figures come after what happened, each ten seconds at most, and are dropped for what happens later", (speech, said) => {
  speech.event("Open");
  speech.figures("100 left");
  mock.timers.tick(300);
  assert.deepEqual(said, ["Open"]);
  mock.timers.tick(5000);
  assert.deepEqual(said, ["Open", "100 left"]);
  speech.figures("90 left");
  mock.timers.tick(9999);
  assert.deepEqual(said.length, 2);
  mock.timers.tick(1);
  assert.deepEqual(said.at(-1), "90 left");
  speech.figures("80 left");
  speech.event("Sold out");
  mock.timers.tick(60_000);
  assert.deepEqual(said.slice(3), ["Sold out"]);
});

cases("the same a second time is said anew", (speech, said) => {
  for (let turn = 0; turn < 3; turn += 1) {
    speech.event("Restocked by 250");
    mock.timers.tick(6000);
  }
  assert.deepEqual(said.map((words) => words.trim()), new Array(3).fill("Restocked by 250"));
  assert.notEqual(said[0], said[1]);
  assert.notEqual(said[1], said[2]);
});

cases("an alarm is cried once, until all is calm again", (speech, said, cried) => {
  speech.alarm("The ledger failed.");
  speech.alarm("Alarm The ledger failed.");
  assert.deepEqual(cried, ["The ledger failed."]);
  speech.calm();
  speech.alarm("The ledger failed.");
  assert.deepEqual(cried, ["The ledger failed.", "", "The ledger failed."]);
  assert.deepEqual(said, []);
});

cases("the same alarm much later is another one, which is heard as well", (speech, said, cried) => {
  for (let turn = 0; turn < 3; turn += 1) {
    speech.alarm("Not sent.");
    mock.timers.tick(6000);
  }
  assert.deepEqual(cried.map((words) => words.trim()), new Array(3).fill("Not sent."));
  assert.notEqual(cried[0], cried[1]);
  assert.notEqual(cried[1], cried[2]);
});
