// How a stream stands: the last snapshot with every event since put on top.
import { ends } from "./session.mjs";

const SECONDS_KEPT = 60;

/**
 * The state after an event that was heard at `heardAt` by this machine's clock; what did not change stays
 * the same value. `ahead_ms` says how far the server's clock is ahead of this one.
 */
export function apply(state, kind, data, heardAt) {
  if (kind === "snapshot") return { ahead_ms: data.server_time_ms - heardAt, ...data };
  if (state === null) return null;
  const next = { ...state };
  if (data.server_time_ms !== undefined) {
    next.server_time_ms = data.server_time_ms;
    next.ahead_ms = data.server_time_ms - heardAt;
  }
  const change = (changed) => {
    next.drops = state.drops.map((drop) => (drop.drop === data.drop ? changed(drop) : drop));
  };
  switch (kind) {
    case "drop":
      if (state.drops.some((drop) => drop.drop === data.drop)) change(() => data);
      else next.drops = [...state.drops, data];
      next.drops = sorted(next.drops);
      break;
    case "figures":
      // When a countdown ends was told with the drop, at the time that stands there.
      change((drop) => ({ ...drop, ...data, plan: drop.plan, server_time_ms: drop.server_time_ms, figures_at_ms: data.server_time_ms }));
      break;
    case "second": {
      const before = state.seconds?.[data.drop] ?? [];
      const kept = [...before.filter((second) => second.at_ms !== data.at_ms), data].slice(-SECONDS_KEPT);
      next.seconds = { ...state.seconds, [data.drop]: kept };
      break;
    }
    case "stream":
      next.video_delay_ms = data.video_delay_ms;
      next.stage_line = data.stage_line;
      next.blocked = data.blocked;
      break;
    case "session":
      next.session = ends(data, heardAt);
      break;
    case "people":
      next.people = data.people;
      break;
    case "gone":
      next.drops = state.drops.filter((drop) => drop.drop !== data.drop);
      break;
    default:
  }
  return next;
}

/** Drops in the running order; equal places keep the order of planning. */
function sorted(drops) {
  const number = (drop) => Number(drop.drop.slice(1));
  const place = (drop) => drop.plan.running_order ?? 0;
  return [...drops].sort((a, b) => place(a) - place(b) || number(a) - number(b));
}

/** The state as it stands at `now` by this machine's clock: countdowns go on between two events. */
export function present(state, now) {
  const time = now + state.ahead_ms;
  const rest = (left, told) => (left === undefined ? undefined : Math.max(left - Math.max(time - (told ?? time), 0), 0));
  const drops = state.drops.map((drop) => {
    const { opened_ago_ms: opened, last_hold_ends_in_ms: ends } = drop;
    if (drop.opens_in_ms === undefined && drop.held_ending?.last_in_ms === undefined && opened === undefined && ends === undefined) return drop;
    const later = { ...drop };
    if (opened !== undefined) later.opened_ago_ms = opened + Math.max(time - drop.server_time_ms, 0);
    if (ends !== undefined) later.last_hold_ends_in_ms = rest(ends, drop.server_time_ms);
    if (drop.opens_in_ms !== undefined) later.opens_in_ms = rest(drop.opens_in_ms, drop.server_time_ms);
    if (drop.held_ending) {
      const told = drop.figures_at_ms ?? drop.server_time_ms;
      const { first_in_ms: first, last_in_ms: last } = drop.held_ending;
      later.held_ending = { ...drop.held_ending, first_in_ms: rest(first, told), last_in_ms: rest(last, told) };
    }
    return later;
  });
  return { ...state, drops, server_time_ms: time };
}
