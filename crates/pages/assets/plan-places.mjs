// The running order: which numbers drops get so that they stand in the order that was asked for.

/** What stands between two drops where there is room, so that another can be put between them. */
const STEP = 10;
const PLACE_MAX = 65_535;

const number = ({ drop }) => Number(drop.slice(1));
const before = (a, b) => a.place < b.place || (a.place === b.place && number(a) < number(b));

/** Drops in the running order; equal places keep the order of planning. */
export const sorted = (drops) => [...drops].sort((a, b) => (before(a, b) ? -1 : 1));

/** The most drops that may keep their places, those that cannot move among them; `null` if these are out of order. */
function kept(drops) {
  const longer = (one, other) => (one === null || other.length > one.length ? other : one);
  const chains = [];
  for (const [at, drop] of drops.entries()) {
    const fixed = drops.slice(0, at).findLastIndex((other) => other.isFixed);
    const ahead = chains.filter((chain, place) => chain !== null && place >= fixed && before(drops[place], drop));
    const longest = ahead.reduce(longer, fixed === -1 ? [] : null);
    chains.push(longest === null || drop.place === null ? null : [...longest, at]);
  }
  const fixed = drops.findLastIndex((drop) => drop.isFixed);
  return chains.filter((chain, place) => chain !== null && place >= fixed).reduce(longer, fixed === -1 ? [] : null);
}

/** Places for all that stand between those that keep theirs; `null` where there is no room. */
function spread(drops, keeps) {
  const changes = [];
  const stays = new Set(keeps);
  let low = -1;
  for (let at = 0; at < drops.length; at += 1) {
    if (stays.has(at)) {
      low = drops[at].place;
      continue;
    }
    let end = at;
    while (end < drops.length && !stays.has(end)) end += 1;
    const high = end < drops.length ? drops[end].place : Math.min(low + STEP * (end - at + 1), PLACE_MAX + 1);
    const step = Math.min(STEP, Math.floor((high - low) / (end - at + 1)));
    if (step < 1) return null;
    for (const { drop } of drops.slice(at, end)) {
      low += step;
      changes.push({ drop, place: low });
    }
    at = end - 1;
  }
  return changes;
}

/**
 * The changes that put drops into the order in which they are listed: `[{ drop, place }]`. Each drop has
 * `{ drop, place, isFixed }`; one without a place has `null`. `null` if drops that have begun leave no place for one before them.
 */
export function ordered(drops) {
  const keeps = kept(drops);
  const few = keeps === null ? null : spread(drops, keeps);
  if (few !== null) return few;
  const fixed = drops.flatMap((drop, at) => (drop.isFixed ? [at] : []));
  const all = spread(drops, fixed);
  return all && all.filter(({ drop, place }) => drops.find((other) => other.drop === drop).place !== place);
}

/** The place for a new drop that stands at `at` among `drops`, with the changes that make room; `null` if there is none. */
export function placed(drops, at) {
  const fresh = { drop: "", place: null, isFixed: false };
  const changes = ordered([...drops.slice(0, at), fresh, ...drops.slice(at)]);
  if (changes === null) return null;
  const own = changes.find((change) => change.drop === fresh.drop);
  return { place: own.place, changes: changes.filter((change) => change !== own) };
}
