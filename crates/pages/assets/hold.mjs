// Buttons that act only after they were held for a second; let go early they do nothing.

const HOLD_MS = 1000;

/** How long after a finger was lifted its click may come, in milliseconds. */
const CLICK_MS = 100;

/** The finger is still down: what comes under it meanwhile is not pressed when it is lifted. */
function swallow() {
  const over = new AbortController();
  const { signal } = over;
  addEventListener("click", (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    over.abort();
  }, { capture: true, signal });
  for (const kind of ["pointerup", "pointercancel"]) addEventListener(kind, () => setTimeout(() => over.abort(), CLICK_MS), { signal });
  // The next press is one of its own.
  addEventListener("pointerdown", () => over.abort(), { capture: true, signal });
}

/** Something that is held: `begun` at first, `done` after a second, `brief` after a short press. */
export class Hold {
  #button;
  #timer = null;
  #begun = 0;
  #isPointed = false;
  #handlers;

  constructor(button, handlers) {
    this.#button = button;
    this.#handlers = handlers;
    button.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      this.begin();
      this.#isPointed = this.#timer !== null;
    });
    button.addEventListener("pointerup", () => this.end());
    // Who slides off, or scrolls, has thought better of it.
    for (const kind of ["pointerleave", "pointercancel"]) button.addEventListener(kind, () => this.cancel());
    button.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      if (!event.repeat) this.begin();
    });
    button.addEventListener("keyup", (event) => (event.key === "Enter" || event.key === " ") && this.end());
    button.addEventListener("blur", () => this.cancel());
    // A person who turns to another window lets go there: no key comes up here.
    addEventListener("blur", () => this.cancel());
    button.addEventListener("contextmenu", (event) => event.preventDefault());
    // What presses without a pointer or a key, as a screen reader does, gets the dialog.
    button.addEventListener("click", (event) => event.detail === 0 && this.#timer === null && this.#begun === 0 && this.#handlers.brief?.());
    // Pressed while the page was still loading: the second counts from here.
    if (button.matches(":active:hover")) this.begin();
  }

  begin() {
    if (this.#button.getAttribute("aria-disabled") === "true" || this.#timer !== null) return;
    this.#begun = performance.now();
    this.#handlers.begun?.();
    this.#button.classList.add("holding");
    this.#timer = setTimeout(() => {
      const isPointed = this.#isPointed;
      this.cancel();
      if (isPointed) swallow();
      this.#handlers.done();
    }, HOLD_MS);
  }

  end() {
    if (this.#timer === null) return;
    const brief = performance.now() - this.#begun < HOLD_MS;
    this.cancel();
    if (brief) this.#handlers.brief?.();
  }

  cancel() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#isPointed = false;
    this.#button.classList.remove("holding");
    setTimeout(() => {
      this.#begun = 0;
    }, 0);
  }
}
