// What the strip of a demo says; src/demo.rs says the same of the same answer.
import { clock, count, duration } from "./numbers.mjs";
import { say } from "./words.mjs";

function last({ stage, last_kill: kill }, { aheadMin }) {
  if (!kill) return stage === "gathering" ? say("demo_gathering") : say("demo_hint");
  const down = duration(kill.down_ms);
  const given = count(kill.given);
  if (kill.kept === undefined) return say("demo_checking", { down, given });
  const time = aheadMin === null ? say("unknown") : clock(kill.at_ms, aheadMin);
  const said = { time, down, given, kept: count(kill.kept) };
  return kill.verified ? say("demo_kept", said) : say("demo_wrong", said);
}

/** The strip's contents. */
export function strip(demo, reader) {
  const kill = demo.last_kill;
  const counted = kill?.kept !== undefined;
  const kept = counted && kill.kept === kill.given && kill.verified === true;
  return {
    viewers: say("demo_viewers", { connected: count(demo.connected), viewers: count(demo.viewers) }),
    promises: say("demo_promises", { n: count(demo.promises) }),
    last: last(demo, reader),
    kept,
    wrong: counted && !kept,
    ready: demo.stage === "running" && (reader.role === "host" || reader.role === "admin"),
  };
}
