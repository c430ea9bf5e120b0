"""What a scan is answered with when it leads somewhere."""

from server.asgi import Message

# A redirect is for this scan only: the next one may lead elsewhere, and has to be counted (RFC 9111, 5.2.2).
CACHE_CONTROL = (b"cache-control", b"private, no-store")
NO_CONTENT = (b"content-length", b"0")
EMPTY_BODY: Message = {"type": "http.response.body", "body": b""}


def leads_to(location: bytes, status: int = 302) -> Message:
    """The start of a redirect; EMPTY_BODY comes behind it."""
    return {
        "type": "http.response.start",
        "status": status,
        "headers": [(b"location", location), CACHE_CONTROL, NO_CONTENT],
    }
