"""Makes a QR code, saves its picture as qr.png, and prints where it leads from: create-qr.py NAME URL"""

import os
import sys
from pathlib import Path

import httpx

api = os.environ.get("QRCS_BASE_URL", "http://127.0.0.1:8000/qrcodestack/api/v1")
headers = {"Authorization": f"Bearer {os.environ['QRCS_API_KEY']}"}
_, name, destination_url = sys.argv

body = {
    "name": name,
    "type": "url",
    "destination_url": destination_url,
    "render_customizations": {"dot_color": "#1d4ed8", "dot_shape": "rounded", "frame": "scan-me-bottom"},
}
answer = httpx.post(f"{api}/qr-codes", headers=headers, json=body)
answer.raise_for_status()
code = answer.json()["data"]

picture = httpx.get(f"{api}/qr-codes/{code['id']}/image", headers=headers, params={"size": 1024})
Path("qr.png").write_bytes(picture.content)
print(code["redirect_url"])
