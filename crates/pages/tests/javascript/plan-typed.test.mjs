// What a planner types: numbers, times to pay, texts.
import assert from "node:assert/strict";
import test from "node:test";
import { currency, holdTime, id, idLike, length, picture, price, seconds, shown, titleLength, typedHold, units } from "../../assets/plan-typed.mjs";
import { typedAmount } from "../../assets/typed.mjs";
import { use } from "../../assets/words.mjs";

for (const part of ["words", "words-plan"]) use((await import(`${process.env.WORDS}/${part}-en.mjs`)).words);

const all = (read, cases) => {
  for (const [typed, wanted] of cases) {
    const found = read(typed);
    if (wanted instanceof RegExp) assert.match(found.fault ?? "", wanted, JSON.stringify([typed, found]));
    else assert.deepEqual(found, wanted === null ? { isMissing: true } : { value: wanted }, typed);
  }
};

test("units are whole, not negative, and no more than a size can have", () => {
  all(units, [
    ["4,000", 4000], ["4.000", 4000], ["4 000", 4000], ["1\u202f500", 1500], ["1'500", 1500], ["4000", 4000], [" 16,777,215 ", 16_777_215], ["0", 0], ["４，０００", 4000], ["", null],
    ["-3", /^-3 is below 0/], ["−3", /below 0/], ["1.5", /^1\.5 is no whole number/], ["0.500", /no whole number/], ["1.5000", /no whole number/], ["1,500.000", /no number/], ["4,00", /no number of units/], ["many", /no number/],
    ["16777216", /^16,777,216 is more than a size can have\. At most 16,777,215/], ["1e3", /no number/],
  ]);
  assert.match(units("0", 1).fault, /At least 1/);
});

test("a price is exact by its currency, and a comma for the point is told with what to type", () => {
  all((text) => price(text, "EUR"), [
    ["49.90", 4990], ["49.9", 4990], ["49", 4900], ["€49.90", 4990], ["EUR 49.90", 4990], ["49.90 €", 4990], ["1,234.50", 123_450], ["0", 0], ["", null],
    ["49,90", /^49,90 has a comma\. Type 49\.90:/], ["1,234", /Type 1234:/], ["-5", /below 0/], ["49.905", /too many digits behind the point\. EUR has 2/],
    ["fifty", /^fifty is no price\. Type digits, as 49\.90/], ["49.", /no price/], ["5368709.44", 536_870_944], ["5368709.45", /too high\. At most €5,368,709\.44/],
  ]);
  all((text) => price(text, "JPY"), [["1,200", 1200], ["￥1200", 1200], ["1200.5", /JPY has none/]]);
  all((text) => price(text, "KWD"), [["1.234", 1234], ["1.2345", /KWD has 3/]]);
  // Currencies of which browsers say that they have no decimals.
  for (const code of ["RSD", "HUF", "COP", "ALL"]) assert.deepEqual(price("1250.50", code), { value: 125_050 }, code);
  for (const [minor, code, text] of [[4990, "EUR", "49.90"], [5, "EUR", "0.05"], [1200, "JPY", "1200"], [1234, "KWD", "1.234"]]) {
    assert.equal(typedAmount(minor, code), text);
    assert.deepEqual(price(text, code), { value: minor });
  }
});

test("a time to pay has minutes and seconds", () => {
  all(holdTime, [
    ["2:00", 120_000], ["0:01", 1000], ["90:00", 5_400_000], ["1:00:05", 3_605_000], ["24:00:00", 86_400_000], ["2：00", 120_000], ["", null],
    ["2", /^2 is no time to pay\. Type minutes and seconds, as 2:00/], ["2:60", /no time/], ["0:00", /At least 0:01/], ["24:00:01", /longer than a day|At most 24/], ["-2:00", /below 0/],
  ]);
  // A drop may be open for a year.
  all(length, [["24:00:01", 86_401_000], ["8784:00:00", 366 * 86_400_000], ["8784:00:01", /longer than a year/], ["0:00", /At least 0:01/]]);
  assert.equal(typedHold(366 * 86_400_000), "8784:00:00");
  for (const ms of [1000, 120_000, 599_000, 3_605_000, 86_400_000]) assert.deepEqual(holdTime(typedHold(ms)), { value: ms });
});

test("seconds may have decimals", () => {
  all((text) => seconds(text, 600), [["10", 10_000], ["2.5", 2500], ["0", 0], ["601", /At most 600/], ["-1", /below 0/], ["1,5", /no number of seconds/], ["", null]]);
});

test("a title counts as it is read, and has to fit the server", () => {
  const family = "👩‍👩‍👧‍👦";
  assert.deepEqual(titleLength(`Mug ${family}`), { n: "5", max: "80" });
  assert.deepEqual(shown("x".repeat(80)), { value: "x".repeat(80) });
  assert.match(shown("x".repeat(82)).fault, /^Too long by 2 characters/);
  // The server counts bytes: 66 of these are all that it takes.
  assert.match(shown("锅".repeat(68)).fault, /^Too long by 2 characters/);
  assert.deepEqual(shown(" "), { isMissing: true });
});

test("names are those that the server knows", () => {
  all(id, [["nina", "nina"], [" maison-nord ", "maison-nord"], ["", null], ["Nina Berg", /^Nina Berg is no name that the server knows\. Type Nina-Berg:/], ["宁娜", /no name that the server knows/], ["x".repeat(65), /at most 64/]]);
  assert.deepEqual(["friday show", "  Friday,  27 November! ", "a/b -- c", "周五 show", "caf\u00e9 live", "cafe\u0301 live", "/..", ".", "!?"].map(idLike), ["friday-show", "Friday-27-November", "a-b-c", null, null, null, null, null, null]);
  assert.equal(idLike(`a${"x".repeat(62)} b`), `a${"x".repeat(62)}`);
  all(currency, [["eur", "EUR"], ["", null], ["euro", /three letters/]]);
});

test("a picture is elsewhere by https, or on this server", () => {
  all(picture, [
    ["", ""], ["https://shop.example/a.png", "https://shop.example/a.png"], ["/goods/candle.svg", "/goods/candle.svg"],
    ["http://shop.example/a.png", /begins with https/], ["shop.example/a.png", /no address/], ["javascript:alert(1)", /no address/],
    [`https://shop.example/${"a".repeat(2048)}`, /too long/],
  ]);
});
