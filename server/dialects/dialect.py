"""What a dialect is: the wire of one hosted service, so that its clients move here by changing their base URL.

Each is a module or a package in this folder, an island: nothing outside knows its vendor's words, no other dialect
imports it, and the server does without it when its files are gone. It opens with the same table as all others: vendor,
documentation and the day on which it was read, and what is covered, different on purpose, or not covered. Behind it
come, in this order: the wire's models, to the domain, from the domain, ERRORS, routes, scan forms, and DIALECT.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, NamedTuple

from starlette.requests import Request
from starlette.routing import Route

from server.asgi import Headers, Scope, request_id
from server.dispatch import Problem
from server.domain.accounts import Accounts
from server.domain.barcodes import Barcodes
from server.domain.delivery import Voice
from server.domain.design import Design
from server.domain.errors import DomainError
from server.domain.limits import Limits, Standing
from server.domain.links import Links
from server.domain.many import Many
from server.domain.ports import AnswerStore
from server.domain.qrcodes import QrCodes
from server.domain.scans import Scans
from server.domain.studio import Studio
from server.domain.webhooks import Webhooks

State = Literal["covered", "different", "not covered"]

#: Where in a request's scope it is said at which URL the dialect is mounted.
MOUNTED_AT = "qredge.mounted_at"


class Endpoint(NamedTuple):
    """One address of the vendor's API, as its documentation writes it."""

    method: str
    path: str
    state: State = "covered"
    #: What differs, or why there is nothing.
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """What a dialect goes by."""

    vendor: str
    documentation: str
    #: When its documentation was read.
    read: date
    endpoints: Sequence[Endpoint]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """What a dialect is made with: the use cases, which are those of the native API."""

    accounts: Accounts
    limits: Limits
    links: Links
    codes: QrCodes
    studio: Studio
    barcodes: Barcodes
    many: Many
    scans: Scans
    webhooks: Webhooks
    kept: AnswerStore
    now: Callable[[], datetime]
    #: What short URLs begin with.
    base_url: str


def no_headers(_: Standing | Scope) -> Headers:
    return []


def no_voices(_: str) -> Mapping[str, Voice]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """A dialect, as it is mounted at /{name} and at hosts of its own."""

    name: str
    law: Law
    #: What its paths begin with ...
    root: str
    routes: Callable[[Kit], list[Route]]
    #: Answers what is raised, in the vendor's shape.
    problem: Problem
    #: How far an account may still go, as headers of every answer to one that is known.
    standing: Callable[[Standing], Headers] = no_headers
    #: What else every answer has.
    headers: Callable[[Scope], Headers] = no_headers
    #: The id of a request, as the vendor writes it where it tells it.
    request_id: Callable[[Scope], str] = request_id
    #: How webhooks are told that were made by it, by their format, given what short URLs begin with.
    voices: Callable[[str], Mapping[str, Voice]] = no_voices
    #: What the vendor calls styles, as designs: by the field, and by what is said in it.
    styles: Callable[[], Mapping[str, Mapping[str, Design]]] = dict
    #: ... but for these.
    beside: frozenset[str] = frozenset()
    #: Whether a path is the same with a slash behind it.
    slash_is_nothing: bool = False

    def has(self, path: str) -> bool:
        """Whether a path is one of its own, where it is alone at a host."""
        return path == self.root or path.startswith(f"{self.root}/") or path in self.beside


def retry_after(exc: DomainError) -> Mapping[str, str]:
    """The header, where it is known when to come back."""
    wait_s = getattr(exc, "retry_after_s", None)
    return {} if wait_s is None else {"retry-after": str(wait_s)}


def url_of(request: Request, path: str) -> str:
    """The URL under which the client that asks reaches another path of this dialect."""
    return f"{request.scope[MOUNTED_AT]}{path}"
