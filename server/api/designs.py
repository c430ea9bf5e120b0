"""The design of a code, as requests say it."""

import base64
from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field, PlainValidator
from pydantic_core import PydanticCustomError

from server.api.fields import Body
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
from server.fields import born, in_place
from server.openapi import Json

MAX_PICTURE_BYTES = 5 << 20
MAX_PICTURE_CHARS = -(-MAX_PICTURE_BYTES // 3) * 4
#: A multiple of four, as four characters are three bytes.
PIECE_CHARS = 1 << 18

BASE64: Json = {"contentEncoding": "base64", "minLength": 4, "maxLength": MAX_PICTURE_CHARS}

#: Of a body with two of them in base64, which takes a third more.
MAX_DRAWN_BYTES = 16 << 20

ColourText = Annotated[Colour, born(Colour.of)]


# --- paints -------------------------------------------------------------------------------------------------------


class StopBody(Body):
    #: From 0, where the gradient begins, to 1, where it ends.
    offset: Annotated[float, Field(ge=0, le=1)]
    color: ColourText


class GradientBody(Body):
    """From colour to colour: along a line across all that is painted, or from its middle outwards."""

    type: Literal["linear", "radial"]
    #: Of a line, in degrees clockwise: 0 goes from left to right, 90 from top to bottom.
    angle: Annotated[float, Field(ge=-360, le=360)] = 0.0
    stops: Annotated[list[StopBody], Field(min_length=2, max_length=MAX_STOPS)]

    def value(self) -> Gradient:
        stops = tuple(Stop(stop.offset, stop.color) for stop in self.stops)
        return Gradient(type=self.type, angle=self.angle, stops=stops)


def _paint(given: object) -> Paint:
    """A colour, or a gradient with every wrong field of it at its place."""
    with in_place():
        if isinstance(given, str):
            return Colour.of(given)
        # Inside a validator, pydantic takes the errors of another one over, with its own place before theirs.
        return GradientBody.model_validate(given).value()


PaintField = Annotated[Paint, PlainValidator(_paint, json_schema_input_type=str | GradientBody)]


# --- pictures -----------------------------------------------------------------------------------------------------


def _bytes_of(given: str) -> bytes:
    if not given:
        raise InvalidValue("empty", "A picture has bytes.")
    if len(given) > MAX_PICTURE_CHARS:
        raise InvalidValue("too_long", f"A picture has at most {MAX_PICTURE_BYTES} bytes.")
    try:
        # In pieces, between which other threads get their turn: 5 MB are 50 ms.
        pieces = [given[start : start + PIECE_CHARS] for start in range(0, len(given), PIECE_CHARS)]
        if any("=" in piece for piece in pieces[:-1]):
            raise ValueError("what is padded ends")
        return b"".join([base64.b64decode(piece, validate=True) for piece in pieces])
    except ValueError as exc:  # binascii.Error is one
        raise InvalidValue("invalid_base64", "This is not base64 (RFC 4648, 4).") from exc


class PictureBody(Body):
    """Where it is, what it is, or which of those already stored it is."""

    #: Where it is fetched from, once.
    url: Annotated[Destination, born(Destination)] | None = None
    #: Its bytes, in base64.
    data: Annotated[bytes, born(_bytes_of, BASE64)] | None = None
    #: Of the bytes of one that this account has used before, as answers have it.
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None


def _picture(given: object) -> Picture:
    body = PictureBody.model_validate(given)
    # A stored picture is answered with its address and its hash; sent back so, it need not be fetched again.
    if (body.data is not None) == bool(body.url or body.sha256):
        raise PydanticCustomError("one_of_required", "A picture is given by url, by data or by sha256")
    return Picture(url=body.url and str(body.url), data=body.data, sha256=body.sha256)


PictureField = Annotated[Picture, PlainValidator(_picture, json_schema_input_type=PictureBody)]


# --- designs ------------------------------------------------------------------------------------------------------


class ModulesBody(Body):
    shape: ModuleShape = PLAIN.modules.shape
    color: PaintField = BLACK

    def value(self) -> Modules:
        return Modules(shape=self.shape, color=self.color)


class BorderBody(Body):
    """The outer square of an eye, seven modules wide."""

    shape: BorderShape = PLAIN.eyes.border.shape
    #: That of the modules, if you do not say.
    color: PaintField | None = None


class CenterBody(Body):
    """The middle of an eye, three modules wide."""

    shape: CenterShape = PLAIN.eyes.center.shape
    #: That of the border, if you do not say.
    color: PaintField | None = None


class EyesBody(Body):
    border: BorderBody = BorderBody()
    center: CenterBody = CenterBody()
    #: A thin ring around each eye: none, a subtle one, or one in the full colour of the border.
    ring: Ring = PLAIN.eyes.ring

    def value(self) -> Eyes:
        return Eyes(
            border=Border(shape=self.border.shape, color=self.border.color),
            center=Center(shape=self.center.shape, color=self.center.color),
            ring=self.ring,
        )


class BackgroundBody(Body):
    color: PaintField = WHITE
    #: Fills the picture, beneath the modules.
    image: PictureField | None = None
    #: Of the image.
    opacity: Annotated[float, Field(ge=0, le=1)] = PLAIN.background.opacity

    def value(self) -> Background:
        return Background(color=self.color, image=self.image, opacity=self.opacity)


class LogoBody(Body):
    image: PictureField
    #: Its longer side as a share of the symbol's.
    ratio: Annotated[float, Field(ge=0, le=MAX_LOGO_RATIO)] = 0.2
    #: The shape of what is left free for it.
    clear_zone: ClearZone = "rounded"
    #: How far the clear zone reaches beyond it, in modules.
    padding: Annotated[float, Field(ge=0, le=MAX_PADDING)] = 0.5
    #: Turns a dark backing transparent, by luminance.
    neon_alpha: bool = False

    def value(self) -> Logo:
        return Logo(
            image=self.image,
            ratio=self.ratio,
            clear_zone=self.clear_zone,
            padding=self.padding,
            neon_alpha=self.neon_alpha,
        )


class FrameBody(Body):
    style: FrameStyle = PLAIN.frame.style
    color: ColourText = PLAIN.frame.color
    label: Annotated[str, Field(max_length=MAX_FRAME_LABEL)] | None = None
    #: Black or white, whichever is told better from the frame, if you do not say.
    label_color: ColourText | None = None

    def value(self) -> Frame:
        return Frame(style=self.style, color=self.color, label=self.label, label_color=self.label_color)


class DesignBody(Body):
    """How a code looks: black squares on white, if you do not say."""

    #: Error correction: about 7, 15, 25 or 30 % may be unreadable. Null is M, and with a logo as high as there is room.
    level: Level | None = None
    #: The quiet zone, in modules. Readers may rely on 4.
    margin: Annotated[int, Field(ge=0, le=MAX_MARGIN)] = PLAIN.margin
    modules: ModulesBody = ModulesBody()
    eyes: EyesBody = EyesBody()
    background: BackgroundBody = BackgroundBody()
    logo: LogoBody | None = None
    frame: FrameBody = FrameBody()

    @cached_property
    def value(self) -> Design:
        """Made once of each; most requests have the same one, the default."""
        return Design(
            level=self.level,
            margin=self.margin,
            modules=self.modules.value(),
            eyes=self.eyes.value(),
            background=self.background.value(),
            logo=None if self.logo is None else self.logo.value(),
            frame=self.frame.value(),
        )
