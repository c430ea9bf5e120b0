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
    ],
)
