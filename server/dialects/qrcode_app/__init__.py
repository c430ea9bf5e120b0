"""qrcode-app.com, REST API v1: https://qrthecode2.com/docs/api (the vendor's own page), read on 2026-11-20.

| endpoint | |
|---|---|
| `POST /qrcodes/generate` | covered; a payment needs a payee, which the vendor does not ask for |
| `POST /qrcodes/dynamic`, `PUT /qrcodes/{qr_id}/destination` | covered |
| `GET /qrcodes`, `GET DELETE /qrcodes/{qr_id}`, `GET /qrcodes/{qr_id}/download` | covered |
| `GET /qrcodes/{qr_id}/stats`, `/daily`, `/countries`, `/devices`, `GET /stats/overview` | covered |
| `POST /barcodes/generate` | covered; `GET /barcodes/{barcode_id}/image` and `/download` are where its URLs lead |
| `GET POST /api-keys`, `DELETE /api-keys/{key_id}` | covered |

Different on purpose: ids are longer (`qr_` or `qr_dyn_` and 13 characters), as those of the server are; an account
without a limit is told the vendor's one, of which all is left. What the documentation leaves open is answered as the
rest of it suggests; the codes INVALID_PARAMETER, FORBIDDEN, NOT_FOUND, METHOD_NOT_ALLOWED and SERVER_ERROR are ours.
"""

from functools import partial

from server.dialects.access import minute_headers
from server.dialects.dialect import Dialect
from server.dialects.qrcode_app.errors import problem
from server.dialects.qrcode_app.law import LAW
from server.dialects.qrcode_app.routes import routes
from server.dialects.qrcode_app.styles import styles

DIALECT = Dialect(
    name="qrcode-app",
    law=LAW,
    root="/v1",
    routes=routes,
    problem=problem,
    standing=partial(minute_headers, otherwise=1_000),
    styles=styles,
)
