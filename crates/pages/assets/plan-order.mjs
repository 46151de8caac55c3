// The show as it is planned: its drops in running order, followed while the page is open.
import { Room } from "./follow.mjs";
import { apply } from "./state.mjs";

/** Drops that are not over fill a show's places. */
export const DROPS_MAX = 64;
const OVER = new Set(["settled", "cancelled", "voided"]);

/** What pages for planning know of a show: `changed(show, kind)` after what they hear. */
export class Show {
  constructor({ stream, worker, told, merchant, name, plans }, changed) {
    const first = JSON.parse(told);
    this.stream = stream;
    this.merchant = merchant || null;
    this.name = name;
    this.plans = plans === "*" ? null : plans.split(" ").filter((of) => of !== "");
    this.over = first.over ?? null;
    this.state = apply(null, "snapshot", first, Date.now());
    this.room = new Room(stream, worker, (room, kind) => {
      if (room.state !== null) this.state = room.state;
      changed(this, kind);
    });
  }

  /** The show's own drops: copies for a rehearsal are none of what is planned. */
  get drops() {
    return this.state.drops.filter(({ rehearses }) => rehearses === undefined);
  }

  /** Whether the reader may plan for a merchant here: a host only for those who let hosts. */
  mayPlan(merchant) {
    return this.plans === null || this.plans.includes(merchant);
  }

  /** Whether the reader may plan anything here. */
  get plansAny() {
    return this.plans === null || this.plans.length > 0;
  }

  get delayMs() {
    return this.state.video_delay_ms ?? 0;
  }

  /** The server's time. */
  get now() {
    return Date.now() + this.state.ahead_ms;
  }

  find(drop) {
    return this.state.drops.find((sale) => sale.drop === drop) ?? (this.over?.drop === drop ? this.over : null);
  }

  /** A plan that a new drop is like: the last one. */
  get like() {
    return this.drops.at(-1)?.plan ?? null;
  }

  /** Drops as they can be ordered. */
  get places() {
    return this.drops.map(({ drop, phase, plan }) => ({ drop, place: plan.running_order ?? 0, isFixed: phase !== "scheduled", title: plan.title }));
  }

  /** How many more drops the show has room for; copies for a rehearsal take it, too. */
  get room_left() {
    return Math.max(DROPS_MAX - this.state.drops.filter(({ phase }) => !OVER.has(phase)).length, 0);
  }

  /** Changes of places, each with the revision of its drop's terms as the page knows them. */
  revised(changes) {
    return changes.map((change) => ({ ...change, revision: this.find(change.drop).revision }));
  }
}

/** Whether a drop's terms can be changed. */
export const isPlanned = (sale) => sale.phase === "scheduled";
