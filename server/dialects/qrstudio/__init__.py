"""qrstudio.agency, API v1: https://qrstudio.agency/docs/api-reference, read on 2026-11-20.

| endpoint | |
|---|---|
| `POST /v1/generate/`, `/v1/validate/` | covered, as JSON and as multipart |
| `POST /v1/generate/bulk/` | covered |
| `GET /v1/usage/` | covered; not by key |
| `/v1/dynamic/`, `/v1/dynamic/{short_id}/`, its `analytics/` | covered, without A/B variants |
| `/v1/keys/`, `/v1/keys/{id}/`, its `rotate/` | covered |
| `/v1/webhooks/`, `/v1/webhooks/{id}/`, its `rotate/`, `deliveries/` | covered |
| `/health/`, `/status/` | covered |
| `/q/{short_id}/` | covered, by the redirect, which knows it for every link |

Different on purpose: `/api/` answers over plain HTTP, too, where somebody has put no TLS in front of it. The picture of
a dynamic code says its short URL in capitals, by which a scan is told from a click; `public_url` leads to the same
place. What no reader would read is drawn all the same, with `X-QR-Scannable: false`. All is opened by the API key, as
there is no separate log-in. The free plan's 50 scans in a month are not counted out: a printed code goes on
working. The bodies that webhooks get, and the shape of analytics, could not be read: they are ours.
"""

from server.dialects.dialect import Dialect
from server.dialects.qrstudio.errors import headers, problem, request_id
from server.dialects.qrstudio.law import LAW
from server.dialects.qrstudio.routes import routes
from server.dialects.qrstudio.styles import styles
from server.dialects.qrstudio.telling import voices

# Scan forms: answers say /q/{short_id}/, which edge/redirect.py resolves like any other spelling.

DIALECT = Dialect(
    name="qrstudio",
    law=LAW,
    root="/api",
    routes=routes,
    problem=problem,
    headers=headers,
    request_id=request_id,
    voices=voices,
    styles=styles,
    slash_is_nothing=True,
)
