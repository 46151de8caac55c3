// The words of the pages for planning: their own with those of all pages.
import { load, use } from "./words.mjs";

/** Loads the messages of a language. */
export async function loadAll(language) {
  const own = language === "zh-CN" ? import("./words-plan-zh-CN.mjs") : import("./words-plan-en.mjs");
  const [module] = await Promise.all([own, load(language)]);
  use(module.words);
}
