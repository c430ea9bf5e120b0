"""The design: the value that fully determines how a code looks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import cached_property
from typing import Any, Literal, Self, TypeVar, cast, get_args

from server.domain.colour import BLACK, WHITE, Colour, Gradient, Paint, Stop, contrast
from server.domain.errors import InvalidValue

Level = Literal["L", "M", "Q", "H"]
ModuleShape = Literal[
    "square",
    "rounded",
    "extra-rounded",
    "dot",
    "dots",
    "classy",
    "classy-rounded",
    "diamond",
    "liquid",
    "connected-h",
    "connected-v",
    "hexagon",
    "star",
    "halftone",
    "frame",
]
BorderShape = Literal[
    "square", "rounded", "extra-rounded", "circle", "leaf-tl", "leaf-tr", "leaf-br", "leaf-bl", "frame"
]
CenterShape = Literal["square", "rounded", "circle", "leaf-tl", "sunburst", "star", "diamond", "cross", "dot"]
Ring = Literal["none", "subtle", "match"]
ClearZone = Literal["none", "square", "rounded"]
FrameStyle = Literal["none", "rounded", "scan-me-top", "scan-me-bottom", "wave", "topo", "botanical"]

LEVELS: tuple[Level, ...] = get_args(Level)

MAX_MARGIN = 32
MAX_LOGO_RATIO = 0.4
MAX_PADDING = 8
MAX_FRAME_LABEL = 24

VIOLET = Colour(0x6C, 0x48, 0xE8)

T = TypeVar("T", int, float)


def within(name: str, value: T, least: T, most: T) -> None:
    """Raises InvalidValue for the field `name`, unless least <= value <= most."""
    if not least <= value <= most:
        raise InvalidValue("out_of_range", f"{name} lies between {least} and {most}; it is {value}.", field=name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture somebody gave: known by its address until it was fetched, then by the hash of its bytes."""

    url: str | None = None
    #: SHA-256 of the bytes, in hex.
    sha256: str | None = None
    #: The bytes, where they came with the request or were just fetched; else storage has them.
    data: bytes | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Modules:
    shape: ModuleShape = "square"
    color: Paint = BLACK


@dataclass(frozen=True, slots=True, kw_only=True)
class Border:
    """The ring of an eye: a finder pattern's outer square of seven modules."""

    shape: BorderShape = "square"
    #: None is that of the modules.
    color: Paint | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Center:
    """The middle of an eye, three modules wide."""

    shape: CenterShape = "square"
    #: None is that of the border.
    color: Paint | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Eyes:
    border: Border = Border()
    center: Center = Center()
    #: A thin ring around each eye: none, a subtle one, or one in the full colour of the border.
    ring: Ring = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    color: Paint = WHITE
    #: Fills the picture, beneath the modules.
    image: Picture | None = None
    #: Of the image, in [0, 1].
    opacity: float = 0.35

    def __post_init__(self) -> None:
        within("opacity", self.opacity, 0, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Logo:
    """A picture in the middle of the symbol."""

    image: Picture
    #: Its longer side as a share of the symbol's, in [0, 0.4]; 0 is no logo.
    ratio: float = 0.2
    #: The shape of what is left free for it: no module is drawn there.
    clear_zone: ClearZone = "rounded"
    #: How far the clear zone reaches beyond it, in modules, [0, 8].
    padding: float = 0.5
    #: Turns a dark backing transparent, by luminance.
    neon_alpha: bool = False

    def __post_init__(self) -> None:
        within("ratio", self.ratio, 0, MAX_LOGO_RATIO)
        within("padding", self.padding, 0, MAX_PADDING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What surrounds the symbol and its margin, inside the picture."""

    style: FrameStyle = "none"
    color: Colour = VIOLET
    label: str | None = None
    #: None is black or white.
    label_color: Colour | None = None

    def __post_init__(self) -> None:
        if self.label is not None and len(self.label) > MAX_FRAME_LABEL:
            raise InvalidValue(
                "too_long",
                f"A label has at most {MAX_FRAME_LABEL} characters; this one has {len(self.label)}.",
                field="label",
            )
        # What else cannot be written is found where it is written; this could not even be stored.
        if self.label is not None and "\0" in self.label:
            raise InvalidValue("invalid_character", "A label has no U+0000, a control character.", field="label")

    @property
    def label_paint(self) -> Colour:
        """Where none is given, black or white: the one that is told better from the frame, as it is seen on white."""
        seen = self.color.over(WHITE)
        return self.label_color or max(WHITE, BLACK, key=lambda colour: contrast(colour, seen))


@dataclass(frozen=True, kw_only=True)
class Design:
    """How a code looks; without anything said, black squares on white."""

    #: Error correction: about 7, 15, 25 or 30 % of the codewords can be restored (ISO/IEC 18004:2015, table 8).
    #: None is M, and with a logo as high as the size of the picture allows.
    level: Level | None = None
    #: The quiet zone, in modules, [0, 32]. Readers may rely on 4 (ISO/IEC 18004:2015, 6.3.8).
    margin: int = 4
    modules: Modules = Modules()
    eyes: Eyes = Eyes()
    background: Background = Background()
    logo: Logo | None = None
    frame: Frame = Frame()

    def __post_init__(self) -> None:
        if self.level is not None and self.level not in LEVELS:
            raise InvalidValue("invalid_level", f"A level is one of {', '.join(LEVELS)}.", field="level")
        within("margin", self.margin, 0, MAX_MARGIN)

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        """Of some thirty values, and most orders have the same design."""
        return hash(tuple(getattr(self, each.name) for each in fields(self)))

    @cached_property
    def pictures(self) -> Mapping[str, Picture]:
        """The pictures in it, by the path of their field."""
        found = {}
        if self.logo:
            found["logo/image"] = self.logo.image
        if self.background.image:
            found["background/image"] = self.background.image
        return found

    def with_picture(self, path: str, picture: Picture) -> Self:
        """With another picture at a path of `pictures`."""
        if path == "background/image":
            return replace(self, background=replace(self.background, image=picture))
        assert self.logo is not None, "the path is one of its own"
        return replace(self, logo=replace(self.logo, image=picture))

    @property
    def border_paint(self) -> Paint:
        return self.modules.color if self.eyes.border.color is None else self.eyes.border.color

    @property
    def center_paint(self) -> Paint:
        return self.border_paint if self.eyes.center.color is None else self.eyes.center.color


PLAIN = Design()


# --- as JSON, for storage, answers and hashes --------------------------------------------------------------------


def plain(design: Design) -> dict[str, Any]:
    """With every default written out; each design has one form only, but for the addresses of its pictures."""
    form = _plain(design)
    assert isinstance(form, dict)
    return form


def _plain(value: object) -> object:
    if isinstance(value, Colour):
        return str(value)
    if isinstance(value, Stop):
        return {"offset": value.offset, "color": str(value.color)}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, Picture):
        return {"url": value.url, "sha256": value.sha256}
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    return value


def design_of(form: Mapping[str, Any]) -> Design:
    """From what `plain` made, also by another version of this program: what that did not know has its default, and what
    it knew beside that is passed over."""
    return _from(
        Design,
        form,
        modules=lambda part: _from(Modules, part, color=_paint),
        eyes=lambda part: _from(
            Eyes,
            part,
            border=lambda border: _from(Border, border, color=_paint),
            center=lambda center: _from(Center, center, color=_paint),
        ),
        background=lambda part: _from(Background, part, color=_paint, image=lambda image: Picture(**image)),
        logo=lambda part: _from(Logo, part, image=lambda image: Picture(**image)),
        frame=lambda part: _from(Frame, part, color=Colour.of, label_color=Colour.of),
    )


V = TypeVar("V")


def _from(kind: type[V], form: Mapping[str, Any], **parts: Callable[[Any], object]) -> V:
    known = {each.name for each in fields(cast("Any", kind))}  # a later version may have stored more
    given = {name: part for name, part in form.items() if name in known}
    return kind(
        **{name: parts[name](part) if name in parts and part is not None else part for name, part in given.items()}
    )


def _paint(form: str | Mapping[str, Any]) -> Paint:
    if isinstance(form, str):
        return Colour.of(form)
    stops = tuple(Stop(stop["offset"], Colour.of(stop["color"])) for stop in form["stops"])
    return Gradient(type=form["type"], angle=form["angle"], stops=stops)
