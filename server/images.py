"""Pictures as answers, stored or not."""

from contextlib import nullcontext
from functools import lru_cache
from time import perf_counter

from starlette.requests import Request
from starlette.responses import Response

from server.asgi import Headers, in_bytes
from server.dispatch import IN_PICTURES
from server.domain.limits import Renders
from server.domain.model import Hit, Image
from server.domain.order import MEDIA_TYPES
from server.domain.studio import Shown
from server.openapi import File
from server.wire import BytesResponse, not_modified

EXTENSIONS = {media_type: name for name, media_type in MEDIA_TYPES.items()}
PICTURE = File(*MEDIA_TYPES.values())
#: A design may change, so its picture is to be asked for again, at the price of a 304.
PRIVATE = "private, no-cache"
PICTURE_HEADERS = (
    "ETag",
    "X-Cache",
    "X-Render-Ms",
    "X-Qr-Scannable",
    "X-Qr-Scannable-Reason",
)


async def image_answer(
    request: Request,
    shown: Shown,
    counted: Renders | None,
    *,
    download: str | None = None,
    cached: str = PRIVATE,
) -> Response:
    """The picture, `counted` or not, or 304 to whoever has it already; `download` is the name of the file that
    it is to become, but for its extension, `cached` who may keep it. Raises what drawing it raises."""
    request.scope[IN_PICTURES] = True
    if not_modified(request, shown.etag):
        return Response(status_code=304, headers={"etag": f'"{shown.etag}"', "cache-control": cached})
    began = perf_counter()
    found = shown.at_once() if counted is None or counted.free else None
    if found is None:
        async with counted or nullcontext():
            found = await shown.draw()
    elif counted is not None:
        counted.count()
    image, hit = found
    headers = [
        (b"etag", b'"%b"' % shown.etag.encode()),
        (b"x-cache", b"MISS" if hit is Hit.MISS else b"HIT"),
        (b"x-render-ms", f"{(perf_counter() - began) * 1000:.2f}".encode()),
        *_of_kind(image.media_type, cached),
    ]
    if not image.scannable:
        headers += in_bytes(_verdict(image))
    if download is not None:
        name = f"{download}.{EXTENSIONS[image.media_type]}"
        headers.append((b"content-disposition", b'attachment; filename="%b"' % name.encode()))
    return BytesResponse(image.body, headers)


def picture_headers(image: Image) -> dict[str, str]:
    """What is said of a picture, beside the picture."""
    return _safety(image.media_type) | ({} if image.scannable else _verdict(image))


@lru_cache(64)
def _of_kind(media_type: str, cached: str) -> Headers:
    """What is said of every picture of a kind."""
    return in_bytes({"cache-control": cached, "content-type": media_type, **_safety(media_type)})


def _safety(media_type: str) -> dict[str, str]:
    headers = {"x-content-type-options": "nosniff"}
    if media_type == "image/svg+xml":
        # Opened by itself it is a document of this origin: nothing in it may run.
        headers["content-security-policy"] = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox"
    return headers


def _verdict(image: Image) -> dict[str, str]:
    return {"x-qr-scannable": "false", "x-qr-scannable-reason": _in_header(image.reason or "")}


def _in_header(text: str) -> str:
    """Printable ASCII in one line; what is anything else becomes a question mark (RFC 9110, 5.5)."""
    return "".join(each if " " <= each <= "~" else "?" for each in text)
