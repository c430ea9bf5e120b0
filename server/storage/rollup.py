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
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple, Protocol, get_args

import orjson

from fastcore.sums import column_sums
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

#: Scans from which on a Counter is quicker.
MANY = 32

#: A scan's keys, one for each of DIMENSIONS.
Keys = tuple[str, ...]

#: For each of DIMENSIONS, of people; then, of bots.
GROUPS = 2 * len(DIMENSIONS)
Group = dict[str, int]
#: Those of people, or of bots: one for each of DIMENSIONS, or none at all where there are no scans.
Side = list[Group]
#: The lines of no people at all, in front of those of bots.
NOBODY = b"\n" * (len(DIMENSIONS) - 1)


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


class Run:
    """Scans one after the other of one link, or of one account, within a quarter of an hour."""

    __slots__ = (
        *("account", "link", "number", "quarter", "people", "bots", "unique_people", "unique_bots"),
        *("last_scan_us", "last_bot_us", "groups", "sides"),
    )

    def __init__(self, account: AccountId, link: LinkId, number: int, quarter: int) -> None:
        self.account = account
        self.link = link
        #: That of its first scan: the place in the order of the log.
        self.number = number
        #: Quarters of an hour since 2000.
        self.quarter = quarter
        self.people = self.bots = self.unique_people = self.unique_bots = 0
        #: Microseconds since 2000.
        self.last_scan_us: int | None = None
        self.last_bot_us: int | None = None
        #: Packed, once the run is closed; or, where runs were joined, not packed.
        self.groups = b""
        self.sides: list[Side] | None = None


def unknown(account: AccountId, link: LinkId, quarter: int, people: int, bots: int) -> Run:
    """As many scans of which nothing else is known."""
    run = Run(account, link, 0, quarter)
    run.people, run.bots = people, bots
    run.groups = _packed(
        [_packed_side([{UNKNOWN: count} for _ in DIMENSIONS] if count else []) for count in (people, bots)]
    )
    if people:
        run.last_scan_us = quarter * QUARTER_US
    if bots:
        run.last_bot_us = quarter * QUARTER_US
    return run


class Tally:
    """Counts scans that are told in the order of the log."""

    def __init__(self) -> None:
        self.runs: list[Run] = []
        #: The last run of each, and the keys of its people, and of its bots.
        self._open: dict[tuple[AccountId, LinkId], tuple[Run, list[Keys], list[Keys]]] = {}

    def add(self, of: tuple[AccountId, LinkId], number: int, time_us: int, keys: Keys, *, bot: bool) -> Run:
        """The scan's run, which is to hear if it is a visitor's first."""
        quarter = time_us // QUARTER_US
        opened = self._open.get(of)
        if opened is None or opened[0].quarter != quarter:
            if opened is not None:
                _close(*opened)
            opened = self._open[of] = (Run(*of, number, quarter), [], [])
            self.runs.append(opened[0])
        run, people, bots = opened
        if bot:
            bots.append(keys)
            if run.last_bot_us is None or time_us > run.last_bot_us:
                run.last_bot_us = time_us
        else:
            people.append(keys)
            if run.last_scan_us is None or time_us > run.last_scan_us:
                run.last_scan_us = time_us
        if len(people) == MAX_RUN or len(bots) == MAX_RUN:
            _close(*self._open.pop(of))
        return run

    def close(self) -> list[Run]:
        """All runs since it was closed last, in the order of their first scans."""
        for opened in self._open.values():
            _close(*opened)
        runs, self.runs, self._open = self.runs, [], {}
        return runs


def _close(run: Run, people: list[Keys], bots: list[Keys]) -> None:
    run.people, run.bots = len(people), len(bots)
    run.groups = _packed([_packed_side(_counted(people)), _packed_side(_counted(bots))])


def _counted(scans: list[Keys]) -> Side:
    """Of each dimension, the keys in the order in which they came. All of them: which are kept, depends on the row."""
    if len(scans) >= MANY:
        return [*map(Counter, zip(*scans, strict=True))]
    groups: Side = [{} for _ in DIMENSIONS] if scans else []
    for keys in scans:
        for group, key in zip(groups, keys, strict=True):
            group[key] = group.get(key, 0) + 1
    return groups


def _packed_side(side: Side) -> bytes:
    """As lines. One call for all of them, where it can be seen in the result what is whose."""
    packed = orjson.dumps(side)[1:-1]
    if packed.count(b"},{") < len(DIMENSIONS):
        return packed.replace(b"},{", b"}\n{")
    return b"\n".join(map(orjson.dumps, side))


def _packed(sides: Sequence[bytes]) -> bytes:
    people, bots = sides
    return (people or NOBODY) + b"\n" + bots if bots else people


def _unpacked(groups: bytes) -> list[Side]:
    """Those of people, and of bots."""
    parts = groups.split(b"\n", len(DIMENSIONS))
    people = b",".join(parts[: len(DIMENSIONS)]) if parts[0] else b""
    bots = parts[-1].replace(b"\n", b",") if len(parts) > len(DIMENSIONS) else b""
    return [orjson.loads(b"[%b]" % side) if side else [] for side in (people, bots)]


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
    last: Run | None = None
    for run in runs:
        if last is None or (run.account, run.link, run.quarter) != (last.account, last.link, last.quarter):
            if last is not None:
                yield last
            last = run
            last.sides = _unpacked(run.groups)
        else:
            _join(last, run)
    if last is not None:
        yield last


def _join(run: Run, more: Run) -> None:
    run.people += more.people
    run.bots += more.bots
    run.unique_people += more.unique_people
    run.unique_bots += more.unique_bots
    run.last_scan_us = _later(run.last_scan_us, more.last_scan_us)
    run.last_bot_us = _later(run.last_bot_us, more.last_bot_us)
    assert run.sides is not None, "it was unpacked before"
    for at, side in enumerate(_unpacked(more.groups)):
        if not run.sides[at]:
            run.sides[at] = side
            continue
        for group, others in zip(run.sides[at], side, strict=False):
            for key, count in others.items():
                group[key] = group.get(key, 0) + count


class Row:
    """What is counted in one row: of a quarter of an hour, of a day, or of a month."""

    __slots__ = ("_groups", "_sides", "counts", "last_bot_us", "last_scan_us", "slots")

    def __init__(
        self,
        groups: bytes = b"",
        *,
        counts: Counts = NONE,
        slots: bytes = b"",
        last_scan_us: int | None = None,
        last_bot_us: int | None = None,
    ) -> None:
        self._groups = groups
        #: The same, once it was added to.
        self._sides: list[Side] | None = None
        self.counts = counts
        #: By quarter of an hour of the day.
        self.slots = unpack_slots(slots)
        self.last_scan_us = last_scan_us
        self.last_bot_us = last_bot_us

    @property
    def groups(self) -> bytes:
        self.pack()
        return self._groups

    def pack(self) -> None:
        """Takes less memory from now on, until something is added."""
        if self._sides is not None:
            self._groups = _packed([*map(_packed_side, self._sides)])
            self._sides = None

    def add(self, run: Run) -> None:
        counts = Counts(run.people, run.bots, run.unique_people, run.unique_bots)
        slot = run.quarter % SLOTS
        self.counts = _sum(self.counts, counts)
        self.slots[slot] = _sum(self.slots.get(slot, NONE), counts)
        self.last_scan_us = _later(self.last_scan_us, run.last_scan_us)
        self.last_bot_us = _later(self.last_bot_us, run.last_bot_us)
        if self._sides is None:
            self._sides = _unpacked(self._groups)
        for at, side in enumerate(_unpacked(run.groups) if run.sides is None else run.sides):
            if side and not self._sides[at]:
                self._sides[at] = [{} for _ in DIMENSIONS]
            for group, more in zip(self._sides[at], side, strict=False):
                merge(group, more)


def _later(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return other if one is None else one
    return max(one, other)


def _sum(one: Counts, other: Counts) -> Counts:
    return Counts(one[0] + other[0], one[1] + other[1], one[2] + other[2], one[3] + other[3])


def merge(group: Group, more: Group) -> None:
    """Adds to a group what came behind it."""
    if not group and len(more) <= MAX_KEYS:
        group.update(more)
        return
    for key, count in more.items():
        if key in group:
            group[key] += count
        elif len(group) < MAX_KEYS:
            group[key] = count
        else:
            group[OTHER] = group.get(OTHER, 0) + count


# --- quarters of an hour of a day ---------------------------------------------------------------------------------


def pack_slots(slots: Mapping[int, Counts]) -> bytes:
    numbers = sorted(slots)
    columns = zip(*(slots[number] for number in numbers), strict=True)
    return bytes(numbers) + b"".join(struct.pack(f"<{len(numbers)}I", *column) for column in columns)


def unpack_slots(packed: bytes) -> dict[int, Counts]:
    size = len(packed) // SLOT_BYTES
    columns = struct.iter_unpack(f"<{size}I", packed[size:]) if size else ()
    return dict(zip(packed[:size], map(Counts, *columns), strict=True)) if size else {}


def slots_between(packed: bytes, first: int, end: int) -> Counts:
    """The counts from one quarter of an hour of the day on, and before another."""
    size = len(packed) // SLOT_BYTES
    numbers = packed[:size]
    start, stop = bisect_left(numbers, first), bisect_left(numbers, end)
    if start == stop:
        return NONE
    return Counts(*column_sums(memoryview(packed)[size:], size, start, stop))
