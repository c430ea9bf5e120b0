"""Counts of scans, as the rows of rollups hold them.

Scans are told in the order of the log. Those of one link, and those of all links of an account, that follow each other
within a quarter of an hour are a `Run`; runs are added to the rows of their quarter, their day and their month (UTC).
However the log is cut into batches, the same comes out, and so it does when it is counted anew.

What scans have in common is counted by dimension, people and bots apart, each as a JSON object of keys and counts.
`groups` are these in the order of DIMENSIONS, people's first, with a line feed between them and none at the end.

One has at most MAX_KEYS keys, those that came first: what comes later is counted as OTHER. So no row grows with its
scans, and what is frequent, and so comes early, is counted by its name.

`counts` of a day are, of each quarter of an hour that has any, its number in the day (u8), and then, in the same order,
all of their people, bots, unique people and unique bots (u32, little-endian).
"""

import struct
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple, Protocol, get_args

import orjson

from fastcore.batch import Batch
from fastcore.counts import merged
from fastcore.facts import Known
from fastcore.sightings import Sightings
from fastcore.tally import Run, Tally
from server.domain.model import AccountId, LinkId
from server.domain.stats import GroupBy

DIMENSIONS: tuple[GroupBy, ...] = get_args(GroupBy)

MAX_KEYS = 200

#: In place of a key: what is not known, and what there was no room for. No value is the one, nor has the other in it.
UNKNOWN = ""
OTHER = "\0"

#: In place of a link: all those of an account. In place of an account: that of a link that is gone.
ALL_LINKS = LinkId(0)
NO_ACCOUNT = AccountId(0)

QUARTER_US = 900_000_000
#: Quarters of an hour in a day.
SLOTS = 96
SLOT_BYTES = 17

#: Scans of a run, so that those of a busy account need no more memory.
MAX_RUN = 10_000

#: Agents, places and languages that are remembered.
MAX_KNOWN = 1 << 15

#: A scan's keys, one for each of DIMENSIONS.
Keys = tuple[str, ...]

#: For each of DIMENSIONS, of people; then, of bots.
GROUPS = 2 * len(DIMENSIONS)
Group = dict[str, int]


class Counts(NamedTuple):
    people: int = 0
    bots: int = 0
    unique_people: int = 0
    unique_bots: int = 0


NONE = Counts()


@lru_cache(1 << 14)
def agent_keys(device: str | None, os: str | None, browser: str | None, version: str | None, bot: str | None) -> Keys:
    """Those of a user agent. A browser's version goes with its name."""
    versioned = f"{browser} {version}" if browser and version else None
    return tuple(each or UNKNOWN for each in (device, os, browser, versioned, bot))


@lru_cache(1 << 15)
def place_keys(country: str | None, region: str | None, city: str | None, network: str | None) -> Keys:
    """Those of a place. A region or city is told from others of its name by its country."""

    def within(name: str | None) -> str | None:
        return f"{name}, {country}" if name and country else name

    return tuple(each or UNKNOWN for each in (country, within(region), within(city), network))


@lru_cache(1 << 14)
def language_key(header: str | None) -> str:
    """The first language of Accept-Language: "de" of "de-CH,de;q=0.9". Browsers name the one they like best first."""
    if not header:
        return UNKNOWN
    tag = header.partition(",")[0].partition(";")[0].partition("-")[0].strip().lower()
    return tag if 2 <= len(tag) <= 8 and tag.isascii() and tag.isalpha() else UNKNOWN


def source_key(from_code: bool | None) -> str:
    return UNKNOWN if from_code is None else "scan" if from_code else "click"


class Facts(Protocol):
    """What is known of a scan, as `Scan` and rows of the log have it."""

    @property
    def device(self) -> str | None: ...
    @property
    def os(self) -> str | None: ...
    @property
    def browser(self) -> str | None: ...
    @property
    def browser_version(self) -> str | None: ...
    @property
    def bot(self) -> str | None: ...
    @property
    def country(self) -> str | None: ...
    @property
    def region(self) -> str | None: ...
    @property
    def city(self) -> str | None: ...
    @property
    def network(self) -> str | None: ...
    @property
    def language(self) -> str | None: ...
    @property
    def referrer_host(self) -> str | None: ...
    @property
    def from_code(self) -> bool | None: ...


def keys_of(scan: Facts) -> Keys:
    return (
        *agent_keys(scan.device, scan.os, scan.browser, scan.browser_version, scan.bot),
        *place_keys(scan.country, scan.region, scan.city, scan.network),
        *(language_key(scan.language), scan.referrer_host or UNKNOWN, source_key(scan.from_code)),
    )


def unknown(account: AccountId, link: LinkId, quarter: int, people: int, bots: int) -> Run:
    """As many scans of which nothing else is known."""
    run = Run(account, link, 0, quarter)
    run.people, run.bots = people, bots
    sides = [b"\n".join([b'{"":%d}' % count if count else b""] * len(DIMENSIONS)) for count in (people, bots)]
    run.groups = b"\n".join(sides[: 2 if bots else 1])
    if people:
        run.last_scan_us = quarter * QUARTER_US
    if bots:
        run.last_bot_us = quarter * QUARTER_US
    return run


def tally() -> Tally:
    """For scans that come in the order of the log."""
    return Tally(QUARTER_US, MAX_RUN)


def batch() -> Batch:
    """For scans that come in the order of the log, which are counted by what `keys_of` says."""
    by_agent: Known[tuple[str | None, ...], Keys] = Known(lambda facts: agent_keys(*facts), MAX_KNOWN)
    by_place: Known[tuple[str | None, ...], Keys] = Known(lambda facts: place_keys(*facts), MAX_KNOWN)
    by_language: Known[str | None, str] = Known(language_key, MAX_KNOWN)
    return Batch(tally(), tally(), Sightings(), by_agent, by_place, by_language, Known(source_key, MAX_KNOWN))


def lines(groups: bytes) -> list[bytes]:
    """Each group's, for each of DIMENSIONS, people first; empty where there are none."""
    found = groups.split(b"\n") if groups else []
    return found + [b""] * (GROUPS - len(found))


def unpack(groups: bytes, dimension: GroupBy, *, bots: bool) -> Group:
    """Of one dimension, the people's or the bots': with UNKNOWN and OTHER among the keys."""
    line = lines(groups)[DIMENSIONS.index(dimension) + bots * len(DIMENSIONS)]
    return orjson.loads(line) if line else {}


def joined(runs: Iterable[Run]) -> Iterator[Run]:
    """Those that follow each other as one, where they are of the same link and quarter of an hour."""
    for _, following in groupby(runs, lambda run: (run.account, run.link, run.quarter)):
        first, *others = following
        if others:
            first.groups = merged([first.groups, *(run.groups for run in others)], sys.maxsize)
        for run in others:
            first.people += run.people
            first.bots += run.bots
            first.unique_people += run.unique_people
            first.unique_bots += run.unique_bots
            first.last_scan_us = _later(first.last_scan_us, run.last_scan_us)
            first.last_bot_us = _later(first.last_bot_us, run.last_bot_us)
        yield first


class Row:
    """What is counted in one row: of a quarter of an hour, of a day, or of a month."""

    __slots__ = ("counts", "groups", "last_bot_us", "last_scan_us", "slots")

    def __init__(
        self,
        groups: bytes = b"",
        *,
        counts: Counts = NONE,
        slots: bytes = b"",
        last_scan_us: int | None = None,
        last_bot_us: int | None = None,
    ) -> None:
        self.groups = groups
        self.counts = counts
        #: By quarter of an hour of the day.
        self.slots = unpack_slots(slots)
        self.last_scan_us = last_scan_us
        self.last_bot_us = last_bot_us

    def add(self, run: Run) -> None:
        counts = Counts(run.people, run.bots, run.unique_people, run.unique_bots)
        slot = run.quarter % SLOTS
        self.counts = _sum(self.counts, counts)
        self.slots[slot] = _sum(self.slots.get(slot, NONE), counts)
        self.last_scan_us = _later(self.last_scan_us, run.last_scan_us)
        self.last_bot_us = _later(self.last_bot_us, run.last_bot_us)
        self.groups = merged([self.groups, run.groups], MAX_KEYS)


def _later(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return other if one is None else one
    return max(one, other)


def _sum(one: Counts, other: Counts) -> Counts:
    return Counts(one[0] + other[0], one[1] + other[1], one[2] + other[2], one[3] + other[3])


# --- quarters of an hour of a day ---------------------------------------------------------------------------------


def pack_slots(slots: Mapping[int, Counts]) -> bytes:
    numbers = sorted(slots)
    columns = zip(*(slots[number] for number in numbers), strict=True)
    return bytes(numbers) + b"".join(struct.pack(f"<{len(numbers)}I", *column) for column in columns)


def unpack_slots(packed: bytes) -> dict[int, Counts]:
    size = len(packed) // SLOT_BYTES
    columns = struct.iter_unpack(f"<{size}I", packed[size:]) if size else ()
    return dict(zip(packed[:size], map(Counts, *columns), strict=True)) if size else {}
