"""mask.pk, API v1: https://mask.pk/docs/api/qr-codes and the pages beside it, read on 2026-11-20.

| endpoint | |
|---|---|
| `GET POST /qr-codes`, `GET /qr-codes/{id}`, its `image` | covered |
| `GET POST /links`, `GET PATCH DELETE /links/{id}` | covered; a slug never changes |
| `GET /analytics/clicks` | covered; `views` are of pages that are not here |
| `GET POST /webhooks`, `DELETE /webhooks/{id}` | covered, but for events of pages and domains |
| `/{slug}` | covered, by the redirect, which knows it for every link |

Different on purpose: a symbol says exactly `short_url`, and no capitals, so its scans cannot be told from clicks on the
link: `link.clicked` and `qr.scanned` are the same event, told by the first of these names to who wants both. Who has
no key, or asks for what is nowhere, is told the vendor's limit in X-RateLimit-*, of which all is left. `utm_*` are
parts of the destination, `ios_target` and `android_target` are rules of the link. What the pages do not say is answered
as the rest of them suggests; the codes plan_limit_exceeded, conflict, payload_too_large, service_unavailable and
internal_error are ours. Idempotency-Key is heeded.
"""

from server.dialects.dialect import Dialect
from server.dialects.mask.errors import problem
from server.dialects.mask.from_domain import rate_limit
from server.dialects.mask.law import LAW
from server.dialects.mask.routes import routes
from server.dialects.mask.telling import voices

# Scan forms: a printed code says /{slug}, which is the redirect's own.

DIALECT = Dialect(
    name="mask", law=LAW, root="/api/v1", routes=routes, problem=problem, headers=rate_limit, voices=voices
)
