// Geometry of the charts: the same rules as src/chart.rs, for what moves.

export const SECONDS = 60;
const HALF = 1000;

/** The least scale that reaches the largest value: 1, 2 or 5 times a power of ten. */
export function scale(most) {
  let step = 5;
  for (let turn = 0; step < most; turn += 1) step = turn % 3 === 2 ? (step * 5) / 2 : step * 2;
  return step;
}

/** Bars that end at the right edge, upward from the middle or downward from it. */
export function bars(values, top, upward) {
  const shown = values.slice(-SECONDS);
  const first = SECONDS - shown.length;
  let path = "";
  shown.forEach((value, place) => {
    const height = Math.floor((Math.min(value, top) * HALF) / Math.max(top, 1));
    if (height > 0) path += `M${(first + place) * 10 + 2} ${HALF}V${upward ? HALF - height : HALF + height}h5.6V${HALF}z`;
  });
  return path;
}

/** Scales that grow at once, and fall back only after ten seconds without need. */
export class Scale {
  #shown = 0;
  #needless = 0;

  next(most) {
    const wanted = scale(most);
    this.#needless = wanted < this.#shown ? this.#needless + 1 : 0;
    if (wanted > this.#shown || this.#needless >= 10) {
      this.#shown = wanted;
      this.#needless = 0;
    }
    return this.#shown;
  }
}
