// When the session ends: said two minutes before, so that nobody is signed out in the middle of a sale.

/** How long before its end a session is spoken of, in milliseconds. */
export const WARNED_MS = 120_000;

/**
 * The end that is near: `{ kind, left }`, `idle` where a request puts it off, `life` where none does; `null`
 * while there is none. `session` has both ends by this machine's clock.
 */
export function ending(session, now) {
  if (!session) return null;
  const kind = session.idle_at < session.ends_at ? "idle" : "life";
  const left = Math.min(session.idle_at, session.ends_at) - now;
  return left <= WARNED_MS ? { kind, left: Math.max(left, 0) } : null;
}

/** Both ends of a session that was told of at `heardAt` by this machine's clock. */
export const ends = (told, heardAt) => ({
  idle_at: heardAt + told.idle_expires_in_ms,
  ends_at: heardAt + told.expires_in_ms,
});
