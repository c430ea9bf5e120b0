"""mask: GET /analytics/clicks."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.dialects.access import Access
from server.dialects.dialect import Kit
from server.dialects.mask.fields import Field, Fields, choice, integer, query_of, read, text
from server.dialects.mask.to_domain import link_id
from server.dialects.mask.wire import DEFAULT_ROWS, MAX_ROWS
from server.domain.model import Caller
from server.domain.moment import a_moment, to_the_second
from server.domain.stats import Asked, Bucket, Group, GroupBy, Interval, Period
from server.wire import ByMethod, json_response


class Span(NamedTuple):
    """A stretch of time between two dates of the answer."""

    interval: Interval
    #: How many of them it is made of.
    times: int = 1


SPANS: Mapping[str, Span] = {
    "1h": Span("hour"),
    "1d": Span("day"),
    "7d": Span("day", 7),
    "30d": Span("day", 30),
    "90d": Span("day", 90),
}
GROUPS: Mapping[str, GroupBy] = {
    "country": "country",
    "device": "device",
    "browser": "browser",
    "referrer": "referrer",
}
#: What all groups are called that are too small for one of their own.
OTHERS = "other"

UTC_ZONE = ZoneInfo("UTC")

CLICKS: Fields = {
    "interval": Field(choice(*SPANS), default="1d"),
    "start": Field(lambda given: a_moment(day_ends=False)(text(given))),
    "end": Field(lambda given: a_moment(day_ends=True)(text(given))),
    "linkId": Field(lambda given: link_id(text(given))),
    "groupBy": Field(choice("day", *GROUPS), default="day"),
    "limit": Field(integer(1, MAX_ROWS), default=DEFAULT_ROWS),
}


def routes(kit: Kit, access: Access) -> list[Route]:
    async def clicks(request: Request, caller: Caller) -> Response:
        fields = read(CLICKS, query_of(request))
        span, by, limit = SPANS[fields["interval"]], GROUPS.get(fields["groupBy"]), fields["limit"]
        period = Period.of(fields["start"], fields["end"], span.interval, UTC_ZONE, now=kit.now())
        asked = Asked(period=period, group_by=() if by is None else (by,))
        link = fields["linkId"]
        if link is None:
            stats = await kit.links.all_counted(caller.account, asked)
        else:
            stats = await kit.links.stats(caller.account, link, asked)
        rows = _series(stats.series, span)[-limit:] if by is None else _groups(stats.groups[by], by)[:limit]
        return json_response(
            {
                "data": rows,
                "total": stats.in_period[0],
                "start": to_the_second(period.start),
                "end": to_the_second(period.end),
            }
        )

    return [Route("/api/v1/analytics/clicks", ByMethod(GET=access("scans:read", clicks)))]


def _series(series: list[Bucket], span: Span) -> list[dict[str, object]]:
    """The last one may be shorter than the others."""
    spans = [series[first : first + span.times] for first in range(0, len(series), span.times)]
    return [
        {"date": _date(each[0].start, span.interval), "clicks": sum(bucket.scans for bucket in each)} for each in spans
    ]


def _date(start: datetime, interval: Interval) -> str:
    return to_the_second(start) if interval == "hour" else start.date().isoformat()


def _groups(groups: list[Group], by: GroupBy) -> list[dict[str, object]]:
    """The largest first; null is what is not known."""
    return [{by: OTHERS if each.rest else each.key, "clicks": each.scans} for each in groups]
