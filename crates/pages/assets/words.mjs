// What the page says, by the same message files as the server.

let words = {};
/** Messages by key, taken apart once: text, value or forms in turn. */
const known = new Map();

/** Uses these messages, besides those that are there. */
export function use(messages) {
  words = { ...words, ...messages };
  known.clear();
}

/** Loads the messages of a language. */
export async function load(language) {
  const module = await (language === "zh-CN" ? import("./words-zh-CN.mjs") : import("./words-en.mjs"));
  use(module.words);
}

/** A value, or one with a form for the number 1 and one for any other. */
const PLACEHOLDER = /\{(\w+)(?:: ([^|}]+) \| ([^}]+))?\}/;

function parts(key) {
  let found = known.get(key);
  if (!found) {
    // Text, name, both forms, text again: what a text is split by stands in between.
    found = words[key].split(PLACEHOLDER);
    known.set(key, found);
  }
  return found;
}

/** A message with its placeholders filled. */
export function say(key, values) {
  if (!values) return words[key];
  const found = parts(key);
  let said = found[0];
  for (let place = 1; place < found.length; place += 4) {
    const value = String(values[found[place]]);
    const form = value === "1" ? found[place + 1] : found[place + 2];
    said += (form === undefined ? value : form.replaceAll("#", value)) + found[place + 3];
  }
  return said;
}

/** Whether there is a message under this key. */
export function has(key) {
  return Object.hasOwn(words, key);
}

/** What a problem says in the reader's words; `time` is how long to wait, where that helps. */
export function problem(code, time) {
  const key = has(`problem_${code}`) ? `problem_${code}` : "problem_other";
  return say(key, { code, time });
}
