"""ETags of links and codes, and If-Match, by which a client changes only what it has seen (RFC 9110, 13.1.1)."""

from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response

from server.api.answers import LinkAnswer, QrCodeAnswer
from server.domain.model import Version
from server.domain.ports import Versions
from server.wire import etags, json_response, not_modified

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def etag(thing: str, version: Version) -> str:
    """Of the thing with this id. `scans` is not in it: it is counted, and changed by nobody."""
    return ".".join([thing, *(f"{(at - EPOCH) // MICROSECOND:x}" for at in version)])


def only_if(request: Request, thing: str) -> Versions:
    """The versions in If-Match; None where any will do. Others than ours are never the one there is."""
    header = request.headers.get("if-match", "*").strip()
    if header == "*":
        return None
    return [version for each in etags(header) if (version := _version(each, thing))]


def _version(given: str, thing: str) -> Version | None:
    head, *times = given.split(".")
    try:
        version = tuple(EPOCH + int(each, 16) * MICROSECOND for each in times)
    except (ValueError, OverflowError):
        return None
    return version if head == thing and etag(thing, version) == given else None


def with_etag(answer: LinkAnswer | QrCodeAnswer, version: Version, status: int = 200, **headers: str) -> Response:
    return json_response(answer, status, {"etag": f'"{etag(answer["id"], version)}"', **headers})


def unless_held(request: Request, answer: LinkAnswer | QrCodeAnswer, version: Version) -> Response:
    """The answer, or 304 to whoever has it."""
    current = etag(answer["id"], version)
    if not_modified(request, current):
        return Response(status_code=304, headers={"etag": f'"{current}"'})
    return with_etag(answer, version)
