// Says every case that comes in: the server says the same ones beside it.
import { text } from "node:stream/consumers";
import { strip } from "../../assets/strip.mjs";
import { use } from "../../assets/words.mjs";

const words = {};
for (const language of ["en", "zh-CN"]) words[language] = (await import(`${process.argv[2]}/words-${language}.mjs`)).words;

const cases = JSON.parse(await text(process.stdin));
const said = cases.map(({ demo, reader }) => {
  use(words[reader.language]);
  return strip(demo, reader);
});
process.stdout.write(JSON.stringify(said));
