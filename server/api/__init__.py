"""The native API, mounted at /v1."""

from collections.abc import Callable
from datetime import datetime

from starlette.routing import Route

from server.api import accounts, barcodes, bulk, links, qrcodes, renders, scans, tables, webhooks
from server.api.access import Access
from server.api.answers import Answers
from server.api.problems import REFUSALS, problem_of
from server.asgi import ASGIApp
from server.dispatch import Dispatch
from server.domain.accounts import Accounts
from server.domain.barcodes import Barcodes
from server.domain.limits import Limits
from server.domain.links import Links
from server.domain.many import Many
from server.domain.ports import AnswerStore
from server.domain.qrcodes import QrCodes
from server.domain.scans import Scans
from server.domain.slug import Slug
from server.domain.studio import Studio
from server.domain.webhooks import Webhooks
from server.idempotency import Idempotency
from server.requests import Requests


def api(
    account: Accounts,
    limits: Limits,
    link: Links,
    code: QrCodes,
    studio: Studio,
    barcode: Barcodes,
    many: Many,
    scan: Scans,
    kept: AnswerStore,
    webhook: Webhooks,
    *,
    base_url: str,
    short_url: Callable[[Slug], str],
    now: Callable[[], datetime],
) -> list[Route]:
    """Its route table, without /v1."""
    answers = Answers(base_url, short_url)
    access = Access(account, limits, Idempotency(kept, problem_of, REFUSALS))
    return [
        *accounts.routes(account, limits, answers, access),
        # Before /links/{id} and /qr-codes/{id}.
        *bulk.routes(many, answers, access),
        *tables.routes(link, code, many, answers, access),
        *links.routes(link, answers, access, now),
        *qrcodes.routes(code, limits, answers, access, now),
        *renders.routes(studio, limits, access),
        *barcodes.routes(barcode, limits, access),
        *webhooks.routes(webhook, answers, access),
        *scans.routes(scan, answers, access),
    ]


def serving_public(routes: list[Route], requests: Requests) -> ASGIApp:
    """An application with these routes, which need no key."""
    return Dispatch(routes, problem_of, requests)


def serving(routes: list[Route], requests: Requests) -> ASGIApp:
    """An application with these routes under /v1, and problems for all else."""
    return Dispatch(routes, problem_of, requests, under="/v1")
