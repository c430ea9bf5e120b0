"""Shared by the examples: where the server is, the key, and what to do when it says no."""

import os
import time

import httpx

api = httpx.Client(
    base_url=os.environ.get("QREDGE_URL", "http://127.0.0.1:8000") + "/v1",
    headers={"Authorization": f"Bearer {os.environ['QREDGE_API_KEY']}"},
    timeout=30,
)


def request(method: str, path: str, **options: object) -> httpx.Response:
    """The answer. What may pass (429, 503) is tried again, as late as the server asks for."""
    for _ in range(3):
        answer = api.request(method, path, **options)
        if answer.status_code not in (429, 503):
            break
        time.sleep(int(answer.headers.get("retry-after", "1")))
    if answer.is_error:
        raise SystemExit(f"{answer.status_code}: {answer.json()['detail']}")
    return answer
