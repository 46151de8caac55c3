// A button that copies what a field shows.
import { say } from "./words.mjs";

/**
 * Has the button copy the field; where the browser gives no access, the text is marked for the reader to copy. Answers what has
 * the button say again that it copies, for another text.
 */
export function copies(button, field) {
  const label = button.textContent;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(field.value);
      button.textContent = say("share_copied");
    } catch {
      field.focus();
      field.select();
      button.textContent = say("share_copy_failed");
    }
  });
  return () => {
    button.textContent = label;
  };
}
