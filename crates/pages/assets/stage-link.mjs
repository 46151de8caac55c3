// A link of the stage's own: made on request, shown once, good for one browser.
import { once, sessionRead, stay } from "./commands.mjs";
import { duration } from "./numbers.mjs";
import { text } from "./paint.mjs";
import { problem, say } from "./words.mjs";

/** How long a link is good where the session lasts as long, in milliseconds. */
const VALID_MS = 12 * 3_600_000;
/** Nobody invites for longer than they are let in: time that a request may take, in milliseconds. */
const SPARE_MS = 5000;

const link = document.getElementById("stage-link");
const button = document.querySelector("[data-do=make-link]");

/** Shows the dialog's first state: there is no link yet. */
export function begin() {
  if (button.getAttribute("aria-disabled") === "true") return;
  link.value = "";
  text("make-link", say("stage_link_make"));
  text("stage-link-hint", "");
}

async function make(stream) {
  await stay();
  const left = (sessionRead()?.ends_at ?? Date.now() + VALID_MS) - Date.now() - SPARE_MS;
  const name = `stage-${crypto.getRandomValues(new Uint32Array(1))[0].toString(16).padStart(8, "0")}`;
  const wanted = { name, role: "stage", streams: [stream], valid_ms: Math.floor(Math.min(VALID_MS, left)) };
  const { status, told } = await once("/v1/invitations", wanted);
  if (status !== 201) {
    text("stage-link-hint", problem(told.code, duration(told.retry_after_ms ?? 1000)));
    return;
  }
  link.value = told.link;
  link.select();
  text("make-link", say("stage_link_copy"));
  text("stage-link-hint", say("stage_link_until", { time: duration(wanted.valid_ms) }));
}

async function copy() {
  link.select();
  try {
    await navigator.clipboard.writeText(link.value);
    text("stage-link-hint", say("stage_link_copied"));
  } catch {
    // Where the browser gives no access, the text is marked for the reader to copy.
    text("stage-link-hint", say("stage_link_marked"));
  }
}

/** Does what the button says: makes a link, then copies it. */
export async function go(stream) {
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  try {
    await (link.value === "" ? make(stream) : copy());
  } catch {
    text("stage-link-hint", say("no_connection_short"));
  }
  button.removeAttribute("aria-disabled");
}
