"""The lines that vCards and iCalendars are made of, and the fields of WIFI: and MECARD:."""

import re

MAX_OCTETS = 75


def content_lines(*lines: str) -> str:
    """Lines with their line breaks, folded where they are longer than 75 octets (RFC 2426, 2.6; RFC 5545, 3.1)."""
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def text_value(text: str) -> str:
    """A text as the value of a line or of one part of it (RFC 2426, 4; RFC 5545, 3.3.11)."""
    return re.sub(r"([\\;,])", r"\\\1", text).replace("\n", "\\n")


def _folded(line: str) -> str:
    """The line in pieces of at most 75 octets, of which all but the first begin with a space. No character is cut."""
    pieces, piece, size = [], "", 0
    for character in line:
        octets = len(character.encode())
        if size + octets > MAX_OCTETS:
            pieces.append(piece)
            piece, size = " ", 1
        piece += character
        size += octets
    return "\r\n".join([*pieces, piece])


def escaped(text: str, special: str) -> str:
    """The text with a backslash before every special character."""
    return "".join(f"\\{character}" if character in special else character for character in text)
