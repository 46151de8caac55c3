// A rehearsal by one press, and its end by another.
import { send } from "./commands.mjs";
import { count, duration } from "./numbers.mjs";
import { problem, say } from "./words.mjs";

/** Whether a press is under way: another one meanwhile is the same. */
let busy = false;

/** What a rehearsal that has begun says: how many come, and whether these are fewer than usual. */
const begun = ({ viewers }, wanted) => say(viewers < wanted ? "rehearsal_fewer" : "rehearsal_begun", { n: count(viewers ?? 0) });

/** Viewers that come where there are places for them. */
const VIEWERS = 200;

/**
 * Begins a rehearsal of the stream, or ends it. `result(glyph, said, second, kind)` shows what came of it, `time()` the
 * time beside it. Answers whether it was done.
 */
export async function press(stream, begins, result, time) {
  if (busy) return false;
  busy = true;
  const waiting = () => {
    result("ring", say("unknown_outcome"), say("asking_again"));
  };
  const url = `/v1/streams/${encodeURIComponent(stream)}/rehearsal`;
  const done = await send(url, begins ? { viewers: VIEWERS } : {}, waiting, undefined, { method: begins ? "POST" : "DELETE" });
  busy = false;
  if (done.ok) {
    result("tick", begins ? begun(done.told, VIEWERS) : say("rehearsal_over"), time());
    return true;
  }
  const lead = done.code === "" || done.code === "outcome_unknown" ? say("unknown_outcome") : problem(done.code, duration(done.told.retry_after_ms ?? 1000));
  result("octagon", lead, done.code === "" ? say("no_connection_short") : time(), "refused");
  return false;
}
