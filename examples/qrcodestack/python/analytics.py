"""What is known of a QR code's scans: analytics.py ID [FROM [TO]], by days such as 2026-11-20"""

import os
import sys

import httpx

api = os.environ.get("QRCS_BASE_URL", "http://127.0.0.1:8000/qrcodestack/api/v1")
headers = {"Authorization": f"Bearer {os.environ['QRCS_API_KEY']}"}
_, code_id, *days = sys.argv

answer = httpx.get(
    f"{api}/qr-codes/{code_id}/analytics", headers=headers, params=dict(zip(["from", "to"], days, strict=False))
)
answer.raise_for_status()
print(answer.text)
