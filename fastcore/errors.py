"""What fastcore refuses, and why: a closed set of errors, each with its numbers in fields."""

from __future__ import annotations


class FastcoreError(ValueError):
    """The input cannot be made into what was asked for."""


class DataTooLong(FastcoreError):
    """The data does not fit the symbol asked for, or any symbol at that level."""

    def __init__(
        self,
        *,
        needed_bits: int,
        available_bits: int,
        length: int,
        max_length: int,
        unit: str,
        version: int | str,
        level: str,
    ) -> None:
        #: Bits that the data takes in a symbol of this version.
        self.needed_bits = needed_bits
        #: Bits that a symbol of this version has for data at this level.
        self.available_bits = available_bits
        #: Length of the data, in `unit`s.
        self.length = length
        #: Length of the longest data of this kind that fits, in `unit`s.
        self.max_length = max_length
        #: What the lengths count: "digits", "characters" (alphanumeric ones or kanji) or "bytes".
        self.unit = unit
        #: The version asked for, or the largest.
        self.version = version
        self.level = level
        super().__init__(
            f"the data is {length} {unit} long; version {version} at level {level} holds at most "
            f"{max_length} {unit} ({needed_bits} bits needed, {available_bits} available)"
        )


class IllegalText(FastcoreError):
    """A text has no half of a surrogate pair in it: no character set can say that."""

    def __init__(self, position: int) -> None:
        #: Index of the first character that cannot be written.
        self.position = position
        super().__init__(f"the text holds half of a surrogate pair at position {position}")


class IllegalCombination(FastcoreError):
    """Each value is legal, but there is no such symbol."""


class IllegalCount(FastcoreError):
    """A text is divided among 2 to 16 symbols."""

    def __init__(self, count: object) -> None:
        self.count = count
        super().__init__(f"count must be a whole number from 2 to 16, not {count!r}")


class IllegalVersion(FastcoreError):
    """A version is a whole number from 1 to 40, or one of M1, M2, M3, M4."""

    def __init__(self, version: object) -> None:
        self.version = version
        super().__init__(f"version must be a whole number from 1 to 40, or one of M1, M2, M3, M4, not {version!r}")


class IllegalLevel(FastcoreError):
    """A level is one of L, M, Q, H."""

    def __init__(self, level: object) -> None:
        self.level = level
        super().__init__(f"level must be one of L, M, Q, H, not {level!r}")


class IllegalMask(FastcoreError):
    """A mask is a whole number from 0 to 7."""

    def __init__(self, mask: object) -> None:
        self.mask = mask
        super().__init__(f"mask must be a whole number from 0 to 7, not {mask!r}")


class IllegalSize(FastcoreError):
    """A size in pixels leaves a whole pixel for each module and is no larger than the limit."""

    def __init__(self, size_px: object, *, minimum_px: int, maximum_px: int) -> None:
        self.size_px = size_px
        #: One pixel for each module and each module of margin.
        self.minimum_px = minimum_px
        self.maximum_px = maximum_px
        super().__init__(
            f"size must be a whole number of pixels from {minimum_px} (one for each module and the margin) "
            f"to {maximum_px}, not {size_px!r}"
        )


class IllegalScale(FastcoreError):
    """A scale is a whole number of pixels per module that keeps the image within the limit."""

    def __init__(self, scale: object, *, maximum: int) -> None:
        self.scale = scale
        self.maximum = maximum
        super().__init__(f"scale must be a whole number of pixels from 1 to {maximum}, not {scale!r}")


class IllegalMargin(FastcoreError):
    """A margin is a whole number of modules within the limit."""

    def __init__(self, margin: object, *, maximum: int) -> None:
        self.margin = margin
        self.maximum = maximum
        super().__init__(f"margin must be a whole number of modules from 0 to {maximum}, not {margin!r}")


class IllegalColour(FastcoreError):
    """A colour is written #rgb or #rrggbb."""

    def __init__(self, field: str, colour: object) -> None:
        #: The argument: "dark" or "light".
        self.field = field
        self.colour = colour
        super().__init__(f"{field} must be a colour like #1a2b3c or #abc, not {colour!r}")


class IllegalDrawing(FastcoreError):
    """A drawing has 1 to 20,000 pixels in each direction, and nothing in it that cannot be drawn."""

    def __init__(self, part: str, value: object, wanted: str) -> None:
        #: Which number of it: "width", "scale" ...; of bytes it is their count.
        self.part = part
        self.value = value
        super().__init__(f"{part} must be {wanted}, not {value!r}")
