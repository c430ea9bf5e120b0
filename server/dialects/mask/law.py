"""mask: what is covered."""

from datetime import date

from server.dialects.dialect import Endpoint, Law

LAW = Law(
    vendor="mask.pk",
    documentation="https://mask.pk/docs/api/qr-codes",
    read=date(2026, 11, 20),
    endpoints=[
        Endpoint("GET", "/qr-codes", "different", "also codes that others have made, in the vendor's words"),
        Endpoint("POST", "/qr-codes"),
        Endpoint("GET", "/qr-codes/{id}"),
        Endpoint(
            "GET",
            "/qr-codes/{id}/image",
            "different",
            "it says `short_url` as it is, so that its scans are clicks to the native API, which prints capitals",
        ),
        Endpoint(
            "GET",
            "/links",
            "different",
            "`domain` is this server's; of the older pages' filters, `created_after` and `created_before` are known",
        ),
        Endpoint("POST", "/links", "different", "the one `domain` is this server's"),
        Endpoint("GET", "/links/{id}", "different", "`url` is without its `utm_*`, which are told beside it"),
        Endpoint("PATCH", "/links/{id}", "different", "a `slug` never changes, as it may be on paper"),
        Endpoint("DELETE", "/links/{id}"),
        Endpoint(
            "GET",
            "/analytics/clicks",
            "different",
            "the scope `analytics:read` is `scans:read` here; an `interval` of several days begins at `start`",
        ),
        Endpoint("GET", "/analytics/views", "not covered", "there are no bio pages, nor what else is for these"),
        Endpoint("GET", "/webhooks"),
        Endpoint(
            "POST",
            "/webhooks",
            "different",
            "scans are told together, up to 100, as `link.clicked`, or as `qr.scanned`; none of pages and domains",
        ),
        Endpoint("DELETE", "/webhooks/{id}"),
    ],
)
