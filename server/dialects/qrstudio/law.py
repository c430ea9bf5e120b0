"""What the dialect goes by."""

from datetime import date

from server.dialects.dialect import Endpoint, Law

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
        Endpoint(
            "POST",
            "/auth/signup/",
            "not covered",
            "nor what else is below `/auth/`: `qredge account create`",
        ),
        Endpoint("GET", "/health/"),
        Endpoint("GET", "/status/"),
        Endpoint("GET", "/v1/webhooks/", "different", "those that the native API has made are not among them"),
        Endpoint(
            "POST",
            "/v1/webhooks/",
            "different",
            "the vendor's bodies could not be read; scans are told together, up to 100",
        ),
        Endpoint("PATCH", "/v1/webhooks/{id}/"),
        Endpoint("DELETE", "/v1/webhooks/{id}/"),
        Endpoint("POST", "/v1/webhooks/{id}/rotate/", "different", "for 24 hours the secret before signs, too"),
        Endpoint("GET", "/v1/webhooks/{id}/deliveries/", "different", "the last 100"),
    ],
)
