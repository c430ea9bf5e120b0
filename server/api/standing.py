"""How far an account may still go, in the headers of every answer to one that is known: `RateLimit` and
`RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10), and the `X-RateLimit-*` that many clients know."""

from server.asgi import Headers
from server.domain.limits import FREE, Quota, Standing

#: The largest integer of a structured field (RFC 9651, 3.3.1), where a plan has no limit.
ANY_NUMBER = 999_999_999_999_999

FREE_HEADERS: Headers = [
    (b"ratelimit-policy", b'"unlimited";q=%d' % ANY_NUMBER),
    (b"ratelimit", b'"unlimited";r=%d' % ANY_NUMBER),
    (b"x-ratelimit-limit", b"%d" % ANY_NUMBER),
    (b"x-ratelimit-remaining", b"%d" % ANY_NUMBER),
    (b"x-ratelimit-reset", b"0"),
]


def standing_headers(standing: Standing) -> Headers:
    if standing is FREE:
        return FREE_HEADERS
    least = min(standing.quotas, key=lambda quota: quota.remaining)
    return [
        (b"ratelimit-policy", ", ".join(map(_policy, standing.quotas)).encode()),
        (b"ratelimit", ", ".join(map(_rest, standing.quotas)).encode()),
        (b"x-ratelimit-limit", b"%d" % least.allowed),
        (b"x-ratelimit-remaining", b"%d" % least.remaining),
        (b"x-ratelimit-reset", b"%d" % least.reset_s),
    ]


def _policy(quota: Quota) -> str:
    window = f";w={quota.window_s}" if quota.window_s else ""
    return f'"{quota.limit}";q={quota.allowed}{window}'


def _rest(quota: Quota) -> str:
    return f'"{quota.limit}";r={quota.remaining};t={quota.reset_s}'
