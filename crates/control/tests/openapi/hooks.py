"""Rules for schemathesis: what the server may refuse although a request is as the document says."""

import itertools
import json
import os
import re
import unicodedata

import schemathesis

# Several names, so that no limit on the commands of one name ends the search.
TOKENS = json.loads(os.environ["STAMPEDE_TOKENS"])
# How many drops and streams there are, so that most requests find one.
DROPS, STREAMS = int(os.environ["STAMPEDE_DROPS"]), int(os.environ["STAMPEDE_STREAMS"])
TEXT_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
NUMBERED = re.compile(r"[bd][1-9][0-9]{0,8}")
# Texts of which no pattern tells whether they can be read.
SHOWN = {"reason", "title", "name", "value", "merchant_sku", "line", "viewer"}
# Sentences with which the engine refuses what the document could have said.
IN_SCHEMA = re.compile(
    r"(?<!rounded_above) is \d+; \d+ to \d+ are allowed| entries; |a lot of 0 units"
)

count = itertools.count(1)


def readable(value, field=None):
    """The same with letters and signs alone in the texts that people read."""
    if isinstance(value, dict):
        return {name: readable(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [readable(inner, field) for inner in value]
    if isinstance(value, str) and value and field in SHOWN:
        return "".join(c for c in value if unicodedata.category(c)[0] in "LNPS")[:40] or "x"
    return value


def sellable(plan, number):
    """The same with what several fields of a plan have to agree on, so that most plans are sound."""
    for field in ["starts_at_ms", "ends_at_ms", "stock_display"]:
        plan.pop(field, None)
    for place, sku in enumerate(plan.get("skus") or []):
        sku.pop("image", None)
        sku["id"] = f"sku-{place}"
        sku["price"] = {"minor": min(sku["price"]["minor"], 5000) + 1, "currency": "EUR"}
        sku["supply"] = sku["supply"] % 500 + 1
    if number % 4 and "stream" in plan and "merchant" in plan:
        plan["stream"] = f"show-of-{plan['merchant'][:40]}"
    return plan


@schemathesis.hook
def before_call(context, case, kwargs):
    """Sends what is generated to what there is, each command under a key of its own."""
    number = next(count)
    headers = case.headers or {}
    if headers.get("Authorization", "").startswith("Bearer stf_"):
        headers["Authorization"] = f"Bearer {TOKENS[number % len(TOKENS)]}"
    if TEXT_ID.fullmatch(str(headers.get("Idempotency-Key", ""))):
        headers["Idempotency-Key"] = f"key-{number}"
    path = case.path_parameters or {}
    # The list of tokens names those of the search: without them it would be let in nowhere.
    if "token" in path:
        path["token"] = f"t{number}"
    # One request in eight keeps what was made up.
    if number % 8 == 0:
        return
    if NUMBERED.fullmatch(str(path.get("drop", ""))):
        path["drop"] = f"d{number % DROPS + 1}"
    if NUMBERED.fullmatch(str(path.get("ban", ""))):
        path["ban"] = f"b{number % 16 + 1}"
    if TEXT_ID.fullmatch(str(path.get("stream", ""))):
        path["stream"] = f"show-{number % STREAMS}"
    is_positive = case.meta is not None and case.meta.generation.mode.is_positive
    if is_positive and isinstance(case.body, dict):
        body = readable(case.body)
        # Limits that are put right name SKUs too, and no prices.
        is_plan = "skus" in body and all("price" in sku for sku in body["skus"] or [])
        case.body = sellable(body, number) if is_plan else body


@schemathesis.check
def refusals_are_listed(ctx, response, case):
    """A request that is as the document says is accepted, or refused with a code of its operation's list."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code < 400:
        return
    problem = response.json()
    listed = case.operation.definition.raw["x-refusals"].get(str(response.status_code), [])
    assert problem["code"] in listed, f"{problem['code']} is not in the list: {problem['detail']}"
    assert not IN_SCHEMA.search(problem["detail"]), f"the document can say it: {problem['detail']}"


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Whoever sends wrong tokens again and again gets 429 in the place of 401."""
    return "429 Too Many Requests" not in failure.message


@schemathesis.check
class MostOperationsAreReached:
    """A search that is let in nowhere finds nothing."""

    def __init__(self):
        self.reached = set()

    def after_response(self, ctx, response, case):
        if 200 <= response.status_code < 300:
            self.reached.add(case.operation.label)

    def after_run(self, ctx):
        assert len(self.reached) >= 40, f"reached {len(self.reached)}: {sorted(self.reached)}"
