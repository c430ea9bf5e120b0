"""qrcodestack: what requests and answers are made of."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, ClassVar, Generic, Literal, NotRequired, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, with_config
from typing_extensions import TypedDict

from server.domain.colour import Colour
from server.domain.design import FrameStyle
from server.domain.destination import Destination
from server.domain.errors import InvalidValue
from server.domain.label import Label
from server.domain.moment import a_moment
from server.fields import MOMENT, born, like
from server.openapi import shown
from server.wire import MAX_BODY_BYTES

T = TypeVar("T")

ROOT = "/api/v1"

#: Of one request.
MAX_ITEMS = 500
DEFAULT_LIMIT, MAX_LIMIT = 20, 100
#: More pages than anybody turns.
MAX_PAGE = 1_000_000
#: Scans that are gone through to come to a page; what is older is found by `to`.
MAX_SCANS = 100_000
MIN_SIZE, DEFAULT_SIZE, MAX_SIZE = 128, 512, 2048

HEX = re.compile(r"#[0-9A-Fa-f]{6}")

#: Those of the domain's shapes that the vendor has, under the same names.
DotShape = Literal["square", "rounded", "dots", "classy", "classy-rounded", "diamond"]


def _hex(given: str) -> Colour:
    if not HEX.fullmatch(given):
        raise InvalidValue("invalid_color", "This must be a colour such as #1d4ed8.")
    return Colour.of(given)


HexColour = Annotated[Colour, born(_hex, {"pattern": "^#[0-9A-Fa-f]{6}$"})]
Url = Annotated[Destination, born(Destination)]
Name = Annotated[Label, born(Label)]
#: The only one that the vendor's API makes.
Type = Literal["url"]


# --- requests -----------------------------------------------------------------------------------------------------


class Body(BaseModel):
    """JSON. A field that nobody knows is passed over."""

    model_config = ConfigDict(strict=True, frozen=True)
    #: What a body of this kind may take.
    max_bytes: ClassVar[int] = MAX_BODY_BYTES


class RenderCustomizationsInput(Body):
    """What is not said stays as it is: at first black squares on white, without a frame."""

    dot_color: HexColour | None = None
    dot_shape: DotShape | None = None
    #: A picture for the middle of the code.
    logo_url: Url | None = None
    frame: FrameStyle | None = None


EXAMPLE = {
    "name": "Spring menu",
    "type": "url",
    "destination_url": "https://example.com/menu",
    "render_customizations": {
        "dot_color": "#1d4ed8",
        "dot_shape": "rounded",
        "logo_url": None,
        "frame": "scan-me-bottom",
    },
}


class QrCodeCreate(Body):
    model_config = shown(EXAMPLE)

    name: Name
    type: Type = "url"
    destination_url: Url
    render_customizations: RenderCustomizationsInput | None = None


class QrCodeUpdate(Body):
    """What is absent stays as it is."""

    model_config = shown({"destination_url": "https://example.com/menu/summer"})

    name: Name | None = None
    type: Type | None = None
    destination_url: Url | None = None
    render_customizations: RenderCustomizationsInput | None = None


#: Items are read one by one, as each may be wrong alone, and there may be hundreds.
Item = Annotated[object, like(QrCodeCreate)]


class BulkCreate(Body):
    model_config = shown({"items": [EXAMPLE]})
    max_bytes = 5 << 20

    items: Annotated[list[Item], Field(min_length=1, max_length=MAX_ITEMS)]


class Query(BaseModel):
    """Parameters that nobody knows are passed over."""


class PageQuery(Query):
    page: Annotated[int, Field(ge=1, le=MAX_PAGE)] = 1
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT

    @property
    def skip(self) -> int:
        return (self.page - 1) * self.limit


class PeriodQuery(Query):
    start: Annotated[
        datetime | None,
        born(a_moment(day_ends=False), MOMENT),
        Field(alias="from", description="A moment, or a day (UTC) from its beginning."),
    ] = None
    end: Annotated[
        datetime | None,
        born(a_moment(day_ends=True), MOMENT),
        Field(alias="to", description="A moment, or a day to its end."),
    ] = None


class ScansQuery(PeriodQuery, PageQuery):
    pass


class ImageQuery(Query):
    #: In pixels.
    size: Annotated[int, Field(ge=MIN_SIZE, le=MAX_SIZE)] = DEFAULT_SIZE


# --- answers ------------------------------------------------------------------------------------------------------


class DataAnswer(TypedDict, Generic[T]):
    success: Annotated[bool, Field(examples=[True])]
    data: T


@with_config(shown({"page": 1, "limit": DEFAULT_LIMIT, "total": 42, "total_pages": 3}))
class Pagination(TypedDict):
    page: int
    limit: int
    total: int
    total_pages: int


class PageAnswer(TypedDict, Generic[T]):
    success: Annotated[bool, Field(examples=[True])]
    data: list[T]
    pagination: Pagination


class Usage(TypedDict):
    """A limit that is null is none. A month is one of the calendar, in UTC."""

    dynamic_qr_count: int
    dynamic_qr_limit: int | None
    api_calls_this_month: int
    api_calls_monthly_limit: int | None


@with_config(
    shown(
        {
            "account_id": "00674c62-b0e9-8a1c-9c00-000000000000",
            "email": "you@example.com",
            "plan": "pro",
            "usage": {
                "dynamic_qr_count": 42,
                "dynamic_qr_limit": 250,
                "api_calls_this_month": 1834,
                "api_calls_monthly_limit": 5000,
            },
        }
    )
)
class MeAnswer(TypedDict):
    account_id: UUID
    email: str | None
    plan: str
    usage: Usage


class RenderCustomizationsAnswer(TypedDict):
    dot_color: str
    dot_shape: DotShape
    logo_url: str | None
    frame: FrameStyle


@with_config(
    shown(
        {
            "id": "00674c62-b0e9-8a1d-b400-000000000000",
            **EXAMPLE,
            "short_code": "k7m2xwqp",
            "redirect_url": "https://qr.example.com/k7m2xwqp",
            "scan_count": 17,
            "created_at": "2026-11-20T08:30:00Z",
            "updated_at": "2026-11-20T08:30:00Z",
        }
    )
)
class QrCodeAnswer(TypedDict):
    id: UUID
    name: str | None
    type: Type
    destination_url: str
    short_code: str
    #: What the code says, which leads to the destination.
    redirect_url: str
    render_customizations: RenderCustomizationsAnswer
    scan_count: int
    created_at: datetime
    updated_at: datetime


class Bulk(TypedDict):
    #: How many were made: all that were asked for.
    count: Annotated[int, Field(examples=[1])]
    items: list[QrCodeAnswer]


class Day(TypedDict):
    date: date
    scans: int


@with_config(
    shown(
        {
            "total_scans": 17,
            "unique_scans": 12,
            "last_scan_at": "2026-11-20T08:30:00Z",
            "scans_by_day": [{"date": "2026-11-19", "scans": 3}, {"date": "2026-11-20", "scans": 14}],
            "by_device": {"mobile": 16, "desktop": 1},
            "by_os": {"iOS": 9, "Android": 7, "Windows": 1},
            "by_browser": {"Mobile Safari": 9, "Chrome": 8},
            "by_country": {"FR": 12, "unknown": 5},
        }
    )
)
class AnalyticsAnswer(TypedDict):
    """Without `from` and `to`, the totals are of all time and the rest is of the last 30 days."""

    total_scans: int
    #: The first of each visitor on each day.
    unique_scans: int
    #: Of all time.
    last_scan_at: datetime | None
    scans_by_day: list[Day]
    by_device: Mapping[str, int]
    by_os: Mapping[str, int]
    by_browser: Mapping[str, int]
    #: By ISO 3166-1; only where the account's plan tells of places.
    by_country: NotRequired[Mapping[str, int]]


@with_config(
    shown(
        {
            "id": "00674c62-b0e9-8a1e-a000-000000000000",
            "scanned_at": "2026-11-20T08:30:00Z",
            "device": "mobile",
            "os": "iOS",
            "browser": "Mobile Safari",
            "referrer": None,
            "country": "FR",
            "city": "Paris",
        }
    )
)
class ScanAnswer(TypedDict):
    id: UUID | None
    scanned_at: datetime
    device: str | None
    os: str | None
    browser: str | None
    referrer: str | None
    #: ISO 3166-1; only where the account's plan tells of places, as the next.
    country: NotRequired[str | None]
    city: NotRequired[str | None]


@with_config(shown({"page": 1, "limit": DEFAULT_LIMIT, "has_more": False}))
class ScanPagination(TypedDict):
    page: int
    limit: int
    #: Whether there is a next page.
    has_more: bool


class ScanPageAnswer(TypedDict):
    success: Annotated[bool, Field(examples=[True])]
    data: list[ScanAnswer]
    pagination: ScanPagination
