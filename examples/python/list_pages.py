"""Lists all links, page by page, newest first."""

from collections.abc import Iterator

from qredge import request


def links() -> Iterator[dict]:
    params = {"limit": 100}
    while True:
        page = request("GET", "/links", params=params).json()
        yield from page["data"]
        if page["next_cursor"] is None:
            return
        params["cursor"] = page["next_cursor"]


for link in links():
    print(link["short_url"])
