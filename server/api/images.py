"""Pictures as answers, stored or not."""

from contextlib import AbstractAsyncContextManager, AbstractContextManager
from time import perf_counter
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from server.domain.model import Hit, Image
from server.domain.order import MEDIA_TYPES
from server.domain.studio import Shown
from server.openapi import File
from server.wire import not_modified

PICTURE = File(*MEDIA_TYPES.values())
PICTURE_HEADERS = (
    "ETag",
    "X-Cache",
    "X-Render-Ms",
    "X-Qr-Scannable",
    "X-Qr-Scannable-Reason",
)


class Drawn(NamedTuple):
    image: Image
    hit: Hit
    took_ms: float

    @property
    def cache(self) -> str:
        return "MISS" if self.hit is Hit.MISS else "HIT"


async def drawn(shown: Shown, told: AbstractContextManager[None]) -> Drawn:
    """The picture; what is wrong with it is raised through `told`, which knows the fields of the request."""
    began = perf_counter()
    with told:
        image, hit = await shown.draw()
    return Drawn(image, hit, (perf_counter() - began) * 1000)


async def image_answer(
    request: Request,
    shown: Shown,
    told: AbstractContextManager[None],
    counted: AbstractAsyncContextManager[None],
    *,
    download: str | None = None,
) -> Response:
    """The picture, drawn within `counted`, or 304 to whoever has it already; `download` is the name of the file that
    it is to become."""
    # A design may change, so its picture is to be asked for again, at the price of a 304.
    headers = {"etag": f'"{shown.etag}"', "cache-control": "private, no-cache"}
    if not_modified(request, shown.etag):
        return Response(status_code=304, headers=headers)
    async with counted:
        found = await drawn(shown, told)
    headers["x-cache"] = found.cache
    headers["x-render-ms"] = f"{found.took_ms:.2f}"
    if found.image.media_type == "image/svg+xml":
        # Opened by itself it is a document of this origin: nothing in it may run.
        headers["content-security-policy"] = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox"
    headers["x-content-type-options"] = "nosniff"
    if not found.image.scannable:
        headers["x-qr-scannable"] = "false"
        headers["x-qr-scannable-reason"] = _in_header(found.image.reason or "")
    if download is not None:
        headers["content-disposition"] = f'attachment; filename="{download}"'
    return Response(found.image.body, 200, headers, found.image.media_type)


def _in_header(text: str) -> str:
    """Printable ASCII in one line; what is anything else becomes a question mark (RFC 9110, 5.5)."""
    return "".join(each if " " <= each <= "~" else "?" for each in text)
