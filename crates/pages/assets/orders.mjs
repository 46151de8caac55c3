// Pages about orders: a key leads to the search, units of an order can be cancelled.
import { begin } from "./cancel.mjs";
import "./frame.mjs";
import { load } from "./words.mjs";

await load(document.documentElement.lang);

const find = document.querySelector("#find");
addEventListener("keydown", (event) => {
  const isTyping = event.target.closest?.("input, textarea, select, dialog[open]");
  if (event.key !== "/" || !find || isTyping || document.body.dataset.keys === "off" || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  find.focus();
  find.select();
});

const dialog = document.querySelector("[data-el=cancel-dialog]");
if (dialog) begin(dialog);
