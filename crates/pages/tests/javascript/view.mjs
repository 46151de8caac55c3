// Draws every case that comes in: the server draws the same ones beside it.
import { text } from "node:stream/consumers";
import { stage } from "../../assets/stage-view.mjs";
import { view } from "../../assets/view.mjs";
import { use } from "../../assets/words.mjs";

const words = {};
for (const language of ["en", "zh-CN"]) words[language] = (await import(`${process.argv[2]}/words-${language}.mjs`)).words;

const cases = JSON.parse(await text(process.stdin));
const drawn = cases.map(({ snapshot, running, reader }) => {
  use(words[reader.language]);
  const whole = { ...reader, scales: null };
  return { ...view(snapshot, running, whole), stage: stage(snapshot, whole) };
});
process.stdout.write(JSON.stringify(drawn));
