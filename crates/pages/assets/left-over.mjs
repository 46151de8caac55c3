// What becomes of the units that are left once the next drop has opened: chosen beside it, done when it opens.

/** How long after an opening what was chosen is still done, in milliseconds; later it would be a surprise. */
const LATE_MS = 10_000;

/** What the next button says before its own effect, by what was chosen. */
export const FIRST = { "wind-down": "left_over_first_wind_down", back: "left_over_first_back" };

/**
 * Where a choice stands: `wait` until the drop that was started opens, `do`, `late` where the page heard of it too late,
 * `off` where it does not open, or where the drop whose units are left is over. `changes` are the changes of phase that the
 * page had seen when it was started.
 */
export function due({ drop, next, changes }, drops) {
  const [left, opening] = [drop, next].map((id) => drops.find((one) => one.drop === id));
  if (!left || !opening || !["open", "paused"].includes(left.phase)) return "off";
  switch (opening.phase) {
    case "countdown": return "wait";
    // Until the page hears of the countdown.
    case "scheduled": return opening.phase_changes === changes ? "wait" : "off";
    case "open":
    case "paused": return opening.opened_ago_ms <= LATE_MS ? "do" : "late";
    default: return "off";
  }
}

/**
 * Takes back all that is left of each of the goods. `take(sku)` answers as a command does, or nothing where it was not
 * sent. Answers how many units that were, and the answer that ended it, where one did.
 */
export async function putBack(skus, take) {
  let units = 0;
  for (const { sku, available } of skus) {
    if (available === 0) continue;
    const done = await take(sku);
    if (done?.ok) units += done.told.units;
    // Somebody bought the last of it.
    else if (done?.code !== "not_free") return { units, ended: true };
  }
  return { units, ended: false };
}

/**
 * Undoes a restock: what it had from the reserve goes there again, the rest is gone as it came. `take(units, to_reserve)`
 * answers as `putBack`'s does. Answers how many units were taken back, and the part that was not with its answer.
 */
export async function takeAgain({ units, reserved }, take) {
  let back = 0;
  for (const [part, to_reserve] of [[units - reserved, false], [reserved, true]]) {
    if (part === 0) continue;
    const done = await take(part, to_reserve);
    if (!done?.ok) return { back, part, done };
    back += part;
  }
  return { back };
}
