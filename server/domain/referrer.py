"""Where a visitor came from: the host in a Referer."""

import re

#: What stands between "//", or the user behind it, and a port, path or query (RFC 3986, 3.2).
HOST = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#]*@)?(\[[^]/?#]*\]|[^:/?#]+)")

#: A name has no more characters (RFC 1035, 2.3.4). What is longer was made up.
MAX_HOST = 255


def host_of(referrer: str) -> str | None:
    """In lower case, without a port; None where there is none."""
    found = HOST.match(referrer)
    return found[1].lower() if found and len(found[1]) <= MAX_HOST else None
