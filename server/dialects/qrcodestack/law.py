"""qrcodestack: what is covered."""

from datetime import date

from server.dialects.dialect import Endpoint, Law

LAW = Law(
    vendor="qrcodestack.com",
    documentation="https://qrcodestack.com/api-docs",
    read=date(2026, 11, 20),
    endpoints=[
        Endpoint("GET", "/me", "different", "null is no limit"),
        Endpoint("POST", "/qr-codes"),
        Endpoint("GET", "/qr-codes", "different", "`page` and `limit`, as the vendor's could not be read"),
        Endpoint("GET", "/qr-codes/{id}"),
        Endpoint("PATCH", "/qr-codes/{id}", "different", "what is not said of `render_customizations` stays as it is"),
        Endpoint("DELETE", "/qr-codes/{id}"),
        Endpoint("GET", "/qr-codes/{id}/image", "different", "`size` is 128 to 2048, 512 if you do not say"),
        Endpoint(
            "GET",
            "/qr-codes/{id}/analytics",
            "different",
            "the vendor's shape could not be read; if you do not say `from` or `to`, totals are of all time, "
            "the rest of 30 days",
        ),
        Endpoint(
            "GET",
            "/qr-codes/{id}/scans",
            "different",
            "the vendor's shape could not be read; how many there are is not counted: `has_more`",
        ),
        Endpoint("POST", "/qr-codes/bulk", "different", "all or nothing; `fields` has what is wrong by item"),
        Endpoint("GET", "/openapi.yaml", "different", "of what is here, with this server's address; OpenAPI 3.0"),
        Endpoint("GET", "/openapi.json", "different", "ours: the same as JSON"),
    ],
)
