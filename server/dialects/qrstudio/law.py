"""What the dialect goes by."""

from datetime import date

from server.dialects.dialect import Endpoint, Law

WEBHOOKS = "what they are sent could not be read; the native API has them, under /v1/webhooks"

LAW = Law(
    vendor="qrstudio.agency",
    documentation="https://qrstudio.agency/docs/api-reference",
    read=date(2026, 11, 20),
    endpoints=[
        Endpoint("POST", "/v1/generate/"),
        Endpoint("POST", "/v1/validate/"),
        Endpoint(
            "POST", "/v1/generate/bulk/", "different", "at most 10,000 million pixels; Idempotency-Key is not heeded"
        ),
        Endpoint("GET", "/v1/usage/", "different", "no credit packs: `credits_remaining` is 0; null is no limit"),
        Endpoint("GET", "/v1/usage/me/", "not covered", "what each key draws is not counted by itself"),
        Endpoint("GET", "/v1/dynamic/"),
        Endpoint("POST", "/v1/dynamic/", "different", "by the API key, as all that follows: there is no log-in"),
        Endpoint("GET", "/v1/dynamic/{short_id}/"),
        Endpoint(
            "PATCH",
            "/v1/dynamic/{short_id}/",
            "different",
            "no A/B variants; a paused code answers 410",
        ),
        Endpoint("DELETE", "/v1/dynamic/{short_id}/"),
        Endpoint(
            "GET",
            "/v1/dynamic/{short_id}/analytics/",
            "different",
            "the vendor's shape could not be read; `days` is 1 to 365, 30 if you do not say",
        ),
        Endpoint("GET", "/v1/keys/", "different", "`key_prefix` ends in the key's last four characters"),
        Endpoint("POST", "/v1/keys/", "different", "a key has its account's plan, whatever `plan` says"),
        Endpoint("DELETE", "/v1/keys/{id}/"),
        Endpoint("POST", "/v1/keys/{id}/rotate/"),
        Endpoint("GET", "/health/"),
        Endpoint("GET", "/status/"),
        Endpoint("POST", "/v1/webhooks/", "not covered", WEBHOOKS),
        Endpoint("GET", "/v1/webhooks/", "not covered", WEBHOOKS),
        Endpoint("PATCH", "/v1/webhooks/{id}/", "not covered", WEBHOOKS),
        Endpoint("DELETE", "/v1/webhooks/{id}/", "not covered", WEBHOOKS),
        Endpoint("POST", "/v1/webhooks/{id}/rotate/", "not covered", WEBHOOKS),
        Endpoint("GET", "/v1/webhooks/{id}/deliveries/", "not covered", WEBHOOKS),
    ],
)
