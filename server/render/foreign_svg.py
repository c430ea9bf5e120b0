"""SVG from outside: read, refused where it is more than a drawing, and drawn by resvg.

What is drawn is not what was sent but what was read, written out again: so there are no two parsers that could see
different documents in the same bytes, and comments, processing instructions and the DOCTYPE are gone.

Text is refused, as it would look different wherever the fonts are, and none of this machine's are used.
"""

import re
import subprocess
import sys
from pathlib import Path
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from server.domain.errors import InvalidValue

MAX_ELEMENTS = 20_000
MAX_DEPTH = 100

#: More than the processor time that rasterizer.py allows itself, as the machine may have other things to do.
DRAWN_WITHIN_S = 5

ACTIVE = frozenset(["script", "handler", "listener", "foreignobject", "iframe", "object", "embed", "audio", "video"])
TEXTS = frozenset(["text", "flowroot"])

#: What a reference may be: something in the same document, or a raster picture written into it.
OWN = re.compile(r"#|data:image/(?:png|jpe?g|gif|webp)[;,]", re.IGNORECASE)
CSS_REFERENCE = re.compile(r"url\(\s*['\"]?\s*(?P<target>[^'\")]*)", re.IGNORECASE)

RASTERIZER = Path(__file__).with_name("rasterizer.py")


def rasterise(data: bytes, *, within_px: int) -> bytes:
    """A PNG of the SVG in `data`, as large as it can be within a square of `within_px`.

    Raises InvalidValue, without a field. Takes 30 ms and more, nearly all of it outside of this process.
    """
    svg = _Reader().read(data)
    command = [sys.executable, "-I", str(RASTERIZER), str(within_px), str(within_px)]
    too_much = InvalidValue("svg_too_complex", "The SVG cannot be drawn, or only with too much time or memory.")
    try:
        done = subprocess.run(
            command,
            input=svg.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            timeout=DRAWN_WITHIN_S,
        )
    except subprocess.TimeoutExpired as exc:
        raise too_much from exc
    if done.returncode != 0:
        raise too_much
    return done.stdout


class _Reader:
    """Reads one document, and writes out what of it is drawn."""

    def __init__(self) -> None:
        self._written: list[str] = []
        self._open: list[str] = []
        self._elements = 0
        self._style: list[str] = []

    def read(self, data: bytes) -> str:
        """The document again; raises InvalidValue."""
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.ordered_attributes = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.EntityDeclHandler = self._entity
        parser.ProcessingInstructionHandler = self._instruction
        try:
            parser.Parse(data, True)
        except (expat.ExpatError, ValueError, LookupError) as exc:  # the latter two: of encodings nobody knows
            raise InvalidValue("broken_image", f"The picture is not well-formed SVG: {exc}.") from exc
        return "".join(self._written)

    def _start(self, name: str, attributes: list[str]) -> None:
        self._elements += 1
        kind = _local(name)
        if self._elements == 1 and kind != "svg":
            raise InvalidValue("unknown_image", f"The picture is an XML document of <{name[:40]}>, not of <svg>.")
        if self._elements > MAX_ELEMENTS:
            raise InvalidValue("svg_too_complex", f"The SVG has more than {MAX_ELEMENTS:,} elements.")
        if len(self._open) == MAX_DEPTH:
            raise InvalidValue("svg_too_complex", f"The SVG has elements more than {MAX_DEPTH} deep in each other.")
        if kind in ACTIVE:
            raise _unsafe(f"<{name[:40]}>")
        pairs = list(zip(attributes[::2], attributes[1::2], strict=True))
        for attribute, value in pairs:
            self._check(_local(attribute), value)
        self._open.append(kind)
        self._written.append(f"<{name}{''.join(f' {attribute}={quoteattr(value)}' for attribute, value in pairs)}>")

    def _check(self, attribute: str, value: str) -> None:
        if attribute.startswith("on"):
            raise _unsafe(f"the event attribute {attribute[:40]}")
        if attribute in ("href", "src"):
            _check_reference(value)
        _check_css(value, whole=attribute == "style")

    def _end(self, name: str) -> None:
        if self._open.pop() == "style":
            _check_css("".join(self._style), whole=True)
            self._style.clear()
        self._written.append(f"</{name}>")

    def _text(self, text: str) -> None:
        if self._open[-1] == "style":
            self._style.append(text)
        if not TEXTS.isdisjoint(self._open) and text.strip():
            raise InvalidValue(
                "svg_text", "The SVG has text in it, which looks different with every font; convert it to paths."
            )
        self._written.append(escape(text))

    def _entity(self, name: str, *_: object) -> None:
        raise _unsafe(f"the entity {name[:40]}")

    def _instruction(self, target: str, _: str) -> None:
        if target == "xml-stylesheet":
            raise _unsafe("a style sheet from elsewhere")


def _local(name: str) -> str:
    """The name without its prefix: whatever its namespace says, it is refused by its name."""
    return name.rpartition(":")[2].lower()


def _check_css(text: str, *, whole: bool) -> None:
    """Refuses references to elsewhere; in a style sheet also the escapes that could hide one."""
    for found in CSS_REFERENCE.finditer(text):
        _check_reference(found["target"])
    if whole and "@import" in text.lower():
        raise _unsafe("@import")
    if whole and "\\" in text:
        raise _unsafe("an escape in its style")


def _check_reference(target: str) -> None:
    if not OWN.match(target.strip()):
        raise InvalidValue(
            "svg_external",
            f"The SVG refers to {target.strip()[:80]!r}; it may refer to its own parts (#name) and hold raster "
            "pictures (data:image/png, jpeg, gif or webp).",
        )


def _unsafe(what: str) -> InvalidValue:
    return InvalidValue("svg_unsafe", f"The SVG has {what} in it, which a drawing may not have.")
