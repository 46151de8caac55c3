"""Signs events with Stripe's library for Python: sign.py FOLDER NOW_S > LINES

The first line says when, and with which secrets. Each other line is a header with a body, and what has to
become of it: `take`, `refuse`, or, for a header that was tampered with, whether Stripe's library takes it.
`examples/stripe_signed.rs` reads the lines.
"""

import json
import sys
from pathlib import Path
from unittest import mock

import stripe

FIRST, SECOND, OTHER = "whsec_oracle_first", "whsec_oracle_second", "whsec_oracle_other"
TOLERANCE_S = 300


def signed(body, secret, at):
    return stripe.WebhookSignature.generate_signature_header(body, secret, at)


def signature(body, secret, at):
    return signed(body, secret, at).split("v1=")[1]


def takes(header, body, now):
    """Whether Stripe's library takes it with a secret that is in force."""
    for secret in (FIRST, SECOND):
        try:
            with mock.patch("time.time", return_value=float(now)):
                stripe.Webhook.construct_event(body, header, secret, TOLERANCE_S)
            return True
        except stripe.SignatureVerificationError:
            continue
    return False


def print_line(name, header, body, now, must):
    theirs = takes(header, body, now)
    if must is not None and theirs != (must == "take"):
        raise SystemExit(f"{name}: Stripe's library does not {must} {header}")
    line = {"name": name, "header": header, "body": body, "must": must, "takes": theirs}
    print(json.dumps(line))


def tampered(header):
    for place in range(len(header)):
        for other in "0fF ,=t1":
            if header[place] != other:
                yield header[:place] + other + header[place + 1 :]
        yield header[:place] + header[place + 1 :]
        yield header[:place] + header[place] + header[place:]


def main(folder, now):
    print(json.dumps({"now_s": now, "secrets": {"first": FIRST, "second": SECOND}}))
    files = sorted(Path(folder).glob("*.json"))
    if not files:
        raise SystemExit(f"no events in {folder}")
    for file in files:
        body = file.read_bytes().decode()
        first, second, other = (signature(body, secret, now) for secret in (FIRST, SECOND, OTHER))
        for must, header in [
            ("take", signed(body, FIRST, now)),
            ("take", signed(body, SECOND, now)),
            ("take", f"t={now},v1={other},v1={second},v1={first},v0={other}"),
            ("take", signed(body, FIRST, now - TOLERANCE_S)),
            ("refuse", signed(body, FIRST, now - TOLERANCE_S - 1)),
            ("refuse", signed(body, OTHER, now)),
            ("refuse", f"t={now},v0={first}"),
            ("refuse", f"t={now}"),
            ("refuse", ""),
        ]:
            print_line(file.name, header, body, now, must)
    for header in tampered(signed(body, FIRST, now)):
        print_line(file.name, header, body, now, None)


main(sys.argv[1], int(sys.argv[2]))
