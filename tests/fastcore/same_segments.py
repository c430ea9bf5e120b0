"""A symbol drawn once more by qrcodegen: the same data in the same segments."""

from __future__ import annotations

from typing import NamedTuple

from qrcodegen import QrCode, QrSegment

from fastcore import Symbol

ECC = {"L": QrCode.Ecc.LOW, "M": QrCode.Ecc.MEDIUM, "Q": QrCode.Ecc.QUARTILE, "H": QrCode.Ecc.HIGH}
STRUCTURED_APPEND = QrSegment.Mode(0x3, (0, 0, 0))


class Segment(NamedTuple):
    """A piece of the data and how a symbol says it; an ECI header has no data."""

    mode: str
    number: int  # its count, or the character set of an ECI header
    data: bytes  # Shift JIS for kanji

    def drawn(self) -> QrSegment:
        """The segment as qrcodegen makes it; kanji it does not make, so that is done by 7.4.6."""
        if self.mode == "eci":
            return QrSegment.make_eci(self.number)
        if self.mode == "numeric":
            return QrSegment.make_numeric(self.data.decode())
        if self.mode == "alphanumeric":
            return QrSegment.make_alphanumeric(self.data.decode())
        if self.mode == "byte":
            return QrSegment.make_bytes(self.data)
        codes = [int.from_bytes(self.data[i : i + 2], "big") for i in range(0, len(self.data), 2)]
        offsets = [code - (0x8140 if code < 0xA000 else 0xC140) for code in codes]
        bits = "".join(f"{(offset >> 8) * 0xC0 + (offset & 0xFF):013b}" for offset in offsets)
        return QrSegment(QrSegment.Mode.KANJI, self.number, [int(bit) for bit in bits])


def segments(data: str | bytes, symbol: Symbol) -> tuple[list[Segment], str | bytes]:
    """The segments that a symbol says it is made of, and the data that is left after them."""
    made = []
    for mode, count in symbol.segments:
        if mode == "eci":
            made.append(Segment(mode, count, b""))
        elif isinstance(data, bytes):
            made.append(Segment(mode, count, data[:count]))
            data = data[count:]
        else:
            # Only byte mode counts bytes, of UTF-8.
            length = len(data.encode()[:count].decode()) if mode == "byte" else count
            made.append(Segment(mode, count, data[:length].encode("shift_jis" if mode == "kanji" else "utf-8")))
            data = data[length:]
    return made, data


def append_header(position: int, total: int, parity: int) -> QrSegment:
    """What a symbol that holds a text together with others begins with (8)."""
    return QrSegment(STRUCTURED_APPEND, 0, [int(bit) for bit in f"{position:04b}{total - 1:04b}{parity:08b}"])


def drawn(parts: list[QrSegment], symbol: Symbol, mask: int = -1) -> QrCode:
    """qrcodegen's symbol of the same version and level, with its own choice of mask if none is given."""
    return QrCode.encode_segments(parts, ECC[symbol.level], symbol.version, symbol.version, mask, False)


def modules(code: QrCode) -> bytes:
    size = code.get_size()
    return bytes(code.get_module(x, y) for y in range(size) for x in range(size))
