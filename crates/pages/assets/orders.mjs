// Pages about orders: a key leads to the search.
import "./frame.mjs";

const find = document.querySelector("#find");
addEventListener("keydown", (event) => {
  const isTyping = event.target.closest?.("input, textarea, select, dialog[open]");
  if (event.key !== "/" || isTyping || document.body.dataset.keys === "off" || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  find.focus();
  find.select();
});
