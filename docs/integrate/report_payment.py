"""Reports payments in Python 3.9 or later, standard library alone, as docs/payments.md describes it.

    STAMPEDE=http://127.0.0.1:7701 TOKEN=stf_... \
        python3 report_payment.py QUEUE [PAYMENT MINOR CURRENCY HOLD...]

QUEUE is a folder. Each report is written there before it is sent, and taken out when it is answered and what
follows is done. It is sent until then: a server that is away, or a crash of this program, loses none. Without further
arguments only what is still in the queue is sent. Prints each answer as one JSON object. One program at a time works on
a queue.
"""

import hashlib
import http.client
import json
import os
import random
import sys
import time
import urllib.error
import urllib.request

# The server answers within 10 s, if only that it does not know yet.
PATIENCE_S = 15
BACKOFF_FIRST_S, BACKOFF_LONGEST_S = 0.25, 15
# Nothing is wrong with the report: it is sent again.
AGAIN = (408, 429, 500, 502, 503, 504)


class Refused(Exception):
    """The server will never accept this report as it is."""


def report(server, token, fact):
    """Sends one report until it is answered; the answer."""
    body = json.dumps(fact, sort_keys=True).encode()
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        # The same report has the same key, in each attempt and after a restart.
        "Idempotency-Key": key_of(fact),
    }
    failures = 0
    while True:
        least_s = 0
        try:
            request = urllib.request.Request(f"{server}/v1/payments", body, headers, method="POST")
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as problem:
            why = f"{problem.code} {problem.read().decode(errors='replace')}"
            if problem.code not in AGAIN:
                raise Refused(why) from problem
            after = problem.headers.get("Retry-After", "")
            least_s = int(after) if after.isdigit() else 0
        except (OSError, http.client.HTTPException, json.JSONDecodeError) as problem:
            # No connection, none in time, or half an answer: nobody knows whether the report arrived.
            why = str(problem)
        # Never given up. A bound that doubles and a time at random below it: others are waiting too.
        wait_s = least_s + random.uniform(0, min(BACKOFF_LONGEST_S, BACKOFF_FIRST_S * 2 ** min(failures, 20)))
        failures += 1
        print(f"again in {wait_s:.1f} s: {why}", file=sys.stderr, flush=True)
        time.sleep(wait_s)


def key_of(fact):
    return hashlib.sha256(json.dumps(fact, sort_keys=True).encode()).hexdigest()[:32]


class Queue:
    """Reports that are not answered yet, a file for each."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)

    def add(self, fact):
        path = os.path.join(self.folder, f"{key_of(fact)}.json")
        with open(f"{path}.new", "w", encoding="utf-8") as file:
            json.dump(fact, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(f"{path}.new", path)
        # The name has to be durable too.
        folder = os.open(self.folder, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)

    def next(self, refused):
        """A report with its file; None if all that are left were refused."""
        for name in sorted(os.listdir(self.folder)):
            path = os.path.join(self.folder, name)
            if name.endswith(".json") and path not in refused:
                with open(path, encoding="utf-8") as file:
                    return path, json.load(file)
        return None


def give_back(payment, amount):
    """The call of your provider goes here. The same name makes a repeat harmless there too."""
    name = f"{payment}-refund-{amount['minor']}"
    print(f"refund {amount['minor']} {amount['currency']} as {name}", file=sys.stderr, flush=True)


def follow(queue, fact, answer):
    """What an answer asks for."""
    due = [hold["amount"] for hold in answer["holds"] if hold["outcome"] == "refund_due"]
    if not due or fact["event"] != "paid":
        return
    # For all holds of the payment together, as `refunded` wants it: nothing went back before.
    amount = {"minor": sum(part["minor"] for part in due), "currency": due[0]["currency"]}
    give_back(fact["payment"], amount)
    queue.add({"payment": fact["payment"], "event": "refunded", "amount": amount})


def deliver(queue, server, token):
    """Sends what is in the queue; whether every report was accepted."""
    refused = set()
    while True:
        found = queue.next(refused)
        if found is None:
            return not refused
        path, fact = found
        try:
            answer = report(server, token, fact)
        except Refused as problem:
            # It stays in the queue: the token, the settings or the report has to be mended by a person.
            print(f"refused: {problem}", file=sys.stderr, flush=True)
            refused.add(path)
            continue
        print(json.dumps(answer), flush=True)
        follow(queue, fact, answer)
        os.remove(path)


def main():
    folder, *paid = sys.argv[1:] or [""]
    if not folder or 0 < len(paid) < 4:
        sys.exit("usage: python3 report_payment.py QUEUE [PAYMENT MINOR CURRENCY HOLD...]")
    queue = Queue(folder)
    if paid:
        payment, minor, currency, *holds = paid
        amount = {"minor": int(minor), "currency": currency}
        queue.add({"payment": payment, "event": "paid", "amount": amount, "holds": holds})
    if not deliver(queue, os.environ["STAMPEDE"].rstrip("/"), os.environ["TOKEN"]):
        sys.exit(1)


if __name__ == "__main__":
    main()
