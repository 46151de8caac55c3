"""Mints a viewer's ticket in Python 3.9 or later with PyJWT (pip install "PyJWT[crypto]").

    python3 mint_ticket.py PLATFORM_KEY_FILE STREAM VIEWER [CHANNEL]
"""

import json
import sys
import time

import jwt

LIFETIME_S = 600


def mint_ticket(key, stream, viewer, channel=None, mode="live"):
    """`key` is a JSON Web Key with its private half."""
    now = int(time.time())
    claims = {
        "aud": "stampede",
        "sub": viewer,
        "stream": stream,
        "mode": mode,
        "iat": now,
        "exp": now + LIFETIME_S,
    }
    if channel is not None:
        claims["channel"] = channel
    signer = jwt.PyJWK(key).key
    return jwt.encode(claims, signer, algorithm=key["alg"], headers={"kid": key["kid"]})


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        sys.exit("usage: python3 mint_ticket.py PLATFORM_KEY_FILE STREAM VIEWER [CHANNEL]")
    with open(sys.argv[1], encoding="utf-8") as file:
        print(mint_ticket(json.load(file), *sys.argv[2:]))
