"""qrcode-app: what is known of scans."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, cast
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.dialects.access import Access
from server.dialects.dialect import Kit
from server.dialects.qrcode_app.errors import Refusal
from server.dialects.qrcode_app.from_domain import qr_id_of, type_of
from server.dialects.qrcode_app.to_domain import code_id, refused
from server.domain.model import Account, Caller, Link, QrCode
from server.domain.moment import a_moment, to_the_second
from server.domain.selection import QrCodeSelection
from server.domain.stats import Asked, Bucket, Group, GroupBy, Interval, Period, Stats
from server.labels import REST, label
from server.wire import ByMethod, json_response

GRANULARITIES: Mapping[str, Interval] = {"hour": "hour", "day": "day", "week": "week", "month": "month"}

#: What the vendor tells apart, and what it is called here; all else is "other".
DEVICES = {"mobile": "mobile", "desktop": "desktop", "tablet": "tablet"}
OTHER = "other"
SYSTEMS = {"iOS": "ios", "Android": "android", "Windows": "windows", "": OTHER}

UTC_ZONE = ZoneInfo("UTC")

#: Of an overview.
TOP_CODES = 5


class Wanted(NamedTuple):
    """What a request's query says of time; None is from the beginning, and until now."""

    start: datetime | None
    end: datetime | None

    @property
    def ever(self) -> bool:
        return self.start is None and self.end is None


def routes(kit: Kit, access: Access) -> list[Route]:
    async def counted(account: Account, code: QrCode | None, period: Period, *group_by: GroupBy) -> Stats:
        """Of a code, or of all."""
        asked = Asked(period=period, group_by=group_by)
        if code is None:
            return await kit.links.all_counted(account, asked)
        return await kit.codes.stats(account, code.id, asked)

    async def of_code(request: Request, caller: Caller) -> Response:
        code, wanted = await asked_for(request, caller)
        since = _since(code.created_at, wanted, kit.now())
        stats = await counted(caller.account, code, since, "country", "city", "device", "os")
        country, city = _largest(stats.groups["country"]), _largest(stats.groups["city"])
        data = {
            "qr_id": qr_id_of(code),
            **_totals(stats, wanted),
            "last_scan_at": None if stats.totals.last_scan_at is None else to_the_second(stats.totals.last_scan_at),
            "top_country": None if country is None else label("country", country),
            "top_city": None if city is None else city.rpartition(", ")[0],
            **_equipment(stats),
        }
        return json_response({"data": data})

    async def daily(request: Request, caller: Caller) -> Response:
        code, wanted = await asked_for(request, caller)
        given = request.query_params.get("granularity") or "day"
        if given not in GRANULARITIES:
            raise Refusal("INVALID_PARAMETER", f"granularity must be one of {', '.join(GRANULARITIES)}.")
        interval = GRANULARITIES[given]
        with refused("INVALID_PARAMETER", "from, to"):
            period = Period.of(wanted.start, wanted.end, interval, UTC_ZONE, now=kit.now())
        stats = await counted(caller.account, code, period)
        return json_response({"data": [_bucket(each, interval) for each in stats.series]})

    async def countries(request: Request, caller: Caller) -> Response:
        code, wanted = await asked_for(request, caller)
        stats = await counted(caller.account, code, _since(code.created_at, wanted, kit.now()), "country")
        groups = stats.groups["country"]
        total = sum(group.scans for group in groups)
        return json_response({"data": [_country(group, total) for group in groups]})

    async def devices(request: Request, caller: Caller) -> Response:
        code, wanted = await asked_for(request, caller)
        since = _since(code.created_at, wanted, kit.now())
        stats = await counted(caller.account, code, since, "device", "os", "browser")
        browsers = stats.groups["browser"]
        names = {group.key: _word(group.key) for group in browsers if group.key}
        return json_response({"data": {**_equipment(stats), "browsers": _shares(browsers, names)}})

    async def overview(request: Request, caller: Caller) -> Response:
        account, wanted, now = caller.account, _wanted(request), kit.now()
        since = _since(account.created_at, wanted, now)
        stats = await counted(account, None, since, "device", "os")
        today = await counted(account, None, Period.of(_midnight(now), None, "day", UTC_ZONE, now=now))
        most = await kit.codes.list(account.id, QrCodeSelection(kind="dynamic", sort="scans"), limit=TOP_CODES)
        data = {
            "total_qrcodes": await kit.codes.count(account.id),
            **_totals(stats, wanted),
            "scans_today": sum(each.scans for each in today.series),
            "top_qrcodes": [
                {
                    "qr_id": qr_id_of(code),
                    "name": code.name,
                    "type": type_of(code),
                    "total_scans": cast("Link", code.content).scans,
                }
                for code in most.items
            ],
            **_equipment(stats),
        }
        return json_response({"data": data})

    async def asked_for(request: Request, caller: Caller) -> tuple[QrCode, Wanted]:
        code = await kit.codes.get(caller.account.id, code_id(request))
        return code, _wanted(request)

    return [
        Route("/v1/qrcodes/{qr_id}/stats", ByMethod(GET=access("qr-codes:read", of_code))),
        Route("/v1/qrcodes/{qr_id}/stats/daily", ByMethod(GET=access("qr-codes:read", daily))),
        Route("/v1/qrcodes/{qr_id}/stats/countries", ByMethod(GET=access("qr-codes:read", countries))),
        Route("/v1/qrcodes/{qr_id}/stats/devices", ByMethod(GET=access("qr-codes:read", devices))),
        Route("/v1/stats/overview", ByMethod(GET=access("links:read", overview))),
    ]


# --- to the domain ------------------------------------------------------------------------------------------------


def _wanted(request: Request) -> Wanted:
    found = []
    for name, day_ends in (("from", False), ("to", True)):
        given = request.query_params.get(name)
        with refused("INVALID_PARAMETER", name):
            found.append(a_moment(day_ends=day_ends)(given) if given else None)
    return Wanted(*found)


def _since(first: datetime, wanted: Wanted, now: datetime) -> Period:
    """All that was scanned in the time that is wanted; there was nothing before `first`."""
    interval: Interval = "month" if wanted.ever else "day"
    with refused("INVALID_PARAMETER", "from, to"):
        start = wanted.start or min(first, (wanted.end or now) - timedelta(days=1))
        return Period.of(start, wanted.end, interval, UTC_ZONE, now=now)


def _midnight(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


# --- from the domain ----------------------------------------------------------------------------------------------


def _totals(stats: Stats, wanted: Wanted) -> dict[str, int]:
    scans, unique_scans = stats.totals[:2] if wanted.ever else stats.in_period
    return {"total_scans": scans, "unique_scans": unique_scans}


def _bucket(bucket: Bucket, interval: Interval) -> dict[str, object]:
    start = to_the_second(bucket.start) if interval == "hour" else bucket.start.date().isoformat()
    return {"date": start, "scans": bucket.scans, "unique_scans": bucket.unique_scans}


def _country(group: Group, total: int) -> dict[str, object]:
    name = REST if group.rest else label("country", group.key)
    return {"country": name, "country_code": group.key, "scans": group.scans, "percentage": _share(group.scans, total)}


def _equipment(stats: Stats) -> dict[str, object]:
    return {"devices": _shares(stats.groups["device"], DEVICES), "os": _shares(stats.groups["os"], SYSTEMS)}


def _shares(groups: Iterable[Group], names: Mapping[str, str]) -> dict[str, float]:
    """Per cent of each of these, and of all others, if there are any."""
    counted = Counter(dict.fromkeys(names.values(), 0))
    for group in groups:
        counted[names.get(group.key or "", OTHER)] += group.scans
    total = counted.total()
    return {name: _share(scans, total) for name, scans in counted.items()}


def _share(scans: int, total: int) -> float:
    return round(100 * scans / total, 1) if total else 0.0


def _largest(groups: Iterable[Group]) -> str | None:
    """Of those that are known."""
    return next((group.key for group in groups if group.key is not None), None)


def _word(name: str) -> str:
    return name.lower().replace(" ", "_")
