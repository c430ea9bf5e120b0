"""All routes; each is the same with a slash behind it."""

from starlette.requests import Request
from starlette.routing import Route

from server.dialects.access import Access
from server.dialects.dialect import Kit
from server.dialects.qrstudio import account, bulk, dynamic, pictures, webhooks
from server.dialects.qrstudio.errors import REFUSALS, problem
from server.idempotency import Idempotency

#: What is said of a picture, beside what is kept of every answer.
KEPT_HEADERS = (
    *("x-qr-cache", "x-qr-duration-ms", "x-qr-plan", "x-qr-quota-remaining"),
    *("x-qr-dynamic-short-id", "x-qr-dynamic-public-url", "x-qr-scannable", "x-qr-scannable-reason"),
)


def routes(kit: Kit) -> list[Route]:
    once = Idempotency(kit.kept, problem, REFUSALS, headers=KEPT_HEADERS)
    access = Access(kit, _key, once=once)
    return [
        *pictures.routes(kit, access, once),
        *bulk.routes(kit, access),
        *dynamic.routes(kit, access),
        *account.routes(kit, access),
        *webhooks.routes(kit, access),
    ]


def _key(request: Request) -> str | None:
    return request.headers.get("x-api-key", "").strip() or None
