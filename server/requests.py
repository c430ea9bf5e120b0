"""What a worker counts of requests: by route, method and kind of status, and how long it takes until an answer begins.

Plain numbers, which /metrics reads: 0.4 us a request, where a counter and a histogram of prometheus_client take 1.0.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator

from server.asgi import Scope

#: In seconds. What is in memory is answered within the first ones.
BOUNDS_S = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5)

#: Is told of a request that was answered: its scope, id, route, status, the seconds it took until its answer began, and
#: the dialect, if it is one's.
Note = Callable[[Scope, str, str, int, float, str | None], None]

METHODS = frozenset(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])

#: For what is at no route's path, and for other methods: strangers choose those, and may not choose how many there are.
OTHER = "other"


class Durations:
    """How long something took, time after time."""

    __slots__ = ("counts", "seconds")

    def __init__(self) -> None:
        #: Those that took no longer than each of BOUNDS_S, and longer than the one before; then those that took longer.
        self.counts = [0] * (len(BOUNDS_S) + 1)
        #: All of them together.
        self.seconds = 0.0

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(BOUNDS_S, seconds)] += 1
        self.seconds += seconds

    def numbers(self) -> list[float]:
        return [*self.counts, self.seconds]


class Series:
    """The requests of one route and method."""

    __slots__ = ("statuses", "took")

    def __init__(self) -> None:
        #: By the status's first digit.
        self.statuses = [0] * 6
        self.took = Durations()

    def count(self, status: int, seconds: float) -> None:
        self.statuses[status // 100] += 1
        self.took.add(seconds)


class Requests:
    """All series there are: those of routes that were asked for."""

    def __init__(self, note: Note | None = None) -> None:
        """`note` is told of each, but for pictures that were answered."""
        self.note = note
        self.series: dict[tuple[str, str], Series] = {}

    def of(self, route: str, method: str) -> Series:
        """`route` is the path as the route table has it."""
        key = route, method if method in METHODS else OTHER
        series = self.series.get(key)
        if series is None:
            series = self.series[key] = Series()
        return series

    def answered(self) -> Iterator[tuple[tuple[str, ...], float]]:
        """By route, method and kind of status, as 2xx."""
        for of, series in self.series.items():
            for digit, count in enumerate(series.statuses):
                if count:
                    yield (*of, f"{digit}xx"), count

    def took(self) -> Iterator[tuple[tuple[str, ...], list[float]]]:
        """By route and method."""
        for of, series in self.series.items():
            yield of, series.took.numbers()
