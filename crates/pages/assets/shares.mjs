// The dialog by which a link to a report is made, copied and taken back.
import { ready, remove, send } from "./commands.mjs";
import { copies } from "./copy.mjs";
import { why } from "./why.mjs";
import { say } from "./words.mjs";

const DAY_S = 86_400;

/** What is asked of the server: fields that nobody filled are left out. */
export function asked({ what, drop, isCut, channel, days, label }) {
  const body = { [what]: drop, valid_for_s: Number(days) * DAY_S };
  if (isCut) body.channel = channel.trim();
  if (label.trim() !== "") body.label = label.trim();
  return body;
}

/** The link in full: the server names a path alone where it has no address of its own. */
export const whole = (told, origin) => told.url ?? new URL(told.path, origin).href;

/** Has the dialog ask, send and say what came of it. */
export function begin(dialog) {
  const find = (css) => dialog.querySelector(css);
  const form = find("[data-form=share]");
  const { channel, label } = form.elements;
  const make = find("[data-do=share-make]");
  const shown = find("[data-el=share-made]");
  const link = find("[data-el=share-link]");
  const what = dialog.dataset.show === undefined ? "drop" : "show";
  /** What was sent and may have been done: sent again under its key, it answers the same link with a new secret. */
  let sent = null;
  let isBusy = false;
  let isChanged = false;

  function tell(line, text) {
    line.hidden = text === "";
    line.querySelector("span").textContent = text;
  }

  const refuse = (text) => tell(find("[data-el=share-refused]"), text);

  const values = () => ({
    what,
    drop: dialog.dataset[what],
    isCut: form.elements.what.value === "channel",
    channel: channel.value,
    days: form.elements.days.value,
    label: label.value,
  });

  function wrong(text) {
    tell(find("#share-channel-error"), text);
    if (text === "") channel.removeAttribute("aria-invalid");
    else channel.setAttribute("aria-invalid", "true");
  }

  form.addEventListener("input", () => {
    find("[data-el=share-channel]").hidden = !values().isCut;
    wrong("");
    refuse("");
    sent = null;
    // A link is for what stood in the form: not for what is typed now.
    shown.hidden = true;
    link.value = "";
    fresh();
  });

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (isBusy) return;
    const given = values();
    if (given.isCut && given.channel.trim() === "") {
      wrong(say("share_channel_wrong"));
      channel.focus();
      return;
    }
    isBusy = true;
    refuse("");
    make.textContent = say("share_making");
    sent ??= { body: asked(given), key: undefined };
    const done = await send("/v1/shares", sent.body, undefined, sent.key);
    isBusy = false;
    make.textContent = say("share_make");
    sent = done.isOpen ? { ...sent, key: done.key } : null;
    if (!done.ok) {
      refuse(why(done));
      return;
    }
    isChanged = true;
    link.value = whole(done.told, location.origin);
    shown.hidden = false;
    link.focus();
    link.select();
  });

  const fresh = copies(find("[data-do=share-copy]"), link);

  for (const button of dialog.querySelectorAll("[data-do=share-revoke]")) {
    button.addEventListener("click", async () => {
      if (button.getAttribute("aria-disabled") === "true") return;
      const row = button.closest("[data-share]");
      button.setAttribute("aria-disabled", "true");
      button.textContent = say("share_revoking");
      const done = await remove(`/v1/shares/${encodeURIComponent(row.dataset.share)}`);
      // One that is not there any more opens nothing either.
      if (done.ok || done.code === "unknown_share") {
        isChanged = true;
        button.replaceWith(say("share_revoked"));
        return;
      }
      button.removeAttribute("aria-disabled");
      button.textContent = say("share_revoke");
      refuse(why(done));
    });
  }

  document.addEventListener("click", ({ target }) => {
    if (!target.closest?.("[data-do=share]")) return;
    ready();
    dialog.showModal();
  });
  find("[data-do=share-close]").addEventListener("click", () => dialog.close());
  // The list is read again with the page; the secret leaves it.
  dialog.addEventListener("close", () => isChanged && location.reload());
}
