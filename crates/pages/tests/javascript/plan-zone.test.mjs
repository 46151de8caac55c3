// Times of day in a zone, also where the clock is changed.
import assert from "node:assert/strict";
import test from "node:test";
import { ahead, instead, local, moments, offset } from "../../assets/plan-zone.mjs";

const BERLIN = "Europe/Berlin";
const utc = (text) => Date.parse(`${text}Z`);

test("a time of day is one moment", () => {
  assert.deepEqual(moments("2026-11-27", "20:00", BERLIN), [utc("2026-11-27T19:00")]);
  assert.deepEqual(moments("2026-07-01", "20:00", BERLIN), [utc("2026-07-01T18:00")]);
  assert.deepEqual(moments("2026-11-27", "20:00:30", "Asia/Kolkata"), [utc("2026-11-27T14:30:30")]);
  assert.deepEqual(moments("2026-11-27", "00:00", "Asia/Shanghai"), [utc("2026-11-26T16:00")]);
  assert.deepEqual(local(utc("2026-11-27T19:00"), BERLIN), { date: "2026-11-27", time: "20:00" });
  assert.deepEqual(local(utc("2026-11-27T19:00:05.120"), BERLIN), { date: "2026-11-27", time: "20:00:05.120" });
});

test("an hour that the clock skips is none, and another is named", () => {
  assert.deepEqual(moments("2026-03-29", "02:30", BERLIN), []);
  assert.deepEqual(instead("2026-03-29", "02:30", BERLIN), { date: "2026-03-29", time: "03:30" });
  assert.deepEqual(moments("2026-03-08", "02:30", "America/New_York"), []);
});

test("an hour that the clock repeats is two", () => {
  const both = moments("2026-10-25", "02:30", BERLIN);
  assert.deepEqual(both, [utc("2026-10-25T00:30"), utc("2026-10-25T01:30")]);
  assert.deepEqual(both.map((ms) => offset(ms, BERLIN)), ["UTC+2", "UTC+1"]);
  // By half an hour, in the south.
  assert.equal(moments("2026-04-05", "01:45", "Australia/Lord_Howe").length, 2);
});

test("what is no time is none", () => {
  for (const [date, time] of [["", "20:00"], ["2026-02-30", "20:00"], ["2026-11-27", "25:00"], ["27.11.2026", "20:00"]]) {
    assert.equal(moments(date, time, BERLIN), null, `${date} ${time}`);
  }
});

test("zones are written by how far they are ahead", () => {
  const at = utc("2026-11-27T19:00");
  assert.deepEqual(["UTC", BERLIN, "America/St_Johns", "Asia/Kathmandu"].map((zone) => offset(at, zone)), ["UTC", "UTC+1", "UTC-3:30", "UTC+5:45"]);
  assert.equal(ahead(at, BERLIN), 3_600_000);
});
