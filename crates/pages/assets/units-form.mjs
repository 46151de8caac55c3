// A form that asks for one of a drop's goods and an amount of it: what Restock and Take back have in common.
import { count } from "./numbers.mjs";
import { rows, text } from "./paint.mjs";
import { someUnits, UNITS_MAX } from "./typed.mjs";
import { skuName } from "./view.mjs";

export class UnitsForm {
  #name;
  #form;
  #wrong;
  #words;
  #sale = null;
  #offered = "";

  /**
   * The form and its list by their `name`. `words.left(figures)` says what there is of a SKU, `words.then(chosen)` what comes
   * of the amount, `words.confirm(chosen)` what the button does, `words.wrong(chosen)` why it is not done, or `null`;
   * `words.offer(figures)`, where there is one, what is typed for a SKU before anybody types. With what is right
   * `done(chosen)` is called. Of all that is left, which moves, `chosen.isAll`: `units` says how many they are now.
   */
  constructor(name, words, done) {
    this.#name = name;
    this.#words = words;
    this.#form = document.querySelector(`[data-form=${name}]`);
    this.#wrong = document.getElementById(`${name}-error`);
    this.#form.addEventListener("keydown", (event) => this.#digit(event));
    this.#form.addEventListener("input", (event) => {
      const { other, amount } = this.#form.elements;
      if (event.target === other) amount.value = "other";
      if (event.target.name === "sku") this.#offer();
      if (event.target.name === "amount" && event.target.value === "other") other.focus();
      this.#wrong.hidden = true;
      this.#told();
    });
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit(done);
    });
  }

  /** Whether an option of the form is ticked. */
  ticked(name) {
    return this.#form.elements[name].checked;
  }

  /** Begins anew for a drop, with one of its SKUs and an amount chosen. */
  begin(sale, sku, amount) {
    this.#list(sale, (row, figures) => {
      const input = row.querySelector("input");
      input.value = figures.sku;
      input.checked = figures.sku === sku;
    });
    const { other, amount: chosen } = this.#form.elements;
    other.value = "";
    other.removeAttribute("aria-invalid");
    chosen.value = amount;
    this.#offered = "";
    this.#offer();
    this.#wrong.hidden = true;
    this.#told();
  }

  /**
   * Puts the focus where an amount is chosen. Where one is offered that is no field, so that keys stop the sale still; digits
   * take the place of what is offered.
   */
  focus() {
    const { other, amount } = this.#form.elements;
    const isField = amount.value === "other" && this.#words.offer === undefined;
    (isField ? other : this.#form.querySelector("[name=amount]:checked")).focus();
  }

  /** Types what is offered for the SKU that is chosen, unless somebody has typed. */
  #offer() {
    const { other } = this.#form.elements;
    if (this.#words.offer === undefined || other.value !== this.#offered) return;
    this.#offered = this.#words.offer(this.#chosen().figures);
    other.value = this.#offered;
  }

  /** The drop as it stands by now. */
  now(sale) {
    this.#list(sale, () => {});
    this.#told();
  }

  #list(sale, fill) {
    this.#sale = sale;
    rows(`${this.#name}-skus`, sale.skus, (figures) => figures.sku, (row, set, figures) => {
      set("name", skuName(sale.plan.skus[sale.skus.indexOf(figures)]));
      set("left", this.#words.left(figures));
      fill(row, figures);
    });
  }

  /** What is chosen: a SKU's figures with its name; `units` is `null` where the amount is none. */
  #chosen() {
    const { sku, amount, other } = this.#form.elements;
    const place = Math.max(this.#sale.skus.findIndex((figures) => figures.sku === sku?.value), 0);
    const figures = { held: 0, reserve: 0, ...this.#sale.skus[place] };
    const isAll = amount.value === "all";
    const units = isAll ? figures.available || null : someUnits(amount.value === "other" ? other.value : amount.value);
    return { figures, name: skuName(this.#sale.plan.skus[place]), units, isAll, typed: other.value };
  }

  #told() {
    const chosen = this.#chosen();
    text(`${this.#name}-then`, chosen.units === null ? "" : this.#words.then(chosen));
    text(`${this.#name}-confirm`, this.#words.confirm(chosen));
  }

  /** Digits are an amount wherever they are typed. */
  #digit(event) {
    const { other, amount } = this.#form.elements;
    if (!/^\d$/.test(event.key) || event.target === other || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    amount.value = "other";
    other.value = event.key;
    other.focus();
    this.#told();
  }

  #submit(done) {
    const chosen = this.#chosen();
    const why = this.#words.wrong(chosen);
    const { other } = this.#form.elements;
    other.setAttribute("aria-invalid", String(why !== null));
    if (why === null) {
      done(chosen);
      return;
    }
    text(`${this.#name}-wrong`, why);
    this.#wrong.hidden = false;
    if (this.#form.elements.amount.value === "other") other.focus();
    else this.focus();
  }
}

/** The most units that can be typed, in words. */
export const unitsMax = () => count(UNITS_MAX);
