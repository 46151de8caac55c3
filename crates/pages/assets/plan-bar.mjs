// The top bar of pages for planning: whether the server is heard, how late viewers see the show, its time.
import { video } from "./cue.mjs";
import { aheadMin } from "./frame.mjs";
import { clock } from "./numbers.mjs";
import { drawing, find, put } from "./plan-fields.mjs";
import { say } from "./words.mjs";

/** Keeps the bar true for a show; what is told before anybody was heard stays. */
export function keepBar(show) {
  const draw = () => {
    const isHeard = show.room.broken === null;
    drawing(find("[data-icon=link]"), isHeard ? "pulse" : "pulse-lost");
    put("link", say(isHeard ? "plan_connected" : "no_connection_short"));
    // Whoever is signed out is told so, with the way back.
    const isLost = !isHeard && show.room.broken !== 401;
    put("lost", isLost ? say("plan_lost_since", { time: clock(show.room.heardAt + show.state.ahead_ms, aheadMin) }) : "");
    put("video", video(show.delayMs));
    put("clock", clock(show.now, aheadMin));
  };
  draw();
  setInterval(draw, 1000);
  // Whoever comes back may have signed in elsewhere meanwhile.
  document.addEventListener("visibilitychange", () => document.hidden || show.room.broken === null || show.room.again());
}
