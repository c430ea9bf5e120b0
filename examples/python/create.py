"""Makes a QR code with a link of its own, and saves its picture."""

import uuid
from pathlib import Path

from qredge import request

code = request(
    "POST",
    "/qr-codes",
    json={
        "destination": "https://example.com/menu",
        "name": "Table 7",
        "design": {"modules": {"shape": "rounded", "color": "#203080"}},
    },
    # With it, a request whose answer was lost can be sent again.
    headers={"Idempotency-Key": str(uuid.uuid4())},
).json()

picture = request("GET", f"/qr-codes/{code['id']}/image", params={"format": "png", "size": 1024})
Path("table-7.png").write_bytes(picture.content)
print(code["short_url"])
