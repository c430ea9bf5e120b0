"""POST /links/batch, POST /qr-codes/batch: many at once, all or nothing, or item by item."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial
from typing import Annotated, Any, Generic, Literal, Protocol, TypeVar, cast

import orjson
from pydantic import Field, PlainValidator
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from typing_extensions import TypedDict

from server.api.access import Access
from server.api.answers import Answers, LinkAnswer, QrCodeAnswer
from server.api.designs import MAX_DRAWN_BYTES
from server.api.fields import Body
from server.api.problems import InvalidFields, Problem, WrongField, problem_of
from server.api.schema import LinkCreate, QrCodeCreate
from server.domain.errors import BadPicture, Busy, DomainError, PlanLimit, SlugTaken, StorageUnavailable, Unscannable
from server.domain.limits import allow_bulk
from server.domain.many import Many, NewCode, Outcomes
from server.domain.model import Account, Link, QrCode
from server.domain.turns import in_turns
from server.openapi import operation, shown
from server.pipeline import in_order, in_thread
from server.wire import ByMethod, json_response

B = TypeVar("B", bound=Body)
T = TypeVar("T")
W = TypeVar("W", covariant=True)

MAX_ITEMS = 1000

#: Codes that are proven at a time.
AT_ONCE = 4

#: The fields of an item that refusals are about which name none.
FIELDS = {"slug_taken": "/slug", "not_found": "/link_id"}

Mode = Literal["all_or_nothing", "item_by_item"]


# --- requests and answers -----------------------------------------------------------------------------------------


def _as_it_is(given: object) -> object:
    return given


#: Items are read one by one, as each may be wrong alone.
LinkItem = Annotated[object, PlainValidator(_as_it_is, json_schema_input_type=LinkCreate)]
QrCodeItem = Annotated[object, PlainValidator(_as_it_is, json_schema_input_type=QrCodeCreate)]


class BatchCreate(Body):
    max_bytes = MAX_DRAWN_BYTES

    mode: Mode = "all_or_nothing"
    items: list[object]

    @property
    def whole(self) -> bool:
        return self.mode == "all_or_nothing"


class LinkBatchCreate(BatchCreate):
    model_config = shown({"items": [{"destination": "https://example.com/menu", "title": "Menu"}]})

    items: Annotated[list[LinkItem], Field(min_length=1, max_length=MAX_ITEMS)]


class QrCodeBatchCreate(BatchCreate):
    model_config = shown({"items": [{"destination": "https://example.com/menu", "name": "Table 7"}]})

    items: Annotated[list[QrCodeItem], Field(min_length=1, max_length=MAX_ITEMS)]


class ItemAnswer(TypedDict):
    #: Its place in the request.
    index: Annotated[int, Field(examples=[0])]
    #: What it would have been answered alone.
    status: Annotated[int, Field(examples=[201])]
    problem: Annotated[Problem | None, Field(examples=[None])]


class LinkItemAnswer(ItemAnswer):
    data: LinkAnswer | None


class QrCodeItemAnswer(ItemAnswer):
    data: QrCodeAnswer | None


class BatchAnswer(TypedDict):
    created: Annotated[int, Field(examples=[1])]
    failed: Annotated[int, Field(examples=[0])]


class LinkBatchAnswer(BatchAnswer):
    items: list[LinkItemAnswer]


class QrCodeBatchAnswer(BatchAnswer):
    items: list[QrCodeItemAnswer]


# --- what is made of them -----------------------------------------------------------------------------------------

#: Why something is not made: the reasons of one item.
Refusal = DomainError | InvalidFields


class Maker(Generic[B, T]):
    """Makes things of one kind."""

    def __init__(
        self,
        body: type[B],
        create: Callable[[Account, Mapping[int, B], bool], Awaitable[Outcomes[T]]],
        check: Callable[[Account, Mapping[int, B]], Awaitable[Mapping[int, DomainError]]],
    ) -> None:
        """`check` is what is known of some where others are wrong, so that none will be made."""
        self._body = body
        self._create = create
        self._check = check

    async def make(self, account: Account, items: Mapping[int, object], *, whole: bool) -> dict[int, T | Refusal]:
        """What becomes of each. Where `whole`, all are made; or none is, and there are only those that are why. Raises
        PlanLimit for too many."""
        allow_bulk(account.plan, len(items))
        read = dict(await in_thread((place, self._read(item)) for place, item in items.items()))
        wrong = {place: body for place, body in read.items() if isinstance(body, InvalidFields)}
        right = {place: body for place, body in read.items() if not isinstance(body, InvalidFields)}
        if whole and wrong:
            return {**wrong, **await self._check(account, right)}
        return {**wrong, **(await self._create(account, right, whole) if right else {})}

    def _read(self, item: object) -> B | InvalidFields:
        if isinstance(item, InvalidFields):  # it could not even be told what it is
            return item
        try:
            return self._body.of_json(item)
        except InvalidFields as exc:
            return exc


async def refuse_all(request: Request, refused: Mapping[int, Refusal], place: str) -> Refusal:
    """What to raise where nothing is made: every reason, at its place."""
    for index, refusal in sorted(refused.items()):
        if isinstance(refusal, PlanLimit):
            return refusal.within(f"{place}/{index}")
    wrong: list[WrongField] = []
    async for index, refusal in in_turns(sorted(refused.items())):
        wrong += [
            {**each, "pointer": f"/{place}/{index}{each.get('pointer', '')}"} for each in _reasons(request, refusal)
        ]
    return InvalidFields(wrong)


def _reasons(request: Request, refusal: Refusal) -> Iterator[WrongField]:
    problem = orjson.loads(bytes(problem_of(request, refusal).body))
    alone = WrongField(pointer=FIELDS.get(problem["code"], ""), code=problem["code"], detail=problem["detail"])
    yield from problem.get("errors", [alone])


def problem_answer(request: Request, refusal: Refusal) -> tuple[int, Problem]:
    """Of one item, as if it had come alone."""
    response = problem_of(request, refusal)
    return response.status_code, cast("Problem", orjson.Fragment(bytes(response.body)))


class LinkMaker(Maker[LinkCreate, Link]):
    def __init__(self, many: Many) -> None:
        super().__init__(LinkCreate, self._create_links, self._check_links)
        self._many = many

    async def _create_links(self, account: Account, bodies: Mapping[int, LinkCreate], whole: bool) -> Outcomes[Link]:
        return await self._many.create_links(account, await _wanted(bodies), whole=whole)

    async def _check_links(self, account: Account, bodies: Mapping[int, LinkCreate]) -> Mapping[int, DomainError]:
        return await self._many.refused_links(account, await _wanted(bodies))


class QrCodeMaker(Maker[QrCodeCreate, QrCode]):
    def __init__(self, many: Many) -> None:
        super().__init__(QrCodeCreate, self._create_codes, self._check_codes)
        self._many = many

    async def _create_codes(
        self, account: Account, bodies: Mapping[int, QrCodeCreate], whole: bool
    ) -> Outcomes[QrCode]:
        wanted = await _wanted(bodies)
        drafts, refused = await self._drawn(account, wanted)
        if whole and refused:
            return {**refused}
        return {**refused, **await self._many.add_codes(account, wanted, drafts, whole=whole)}

    async def _check_codes(self, account: Account, bodies: Mapping[int, QrCodeCreate]) -> Mapping[int, DomainError]:
        return (await self._drawn(account, await _wanted(bodies)))[1]

    async def _drawn(
        self, account: Account, wanted: Mapping[int, NewCode]
    ) -> tuple[dict[int, QrCode], dict[int, DomainError]]:
        links = await self._many.known_links(account, wanted.values())

        async def draft(place: int) -> QrCode | DomainError:
            await asyncio.sleep(0)  # others have their turn between any two
            try:
                return await self._many.draft_code(account, wanted[place], links)
            except StorageUnavailable:
                raise
            except DomainError as exc:
                return exc

        drafts: dict[int, QrCode] = {}
        refused: dict[int, DomainError] = {}
        found = in_order((partial(draft, place) for place in wanted), at_once=AT_ONCE)
        for place, each in zip(wanted, [each async for each in found], strict=True):
            if isinstance(each, QrCode):
                drafts[place] = each
            else:
                refused[place] = each
        return drafts, refused


class Wanting(Protocol[W]):
    """A body that says what is wanted."""

    def wanted(self) -> W: ...


async def _wanted(bodies: Mapping[int, Wanting[W]]) -> dict[int, W]:
    return {place: body.wanted() async for place, body in in_turns(bodies.items())}


# --- routes -------------------------------------------------------------------------------------------------------


def routes(many: Many, answers: Answers, access: Access) -> list[Route]:
    links, codes = LinkMaker(many), QrCodeMaker(many)

    async def batch(
        request: Request,
        account: Account,
        body: BatchCreate,
        maker: Maker[Any, T],
        answer: Callable[[T], object],
    ) -> Response:
        outcomes = await maker.make(account, dict(enumerate(body.items)), whole=body.whole)
        refused = {place: each for place, each in outcomes.items() if isinstance(each, Refusal)}
        if body.whole and refused:
            raise await refuse_all(request, refused, "items")
        items: list[dict[str, object]] = []
        async for index, each in in_turns(sorted(outcomes.items())):
            if isinstance(each, Refusal):
                status, problem = problem_answer(request, each)
                items.append({"index": index, "status": status, "data": None, "problem": problem})
            else:
                items.append({"index": index, "status": 201, "data": answer(each), "problem": None})
        made = {"created": len(items) - len(refused), "failed": len(refused), "items": items}
        return json_response(made, 201 if body.whole else 200)

    @operation(body=LinkBatchCreate, answers={201: LinkBatchAnswer, 200: LinkBatchAnswer}, refusals=[SlugTaken, Busy])
    async def create_links(request: Request, account: Account) -> Response:
        """Create many links.

        All or nothing: 201, or every reason why not. Item by item: 200, and for each what it was answered.
        """
        return await batch(request, account, await LinkBatchCreate.of(request), links, answers.link)

    @operation(
        body=QrCodeBatchCreate,
        answers={201: QrCodeBatchAnswer, 200: QrCodeBatchAnswer},
        refusals=[BadPicture, Unscannable, Busy],
    )
    async def create_qr_codes(request: Request, account: Account) -> Response:
        """Create many QR codes.

        All or nothing: 201, or every reason why not. Item by item: 200, and for each what it was answered.
        """
        return await batch(request, account, await QrCodeBatchCreate.of(request), codes, answers.qr_code)

    return [
        Route("/links/batch", ByMethod(POST=access("links:write", create_links))),
        Route("/qr-codes/batch", ByMethod(POST=access("qr-codes:write", create_qr_codes))),
    ]
