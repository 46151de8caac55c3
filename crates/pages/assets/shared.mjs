// A report that somebody was given a link to: nobody is signed in, nothing is kept.
import { follow } from "./report-live.mjs";
import { load } from "./words.mjs";

await load(document.documentElement.lang);

const main = document.querySelector("main.report-main");
if (main?.dataset.running) follow(main);
