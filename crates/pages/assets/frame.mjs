// What every page does: tells the server the reader's zone, signs out.
import { signOut } from "./commands.mjs";

/** Keeps a choice of this browser. */
export function keep(name, value) {
  document.cookie = `stampede_${name}=${value}; Path=/; Max-Age=31536000; SameSite=Lax`;
}

/** How many minutes the reader's clock is ahead of UTC. */
export const aheadMin = -new Date().getTimezoneOffset();

keep("ahead_min", aheadMin);

document.querySelector("[data-do=sign-out]")?.addEventListener("click", async () => {
  await signOut().catch(() => {});
  location.assign("/sign-in");
});

// On a phone the navigation is scrolled: the page that is open is in view.
document.querySelector(".nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });

// The menu closes like one.
const menu = document.querySelector("details.who");
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && menu?.open) {
    // Nothing else is closed or stopped by the same press.
    event.stopImmediatePropagation();
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
addEventListener("click", (event) => {
  if (menu?.open && !menu.contains(event.target)) menu.open = false;
});

/** The screen stays awake while the page is looked at. */
export async function awake() {
  if (document.hidden) return;
  try {
    await navigator.wakeLock?.request("screen");
  } catch {
    // A machine that refuses, as one low on power does, keeps its own ways.
  }
}
