"""qrcodestack.com, API v1: https://qrcodestack.com/api-docs and the README of its examples, read on 2026-11-20.

| endpoint | |
|---|---|
| `GET /me` | covered |
| `POST GET /qr-codes`, `GET PATCH DELETE /qr-codes/{id}` | covered; static codes are left out |
| `GET /qr-codes/{id}/image` | covered |
| `GET /qr-codes/{id}/analytics`, `/scans` | covered; places as far as the account's plan tells of them |
| `POST /qr-codes/bulk` | covered |
| `/openapi.yaml` | covered; `/openapi.json` is the same |
| `/{short_code}` | covered, by the redirect, which knows it for every link |

Different on purpose: the vendor's `openapi.yaml` could not be read, so what its README leaves open is ours: the codes
of errors, what lists, analytics and scans look like, and that ids are UUIDs. Keys are made by `qredge key create
--format qrcodestack`, as there is no dashboard.
"""

from server.dialects.dialect import Dialect
from server.dialects.qrcodestack.document import PATHS
from server.dialects.qrcodestack.errors import problem
from server.dialects.qrcodestack.law import LAW
from server.dialects.qrcodestack.routes import routes
from server.dialects.qrcodestack.styles import styles
from server.dialects.qrcodestack.wire import ROOT

# Scan forms: a `redirect_url` is /{short_code}, which edge/redirect.py resolves like any other spelling.

DIALECT = Dialect(name="qrcodestack", law=LAW, root=ROOT, beside=PATHS, routes=routes, problem=problem, styles=styles)
