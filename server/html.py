"""What is said of a page, so that a browser does no more with it than show it."""

import base64
import hashlib

#: It is what it says it is; no other site may frame it (frame-ancestors), nor learn which page of ours led there.
HEADERS = {"x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}


def page_headers(style: str, *, form: bool = False) -> dict[str, str]:
    """Of a page that loads nothing, runs nothing, and has this as its one style element.

    One with a form may send it, and its answer may lead anywhere: browsers ask form-action about that place, too, so
    nothing is said of it (https://github.com/w3c/webappsec-csp/issues/8).
    """
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = [
        "default-src 'none'",
        "img-src data:",
        f"style-src 'sha256-{digest}'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        *([] if form else ["form-action 'none'"]),
    ]
    return {"content-security-policy": "; ".join(policy), **HEADERS}
