"""Contacts, as vCard and as MECARD."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar

from server.domain.content.fields import any_url, email_address, line, many, optional, phone_number, words
from server.domain.content.kind import Content
from server.domain.content.lines import content_lines, escaped, text_value
from server.domain.errors import InvalidValue

MAX_NAME = 100
MAX_ADDRESS = 300
MAX_NOTE = 1000
MAX_NUMBERS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class VCard(Content):
    """A contact with all that belongs on a business card: vCard 3.0 (RFC 2426), which iOS and Android both read."""

    type: ClassVar = "vcard"

    name: Annotated[str | None, optional(line(MAX_NAME))] = None
    first_name: Annotated[str | None, optional(line(MAX_NAME))] = None
    last_name: Annotated[str | None, optional(line(MAX_NAME))] = None
    org: Annotated[str | None, optional(line(MAX_NAME))] = None
    title: Annotated[str | None, optional(line(MAX_NAME))] = None
    phones: Annotated[tuple[str, ...], many(phone_number, at_most=MAX_NUMBERS)] = ()
    emails: Annotated[tuple[str, ...], many(email_address, at_most=MAX_NUMBERS)] = ()
    url: Annotated[str | None, optional(any_url)] = None
    address: Annotated[str | None, optional(words(MAX_ADDRESS))] = None
    note: Annotated[str | None, optional(words(MAX_NOTE))] = None

    def between(self) -> Iterator[InvalidValue]:
        if not (self.name or self.first_name or self.last_name):
            yield InvalidValue("required", "A contact has a name, a first_name or a last_name.", field="name")

    @property
    def says(self) -> str:
        first, last = self.first_name or "", self.last_name or ""
        # N cannot be left out (RFC 2426, 3.1.2). A name that nobody has divided stays whole: guessing which word is
        # the family's goes wrong in half of the world, and in this place phones show it as it is.
        family, given = (last, first) if first or last else ("", self.name or "")
        shown = self.name or f"{first} {last}".strip()
        lines = [
            "BEGIN:VCARD",
            "VERSION:3.0",
            f"N:{text_value(family)};{text_value(given)};;;",
            f"FN:{text_value(shown)}",
        ]
        if self.org:
            lines.append(f"ORG:{text_value(self.org)}")
        if self.title:
            lines.append(f"TITLE:{text_value(self.title)}")
        lines += [f"TEL;TYPE=VOICE:{phone}" for phone in self.phones]
        lines += [f"EMAIL;TYPE=INTERNET:{email}" for email in self.emails]
        if self.address:
            # All of it in the place of the street: post box and extended address come before, the town and so on after.
            lines.append(f"ADR:;;{text_value(self.address)};;;;")
        if self.url:
            lines.append(f"URL:{self.url}")  # a URI and no text, so nothing in it is escaped (RFC 2426, 3.6.8)
        if self.note:
            lines.append(f"NOTE:{text_value(self.note)}")
        return content_lines(*lines, "END:VCARD")


@dataclass(frozen=True, slots=True, kw_only=True)
class MeCard(Content):
    """A contact in half the characters: MECARD, as NTT docomo defined it ("Functions of QR code", phonebook)."""

    type: ClassVar = "mecard"

    name: Annotated[str, line(MAX_NAME)]
    #: How the name is said, as in kana.
    reading: Annotated[str | None, optional(line(MAX_NAME))] = None
    phones: Annotated[tuple[str, ...], many(phone_number, at_most=MAX_NUMBERS)] = ()
    emails: Annotated[tuple[str, ...], many(email_address, at_most=MAX_NUMBERS)] = ()
    url: Annotated[str | None, optional(any_url)] = None
    # The format knows no line breaks.
    address: Annotated[str | None, optional(line(MAX_ADDRESS))] = None
    note: Annotated[str | None, optional(line(MAX_NOTE))] = None

    @property
    def says(self) -> str:
        fields = [
            ("N", self.name),
            ("SOUND", self.reading),
            *[("TEL", phone) for phone in self.phones],
            *[("EMAIL", email) for email in self.emails],
            ("URL", self.url),
            ("ADR", self.address),
            ("NOTE", self.note),
        ]
        return f"MECARD:{''.join(f'{name}:{_value(value)};' for name, value in fields if value)};"


def _value(text: str) -> str:
    return escaped(text, "\\;:,")
