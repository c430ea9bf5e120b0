"""Lists all links, page by page, newest first."""

from collections.abc import Iterator

from qredge import request


def links() -> Iterator[dict]:
    page = {"next_cursor": ""}
    while page["next_cursor"] is not None:
        page = request("GET", "/links", params={"limit": 100, "cursor": page["next_cursor"] or None}).json()
        yield from page["data"]


for link in links():
    print(link["short_url"])
