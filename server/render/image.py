"""Draws codes: `Artist`."""

import hashlib
import threading
from collections import OrderedDict
from dataclasses import replace
from functools import lru_cache
from importlib.metadata import version
from io import BytesIO
from typing import NamedTuple

import orjson
from PIL import Image as Pil

import fastcore
from server.domain.colour import WHITE, Colour
from server.domain.design import LEVELS, PLAIN, Design, Level, Modules, plain
from server.domain.design import Picture as Given
from server.domain.errors import InvalidValue
from server.domain.model import Image
from server.domain.order import MEDIA_TYPES, Order
from server.domain.scannability import FULL_MODULE_PX, Scannability
from server.render.budget import PixelBudget
from server.render.compose import compose, lay_out
from server.render.pictures import Picture, count_pixels, decode
from server.render.proof import prove

#: Raised when shapes change, as that may be more often than versions do.
DRAWING = 2

#: Part of every ETag, as another engine may draw other bytes.
ENGINE = f"{version('qredge')}.{DRAWING}"

#: Plain images up to this width are drawn sooner than Redis answers: 42 us at 2,048 px and 120 us at 4,096 px, for a
#: short URL, against 60 us for a value next door.
QUICK_PX = 2048

#: WebP is compressed as a whole, so that a picture of 9,000 px would take 650 MB.
MAX_WEBP_PX = 4096

#: What pictures in designs are kept at: more pixels are of no use, and cost time at each drawing.
MAX_PICTURE_PX = 2048

#: How much memory decoded pictures may take that wait for the next drawing of their design.
MAX_DECODED_BYTES = 64 << 20

#: How many designs are known by what follows from them, each about 1 KB; and symbols, of at most 32 KB each.
MAX_DESIGNS = 1024
MAX_SYMBOLS = 32

#: What drawing a pixel takes of the budget, whose pixels are those of a PNG, 2 bytes each at the worst: a WebP has all
#: of its own and of its encoder's in memory, and a picture that is read is there three times while it is made smaller.
WEBP_PIXEL = 4
READ_PIXEL = 6


class Painter:
    """`Artist`, by fastcore."""

    def __init__(self, *, max_pixels: int) -> None:
        #: For all that is drawn in this process.
        self.budget = PixelBudget(max_pixels)
        self._decoded = _Decoded(MAX_DECODED_BYTES)

    def close(self) -> None:
        self.budget.close()

    def etag(self, order: Order) -> str:
        """Two orders that draw the same have the same: defaults are written out, pictures are known by their bytes."""
        look = (_look if order.design.pictures else _known_look)(order.design)
        key = orjson.dumps([ENGINE, order.text, look.sha256, order.format, order.size_px, order.dpi])
        return hashlib.sha256(key).hexdigest()[:32]

    def is_quick(self, order: Order) -> bool:
        return order.size_px <= QUICK_PX and _colours(order) is not None

    def check(self, order: Order) -> None:
        _refuse_large_webp(order)
        symbol, design = _symbol(order), order.design
        if _colours(order) and (order.format == "svg" or order.size_px >= symbol.size + 2 * design.margin):
            return  # squares have a pixel at least, and nothing else is drawn
        lay_out(symbol, design, order.size_px)

    def draw_at_once(self, order: Order, etag: str) -> Image:
        colours = _known_look(order.design).plain
        assert colours is not None, "it is quick"
        return Image(_plain_file(order, colours), MEDIA_TYPES[order.format], etag)

    async def draw(self, order: Order, etag: str, verdict: Scannability | None = None) -> Image:
        return await self.budget.run(_pixels(order), lambda: self._draw(order, etag, verdict))

    async def examine(self, order: Order) -> Scannability:
        return await self.budget.run(0, lambda: self._prove(order))

    async def admit(self, data: bytes) -> Given:
        pixels = await self.budget.run(0, lambda: count_pixels(data))
        return await self.budget.run(READ_PIXEL * pixels, lambda: self._admitted(data))

    # --- in a thread ---

    def _draw(self, order: Order, etag: str, verdict: Scannability | None) -> Image:
        _refuse_large_webp(order)
        verdict = verdict or self._prove(order)
        colours = _colours(order)
        body = _plain_file(order, colours) if colours else self._styled_file(order)
        return Image(body, MEDIA_TYPES[order.format], etag, verdict.scannable, verdict.reason)

    def _prove(self, order: Order) -> Scannability:
        logo, photo = self._pictures(order.design)
        return prove(order.text, _symbol(order), order.design, order.size_px, logo=logo, photo=photo)

    def _styled_file(self, order: Order) -> bytes:
        logo, photo = self._pictures(order.design)
        drawing = compose(_symbol(order), order.design, order.size_px, logo=logo, photo=photo)
        if order.format == "svg":
            return fastcore.draw_svg(drawing)
        if order.format == "pdf":
            return fastcore.draw_pdf(drawing, dpi=order.dpi or 72)
        if order.format == "eps":
            return fastcore.draw_eps(drawing, dpi=order.dpi or 72)
        if order.format == "webp":
            size = (order.size_px, order.size_px)
            out = BytesIO()
            Pil.frombuffer("RGBA", size, fastcore.paint_rgba(drawing), "raw", "RGBA", 0, 1).save(
                out, "WEBP", lossless=True, quality=50, method=2
            )
            return out.getvalue()
        return fastcore.paint_png(drawing, dpi=order.dpi)

    def _pictures(self, design: Design) -> tuple[Picture | None, Picture | None]:
        logo = design.logo.image if design.logo and design.logo.ratio else None
        return self._picture(logo), self._picture(design.background.image)

    def _picture(self, given: Given | None) -> Picture | None:
        if given is None:
            return None
        assert given.data is not None, "the studio has completed the design"
        assert given.sha256 is not None, "it has"
        found = self._decoded.get(given.sha256)
        if found is None:
            found = decode(given.data)
            self._decoded.put(given.sha256, found)
        return found

    def _admitted(self, data: bytes) -> Given:
        """Known by the bytes that were given, and kept no larger than they are of use."""
        picture = decode(data)
        if max(picture.width, picture.height) > MAX_PICTURE_PX:
            picture = picture.fitted(MAX_PICTURE_PX, MAX_PICTURE_PX)
            out = BytesIO()
            picture.image.save(out, "WEBP", lossless=True, quality=0, method=0)
            data = out.getvalue()
        self._decoded.put(picture.sha256, picture)
        return Given(sha256=picture.sha256, data=data)


class _Decoded:
    """SHA-256 -> decoded; past `max_bytes`, those go that were not used the longest. Threads share it."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        #: Those used last, last.
        self._pictures: OrderedDict[str, Picture] = OrderedDict()
        self._bytes = 0

    def get(self, sha256: str) -> Picture | None:
        with self._lock:
            found = self._pictures.get(sha256)
            if found is not None:
                self._pictures.move_to_end(sha256)
            return found

    def put(self, sha256: str, picture: Picture) -> None:
        with self._lock:
            if sha256 in self._pictures:
                return  # another thread was as fast
            self._pictures[sha256] = picture
            self._bytes += len(picture.rgba)
            while self._bytes > self._max_bytes:
                _, oldest = self._pictures.popitem(last=False)
                self._bytes -= len(oldest.rgba)


class _Look(NamedTuple):
    """What follows from a design alone."""

    #: Of it as JSON in which every field has its place, without the addresses of pictures.
    sha256: str
    #: Of squares of one colour on another or on nothing, the two; None of any other.
    plain: tuple[str, str | None] | None


def _look(design: Design) -> _Look:
    form = plain(design)
    for path in design.pictures:
        owner, field = path.split("/")
        del form[owner][field]["url"]
    sha256 = hashlib.sha256(orjson.dumps(form, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return _Look(sha256, _plain_colours(design))


#: Many pictures have one design. Without pictures of its own, whose bytes would be kept with it.
_known_look = lru_cache(MAX_DESIGNS)(_look)


def _plain_colours(design: Design) -> tuple[str, str | None] | None:
    ink, ground = design.modules.color, design.background.color
    if (
        replace(design, level=None, margin=PLAIN.margin, modules=Modules(), background=PLAIN.background) == PLAIN
        and design.modules.shape == "square"
        and design.background.image is None
        and isinstance(ink, Colour)
        and ink.alpha == 255
        and isinstance(ground, Colour)
        and ground.alpha in (0, 255)
        and (ground if ground.alpha else WHITE).luminance > 0.5 > 0.1 > ink.luminance
    ):
        return str(ink), str(ground) if ground.alpha else None
    return None


def _colours(order: Order) -> tuple[str, str | None] | None:
    """Where it is squares of one colour on another or on nothing, and nothing is said of its size on paper: the two
    colours."""
    if order.format not in ("png", "svg") or order.dpi is not None or order.design.pictures:
        return None
    return _known_look(order.design).plain


def _plain_file(order: Order, colours: tuple[str, str | None]) -> bytes:
    symbol, design = _symbol(order), order.design
    dark, light = colours
    draw = fastcore.svg if order.format == "svg" else fastcore.png
    try:
        return draw(symbol, size_px=order.size_px, margin=design.margin, dark=dark, light=light)
    except fastcore.IllegalSize:
        lay_out(symbol, design, order.size_px)  # says so in our words
        raise


def _symbol(order: Order) -> fastcore.Symbol:
    """Raises InvalidValue ("text") for a text that no symbol of the level holds."""
    design = order.design
    if design.level is None and design.logo is not None and design.logo.ratio:
        # The highest that leaves modules wide enough for every reader.
        for level in reversed(LEVELS[1:]):
            try:
                symbol = _encoded(order.text, level)
                if lay_out(symbol, design, order.size_px).scale >= FULL_MODULE_PX:
                    return symbol
            except (fastcore.DataTooLong, InvalidValue):
                continue
    try:
        return _encoded(order.text, design.level or "M")
    except fastcore.DataTooLong as exc:
        raise InvalidValue(
            "too_long",
            f"The text is {exc.length} {exc.unit} long; a code of level {exc.level} holds at most "
            f"{exc.max_length} {exc.unit}.",
            field="text",
        ) from exc


@lru_cache(MAX_SYMBOLS)
def _encoded(text: str, level: Level) -> fastcore.Symbol:
    """For each picture it is asked for several times: to check, to prove, to draw."""
    return fastcore.encode(text, level=level)


def _pixels(order: Order) -> int:
    return order.size_px**2 * {"png": 1, "webp": WEBP_PIXEL}.get(order.format, 0)


def _refuse_large_webp(order: Order) -> None:
    if order.format == "webp" and order.size_px > MAX_WEBP_PX:
        raise InvalidValue("out_of_range", f"A WebP is at most {MAX_WEBP_PX} pixels wide.", field="size")
