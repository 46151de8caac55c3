#!/usr/bin/env python3
"""Counts a drop again, from what its merchant can download, and compares.

It shares no code with the server: it knows the documents alone (docs/control.md). It reads a folder:

    audit.ndjson   GET /v1/drops/{drop}/audit
    orders.csv     GET /v1/orders?drop={drop}&format=csv
    report.json    GET /v1/drops/{drop}/report
    sizes.csv, channels.csv, seconds.csv, report.xlsx   the files beside it
    page.json      what the page shows: tables by their heads, figures by their labels; may be missing

It prints one line for each figure that differs, then how many it has compared.
It ends with 1 if any differs, or if there was too little to compare.
"""

import csv
import io
import json
import re
import sys
import xml.etree.ElementTree as xml
import zipfile
from collections import Counter, defaultdict
from pathlib import Path

# A run that compares less than this has looked at the wrong folder.
COMPARED_MIN = 40

compared = 0
wrong = []


def same(what, told, counted):
    global compared
    compared += 1
    if told != counted:
        wrong.append(f"{what}: told {told!r}, counted {counted!r}")


def read_csv(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def plain(text):
    """A text of a file that no spreadsheet may run: without the apostrophe that keeps it a text."""
    return text[1:] if re.match(r"'[=+\-@\t\r]", text) else text


class Counted:
    """The figures of one drop, from its audit and its orders."""

    def __init__(self, folder):
        lines = [json.loads(line) for line in open(folder / "audit.ndjson", encoding="utf-8")]
        by_type = defaultdict(list)
        for line in lines:
            by_type[line["type"]].append(line)
        self.holds = by_type["hold"]
        self.orders = read_csv(folder / "orders.csv")
        self.tallies = by_type["tally"]
        self.summary = by_type["summary"][0]
        ends = Counter()
        units = Counter()
        for hold in self.holds:
            ends[hold["state"]] += 1
            units[hold["state"]] += hold["units"]
        self.ends, self.units = ends, units
        self.taken = sum(units.values())
        self.refusals = Counter()
        for tally in self.tallies:
            self.refusals.update(tally["refusals"])
        self.retries = sum(tally["retries"] for tally in self.tallies)
        self.clicks = len(self.holds) + self.retries + sum(self.refusals.values())

    def per(self, key):
        """Units taken, paid, come back, orders, by a field of holds."""
        found = defaultdict(Counter)
        for hold in self.holds:
            one = found[hold.get(key)]
            one["taken"] += hold["units"]
            if hold["state"] == "confirmed":
                one["paid"] += hold["units"]
                one["orders"] += 1
            elif hold["state"] in ("released", "expired"):
                one["came_back"] += hold["units"]
            else:
                one["held"] += hold["units"]
        return found

    def money_per(self, key):
        found = defaultdict(Counter)
        for order in self.orders:
            one = found[order[key]]
            for field in ("goods_minor", "paid_minor", "refunded_minor"):
                one[field] += int(order[field])
        return found


def compare_report(report, counted):
    taken = report["taken"]
    for state in ("confirmed", "released", "expired"):
        same(f"taken.{state}.holds", taken[state]["holds"], counted.ends[state])
        same(f"taken.{state}.units", taken[state]["units"], counted.units[state])
    same("taken.all.holds", taken["all"]["holds"], len(counted.holds))
    same("taken.all.units", taken["all"]["units"], counted.taken)
    same("sold", report["sold"], counted.units["confirmed"])
    same("held", report["held"], counted.units["held"])
    same("left", report["left"], report["supplied"] - counted.units["confirmed"] - counted.units["held"])
    same("supplied", report["supplied"], counted.summary["supplied"])
    came_back = counted.units["released"] + counted.units["expired"]
    same("came_back.units", report["came_back"]["units"], came_back)
    same("orders", taken["confirmed"]["holds"], len(counted.orders))
    same("sold by orders", report["sold"], sum(int(order["units"]) for order in counted.orders))
    same("buyers", report["buyers"], len({order["viewer"] for order in counted.orders}))
    same("gross", report["gross_minor"], sum(int(order["goods_minor"]) for order in counted.orders))
    later = report["adjustments"] or {"paid_minor": 0, "refunded_minor": 0}
    for field in ("paid_minor", "refunded_minor"):
        whole = sum(int(order[field]) for order in counted.orders)
        same(field, report[field] + later[field], whole)
    same("refusals", report["refusals"], dict(counted.refusals))
    want = counted.refusals["sold_out"] + counted.refusals["not_enough"]
    same("refused_for_want", report["refused_for_want"], want)
    same("clicks", report["clicks"], counted.clicks)
    same("connected_max", report["connected_max"], max((t["connected"] for t in counted.tallies), default=0))

    by_sku = counted.per("sku")
    money = counted.money_per("sku")
    for sku in report["skus"]:
        name = sku["sku"]
        own = by_sku[name]
        for told, field in (("taken", "taken"), ("sold", "paid"), ("held", "held"),
                            ("came_back", "came_back"), ("orders", "orders")):
            same(f"{name}.{told}", sku[told], own[field])
        same(f"{name}.gross", sku["gross_minor"], money[name]["goods_minor"])
    same("skus' refusals", sum(sku["refused_for_want"] or 0 for sku in report["skus"]), want)

    by_channel = counted.per("channel")
    money = counted.money_per("channel")
    for channel in report["channels"]:
        name = channel["channel"]
        own = by_channel[name]
        for told, field in (("taken", "taken"), ("units", "paid"), ("held", "held"),
                            ("came_back", "came_back"), ("orders", "orders")):
            same(f"channel {name}.{told}", channel[told], own[field])
        same(f"channel {name}.gross", channel["gross_minor"], money[name or ""]["goods_minor"])
    known = sum(channel["clicks"] or 0 for channel in report["channels"])
    rest = (report["channels_rest"] or {}).get("clicks") or 0
    if any(channel["clicks"] is not None for channel in report["channels"]):
        same("channels' clicks", known + rest + report["clicks_by_channel_other"], counted.clicks)

    opened = report["opened_at_ms"]
    if opened is not None:
        ordered = sorted(hold["taken_at_ms"] for hold in counted.holds)
        same("last take", report["last_taken_after_ms"], (ordered[-1] - opened) if ordered else None)
        per_second = Counter()
        for hold in counted.holds:
            per_second[max(0, hold["taken_at_ms"] - opened) // 1000] += hold["units"]
        told = {s["second"]: s["taken"] for s in report["seconds"] if s["taken"]}
        same("units per second", told, dict(per_second))
        paid = Counter()
        for hold in counted.holds:
            if hold["state"] == "confirmed":
                paid[max(0, hold["ended_at_ms"] - opened) // 1000] += hold["units"]
        told = {s["second"]: s["paid"] for s in report["seconds"] if s["paid"]}
        same("paid per second", told, dict(paid))
        course = report["course"]
        for field, whole in (("taken", counted.taken), ("paid", counted.units["confirmed"]), ("came_back", came_back)):
            same(f"course.{field}", sum(step[field] for step in course["steps"]), whole)
        same("paid of the last", report["last_paid_after_ms"], max(
            (hold["ended_at_ms"] - opened for hold in counted.holds if hold["state"] == "confirmed"), default=None))


def compare_csvs(folder, report):
    """The files beside the report say what it says."""
    for name, key, fields in (
        ("sizes.csv", "skus", {"sku": "sku", "merchant_sku": "merchant_sku", "supplied": "supplied",
                               "taken": "taken", "sold": "sold", "gross_minor": "gross_minor"}),
        ("channels.csv", "channels", {"channel": "channel", "taken": "taken", "units": "units",
                                      "orders": "orders", "gross_minor": "gross_minor"}),
        ("seconds.csv", "seconds", {"second": "second", "taken": "taken", "paid": "paid"}),
    ):
        rows = read_csv(folder / name)
        same(f"{name}: rows", len(rows) >= len(report[key]), True)
        for row, told in zip(rows, report[key]):
            for column, field in fields.items():
                wanted = "" if told[field] is None else str(told[field])
                same(f"{name}: {column}", plain(row[column]), wanted)


SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
LINK = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"


def sheets(path):
    """The cells of every sheet, as they stand in the file; a formula anywhere is a fault."""
    book = zipfile.ZipFile(path)
    texts = []
    if "xl/sharedStrings.xml" in book.namelist():
        for text in xml.fromstring(book.read("xl/sharedStrings.xml")).iter(f"{SHEET}si"):
            texts.append("".join(part.text or "" for part in text.iter(f"{SHEET}t")))
    targets = {link.get("Id"): link.get("Target") for link in xml.fromstring(book.read("xl/_rels/workbook.xml.rels"))}
    found = {}
    for sheet in xml.fromstring(book.read("xl/workbook.xml")).iter(f"{SHEET}sheet"):
        root = xml.fromstring(book.read("xl/" + targets[sheet.get(f"{LINK}id")].lstrip("/").removeprefix("xl/")))
        same(f"{sheet.get('name')}: formulas", len(list(root.iter(f"{SHEET}f"))), 0)
        rows = []
        for row in root.iter(f"{SHEET}row"):
            cells = []
            for cell in row.iter(f"{SHEET}c"):
                value = cell.find(f"{SHEET}v")
                if cell.get("t") == "s":
                    cells.append(texts[int(value.text)])
                elif cell.get("t") == "inlineStr":
                    cells.append("".join(part.text or "" for part in cell.iter(f"{SHEET}t")))
                else:
                    cells.append(None if value is None else float(value.text))
            rows.append(cells)
        found[sheet.get("name")] = rows
    return found


def compare_xlsx(folder, report):
    found = sheets(folder / "report.xlsx")
    for name in ("Summary", "Sizes", "Channels", "Seconds"):
        same(f"sheet {name}", name in found, True)
    cells = {cell for row in found["Sizes"] for cell in row}
    for sku in report["skus"]:
        for field in ("sku", "merchant_sku"):
            if sku[field]:
                same(f"xlsx {field}", sku[field] in cells, True)
        for field in ("supplied", "taken", "sold"):
            same(f"xlsx {sku['sku']}.{field}", float(sku[field]) in cells, True)
    # Row by row: the file has the figures of one size in one row.
    for sku in report["skus"]:
        rows = [row for row in found["Sizes"] if sku["sku"] in row]
        same(f"xlsx rows of {sku['sku']}", len(rows), 1)
        for field in ("supplied", "taken", "sold"):
            same(f"xlsx row of {sku['sku']}: {field}", float(sku[field]) in rows[0], True)


def number(text):
    digits = re.sub(r"[^0-9.\-]", "", text)
    return float(digits) if digits not in ("", "-", ".") else None


def compare_page(folder, report):
    """What a reader sees, table by table."""
    page = json.loads((folder / "page.json").read_text(encoding="utf-8"))
    one = 10 ** {"JPY": 0, "KRW": 0}.get(report["currency"], 2)
    money = report["gross_minor"] / one
    figures = {figure["label"]: figure for figure in page["figures"]}
    same("page: four figures", len(page["figures"]), 4)
    same("page: paid units", number(page["figures"][0]["value"]), float(report["sold"]))
    same("page: paid money", number(page["figures"][1]["value"]) in (report["net_minor"] / one, report["paid_minor"] / one, money), True)
    tables = page["tables"]
    for sku in report["skus"]:
        row = next(row for row in tables["sizes"] if row["name"] == page["names"][sku["sku"]])
        for column, wanted in (("Supply", sku["supplied"]), ("Taken", sku["taken"]), ("Paid", sku["sold"])):
            same(f"page: {sku['sku']} {column}", number(row[column]), float(wanted))
    for channel in report["channels"]:
        name = channel["channel"] or page["no_channel"]
        row = next(row for row in tables["channels"] if row["name"] == name)
        for column, wanted in (("Held", channel["taken"]), ("Paid", channel["units"])):
            same(f"page: channel {name} {column}", number(row[column]), float(wanted))
        if channel["clicks"] is not None:
            same(f"page: channel {name} Clicks", number(row["Clicks"]), float(channel["clicks"]))
    shares = [number(row["Share"]) for row in tables["channels"]]
    if shares and report["sold"]:
        same("page: shares", round(sum(shares), 1), 100.0)
    del figures


def main():
    folder = Path(sys.argv[1])
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    counted = Counted(folder)
    compare_report(report, counted)
    compare_csvs(folder, report)
    compare_xlsx(folder, report)
    if (folder / "page.json").exists():
        compare_page(folder, report)
    for line in wrong:
        print(line)
    print(f"{compared} figures compared, {len(wrong)} differ")
    sys.exit(1 if wrong or compared < COMPARED_MIN else 0)


if __name__ == "__main__":
    main()
