// Somebody is invited: the form, and the link that it makes.
import { once } from "./commands.mjs";
import { copies } from "./copy.mjs";
import { say } from "./words.mjs";

const HOUR_MS = 3_600_000;

/** What is asked of the server: fields that nobody filled are left out. */
export function invitation({ name, role, merchant, streams, hours }) {
  const body = { name: name.trim(), role, valid_ms: Number(hours) * HOUR_MS };
  const shows = streams.split(/[\s,，、]+/).filter((stream) => stream !== "");
  if (merchant.trim() !== "") body.merchant = merchant.trim();
  if (shows.length > 0) body.streams = shows;
  return body;
}

/** Has the form ask for a link by `begin`, and show it; `changed()` after an invitation that was made, or may have been. */
export function beginInviting(form, begin, tell, changed) {
  const shown = form.querySelector("[data-el=invited]");
  const link = form.querySelector("[data-el=invite-link]");
  const { name } = form.elements;
  begin(form, async (line) => {
    if (name.value.trim() === "") {
      tell(line, say("accounts_name_missing"));
      name.setAttribute("aria-invalid", "true");
      name.focus();
      return undefined;
    }
    name.removeAttribute("aria-invalid");
    const given = Object.fromEntries(new FormData(form));
    try {
      const { status, told } = await once("/v1/invitations", invitation(given));
      if (status !== 201) return { ok: false, code: told.code ?? "", told };
      link.value = told.link;
      shown.hidden = false;
      link.focus();
      link.select();
    } catch {
      // The server shows a link once: one whose answer was lost is withdrawn in the list.
      tell(line, say("accounts_lost"));
    }
    changed();
    return undefined;
  });
  const fresh = copies(form.querySelector("[data-do=copy]"), link);
  // A link is for what stood in the form: not for what is typed now.
  form.addEventListener("input", () => {
    shown.hidden = true;
    link.value = "";
    fresh();
  });
}
