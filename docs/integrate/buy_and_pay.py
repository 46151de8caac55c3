"""A viewer in Python 3.9 or later, standard library alone, written from docs/protocol.md.

    python3 buy_and_pay.py ws://127.0.0.1:7700/ TICKET

Waits until a drop of the stream opens, buys units of its first SKU until the server refuses, waits
for a line on standard input, repeats its first buy, pays what it holds. Whatever happens to the connection in between, it comes back and goes
on. Each thing that happens is printed as one JSON object; the last line tells the order.
"""

import base64
import hashlib
import json
import os
import random
import secrets
import socket
import ssl
import struct
import sys
import time
from urllib.parse import urlsplit

SUBPROTOCOL = "stampede.v1.json"
MESSAGE_BYTES_MAX = 1048576
PATIENCE_S = 10
BACKOFF_FIRST_S, BACKOFF_LONGEST_S = 0.25, 15
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
# The close codes below 4000 that the server sends. All others come from a proxy or from the network.
MEND_CODES = (1002, 1003, 1007, 1009)


class Lost(Exception):
    """The connection is gone; `code` is 1006 where there was no close frame."""

    def __init__(self, code=1006, reason=""):
        super().__init__(f"{code} {reason}")
        self.code = code


class WebSocket:
    """As much of RFC 6455 as a client needs."""

    def __init__(self, url):
        address = urlsplit(url)
        secure = address.scheme == "wss"
        port = address.port or (443 if secure else 80)
        self.buffer = b""
        try:
            self.socket = socket.create_connection((address.hostname, port), PATIENCE_S)
            if secure:
                context = ssl.create_default_context()
                self.socket = context.wrap_socket(self.socket, server_hostname=address.hostname)
            self._shake_hands(address)
        except OSError as error:
            raise Lost(reason=str(error)) from error

    def _shake_hands(self, address):
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            f"GET {address.path or '/'} HTTP/1.1",
            f"Host: {address.netloc}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Protocol: {SUBPROTOCOL}",
            "\r\n",
        ]
        self.socket.sendall("\r\n".join(lines).encode())
        while b"\r\n\r\n" not in self.buffer:
            self._fill()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        status, *rest = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
        if status.split(" ")[1] != "101":
            raise Lost(reason=status)
        guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1((key + guid).encode()).digest()).decode()
        if headers.get("sec-websocket-accept") != accept or headers.get("sec-websocket-protocol") != SUBPROTOCOL:
            raise Lost(reason="the server does not speak " + SUBPROTOCOL)

    def _fill(self):
        more = self.socket.recv(65536)
        if not more:
            raise Lost()
        self.buffer += more

    def _take(self, count):
        while len(self.buffer) < count:
            self._fill()
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def _frame(self):
        first, second = self._take(2)
        length = second & 0x7F
        if length == 126:
            (length,) = struct.unpack(">H", self._take(2))
        elif length == 127:
            (length,) = struct.unpack(">Q", self._take(8))
        if length > MESSAGE_BYTES_MAX:
            raise Lost(reason="a frame longer than the protocol allows")
        return bool(first & 0x80), first & 0x0F, self._take(length)

    def send(self, payload, opcode=TEXT):
        mask = os.urandom(4)
        count = len(payload)
        if count < 126:
            head = struct.pack(">BB", 0x80 | opcode, 0x80 | count)
        else:
            head = struct.pack(">BBH", 0x80 | opcode, 0x80 | 126, count)
        masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
        try:
            self.socket.sendall(head + mask + masked)
        except OSError as error:
            raise Lost(reason=str(error)) from error

    def receive(self, patience_s):
        """The next message, or None if nothing came for so long."""
        self.socket.settimeout(patience_s)
        message = b""
        try:
            while True:
                final, opcode, payload = self._frame()
                if opcode == PING:
                    self.send(payload, PONG)
                elif opcode == CLOSE:
                    code = struct.unpack(">H", payload[:2])[0] if len(payload) >= 2 else 1005
                    raise Lost(code, payload[2:].decode(errors="replace"))
                elif opcode != PONG:
                    message += payload
                    if final:
                        return message
        except socket.timeout:
            return None
        except OSError as error:
            raise Lost(reason=str(error)) from error

    def close(self):
        try:
            self.send(struct.pack(">H", 1000), CLOSE)
        except Lost:
            pass
        self.socket.close()


class Viewer:
    """The rules of the protocol: what is known, what is unanswered, when to come back."""

    def __init__(self, url, ticket):
        self.url, self.ticket = url, ticket
        self.web = None
        self.notice = None
        self.failures = 0
        self.heartbeat_s = 20
        self.welcomed_at = None
        self.drops, self.versions, self.holds, self.orders = {}, {}, {}, {}
        self.buys, self.pays, self.answered = {}, set(), set()

    # Connections.

    def connect(self, delay_s=0):
        """Connects, again and again where the close code allows it."""
        while True:
            time.sleep(delay_s)
            try:
                self.web = WebSocket(self.url)
                self.send(type="hello", ticket=self.ticket, client="buy_and_pay.py/1")
                data = self.web.receive(PATIENCE_S)
                if data is None:
                    raise Lost(reason="no welcome in time")
                return self.take_in(data)
            except Lost as lost:
                delay_s = self.delay_after(lost)

    def delay_after(self, lost):
        """How long to wait before the next attempt; ends the program where there is none."""
        notice, self.notice = self.notice, None
        welcomed_at, self.welcomed_at = self.welcomed_at, None
        if welcomed_at is not None and time.monotonic() - welcomed_at >= self.heartbeat_s:
            self.failures = 0
        if self.web:
            self.web.close()
            self.web = None
        # A close frame that went missing, or that a proxy replaced, is made up for by the message before it.
        is_servers = 4000 <= lost.code <= 4299 or lost.code in MEND_CODES
        code = notice["close_code"] if notice and not is_servers else lost.code
        tell("lost", code=code, reason=str(lost))
        if 4200 <= code <= 4299:
            sys.exit(f"the server does not want this connection back: {code}")
        if 4100 <= code <= 4199 or code in MEND_CODES:
            sys.exit(f"something has to be mended first: {lost}")
        if notice and "retry_after_ms" in notice:
            return notice["retry_after_ms"] / 1000
        bound_s = min(BACKOFF_LONGEST_S, BACKOFF_FIRST_S * 2 ** min(self.failures, 20))
        self.failures += 1
        return random.uniform(0, bound_s)

    def send(self, **message):
        try:
            self.web.send(json.dumps(message).encode())
        except Lost:
            pass  # The next look at the connection finds that out; then it is sent again.

    def next(self):
        """Takes in the next message; comes back if the connection is lost."""
        try:
            data = self.web.receive(self.heartbeat_s)
            if data is None:
                self.send(type="ping")
                data = self.web.receive(self.heartbeat_s * 1.5)
            if data is None:
                raise Lost(reason="the server has fallen silent")
            self.take_in(data)
        except Lost as lost:
            self.connect(self.delay_after(lost))

    def take_in(self, data):
        message = json.loads(data)
        if message["type"] not in ("welcome", "error"):
            self.failures = 0
        known = getattr(self, "on_" + message["type"], None)
        if known:
            known(message)

    # What the server tells. Unknown types are skipped, unknown fields too.

    def on_welcome(self, message):
        self.heartbeat_s = message["heartbeat_ms"] / 1000
        self.welcomed_at = time.monotonic()
        self.versions = {}
        self.drops = {drop["drop"]: drop for drop in message["drops"]}
        for drop in message["drops"]:
            self.versions[drop["drop"]] = drop["version"]
        self.holds = {hold["hold"]: hold for hold in message["holds"]}
        self.orders = {order["hold"]: order for order in message["orders"]}
        tell("welcome", viewer=message["viewer"], holds=len(self.holds), orders=len(self.orders))
        for key, buy in self.buys.items():
            self.send(type="buy", key=key, **buy)
        # Those that are not listed too: they have ended, and the refusal of the `pay` says how.
        for hold in self.pays:
            self.send(type="pay", hold=hold)

    def is_fresh(self, message):
        if message["version"] < self.versions.get(message["drop"], 0):
            return False
        self.versions[message["drop"]] = message["version"]
        return True

    def on_drop(self, message):
        if self.is_fresh(message):
            self.drops[message["drop"]] = message

    def on_phase(self, message):
        if self.is_fresh(message) and message["drop"] in self.drops:
            self.drops[message["drop"]]["phase"] = message["phase"]

    def on_stock(self, message):
        if not self.is_fresh(message) or message["drop"] not in self.drops:
            return
        for known in self.drops[message["drop"]]["skus"]:
            for told in message["skus"]:
                if told["sku"] == known["sku"]:
                    known["available"] = told["available"]

    def on_held(self, message):
        self.holds[message["hold"]] = message
        if self.buys.pop(message.get("key"), None):
            self.answered.add(message["key"])
            tell("held", hold=message["hold"], key=message["key"], retry=message["retry"])

    def on_order(self, message):
        self.buys.pop(message.get("key"), None)
        self.pays.discard(message["hold"])
        self.holds.pop(message["hold"], None)
        self.orders[message["hold"]] = message
        tell("order", order=message["order"], amount_minor=message["amount_minor"])

    def on_released(self, message):
        self.holds.pop(message["hold"], None)
        self.pays.discard(message["hold"])

    def on_expired(self, message):
        # A payment that is under way still gets its answer: an `order`, if the units could be taken again.
        self.holds.pop(message["hold"], None)

    def on_payment_failed(self, message):
        if message["final"]:
            self.holds.pop(message["hold"], None)
            self.pays.discard(message["hold"])
        else:
            self.send(type="pay", hold=message["hold"])

    def on_refused(self, message):
        tell("refused", request=message["request"], code=message["code"])
        # Go by `temporary` and `retry_after_ms`: the same request with the same key, a little later.
        if message["temporary"] and "retry_after_ms" in message:
            time.sleep(message["retry_after_ms"] / 1000 * random.uniform(1, 1.5))
            if message.get("key") in self.buys:
                self.send(type="buy", key=message["key"], **self.buys[message["key"]])
            elif message.get("hold") in self.pays:
                self.send(type="pay", hold=message["hold"])
        elif message["request"] == "buy":
            self.buys.pop(message.get("key"), None)
        elif message["code"] != "payment_pending":
            self.pays.discard(message.get("hold"))

    def on_error(self, message):
        self.notice = message

    # What the viewer does.

    def open_drop(self):
        return next((drop for drop in self.drops.values() if drop["phase"] == "open"), None)

    def buy(self, drop, key):
        """Whether the units are held, once that is decided."""
        # A real app stores key, drop, SKU and units here, before it sends.
        self.buys[key] = {"drop": drop["drop"], "sku": drop["skus"][0]["sku"], "units": 1}
        self.send(type="buy", key=key, **self.buys[key])
        until(self, lambda: key not in self.buys)
        return key in self.answered

    def pay(self, hold):
        self.pays.add(hold)
        self.send(type="pay", hold=hold)


def tell(event, **facts):
    print(json.dumps({"event": event, **facts}), flush=True)


def until(viewer, is_done):
    while not is_done():
        viewer.next()


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: python3 buy_and_pay.py URL TICKET")
    viewer = Viewer(sys.argv[1], sys.argv[2])
    viewer.connect()
    until(viewer, viewer.open_drop)
    drop = viewer.open_drop()
    first = secrets.token_hex(16)
    bought = viewer.buy(drop, first)
    while bought:
        bought = viewer.buy(drop, secrets.token_hex(16))
    if not viewer.holds:
        sys.exit("somebody else was faster")
    tell("waiting")
    # Whoever runs this may kill the server meanwhile, then start it again.
    sys.stdin.readline()
    before = set(viewer.holds)
    viewer.buy(drop, first)
    # One may have run out meanwhile.
    if set(viewer.holds) - before:
        sys.exit("a retry has taken another unit")
    for hold in before:
        viewer.pay(hold)
    until(viewer, lambda: not viewer.pays)
    tell("done", orders=[viewer.orders[hold]["order"] for hold in before if hold in viewer.orders])
    viewer.web.close()


if __name__ == "__main__":
    main()
