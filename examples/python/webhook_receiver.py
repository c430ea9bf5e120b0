"""Prints the events that a webhook sends: QREDGE_WEBHOOK_SECRET=whsec_... webhook_receiver.py [PORT]

Signatures are those of Standard Webhooks 1.0. In front of this belongs what speaks https.
"""

import base64
import hashlib
import hmac
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

SECRET = base64.b64decode(os.environ["QREDGE_WEBHOOK_SECRET"].removeprefix("whsec_"))
TOLERANCE_S = 300
MAX_BYTES = 1 << 20

#: Ids that were seen: an event may come twice. A receiver of yours keeps them with what it makes of the events.
seen: set[str] = set()


def is_signed(event_id: str, timestamp: str, signatures: str, body: bytes) -> bool:
    """Whether one of the signatures is right, and young enough that nobody has sent it again."""
    if not timestamp.isdecimal() or abs(time.time() - int(timestamp)) > TOLERANCE_S:
        return False
    signed = hmac.digest(SECRET, f"{event_id}.{timestamp}.".encode() + body, hashlib.sha256)
    expected = b"v1," + base64.b64encode(signed)
    return any(hmac.compare_digest(expected, each.encode()) for each in signatures.split(" "))


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        length = int(self.headers.get("content-length", "0"))
        body = self.rfile.read(min(length, MAX_BYTES))
        event_id, timestamp, signatures = (
            self.headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature")
        )
        if not is_signed(event_id, timestamp, signatures, body):
            self.send_error(401)
            return
        self.send_response(204)
        self.end_headers()
        if event_id not in seen:
            seen.add(event_id)
            event = json.loads(body)
            print(event["type"], event["timestamp"], flush=True)


port = int(sys.argv[1]) if len(sys.argv) > 1 else 9000
HTTPServer(("127.0.0.1", port), Receiver).serve_forever()
