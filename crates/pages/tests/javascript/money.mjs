// Writes an amount in every currency that comes in: the server writes the same ones beside it.
import { text } from "node:stream/consumers";
import { money } from "../../assets/numbers.mjs";

const codes = JSON.parse(await text(process.stdin));
process.stdout.write(JSON.stringify(codes.map((code) => money(1_234_567, code))));
