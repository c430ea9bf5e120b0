"""Who uses a server: visitors scan, printers want pictures, operators run the links, vendors' clients speak a dialect.

Each request has the name of its class, for which `limits.toml` has a limit.
"""

import itertools
import random
import time
import uuid
from typing import ClassVar

from locust import FastHttpUser, between, events, task
from locust.env import Environment

from bench.load import PHONE_HEADERS
from loadtests.shapes import FROM
from loadtests.site import Site

#: The n-th link is scanned as often as the first, divided by n (Zipf's law).
EXPONENT = 1.0


class User(FastHttpUser):
    """One of a site's users, with its key."""

    abstract = True

    def __init__(self, environment: Environment) -> None:
        options = environment.parsed_options
        assert options is not None
        self.site = site_of(options.site)
        self.host = self.site.url
        self.default_headers = self.headers()
        super().__init__(environment)

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.site.key}"}


_sites: dict[str, Site] = {}


def site_of(path: str) -> Site:
    """Read once, as there are thousands of users."""
    if path not in _sites:
        _sites[path] = Site.read(path)
    return _sites[path]


class Visitor(User):
    """A phone that scans: links by Zipf's law; from the start of a campaign on, one code alone."""

    weight = 80
    wait_time = between(0.05, 0.5)

    #: When the test began, by the clock of `time.monotonic`.
    began_s: ClassVar[float] = 0.0

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        ranks = range(1, len(self.site.slugs) + 1)
        self._weights = _cumulative.setdefault(
            len(ranks), list(itertools.accumulate(rank**-EXPONENT for rank in ranks))
        )

    def headers(self) -> dict[str, str]:
        return PHONE_HEADERS

    @task
    def scan(self) -> None:
        with self.client.get(f"/{self._slug()}", name="scan", allow_redirects=False, catch_response=True) as answer:
            if answer.status_code != 302:
                answer.failure(f"{answer.status_code} in place of a redirect")

    def _slug(self) -> str:
        options = self.environment.parsed_options
        assert options is not None
        if options.shape == "campaign" and time.monotonic() - Visitor.began_s >= FROM * options.run_time:
            return self.site.slugs[0]
        return random.choices(self.site.slugs, cum_weights=self._weights)[0]


@events.test_start.add_listener  # type: ignore[untyped-decorator]
def begin(**_: object) -> None:
    """On each machine that makes load."""
    Visitor.began_s = time.monotonic()


_cumulative: dict[int, list[float]] = {}


class Printer(User):
    """Somebody who has codes printed: pictures of codes, again and again, and new ones, in several styles."""

    weight = 10
    wait_time = between(0.1, 1)

    STYLES = (
        {"modules": {"shape": "rounded", "color": "#203080"}},
        {"modules": {"shape": "dots"}, "eyes": {"border": {"shape": "circle"}}},
        {"frame": {"style": "scan-me-bottom", "label": "Scan me"}},
    )

    @task(6)
    def picture(self) -> None:
        code = random.choice(self.site.codes)
        self.client.get(f"/v1/qr-codes/{code}/image?size=512", name="picture")

    @task(3)
    def render(self) -> None:
        self.client.post("/v1/render", json={"content": unseen()}, name="render")

    @task
    def styled(self) -> None:
        design = random.choice(self.STYLES)
        self.client.post(
            "/v1/render", json={"content": unseen(), "design": design, "size": 1024}, name="render, styled"
        )


def unseen() -> dict[str, str]:
    return {"type": "url", "url": f"https://example.com/{uuid.uuid4().hex}"}


class Operator(User):
    """Somebody who runs the links: makes one, looks around, changes it, and takes it away."""

    weight = 6
    wait_time = between(0.2, 2)

    @task
    def link(self) -> None:
        made = self.client.post("/v1/links", json={"destination": "https://example.com/"}, name="write")
        if made.status_code != 201:
            return
        path = f"/v1/links/{made.json()['id']}"
        self.client.get(path, name="read")
        self.client.patch(path, json={"destination": "https://example.com/new"}, name="write")
        self.client.delete(path, name="write")

    @task(2)
    def look(self) -> None:
        self.client.get("/v1/links?limit=50", name="list")
        self.client.get("/v1/stats?interval=hour&group_by=country,device", name="stats")


class Vendor(User):
    """A client of a hosted service that has moved over by its base URL."""

    weight = 4
    wait_time = between(0.2, 2)

    @task
    def mask(self) -> None:
        made = self.client.post("/mask/api/v1/links", json={"url": "https://example.com/"}, name="vendor")
        if made.status_code == 201:
            self.client.post("/mask/api/v1/qr-codes", json={"link_id": made.json()["id"]}, name="vendor")
        self.client.get("/mask/api/v1/qr-codes?limit=20", name="vendor")

    @task
    def qrcode_app(self) -> None:
        body = {"type": "url", "content": "https://example.com/", "format": "png", "size": 512}
        self.client.post("/qrcode-app/v1/qrcodes/generate", json=body, name="vendor")

    @task
    def qrcodestack(self) -> None:
        body = {"name": "Menu", "type": "url", "destination_url": "https://example.com/"}
        made = self.client.post("/qrcodestack/api/v1/qr-codes", json=body, name="vendor")
        if made.status_code == 201:
            self.client.get(f"/qrcodestack/api/v1/qr-codes/{made.json()['data']['id']}/image", name="vendor")

    @task
    def qrlogo(self) -> None:
        body = {"label": "Menu", "target_url": "https://example.com/", "qr_type": "url"}
        self.client.post("/qrlogo/api/v1/qr", json=body, name="vendor")
        self.client.get("/qrlogo/api/v1/qr", name="vendor")

    @task
    def qrstudio(self) -> None:
        body = {"data": unseen()["url"], "size_inches": 1}
        headers = {"X-Api-Key": self.site.key}
        self.client.post("/qrstudio/api/v1/generate/", json=body, headers=headers, name="vendor")
