"""POST /render; POST /render/validate; POST /render/batch: pictures of texts, of which nothing is stored."""

import logging
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from functools import partial
from typing import Annotated, TypeGuard

import orjson
from pydantic import Field, with_config
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from typing_extensions import TypedDict

from server.api.access import Access
from server.api.contents import ContentBody
from server.api.designs import MAX_DRAWN_BYTES, DesignBody
from server.api.fields import Body
from server.api.problems import WrongField, design_pointer
from server.archive import Archive
from server.domain.design import Level
from server.domain.errors import BadPicture, Busy, DomainError, InvalidValue, PlanLimit, Unscannable
from server.domain.limits import Limits, allow_bulk, allow_design, allow_size
from server.domain.model import Account, Image
from server.domain.order import DEFAULT_SIZE_PX, MAX_DPI, MAX_SIZE_PX, MIN_DPI, MIN_SIZE_PX, ImageFormat, Order
from server.domain.qrcodes import ToldByField, order_of
from server.domain.scannability import Scannability
from server.domain.studio import Shown, Studio
from server.images import PICTURE, PICTURE_HEADERS, image_answer
from server.openapi import File, operation, shown
from server.pipeline import in_order
from server.wire import ByMethod, json_response

MAX_ITEMS = 100

#: Of all pictures in a batch together.
MAX_BATCH_PIXELS = 200_000_000

#: Of a batch: pictures that are proven, or drawn and wait to be sent.
AT_ONCE = 3

DEFAULT_DPI = 300

log = logging.getLogger(__name__)


class RenderCreate(Body):
    model_config = shown({"content": {"type": "text", "text": "Table 7"}, "size": 512})
    max_bytes = MAX_DRAWN_BYTES

    content: ContentBody
    design: DesignBody = DesignBody()
    format: ImageFormat = "png"
    #: In pixels, kept exactly; 512, if you do not say. A WebP has at most 4,096.
    size: Annotated[int | None, Field(ge=MIN_SIZE_PX, le=MAX_SIZE_PX)] = None
    #: In place of `size`: the width on paper.
    size_inches: Annotated[float | None, Field(gt=0, le=MAX_SIZE_PX / MIN_DPI)] = None
    #: Pixels per inch: how large it is on paper. 300, if you have given inches.
    dpi: Annotated[float | None, Field(ge=MIN_DPI, le=MAX_DPI)] = None
    #: Draws also what no reader would read.
    allow_unscannable: bool = False

    @classmethod
    def together(cls, given: Mapping[str, object]) -> Iterator[WrongField]:
        if given.get("size_inches") is None:
            return
        size, inches, dpi = given.get("size"), given["size_inches"], given.get("dpi")
        if size is not None:
            yield WrongField(
                pointer="/size_inches",
                code="one_of_required",
                detail="A picture has a size or a size_inches, not both.",
            )
        elif _is_between(inches, 0, MAX_SIZE_PX / MIN_DPI) and (dpi is None or _is_between(dpi, MIN_DPI, MAX_DPI)):
            pixels = _pixels(inches, DEFAULT_DPI if dpi is None else dpi)
            if not MIN_SIZE_PX <= pixels <= MAX_SIZE_PX:
                yield WrongField(
                    pointer="/size_inches",
                    code="out_of_range",
                    detail=f"A picture is {MIN_SIZE_PX} to {MAX_SIZE_PX} pixels wide; this one would be {pixels}.",
                )

    def order(self) -> Order:
        size_px, dpi = self.size or DEFAULT_SIZE_PX, self.dpi
        if self.size_inches is not None:
            dpi = DEFAULT_DPI if dpi is None else dpi
            size_px = _pixels(self.size_inches, dpi)
        return order_of(self.content, self.design.value, format=self.format, size_px=size_px, dpi=dpi)


def _is_between(given: object, least: float, most: float) -> TypeGuard[float]:
    return isinstance(given, int | float) and not isinstance(given, bool) and least <= given <= most


def _pixels(inches: float, dpi: float) -> int:
    return round(inches * dpi)


class BatchCreate(Body):
    model_config = shown({"items": [{"content": {"type": "text", "text": "Table 7"}, "format": "svg"}]})
    max_bytes = MAX_DRAWN_BYTES

    items: Annotated[list[RenderCreate], Field(min_length=1, max_length=MAX_ITEMS)]

    @classmethod
    def together(cls, given: Mapping[str, object]) -> Iterator[WrongField]:
        items = given.get("items")
        for index, item in enumerate(items if isinstance(items, list) else []):
            if isinstance(item, dict):
                for wrong in RenderCreate.together(item):
                    yield WrongField({**wrong, "pointer": f"/items/{index}{wrong['pointer']}"})


class RepairAnswer(TypedDict):
    hidden: int
    correctable: int


class SymbolAnswer(TypedDict):
    version: int
    level: Level
    mask: int
    #: How many there are along a side.
    modules: int
    #: How wide each of them is.
    module_px: float
    #: What it says.
    text: str


class FindingAnswer(TypedDict):
    code: str
    #: The field that would mend it.
    pointer: str
    detail: str
    #: Whether the picture is unscannable for it.
    fatal: bool


@with_config(
    shown(
        {
            "scannable": True,
            "decoded": True,
            "score": 100,
            "findings": [],
            "symbol": {"version": 1, "level": "M", "mask": 5, "modules": 21, "module_px": 17.0, "text": "Table 7"},
            "contrast": 21.0,
            "inverted": False,
            "repair": [{"hidden": 0, "correctable": 5}],
        }
    )
)
class ValidationAnswer(TypedDict):
    scannable: bool
    #: Whether a decoder has read the picture.
    decoded: bool
    #: From 0 to 100.
    score: int
    findings: list[FindingAnswer]
    symbol: SymbolAnswer
    #: Between the lightest module and the darkest ground, 1 to 21 (WCAG 2.2).
    contrast: float
    #: Whether modules are lighter than their ground.
    inverted: bool
    #: One for each Reed-Solomon block: its codewords that a logo hides, and how many of them could be wrong.
    repair: list[RepairAnswer]


class FailureAnswer(TypedDict):
    code: str
    detail: str


class PackedAnswer(TypedDict):
    """What the manifest says of a picture; without one, `file` is null and `error` says why."""

    index: int
    file: str | None
    text: str
    size: int
    bytes: int
    scannable: bool | None
    reason: str | None
    error: FailureAnswer | None


def routes(studio: Studio, limits: Limits, access: Access) -> list[Route]:
    def checked(body: RenderCreate, account: Account) -> Order:
        """What is asked for, without its pictures; what is wrong with it is told by the fields of the domain."""
        order = body.order()
        allow_design(account.plan, order.design)
        allow_size(account.plan, order.size_px, order.dpi)
        studio.check(order)
        return order

    @operation(
        body=RenderCreate,
        takes=["If-None-Match"],
        answers={200: PICTURE, 304: None},
        sends=PICTURE_HEADERS,
        refusals=[BadPicture, Unscannable, Busy],
    )
    async def render(request: Request, account: Account) -> Response:
        """Draw a content, of which nothing is stored."""
        body = await RenderCreate.of(request)
        with ToldByField(body.content):
            order = checked(body, account)
            if order.design.pictures:
                order = await studio.completed(order, account.id)
            shown = studio.show(order, account.id, allow_unscannable=body.allow_unscannable)
            return await image_answer(request, shown, limits.renders(account))

    @operation(body=RenderCreate, answers={200: ValidationAnswer}, refusals=[BadPicture, Busy])
    async def validate_render(request: Request, account: Account) -> Response:
        """Find out how well a picture would scan."""
        body = await RenderCreate.of(request)
        with ToldByField(body.content):
            order = await studio.completed(checked(body, account), account.id)
            return json_response(_validation(await studio.examine(order, account.id), order))

    @operation(
        body=BatchCreate,
        answers={200: File("application/zip")},
        sends=["Content-Disposition"],
        refusals=[BadPicture, Unscannable, Busy],
    )
    async def render_batch(request: Request, account: Account) -> Response:
        """Draw many contents, as a ZIP with a manifest."""
        body = await BatchCreate.of(request)
        allow_bulk(account.plan, len(body.items))
        orders = []
        for index, item in enumerate(body.items):
            with _of_item(index), ToldByField(item.content):
                orders.append(checked(item, account))
        pixels = sum(order.size_px**2 for order in orders)
        if pixels > MAX_BATCH_PIXELS:
            raise InvalidValue(
                "out_of_range",
                f"A batch has at most {MAX_BATCH_PIXELS} pixels in all its pictures; this one has {pixels}.",
                field="items",
            )
        for index, item in enumerate(body.items):
            with _of_item(index), ToldByField(item.content):
                orders[index] = await studio.completed(orders[index], account.id)

        async def proven(index: int) -> Shown:
            item, order = body.items[index], orders[index]
            with _of_item(index), ToldByField(item.content):
                allowed = item.allow_unscannable
                verdict = await studio.prove(order, account.id, allow_unscannable=allowed)
                return studio.show(order, account.id, allow_unscannable=allowed, verdict=verdict)

        async with limits.renders(account, len(orders)):
            proofs = in_order((partial(proven, index) for index in range(len(orders))), at_once=AT_ONCE)
            pictures = [each async for each in proofs]
        headers = {"content-disposition": f'attachment; filename="qr-codes-{len(orders)}.zip"'}
        return StreamingResponse(packed(orders, pictures), 200, headers, "application/zip")

    return [
        Route("/render", ByMethod(POST=access("render", render))),
        Route("/render/validate", ByMethod(POST=access("render", validate_render))),
        Route("/render/batch", ByMethod(POST=access("render", render_batch))),
    ]


@contextmanager
def _of_item(index: int) -> Iterator[None]:
    """Puts what is wrong with one item to its place in the list."""
    try:
        yield
    except InvalidValue as exc:
        raise type(exc)(exc.reason, exc.detail, field=f"items/{index}/{exc.field or ''}".rstrip("/")) from exc
    except PlanLimit as exc:
        raise exc.within(f"items/{index}") from exc
    except Unscannable as exc:
        raise Unscannable(exc.findings, within=f"items/{index}/") from exc


def _validation(found: Scannability, order: Order) -> ValidationAnswer:
    return {
        "scannable": found.scannable,
        "decoded": found.decoded,
        "score": found.score,
        "findings": [
            {
                "code": finding.code,
                "pointer": design_pointer(finding),
                "detail": finding.detail,
                "fatal": finding.fatal,
            }
            for finding in found.findings
        ],
        "symbol": {
            "version": found.version,
            "level": found.level,
            "mask": found.mask,
            "modules": found.modules,
            "module_px": found.module_px,
            "text": order.text,
        },
        "contrast": found.contrast,
        "inverted": found.inverted,
        "repair": [{"hidden": block.hidden, "correctable": block.correctable} for block in found.repair],
    }


async def packed(orders: Sequence[Order], pictures: Sequence[Shown]) -> AsyncIterator[bytes]:
    """The pictures, each as soon as it is drawn, and a manifest."""
    archive = Archive()
    items: list[PackedAnswer] = []
    drawing = in_order((partial(_drawn, each) for each in pictures), at_once=AT_ONCE)
    async with aclosing(drawing):
        async for found in drawing:
            index, order = len(items), orders[len(items)]
            item: PackedAnswer = {
                "index": index,
                "file": None,
                "text": order.text,
                "size": order.size_px,
                "bytes": 0,
                "scannable": None,
                "reason": None,
                "error": None,
            }
            if isinstance(found, Image):
                name = f"qr-{index + 1:04}.{order.format}"
                item |= {
                    "file": name,
                    "bytes": len(found.body),
                    "scannable": found.scannable,
                    "reason": found.reason,
                }
                yield archive.add(name, found.body)
            else:
                item["error"] = found
            items.append(item)
    failed = sum(item["error"] is not None for item in items)
    manifest = {"count": len(items), "failed": failed, "items": items}
    yield archive.add("manifest.json", orjson.dumps(manifest, option=orjson.OPT_INDENT_2)) + archive.end()


async def _drawn(picture: Shown) -> Image | FailureAnswer:
    """The picture, or why there is none: an answer that has begun cannot be refused any more."""
    try:
        image, _ = await picture.draw()
    except DomainError as exc:
        return {"code": exc.code, "detail": exc.detail}
    except Exception:
        log.exception("a picture of a batch cannot be drawn")
        return {"code": "internal_error", "detail": "This is our mistake."}
    return image
