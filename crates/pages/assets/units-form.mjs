// A form that asks for one of a drop's goods and an amount of it: what Restock and Take back have in common.
import { count } from "./numbers.mjs";
import { rows, text } from "./paint.mjs";
import { skuName } from "./view.mjs";

const UNITS_MAX = 16_777_215;

/** A whole number as it was typed, thousands grouped or not; `null` if it is none from 1 to what a SKU can have. */
export function typedUnits(typed) {
  const plain = typed.trim();
  const isGrouped = /^\d{1,3}(?:[\s,.]\d{3})+$/.test(plain);
  const digits = isGrouped ? plain.replace(/[\s,.]/g, "") : plain;
  return /^\d+$/.test(digits) && Number(digits) >= 1 && Number(digits) <= UNITS_MAX ? Number(digits) : null;
}

export class UnitsForm {
  #name;
  #form;
  #wrong;
  #words;
  #sale = null;

  /**
   * The form and its list by their `name`. `words.left(figures)` says what there is of a SKU, `words.then(chosen)` what comes
   * of the amount, `words.confirm(chosen)` what the button does, `words.wrong(chosen)` why it is not done, or `null`. With
   * what is right `done(chosen)` is called. Of all that is left, which moves, `chosen.isAll`: `units` says how many they are now.
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
    this.#wrong.hidden = true;
    this.#told();
  }

  /** Puts the focus where an amount is chosen. */
  focus() {
    const { other, amount } = this.#form.elements;
    (amount.value === "other" ? other : this.#form.querySelector("[name=amount]:checked")).focus();
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
    const units = isAll ? figures.available || null : typedUnits(amount.value === "other" ? other.value : amount.value);
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
    this.focus();
  }
}

/** The most units that can be typed, in words. */
export const unitsMax = () => count(UNITS_MAX);
