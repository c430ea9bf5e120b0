"""Makes a hundred QR codes by one request, all of them or none; prints how many (plan Advanced)."""

import os

import httpx

api = os.environ.get("QRCS_BASE_URL", "http://127.0.0.1:8000/qrcodestack/api/v1")
headers = {"Authorization": f"Bearer {os.environ['QRCS_API_KEY']}"}

items = [
    {"name": f"Table {table}", "type": "url", "destination_url": f"https://example.com/menu?table={table}"}
    for table in range(1, 101)
]
answer = httpx.post(f"{api}/qr-codes/bulk", headers=headers, json={"items": items}, timeout=30)
answer.raise_for_status()
print(answer.json()["data"]["count"])
