"""The pages a person sees whose scan leads nowhere, or not yet. Made once, at import; they load nothing from anywhere,
and need no JavaScript."""

import enum
from http import HTTPStatus
from math import ceil

from server.asgi import Headers, Scope, Send, in_bytes
from server.domain.password import MAX_LENGTH
from server.html import page_headers

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
form {{ margin-top: 1.75rem; text-align: left; }}
label {{ display: block; margin-bottom: .375rem; font-weight: 600; }}
input, button {{
  box-sizing: border-box; display: block; width: 100%; min-height: 3rem; margin: 0; padding: .5rem .875rem;
  font: inherit; border-radius: .5rem; appearance: none;
}}
input {{ color: inherit; background: #fff; border: 1px solid #767d85; }}
button {{ margin-top: .75rem; font-weight: 600; color: #fff; background: #1c1e21; border: 0; cursor: pointer; }}
input:focus-visible, button:focus-visible {{ outline: 3px solid #4c8dff; outline-offset: 2px; }}
@media (prefers-color-scheme: dark) {{
  body {{ color: #eceef0; background: #15171a; }}
  p {{ color: #a3abb4; }}
  svg {{ fill: #59616a; }}
  input {{ background: #1f2226; border-color: #8b929a; }}
  button {{ color: #15171a; background: #eceef0; }}
}}
</style>
</head>
<body>
<main>
<svg viewBox="0 0 15 15" aria-hidden="true"><path fill-rule="evenodd" d="{mark}"/></svg>
<h1>{title}</h1>
<p id="advice"{role}>{advice}</p>
{form}</main>
</body>
</html>
"""

# Sent to the address it stands at, with its query. A visitor's browser has no use for a link's password later.
FORM = """<form method="post">
<label for="password">Password</label>
<input id="password" name="password" type="password" required maxlength="{most}" autocomplete="off" autofocus
 aria-describedby="advice"{state}>
<button type="submit">Open</button>
</form>
"""
ASK = FORM.format(most=MAX_LENGTH, state="")
ASK_AGAIN = FORM.format(most=MAX_LENGTH, state=' aria-invalid="true"')

# The three finder patterns of a code, with nothing in between.
EYE = "M{x} {y}h7v7h-7zm1 1v5h5v-5zm1 1h3v3h-3z"
MARK = EYE.format(x=0, y=0) + EYE.format(x=8, y=0) + EYE.format(x=0, y=8)


class Page(enum.Enum):
    """Status, what it means to the person, what to do, and the form to do it with."""

    NOT_FOUND = (404, "This code leads nowhere", "No link has this address. Check it for a typing mistake.")
    GONE = (410, "This link has ended", "Its time is over, or whoever made this code has taken it down.")
    METHOD_NOT_ALLOWED = (405, "This address can only be opened", "Nothing can be sent to it.")
    UNAVAILABLE = (503, "One moment, please", "This link cannot be looked up right now.")
    LOCKED = (200, "This link has a password", "Whoever gave you this code knows it.", ASK)
    # RFC 9110 wants a challenge with a 401; a browser that knew it would show a dialogue of its own in place of this.
    WRONG_PASSWORD = (401, "That is not the password", "Mind upper and lower case, and try again.", ASK_AGAIN)
    TOO_MANY_TRIES = (429, "Too many tries", "Wait a minute, and open this link again.")
    TOO_MANY_UNKNOWN = (
        429,
        "This code leads nowhere",
        "Nor did many others from here. Wait a minute.",
    )
    TOO_SLOW = (408, "That took too long", "Open this link again.")
    TOO_LARGE = (413, "That is too much", "What was sent is longer than any password.")
    BUSY = (503, "One moment, please", "Many people are opening links right now. Try again shortly.")

    def __init__(self, status: int, title: str, advice: str, form: str = "") -> None:
        self.status = HTTPStatus(status)
        role = ' role="alert"' if form == ASK_AGAIN else ""
        text = HTML.format(title=title, advice=advice, mark=MARK, form=form, role=role)
        style = text.partition("<style>")[2].partition("</style>")[0]
        self.body = text.encode()
        self.headers: Headers = [
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-length", str(len(self.body)).encode()),
            (b"cache-control", b"private, no-store"),
            *in_bytes(page_headers(style, form=bool(form))),
        ]


async def send_page(scope: Scope, send: Send, page: Page, *headers: tuple[bytes, bytes]) -> None:
    """Answers with the page and these headers besides its own; to HEAD with its headers alone."""
    await send({"type": "http.response.start", "status": page.status.value, "headers": [*page.headers, *headers]})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else page.body})


def retry_after(seconds: float) -> tuple[bytes, bytes]:
    return b"retry-after", b"%d" % ceil(seconds)
