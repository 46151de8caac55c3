// Announcements for screen readers: one for an event, never two at once.
import { text } from "./paint.mjs";

/** What comes within this time belongs to one event: its last words are spoken. */
const TOGETHER_MS = 300;
/** Between two announcements. */
const EVERY_MS = 5000;
/** Between two announcements of figures. */
const FIGURES_EVERY_MS = 10_000;

/** The same words a second time are another event: a place that does not change says nothing. */
const anew = (words, before) => (words === before ? `${words}\u00a0` : words);

/** Speaks through two places of the page: `say` when it suits, `cry` at once. */
export class Speech {
  #say;
  #cry;
  /** What happened, and how figures stand, each not spoken yet. */
  #event = "";
  #figures = "";
  #timer = null;
  #spokenAt = -Infinity;
  #figuresAt = -Infinity;
  /** What stands in each of the two places. */
  #said = "";
  #shouted = "";
  #cried = { words: "", at: -Infinity };

  constructor(say, cry) {
    this.#say = say;
    this.#cry = cry;
  }

  /** Something happened: the last words of what comes at once are spoken, for these still hold. */
  event(words) {
    this.#event = words;
    this.#figures = "";
    this.#wait();
  }

  /** Figures reached something: spoken after what happened, and seldom. */
  figures(words) {
    this.#figures = words;
    this.#wait();
  }

  /** Something needs the listener at once. The same is not cried twice within moments, also where more is said of it. */
  alarm(words) {
    const { words: before, at } = this.#cried;
    const isSame = Date.now() - at < EVERY_MS && (words.includes(before) || before.includes(words));
    if (isSame && before !== "") return;
    this.#cried = { words, at: Date.now() };
    this.#shouted = anew(words, this.#shouted);
    this.#cry(this.#shouted);
  }

  /** Nothing needs the listener any more. */
  calm() {
    this.#cried = { words: "", at: -Infinity };
    this.#shouted = "";
    this.#cry("");
  }

  #wait() {
    clearTimeout(this.#timer);
    const due = this.#spokenAt + EVERY_MS;
    const wait = (this.#event === "" ? Math.max(due, this.#figuresAt + FIGURES_EVERY_MS) : due) - Date.now();
    this.#timer = setTimeout(() => this.#speak(), Math.max(wait, TOGETHER_MS));
  }

  #speak() {
    const words = this.#event || this.#figures;
    this.#spokenAt = Date.now();
    if (this.#event === "") [this.#figures, this.#figuresAt] = ["", Date.now()];
    this.#event = "";
    this.#said = anew(words, this.#said);
    this.#say(this.#said);
    if (this.#figures !== "") this.#wait();
  }
}

/** The page's own voice. */
export const speech = new Speech((words) => text("spoken", words), (words) => text("shouted", words));
