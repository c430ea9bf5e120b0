"""Lists all QR codes, page by page, newest first: the id of each."""

import os
import time

import httpx

api = os.environ.get("QRCS_BASE_URL", "http://127.0.0.1:8000/qrcodestack/api/v1")
headers = {"Authorization": f"Bearer {os.environ['QRCS_API_KEY']}"}

page, pages = 1, 1
while page <= pages:
    answer = httpx.get(f"{api}/qr-codes", headers=headers, params={"page": page, "limit": 100})
    if answer.status_code == 429:
        time.sleep(int(answer.headers["retry-after"]))
        continue
    answer.raise_for_status()
    for code in answer.json()["data"]:
        print(code["id"])
    pages = answer.json()["pagination"]["total_pages"]
    page += 1
