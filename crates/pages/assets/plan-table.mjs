// A table that was pasted from a spreadsheet: one row for each size, the drops by their titles.
import { count } from "./numbers.mjs";
import { label } from "./plan-clash.mjs";
import { blank, blankSize, read, SIZES_MAX } from "./plan-terms.mjs";
import { units } from "./plan-typed.mjs";
import { say } from "./words.mjs";

export const ROWS_MAX = 2000;

/** What columns are called, in English and Chinese. */
const COLUMNS = {
  title: ["title", "title for viewers", "drop", "name", "product", "goods", "标题", "给观众看的标题", "名称", "商品", "商品名称", "品名"],
  size: ["size", "option", "variant", "scent", "colour", "color", "规格", "尺码", "尺寸", "款式", "颜色", "选项"],
  code: ["code", "your code", "sku", "merchant sku", "article", "编码", "商家编码", "商品编码", "货号"],
  price: ["price", "价格", "单价", "售价"],
  currency: ["currency", "币种", "货币"],
  supply: ["supply", "stock", "quantity", "qty", "units", "库存", "数量", "供应量", "供应"],
  reserve: ["reserve", "储备", "预留"],
  limit: ["limit", "max", "maximum", "each viewer", "per viewer", "per person", "per customer", "限购", "限购数量", "限购件数", "最多"],
  host: ["host", "主播", "主持人"],
  merchant: ["merchant", "shop", "seller", "商家", "商户", "店铺"],
  picture: ["picture", "image", "图片", "图片地址"],
};
/** Words of money: a highest price is no limit of units. */
const PRICE = /\bprices?\b|价/;
/** Words that make a column that of the limit, whatever stands between: how many there are at most, then for whom. */
const LIMIT = [
  [/\b(limit|max|maximum|most|cap)\b/, /\b(each|per|viewer|person|customer|buyer|client|user|guest|head|order)s?\b/],
  [/\bper (viewer|person|customer|buyer|client|user|guest|head)s?\b/],
  [/限购|上限|最多|最大/, /每|单|人|客|位/],
];
const NEEDED = ["title", "price", "supply"];
/** Columns of counts, in which a point before three digits may group thousands or stand before decimals. */
const COUNTED = ["supply", "reserve", "limit"];
const POINTED = /^\s*\d{1,3}(\.\d{3})+\s*$/;
/** Columns that belong to a whole drop. */
const WHOLE = ["currency", "host", "merchant", "picture"];
/** What a column is called here. */
const NAMES = {
  title: "plan_title", size: "plan_size", code: "plan_code", price: "price", currency: "plan_currency", supply: "plan_supply",
  reserve: "plan_reserve", limit: "plan_each", host: "plan_host", merchant: "plan_merchant", picture: "plan_picture",
};

export const columnName = (column) => say(NAMES[column]);

/** What stands between two cells: a tab where there is one, as spreadsheets copy; else what the first line has most of. */
function separator(text) {
  const first = text.slice(0, text.search(/[\r\n]|$/));
  if (first.includes("\t")) return "\t";
  const times = (mark) => first.split(mark).length;
  return times(";") > times(",") ? ";" : ",";
}

/** Where the quote closes that opens at `from`: before a separator or at a line's end; -1 where it is a mark like any other. */
function closing(all, from, mark) {
  let at = all.indexOf('"', from + 1);
  while (all[at + 1] === '"') at = all.indexOf('"', at + 2);
  return at === -1 || [mark, "\n", undefined].includes(all[at + 1]) ? at : -1;
}

/** Whether there is another quote on the line. */
function hasQuote(all, from) {
  const [quote, end] = [all.indexOf('"', from), all.indexOf("\n", from)];
  return quote !== -1 && (end === -1 || quote < end);
}

/**
 * The cells of a table, row by row, with the places of rows whose quote never closes. A cell in double quotes may have separators
 * and line breaks; other quotes are part of the text.
 */
export function cells(text) {
  const all = text.replace(/^\ufeff/, "").replaceAll("\r\n", "\n").replaceAll("\r", "\n");
  const mark = separator(all);
  const rows = [[]];
  const unclosed = [];
  let cell = "";
  for (let at = 0; at < all.length; at += 1) {
    const char = all[at];
    const end = char === '"' && cell === "" ? closing(all, at, mark) : -1;
    if (end !== -1) {
      cell = all.slice(at + 1, end).replaceAll('""', '"');
      at = end;
    } else if (char === mark || char === "\n") {
      rows.at(-1).push(cell.trim());
      cell = "";
      if (char === "\n") rows.push([]);
    } else {
      if (char === '"' && cell === "" && !hasQuote(all, at + 1)) unclosed.push(rows.length - 1);
      cell += char;
    }
  }
  rows.at(-1).push(cell.trim());
  return { rows, unclosed };
}

const isLimit = (name) => !PRICE.test(name) && LIMIT.some((parts) => parts.every((part) => part.test(name)));

/** What a head says: its column, with the currency that may stand behind it, as in `Price, EUR`. Marks between words say nothing. */
function head(text) {
  const [, found = "", unit] = text.normalize("NFKC").toLowerCase().match(/^\s*([^,(]*?)\s*(?:[,(]\s*([^)]*?)\s*\)?\s*)?$/) ?? [];
  const name = found.replace(/[\s._/*:-]+/g, " ").trim();
  const column = Object.keys(COLUMNS).find((key) => COLUMNS[key].includes(name)) ?? (isLimit(name) ? "limit" : undefined);
  return { column, currency: column === "price" && /^[a-z]{3}$/.test(unit ?? "") ? unit.toUpperCase() : "" };
}

/** The columns of a table's first row: where each stands, what is not used, what is missing. Whoever is bound names no merchant. */
function columnsOf(first, isBound) {
  const at = new Map();
  const unused = [];
  let currency = "";
  for (const [place, text] of first.entries()) {
    const found = text === "" ? {} : head(text);
    if (found.column !== undefined && !at.has(found.column) && !(isBound && found.column === "merchant")) {
      at.set(found.column, place);
      currency ||= found.currency;
    } else if (text !== "") unused.push(text);
  }
  return { at, unused, currency, missing: NEEDED.filter((column) => !at.has(column)) };
}

/** The rows under the head, each with its number in the spreadsheet; empty ones are left out. */
function rowsOf(all, { at, currency }) {
  const rows = [];
  for (const [place, line] of all.entries()) {
    if (line.every((cell) => cell === "")) continue;
    const values = Object.fromEntries(Object.keys(COLUMNS).map((column) => [column, line[at.get(column)] ?? ""]));
    values.currency ||= currency;
    // As in a merged cell, an empty title is that of the row above.
    if (values.title === "" && rows.length > 0) values.title = rows.at(-1).values.title;
    rows.push({ number: place + 2, values, faults: [] });
  }
  return rows;
}

/** The limit of a drop, as typed: the highest of its sizes, so that none of theirs is cut; those without one have the usual. */
function limitOf(rows, usual) {
  const all = rows.map(({ values }) => (values.limit === "" ? usual : values.limit));
  return all.reduce((most, limit) => ((units(limit, 1).value ?? 0) > (units(most, 1).value ?? 0) ? limit : most));
}

/** A drop of the rows that have its title. */
function dropOf(rows, context) {
  const [first] = rows;
  const form = blank(context.reader, context.like);
  form.title = first.values.title;
  for (const column of WHOLE) {
    const given = rows.find((row) => row.values[column] !== "")?.values[column];
    if (given === undefined) continue;
    form[column] = given;
    for (const row of rows) {
      const other = row.values[column];
      if (other !== "" && other !== given) row.faults.push(say("plan_row_differs", { field: columnName(column), value: other, first: given }));
    }
  }
  form.goods = rows.map(({ number, values }) => ({
    ...blankSize(String(number)), size: values.size, code: values.code, price: values.price, supply: values.supply, reserve: values.reserve, limit: values.limit,
  }));
  form.limit = limitOf(rows, form.limit);
  if (rows.length > SIZES_MAX) rows[SIZES_MAX].faults.push(say("plan_row_sizes", { max: count(SIZES_MAX) }));
  return form;
}

/** Says what is wrong with a drop at its rows: a size's at its own, all else at the first. */
function judge(rows, form, reading) {
  const rowOf = (field) => rows.find(({ number }) => field.startsWith(`goods.${number}.`)) ?? rows[0];
  const named = (field) => {
    const name = field.split(".").at(-1);
    return NAMES[name] ? columnName(name) : label(field, form);
  };
  // A spreadsheet writes 12 as 12.000, which somebody who types means as twelve thousand.
  for (const { number, values } of rows) {
    for (const column of COUNTED) {
      if (POINTED.test(values[column].normalize("NFKC"))) reading.faults[`goods.${number}.${column}`] = say("plan_pointed", { value: values[column] });
    }
  }
  for (const field of reading.missing) rowOf(field).faults.push(say("plan_row_missing", { field: named(field) }));
  for (const [field, fault] of Object.entries(reading.faults)) rowOf(field).faults.push(say("plan_row_fault", { field: named(field), fault }));
}

/**
 * Reads a table. `context` has `{ reader, like, here }` of a new drop, `isBound` for whoever plans for one merchant. Answers
 * `{ missing, unused, rows, unread, drops }`: a row has `{ number, values, faults, form }`, a drop `{ title, form, rows, isRight }`.
 * Rows beyond those that are read are `unread`; a drop that goes on there is not right. Nothing is read further where columns are
 * missing.
 */
export function table(text, context) {
  const nothing = { missing: [], unused: [], rows: [], unread: [], drops: [] };
  if (text.trim() === "") return nothing;
  const { rows: [first, ...rest], unclosed } = cells(text);
  const columns = columnsOf(first, context.isBound);
  if (columns.missing.length > 0) return { ...nothing, missing: columns.missing, unused: columns.unused };
  const all = rowsOf(rest, columns);
  for (const row of all) if (unclosed.includes(row.number - 1)) row.faults.push(say("plan_row_quote"));
  const [rows, unread] = [all.slice(0, ROWS_MAX), all.slice(ROWS_MAX)];
  const titled = new Map();
  for (const row of rows) {
    const title = row.values.title.normalize("NFC");
    if (!titled.has(title)) titled.set(title, []);
    titled.get(title).push(row);
  }
  const drops = [...titled].map(([title, own]) => {
    const form = dropOf(own, context);
    judge(own, form, read(form, context.here));
    for (const row of own) row.form = form;
    const last = own.at(-1);
    if (unread.some(({ values }) => values.title.normalize("NFC") === title)) last.faults.push(say("plan_row_cut", { n: count(rows.at(-1).number) }));
    return { title: form.title, form, rows: own, isRight: own.every((row) => row.faults.length === 0) };
  });
  return { missing: [], unused: columns.unused, rows, unread, drops };
}

/** Rows as a table that can be pasted again, with the columns that they use. */
export function written(rows) {
  const columns = Object.keys(COLUMNS).filter((column) => NEEDED.includes(column) || rows.some(({ values }) => values[column] !== ""));
  const quoted = (text) => (/["\t\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return [columns, ...rows.map(({ values }) => columns.map((column) => quoted(values[column])))].map((line) => line.join("\t")).join("\n");
}
