// What the person on camera reads, the same as src/live/stage.rs.
import { word } from "./cue.mjs";
import { count, timer } from "./numbers.mjs";
import { cast, standing, sumOf, view } from "./view.mjs";
import { say } from "./words.mjs";

const TAKEN_MAX = 3;
const LINE_LARGE_MAX = 28;

function withWord(told, sale, all) {
  const units = say("units_in", { n: count(all.supplied) });
  const right = told.at === "heard" ? say("state_open") : say("stage_opens", { n: Math.ceil((sale.opens_in_ms ?? 0) / 1000) });
  switch (told.at) {
    case "ahead": return { kind: "count", lead: say("stage_say_go_in"), text: String(told.n), under: units, right };
    case "now": return { kind: "go", lead: "", text: say("go"), under: say("stage_say_it"), right };
    case "under": return { kind: "way", lead: say("stage_hear_in"), text: String(told.n), under: units, right };
    default: return { kind: "hear", lead: "", text: say("hear_you_now"), under: units, right };
  }
}

function plain(air, sale, name, all) {
  const n = count(all.supplied);
  const made = (kind, text, under = "", rest = "") => ({ kind, text, under, rest });
  switch (name) {
    case "countdown": {
      const left = Math.ceil((sale.opens_in_ms ?? 0) / 1000);
      return { kind: "count", lead: say("stage_opens_in"), text: String(left), under: say("units_in", { n }), cue: air.cue };
    }
    case "open":
    case "scheduled": {
      const out = air.skus.filter((sku) => sku.out).slice(0, TAKEN_MAX).map((sku) => say("stage_sku_taken", { sku: sku.name }));
      return made("number", air.hero.text, say("stage_left"), out.join(", "));
    }
    case "all_taken": {
      const last = sale.held_ending?.last_in_ms ?? sale.last_hold_ends_in_ms;
      const rest = last === undefined ? "" : say("stage_last_ends", { time: timer(last) });
      return made("long", air.hero.text, say("stage_taken", { n }), rest);
    }
    case "sold_out": return made("words", air.hero.text, say("stage_taken", { n }), say("nothing_comes_back"));
    case "paused": return made("words", say("state_paused"), say("sku_left", { n: count(all.left) }), say("stage_nobody_buys"));
    default: return made("words", air.hero.text);
  }
}

/** Everything on the stage. */
export function stage(snapshot, reader) {
  const { air, next, line, video, rehearsing } = view(snapshot, { drops: [] }, reader);
  const delay = snapshot.video_delay_ms ?? 0;
  const bare = {
    title: next?.title ?? say("no_next"), price: "", kind: "words", fits: 1, lead: "", text: say("stage_wait"),
    under: "", rest: "", right: "", cue: null, line, large: line.length <= LINE_LARGE_MAX, rehearsing, video: delay === 0 ? "" : video,
  };
  if (!air) return bare;
  const sale = cast(snapshot).air;
  const all = sumOf(sale);
  const { name } = standing(sale);
  const own = { ...bare, title: air.title, price: air.price, fits: air.hero.fits };
  if (snapshot.blocked && ["scheduled", "countdown", "open", "all_taken", "paused"].includes(name)) {
    return { ...own, text: say("stage_blocked"), under: say("sku_left", { n: count(all.left) }), rest: say("stage_nobody_buys") };
  }
  const told = word(sale, name, delay);
  return told ? { ...own, ...withWord(told, sale, all), cue: air.cue } : { ...own, ...plain(air, sale, name, all) };
}
