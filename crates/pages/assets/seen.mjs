// What a press is meant for: the drop as the page showed it. The server compares, this says what changed.
import { standing, stateWord } from "./view.mjs";
import { say } from "./words.mjs";

/** The part of a drop that a command carries. */
export const sight = ({ phase, revision, phase_changes }) => ({ phase, revision, phase_changes });

/** Why nothing was done: what differs between the drop that was seen and the one that is there `now`. */
export function changed(sale, seen, now) {
  const { title } = sale.plan;
  if (now.revision !== seen.revision) return say("changed_terms", { title });
  const state = sale.phase === now.phase ? standing(sale).word : stateWord(now.phase);
  return say(now.phase === seen.phase ? "changed_again" : "changed_meanwhile", { title, state });
}
