// When the host speaks: the countdown to the word, the same as src/live/cue.rs.
import { clock, wholeSeconds } from "./numbers.mjs";
import { say } from "./words.mjs";

const BLOCKS_MAX = 30;
const SPEAK_BLOCKS = 10;
const HEARD_MS = 3000;
const SPEAK_MS_MIN = 3000;

/** Where the word of a drop is: its place with its seconds; `null` if no word is told. */
export function word(sale, name, delayMs) {
  if (delayMs === 0) return null;
  if (name === "countdown") {
    const left = sale.opens_in_ms ?? 0;
    if (left === 0) return { at: "heard", n: 0 };
    if (left > delayMs) return { at: "ahead", n: Math.ceil((left - delayMs) / 1000) };
    if (left + 1000 > delayMs) return { at: "now", n: 0 };
    return { at: "under", n: Math.ceil(left / 1000) };
  }
  const opened = sale.opened_ago_ms;
  return (name === "open" || name === "all_taken") && opened !== undefined && opened < HEARD_MS ? { at: "heard", n: 0 } : null;
}

/** The sentence that the host reads. */
export const said = ({ at, n }) => ({
  ahead: say("say_go_in", { n }), now: say("say_go_now"), under: say("hear_go_in", { n }), heard: say("hear_you_now"),
})[at];

/** The countdown that an opening has, in milliseconds: the plan's, or as long as the host needs. */
export function countdown(planMs, delayMs) {
  return delayMs === 0 ? planMs : Math.max(planMs, Math.ceil((delayMs + SPEAK_MS_MIN) / 1000) * 1000);
}

/** A length of time in seconds, with tenths where it is no whole number of them. */
export function seconds(ms) {
  if (ms % 1000 === 0) return wholeSeconds(ms);
  return say("seconds", { n: `${Math.floor(ms / 1000)}.${Math.floor((ms % 1000) / 100)}` });
}

/** How late viewers see a stream. */
export const video = (delayMs) => (delayMs === 0 ? say("video_in_time") : say("video_behind", { n: seconds(delayMs) }));

/** The countdown, one block for each second. */
export function cue(sale, snapshot, told, reader) {
  const delay = snapshot.video_delay_ms ?? 0;
  const left = sale.opens_in_ms ?? 0;
  const whole = Math.max(countdown(sale.plan.countdown_ms, delay), left, 1000);
  const blocks = Math.min(Math.ceil(whole / 1000), Math.max(BLOCKS_MAX, Math.ceil(delay / 1000) + SPEAK_BLOCKS));
  const passed = blocks - Math.min(Math.ceil(left / 1000), blocks);
  const opens = snapshot.server_time_ms + left - (sale.opened_ago_ms ?? 0);
  const known = reader.aheadMin !== null;
  const at = known ? say("opens_at", { time: clock(opens, reader.aheadMin) }) : "";
  if (delay === 0) return { blocks, passed, speak: blocks, mark: 0, step: 0, now: false, speaks: "", go: "", way: "", at };
  const mark = Math.floor(Math.max(blocks * 1000 - delay, 0) / blocks);
  return {
    blocks,
    passed,
    speak: Math.max(blocks - Math.floor(delay / 1000), 0),
    mark,
    step: Math.floor((mark + 25) / 50) * 5,
    now: told?.at === "now",
    speaks: say("you_speak", { n: seconds(Math.max(whole - delay, 0)) }),
    go: known ? say("go_at", { time: clock(opens - delay, reader.aheadMin) }) : say("go"),
    way: say("then_on_the_way", { n: seconds(delay) }),
    at,
  };
}
