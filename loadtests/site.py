"""What is asked for under load: links, codes and a key, made by the native API and written down in a file.

Each machine that makes load has a copy of the file: python -m loadtests.site --url URL --key KEY > site.json
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Self

import httpx
import orjson

LINKS = 10_000
#: Those that have a code, of which a printer wants pictures.
CODES = 200
BATCH = 1_000
PATIENCE_S = 60.0


class Site(NamedTuple):
    url: str
    #: May read, write and render; without limits of its own, or they are what is measured.
    key: str
    #: The first one is scanned most.
    slugs: list[str]
    codes: list[str]

    @classmethod
    def read(cls, path: str) -> Self:
        with open(path, "rb") as file:
            return cls(**orjson.loads(file.read()))

    def dump(self) -> bytes:
        return orjson.dumps(self._asdict())

    def client(self) -> httpx.Client:
        return httpx.Client(
            base_url=self.url, headers={"authorization": f"Bearer {self.key}"}, timeout=PATIENCE_S, trust_env=False
        )

    def scans(self) -> int:
        """All that were ever counted of the account, bots too."""
        with self.client() as client:
            answer = client.get("/v1/stats", params={"bots": "include"})
            answer.raise_for_status()
            return int(answer.json()["total_scans"])


def make(url: str, key: str, *, links: int = LINKS) -> Site:
    """Raises httpx.HTTPStatusError where the server refuses."""
    site = Site(url.rstrip("/"), key, [], [])
    with site.client() as client:
        for start in range(0, links, BATCH):
            places = range(start, min(start + BATCH, links))
            items = [{"destination": f"https://example.com/table/{place}", "tags": ["load"]} for place in places]
            site.slugs.extend(made["slug"] for made in _batch(client, "/v1/links/batch", items))
        codes = [{"destination": f"https://example.com/code/{place}"} for place in range(min(CODES, links))]
        site.codes.extend(made["id"] for made in _batch(client, "/v1/qr-codes/batch", codes))
    return site


def _batch(client: httpx.Client, path: str, items: Sequence[Mapping[str, object]]) -> list[dict[str, str]]:
    answer = client.post(path, json={"mode": "all_or_nothing", "items": items})
    answer.raise_for_status()
    return [item["data"] for item in answer.json()["items"]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m loadtests.site", description="Makes links and codes for a load.")
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--key", required=True, help="that may read, write and render")
    parser.add_argument("--links", type=int, default=LINKS)
    chosen = parser.parse_args()
    sys.stdout.buffer.write(make(chosen.url, chosen.key, links=chosen.links).dump())


if __name__ == "__main__":
    main()
