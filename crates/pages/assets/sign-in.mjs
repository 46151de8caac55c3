// The door: a pasted token, or an invitation.
import "./frame.mjs";
import { duration } from "./numbers.mjs";
import { load, problem, say } from "./words.mjs";

await load(document.documentElement.lang);

const form = document.querySelector("[data-form]");
const wrong = form.querySelector("[data-s=wrong]");
const submit = form.querySelector("[data-s=submit]");
const field = form.querySelector("#token");
const said = submit.textContent;

function complain(text) {
  wrong.textContent = text;
  wrong.parentElement.hidden = text === "";
  if (field) {
    field.setAttribute("aria-invalid", text === "" ? "false" : "true");
    if (text !== "") field.focus();
  }
}

const asked = () => (form.dataset.form === "token"
  ? { token: field.value.trim() }
  : { invitation: decodeURIComponent(location.pathname.split("/").at(-1)) });

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  complain("");
  const body = asked();
  if (field && !body.token.startsWith("stf_")) return complain(say("token_shape"));
  submit.textContent = say("signing_in");
  try {
    const answer = await fetch("/v1/sessions", {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify(body),
    });
    const told = await answer.json().catch(() => ({}));
    if (answer.ok) {
      const kept = await fetch("/v1/sessions/current", { headers: { accept: "application/json" }, cache: "no-store" });
      if (kept.ok) return location.replace(document.body.dataset.to || "/shows");
      complain(say("cookies_off"));
    } else if (told.code === "token_unknown" || told.code === "token_missing") {
      // Nobody was signed in yet: it is the pasted text that is wrong.
      complain(say("token_unknown"));
    } else if (told.code) {
      complain(problem(told.code, duration(told.retry_after_ms ?? 1000)));
    } else {
      complain(say("error_server"));
    }
  } catch {
    complain(say("no_connection_short"));
  }
  submit.textContent = said;
});
// Not before: without this script a form would carry its fields into the address.
form.querySelector("[type=submit]").disabled = false;
