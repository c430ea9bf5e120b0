from collections.abc import Iterable
from typing import final

@final
class Path:
    """Closed outlines, immutable, filled by the non-zero winding rule: a hole runs the other way than what is
    around it.
    """

    #: 0 move, 1 line, 2 cubic curve, 3 close.
    commands: bytes
    #: x and y of each point, as native doubles: move and line have one point, a curve three, close none.
    points: bytes

    def __init__(self, data: str = "") -> None:
        """From the data of an SVG path: M L H V C Z and arcs of circles (A), absolute or relative.

        Raises ValueError for what is none.
        """

    @staticmethod
    def joined(paths: Iterable[Path]) -> Path:
        """All of them as one."""

    def __add__(self, other: Path) -> Path: ...
    def transformed(self, a: float, b: float, c: float, d: float, e: float, f: float) -> Path:
        """(x, y) becomes (a x + c y + e, b x + d y + f)."""

    def moved(self, x: float, y: float) -> Path: ...
    def scaled(self, factor: float) -> Path: ...
    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of all points; those that bend a curve may lie outside it."""

    def __bool__(self) -> bool:
        """Whether there is anything."""

    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
