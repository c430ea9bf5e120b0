"""The account, its plan, and what is used of it."""

import os

import httpx

api = os.environ.get("QRCS_BASE_URL", "http://127.0.0.1:8000/qrcodestack/api/v1")
headers = {"Authorization": f"Bearer {os.environ['QRCS_API_KEY']}"}

answer = httpx.get(f"{api}/me", headers=headers)
answer.raise_for_status()
print(answer.text)
