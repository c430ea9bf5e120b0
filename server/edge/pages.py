"""The pages a person sees whose scan leads nowhere. Made once, at import; they load nothing from anywhere."""

import enum
from http import HTTPStatus

from server.asgi import Headers, Scope, Send

HTML = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{
  margin: 0; min-height: 100svh; display: grid; place-items: center;
  font: 1.0625rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
  color: #1c1e21; background: #f6f7f8;
}}
main {{ box-sizing: border-box; width: 100%; max-width: 27rem; padding: 2rem 1.5rem; text-align: center; }}
svg {{ width: 4.5rem; height: 4.5rem; fill: #9aa1a9; }}
h1 {{ margin: 1.25rem 0 .5rem; font-size: 1.5rem; line-height: 1.25; text-wrap: balance; }}
p {{ margin: 0; color: #555c64; text-wrap: pretty; }}
@media (prefers-color-scheme: dark) {{
  body {{ color: #eceef0; background: #15171a; }}
  p {{ color: #a3abb4; }}
  svg {{ fill: #59616a; }}
}}
</style>
</head>
<body>
<main>
<svg viewBox="0 0 15 15" aria-hidden="true"><path fill-rule="evenodd" d="{mark}"/></svg>
<h1>{title}</h1>
<p>{advice}</p>
</main>
</body>
</html>
"""

# The three finder patterns of a code, with nothing in between.
EYE = "M{x} {y}h7v7h-7zm1 1v5h5v-5zm1 1h3v3h-3z"
MARK = EYE.format(x=0, y=0) + EYE.format(x=8, y=0) + EYE.format(x=0, y=8)


class Page(enum.Enum):
    """Status, what it means to the person, what to do, and further headers."""

    NOT_FOUND = (
        404,
        "This code leads nowhere",
        "No link has this address. Check it for a typing mistake.",
        (),
    )
    GONE = (410, "This link has ended", "Its time is over, or whoever made this code has taken it down.", ())
    METHOD_NOT_ALLOWED = (
        405,
        "This address can only be opened",
        "Nothing can be sent to it.",
        ((b"allow", b"GET, HEAD"),),
    )
    UNAVAILABLE = (
        503,
        "One moment, please",
        "This link cannot be looked up right now.",
        ((b"retry-after", b"5"),),
    )

    def __init__(self, status: int, title: str, advice: str, headers: tuple[tuple[bytes, bytes], ...]) -> None:
        self.status = HTTPStatus(status)
        self.body = HTML.format(title=title, advice=advice, mark=MARK).encode()
        self.headers: Headers = [
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-length", str(len(self.body)).encode()),
            (b"cache-control", b"private, no-store"),
            *headers,
        ]


async def send_page(scope: Scope, send: Send, page: Page) -> None:
    """Answers with the page; to HEAD with its headers alone."""
    await send({"type": "http.response.start", "status": page.status.value, "headers": page.headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else page.body})
