"""The design of a code, as requests say it."""

import base64
import binascii
from typing import Annotated, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag
from pydantic_core import PydanticCustomError

from server.api.fields import VARIANT, Body, born
from server.domain.colour import BLACK, MAX_STOPS, WHITE, Colour, Gradient, Paint, Stop
from server.domain.design import (
    MAX_FRAME_LABEL,
    MAX_LOGO_RATIO,
    MAX_MARGIN,
    MAX_PADDING,
    PLAIN,
    Background,
    Border,
    BorderShape,
    Center,
    CenterShape,
    ClearZone,
    Design,
    Eyes,
    Frame,
    FrameStyle,
    Level,
    Logo,
    Modules,
    ModuleShape,
    Picture,
    Ring,
)
from server.domain.destination import Destination
from server.domain.errors import InvalidValue

MAX_PICTURE_BYTES = 5 << 20

ColourText = Annotated[Colour, born(Colour.of)]


# --- paints -------------------------------------------------------------------------------------------------------


class StopBody(Body):
    offset: Annotated[float, Field(ge=0, le=1)]
    color: ColourText


class GradientBody(Body):
    type: Literal["linear", "radial"]
    angle: Annotated[float, Field(ge=-360, le=360)] = 0
    stops: Annotated[list[StopBody], Field(min_length=2, max_length=MAX_STOPS)]

    def value(self) -> Gradient:
        stops = tuple(Stop(stop.offset, stop.color) for stop in self.stops)
        return Gradient(type=self.type, angle=self.angle, stops=stops)


def _possible(body: GradientBody) -> GradientBody:
    try:
        body.value()
    except InvalidValue as exc:
        raise PydanticCustomError(exc.reason, "{detail}", {"detail": exc.detail}) from exc
    return body


PaintField = Annotated[
    Annotated[ColourText, Tag(f"{VARIANT}colour")]
    | Annotated[GradientBody, AfterValidator(_possible), Tag(f"{VARIANT}gradient")],
    Discriminator(lambda given: f"{VARIANT}{'gradient' if isinstance(given, dict) else 'colour'}"),
]


def _paint(given: Colour | GradientBody) -> Paint:
    return given.value() if isinstance(given, GradientBody) else given


def _paint_or_none(given: Colour | GradientBody | None) -> Paint | None:
    return None if given is None else _paint(given)


# --- pictures -----------------------------------------------------------------------------------------------------


def _bytes_of(given: str) -> bytes:
    try:
        data = base64.b64decode(given, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise InvalidValue("invalid_base64", "This is not base64 (RFC 4648, 4).") from exc
    if not 0 < len(data) <= MAX_PICTURE_BYTES:
        raise InvalidValue("too_long", f"A picture has 1 to {MAX_PICTURE_BYTES} bytes; this one has {len(data)}.")
    return data


class PictureBody(Body):
    """One of three: where it is, what it is, or which of those already stored it is."""

    url: Annotated[Destination, born(Destination)] | None = None
    data: Annotated[bytes, born(_bytes_of)] | None = None
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None

    def value(self) -> Picture:
        return Picture(url=self.url and str(self.url), data=self.data, sha256=self.sha256)


def _one_of_three(body: PictureBody) -> PictureBody:
    # A stored picture is answered with its address and its hash; sent back so, it need not be fetched again.
    if (body.data is not None) == bool(body.url or body.sha256):
        raise PydanticCustomError("one_of_required", "A picture is given by one of url, data and sha256")
    return body


PictureField = Annotated[PictureBody, AfterValidator(_one_of_three)]


# --- designs ------------------------------------------------------------------------------------------------------


class ModulesBody(Body):
    shape: ModuleShape = PLAIN.modules.shape
    color: PaintField = BLACK

    def value(self) -> Modules:
        return Modules(shape=self.shape, color=_paint(self.color))


class BorderBody(Body):
    shape: BorderShape = PLAIN.eyes.border.shape
    color: PaintField | None = None


class CenterBody(Body):
    shape: CenterShape = PLAIN.eyes.center.shape
    color: PaintField | None = None


class EyesBody(Body):
    border: BorderBody = BorderBody()
    center: CenterBody = CenterBody()
    ring: Ring = PLAIN.eyes.ring

    def value(self) -> Eyes:
        return Eyes(
            border=Border(shape=self.border.shape, color=_paint_or_none(self.border.color)),
            center=Center(shape=self.center.shape, color=_paint_or_none(self.center.color)),
            ring=self.ring,
        )


class BackgroundBody(Body):
    color: PaintField = WHITE
    image: PictureField | None = None
    opacity: Annotated[float, Field(ge=0, le=1)] = PLAIN.background.opacity

    def value(self) -> Background:
        return Background(color=_paint(self.color), image=self.image and self.image.value(), opacity=self.opacity)


class LogoBody(Body):
    image: PictureField
    ratio: Annotated[float, Field(ge=0, le=MAX_LOGO_RATIO)] = 0.2
    clear_zone: ClearZone = "rounded"
    padding: Annotated[float, Field(ge=0, le=MAX_PADDING)] = 0.5
    neon_alpha: bool = False

    def value(self) -> Logo:
        return Logo(
            image=self.image.value(),
            ratio=self.ratio,
            clear_zone=self.clear_zone,
            padding=self.padding,
            neon_alpha=self.neon_alpha,
        )


class FrameBody(Body):
    style: FrameStyle = PLAIN.frame.style
    color: ColourText = PLAIN.frame.color
    label: Annotated[str, Field(max_length=MAX_FRAME_LABEL)] | None = None
    label_color: ColourText = PLAIN.frame.label_color

    def value(self) -> Frame:
        return Frame(style=self.style, color=self.color, label=self.label, label_color=self.label_color)


class DesignBody(Body):
    level: Level | None = None
    margin: Annotated[int, Field(ge=0, le=MAX_MARGIN)] = PLAIN.margin
    modules: ModulesBody = ModulesBody()
    eyes: EyesBody = EyesBody()
    background: BackgroundBody = BackgroundBody()
    logo: LogoBody | None = None
    frame: FrameBody = FrameBody()

    def value(self) -> Design:
        return Design(
            level=self.level,
            margin=self.margin,
            modules=self.modules.value(),
            eyes=self.eyes.value(),
            background=self.background.value(),
            logo=self.logo and self.logo.value(),
            frame=self.frame.value(),
        )
