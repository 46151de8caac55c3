// Another planned drop made the next one: which drops of the running order have to move for it.
import { ordered } from "./plan-places.mjs";
import { cast, scene } from "./view.mjs";

/**
 * The changes of places, `[{ drop, place }]`, by which `drop` is the next one: of itself alone where there is room. They are given
 * from the last to the first, so that meanwhile no third drop is next. `null` where drops that have begun leave no place.
 */
export function madeNext(snapshot, drop) {
  const { next } = cast(snapshot);
  const all = scene(snapshot).drops.map((sale) => ({ drop: sale.drop, place: sale.plan.running_order ?? 0, isFixed: sale.phase !== "scheduled" }));
  const wanted = all.filter((one) => one.drop !== drop);
  wanted.splice(wanted.findIndex((one) => one.drop === next.drop), 0, all.find((one) => one.drop === drop));
  const alone = ordered(wanted.map((one) => ({ ...one, isFixed: one.drop !== drop })));
  return alone ?? ordered(wanted)?.reverse() ?? null;
}
