"""Sends a QR code that is printed already elsewhere: update-qr.py ID URL"""

import os
import sys

import httpx

api = os.environ.get("QRCS_BASE_URL", "http://127.0.0.1:8000/qrcodestack/api/v1")
headers = {"Authorization": f"Bearer {os.environ['QRCS_API_KEY']}"}
_, code_id, destination_url = sys.argv

answer = httpx.patch(f"{api}/qr-codes/{code_id}", headers=headers, json={"destination_url": destination_url})
answer.raise_for_status()
print(answer.json()["data"]["destination_url"])
