"""How many users there are at which moment of a run: as shares, of all users and of its time."""

from collections.abc import Callable

#: The share of the time from which, and up to which, a spike lasts; a campaign starts with the first.
FROM, TO = 0.4, 0.6
#: Users while nothing happens, and while a soak begins.
QUIET = 0.1
WARM = 0.05


def ramp(at: float) -> float:
    """More and more, to find where it bends."""
    return at


def spike(at: float) -> float:
    """Ten times as many for a while, as when a poster is on television."""
    return 1.0 if FROM <= at < TO else QUIET


def soak(at: float) -> float:
    """All of them all the time, to find what grows."""
    return min(at / WARM, 1.0)


def campaign(at: float) -> float:
    """A crowd at one moment that stays; its visitors all scan one code."""
    return 1.0 if at >= FROM else QUIET


SHAPES: dict[str, Callable[[float], float]] = {each.__name__: each for each in (ramp, spike, soak, campaign)}
