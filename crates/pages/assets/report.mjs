// The report of a drop or a show, for staff: kept true while the sale goes on, given away by a link.
import "./frame.mjs";
import { follow } from "./report-live.mjs";
import { begin } from "./shares.mjs";
import { load } from "./words.mjs";

await load(document.documentElement.lang);

const main = document.querySelector("main.report-main");
if (main.dataset.running) follow(main);
const dialog = document.querySelector("[data-el=share]");
if (dialog) begin(dialog);
