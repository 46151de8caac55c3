// What the page says, by the same message files as the server.

let words = {};

/** Uses these messages. */
export function use(messages) {
  words = messages;
}

/** Loads the messages of a language. */
export async function load(language) {
  const module = await (language === "zh-CN" ? import("./words-zh-CN.mjs") : import("./words-en.mjs"));
  use(module.words);
}

/** A message with its placeholders filled. */
export function say(key, values) {
  const text = words[key];
  return values ? text.replace(/\{(\w+)\}/g, (_, name) => String(values[name])) : text;
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
