"""mask: all routes."""

from starlette.routing import Route

from server.dialects.access import Access
from server.dialects.dialect import Kit
from server.dialects.mask import analytics, codes, links, webhooks
from server.dialects.mask.errors import REFUSALS, problem
from server.idempotency import Idempotency


def routes(kit: Kit) -> list[Route]:
    access = Access(kit, once=Idempotency(kit.kept, problem, REFUSALS))
    return [
        *codes.routes(kit, access),
        *links.routes(kit, access),
        *analytics.routes(kit, access),
        *webhooks.routes(kit, access),
    ]
