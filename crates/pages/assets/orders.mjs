// Pages about orders: a key leads to the search, units of an order can be cancelled, unmatched money seen to.
import { begin } from "./cancel.mjs";
import { beginClosing } from "./closing.mjs";
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

for (const form of document.querySelectorAll("[data-form=closing]")) beginClosing(form);
