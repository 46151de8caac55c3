// A report that still changes is patched in place: what the reader has open, focused or selected stays.
import assert from "node:assert/strict";
import test from "node:test";
import { oldness, patch, wait } from "../../assets/report-live.mjs";
import { use } from "../../assets/words.mjs";

/** As much of a document's node as the patch looks at. */
class Node {
  constructor(name, attributes = {}, children = []) {
    Object.assign(this, { nodeType: 1, nodeName: name, nodeValue: null, parent: null, writes: 0 });
    this.map = new Map(Object.entries(attributes));
    this.childNodes = [];
    for (const child of children) this.append(child);
  }

  get attributes() {
    return [...this.map].map(([name, value]) => ({ name, value }));
  }

  getAttribute(name) { return this.map.get(name) ?? null; }
  hasAttribute(name) { return this.map.has(name); }
  removeAttribute(name) { this.map.delete(name); this.writes += 1; }
  setAttribute(name, value) { this.map.set(name, value); this.writes += 1; }

  append(child) {
    child.parent = this;
    this.childNodes.push(child);
  }

  remove() {
    this.parent.childNodes.splice(this.parent.childNodes.indexOf(this), 1);
  }

  replaceWith(other) {
    other.parent = this.parent;
    this.parent.childNodes[this.parent.childNodes.indexOf(this)] = other;
  }

  isEqualNode(other) { return text(this) === text(other); }
}

class Text extends Node {
  constructor(value) {
    super("#text");
    this.nodeType = 3;
    this.value = value;
    delete this.nodeValue;
    Object.defineProperty(this, "nodeValue", { get: () => this.value, set: (next) => { this.value = next; this.writes += 1; } });
  }
}

const el = (name, attributes, ...children) => new Node(name, attributes, children.map((child) => (typeof child === "string" ? new Text(child) : child)));

/** A node as markup. */
function text(node) {
  if (node.nodeType === 3) return node.value;
  const attributes = node.attributes.map(({ name, value }) => ` ${name}="${value}"`).join("");
  return `<${node.nodeName}${attributes}>${node.childNodes.map(text).join("")}</${node.nodeName}>`;
}

/** Brings a node in from another document. */
const own = (node) => (node.nodeType === 3 ? new Text(node.value) : el(node.nodeName, Object.fromEntries(node.map), ...node.childNodes.map(own)));

test("only what differs is written, and nodes stay the same ones", () => {
  const figure = el("dd", {}, "612");
  const page = el("div", {}, el("h1", {}, "612 of 1,000"), el("dl", {}, figure), el("svg", {}, el("path", { d: "M0 0", class: "c-line" })));
  const wanted = el("div", {}, el("h1", {}, "612 of 1,000"), el("dl", {}, el("dd", {}, "640")), el("svg", {}, el("path", { d: "M0 1" })));
  const [heading, list, drawing] = page.childNodes;
  patch(page, wanted, own);
  assert.equal(text(page), text(wanted));
  assert.deepEqual(page.childNodes, [heading, list, drawing]);
  assert.equal(list.childNodes[0], figure);
  assert.equal(heading.childNodes[0].writes, 0, "what is the same is not touched");
  assert.equal(figure.childNodes[0].writes, 1);
});

test("rows come and go at the end, another element takes the place of one", () => {
  const page = el("table", {}, el("tr", {}, "30 ml"), el("tr", {}, "50 ml"), el("p", {}, "more"));
  const first = page.childNodes[0];
  patch(page, el("table", {}, el("tr", {}, "30 ml")), own);
  assert.equal(text(page), "<table><tr>30 ml</tr></table>");
  patch(page, el("table", {}, el("tr", {}, "30 ml"), el("tr", {}, "50 ml"), el("tr", {}, "100 ml")), own);
  assert.equal(page.childNodes.length, 3);
  assert.equal(page.childNodes[0], first);
  patch(page, el("table", {}, el("figure", {}, "drawn"), el("tr", {}, "50 ml")), own);
  assert.equal(text(page), "<table><figure>drawn</figure><tr>50 ml</tr></table>");
});

test("what the reader opened stays open", () => {
  const page = el("div", {}, el("details", { open: "" }, "1"), el("details", {}, "1"));
  patch(page, el("div", {}, el("details", {}, "2"), el("details", { open: "" }, "2")), own);
  assert.equal(text(page), '<div><details open="">2</details><details>2</details></div>');
});

test("figures that grow old say so", async () => {
  for (const [language, old, lost] of [
    ["en", "Figures are 8.00\u00a0s old", "No connection: figures of 20:14:07"],
    ["zh-CN", "数字已有 8.00 秒未更新", "连接中断：数字截至 20:14:07"],
  ]) {
    use((await import(`${process.env.WORDS}/words-${language}.mjs`)).words);
    const heardAt = 1_795_810_447_000;
    assert.deepEqual([0, 5_900, 8_400, 16_000].map((ms) => oldness(ms, heardAt, 0)), ["", "", old, lost]);
  }
});

test("what is planned is read slowly, what is final not at all", () => {
  assert.deepEqual(["true", "planned", undefined].map((running) => wait(running, false)), [2000, 10_000, 0]);
  assert.deepEqual(["true", "planned", undefined].map((running) => wait(running, true)), [30_000, 30_000, 0]);
});
