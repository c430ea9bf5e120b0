"""The boundary: what it refuses, and what a symbol is like as an object."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

import fastcore

if TYPE_CHECKING:
    from collections.abc import Callable

SYMBOL = fastcore.encode("https://example.com/")


@pytest.mark.parametrize("version", [0, 41, -1, 1.0, True, "7", 2**70])
def test_illegal_version(version: object) -> None:
    with pytest.raises(fastcore.IllegalVersion, match="1 to 40") as caught:
        fastcore.encode("x", version=cast("int", version))
    assert caught.value.version == version


@pytest.mark.parametrize("level", ["", "m", "X", None, 1, ["L"]])
def test_illegal_level(level: object) -> None:
    with pytest.raises(fastcore.IllegalLevel, match="L, M, Q, H") as caught:
        fastcore.encode("x", level=cast("str", level))
    assert caught.value.level == level


@pytest.mark.parametrize("mask", [-1, 8, 0.0, False, "0"])
def test_illegal_mask(mask: object) -> None:
    with pytest.raises(fastcore.IllegalMask, match="0 to 7") as caught:
        fastcore.encode("x", mask=cast("int", mask))
    assert caught.value.mask == mask


@pytest.mark.parametrize("data", [None, 5, bytearray(b"x"), ["x"]])
def test_data_of_another_type(data: object) -> None:
    with pytest.raises(TypeError, match="data must be str or bytes"):
        fastcore.encode(cast("str", data))


def test_text_that_cannot_be_written_as_utf8() -> None:
    with pytest.raises(fastcore.FastcoreError, match="surrogate"):
        fastcore.encode("\ud800")


@pytest.mark.parametrize("draw", [fastcore.png, fastcore.svg])
@pytest.mark.parametrize("colour", ["", "black", "#12", "#12345", "#gggggg", "#1 2 3 ", "#١٢٣", 0, b"#000"])
@pytest.mark.parametrize("field", ["dark", "light"])
def test_illegal_colour(draw: Callable[..., bytes], field: str, colour: object) -> None:
    with pytest.raises(fastcore.IllegalColour, match=f"^{field} must be") as caught:
        draw(SYMBOL, **{field: colour})
    assert (caught.value.field, caught.value.colour) == (field, colour)


@pytest.mark.parametrize("draw", [fastcore.png, fastcore.svg])
@pytest.mark.parametrize("margin", [-1, 1001, 1.5, "4", None])
def test_illegal_margin(draw: Callable[..., bytes], margin: object) -> None:
    with pytest.raises(fastcore.IllegalMargin, match="0 to 1000") as caught:
        draw(SYMBOL, margin=margin)
    assert (caught.value.margin, caught.value.maximum) == (margin, 1000)


@pytest.mark.parametrize("size_px", [0, 32, 20_001, 10**12, "512", 512.0, True])
def test_illegal_size(size_px: object) -> None:
    with pytest.raises(fastcore.IllegalSize, match="from 33 ") as caught:
        fastcore.png(SYMBOL, size_px=cast("int", size_px))
    assert (caught.value.size_px, caught.value.minimum_px, caught.value.maximum_px) == (size_px, 33, 20_000)


@pytest.mark.parametrize("scale", [0, -1, 607, "8", 1.0])
def test_illegal_scale(scale: object) -> None:
    with pytest.raises(fastcore.IllegalScale, match="1 to 606") as caught:
        fastcore.png(SYMBOL, scale=cast("int", scale))
    assert (caught.value.scale, caught.value.maximum) == (scale, 606)


def test_size_and_scale_together() -> None:
    with pytest.raises(TypeError, match="size_px and scale"):
        fastcore.png(SYMBOL, size_px=512, scale=8)


@pytest.mark.parametrize("draw", [fastcore.png, fastcore.svg])
def test_only_symbols_are_drawn(draw: Callable[..., bytes]) -> None:
    for other in ("https://example.com/", None):
        with pytest.raises(TypeError):
            draw(other)


def test_every_error_is_a_fastcore_error() -> None:
    values = vars(fastcore).values()
    classes = [value for value in values if isinstance(value, type) and issubclass(value, Exception)]
    assert len(classes) >= 9
    assert all(issubclass(cls, fastcore.FastcoreError) and cls.__doc__ for cls in classes)
    assert issubclass(fastcore.FastcoreError, ValueError)


def test_symbol_is_an_immutable_value() -> None:
    again = fastcore.encode("https://example.com/")
    other = fastcore.encode("https://example.com/", mask=(SYMBOL.mask + 1) % 8)
    assert again == SYMBOL
    assert hash(again) == hash(SYMBOL)
    assert other != SYMBOL
    assert SYMBOL != "https://example.com/"
    assert repr(SYMBOL) == f"<Symbol version 2-M, mask {SYMBOL.mask}, 25 x 25 modules>"
    assert len(SYMBOL.modules) == 25 * 25
    with pytest.raises(AttributeError):
        SYMBOL.version = 3  # type: ignore[misc]
    with pytest.raises(TypeError, match=r"made by fastcore\.encode"):
        fastcore.Symbol()
