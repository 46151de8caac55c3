// Who else is at the show, and what they did there: by name.
import { count } from "./numbers.mjs";
import { skuName } from "./view.mjs";
import { say } from "./words.mjs";

/** Who can stop the sale where this page cannot; empty if nobody else was there. */
export function whoCanPause(people) {
  const [first, second] = people.map((person) => person.name);
  switch (people.length) {
    case 0: return "";
    case 1: return say("can_pause_one", { name: first });
    case 2: return say("can_pause_two", { first, second });
    default: return say("can_pause_more", { first, second, n: people.length - 2 });
  }
}

/** What a command about units is called in a sentence. A restock that became a request put nothing on sale. */
function unitsWord({ action, request }) {
  switch (action) {
    case "grant_request": return "by_grant";
    case "decline_request": return "by_decline";
    case "withdraw_request": return "by_withdraw";
    case "take_back": return "by_take_back";
    default: return request === undefined ? "by_restock" : "by_ask";
  }
}

/** A command that somebody gave, as a sentence; `null` for what has none. */
export function deed(given, drops) {
  const sale = drops.find((drop) => drop.drop === given.drop);
  const [by, title] = [given.actor, sale?.plan.title ?? given.drop];
  const words = { by, title };
  switch (given.action) {
    case "pause": return say("by_pause", words);
    case "resume": return say("by_resume", words);
    case "open": return say("by_open", words);
    case "cancel_countdown": return say("by_cancel_countdown", words);
    case "close": return say("by_close", words);
    case "undo": return say("by_undo", words);
    case "feature": return say("by_feature", words);
    case "move": return say("by_move", words);
    case "wind_down": return say("by_wind_down", words);
    case "amend": return say("by_amend", words);
    case "plan": return say("by_plan", words);
    case "edit": return say(given.moved ? "by_move" : "by_edit", words);
    case "cancel": return say("by_cancel", words);
    case "restock":
    case "grant_request":
    case "decline_request":
    case "withdraw_request":
    case "take_back": {
      const goods = sale?.plan.skus.find((one) => one.id === given.sku);
      return say(unitsWord(given), { by, sku: goods ? skuName(goods) : given.sku ?? title, n: count(given.units ?? 0) });
    }
    default: return null;
  }
}
