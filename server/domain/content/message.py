"""Contents that begin a message or a call."""

from dataclasses import dataclass
from typing import Annotated, ClassVar
from urllib.parse import quote

from server.domain.content.fields import email_address, line, many, optional, phone_number, takes, words
from server.domain.content.kind import Content
from server.domain.errors import InvalidValue

MAX_RECIPIENTS = 20
MAX_SUBJECT = 200
MAX_MESSAGE = 2000

#: The fewest digits that a country code and a subscriber's number have together, wherever there is a mobile network.
MIN_INTERNATIONAL_DIGITS = 7


@takes(type="string", minLength=MIN_INTERNATIONAL_DIGITS, examples=["+33 6 12 34 56 78"])
def international_number(given: object) -> str:
    """A number with its country code, whose plus may be missing; it is there in the result."""
    digits = phone_number(given).removeprefix("+")
    if digits.startswith("0") or len(digits) < MIN_INTERNATIONAL_DIGITS:
        raise InvalidValue(
            "invalid_phone",
            "WhatsApp knows numbers with their country code, and no zeros before it, as in +33 6 12 34 56 78.",
        )
    return f"+{digits}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Email(Content):
    """A new mail: mailto: with its header fields (RFC 6068)."""

    type: ClassVar = "email"

    to: Annotated[tuple[str, ...], many(email_address, at_least=1, at_most=MAX_RECIPIENTS)]
    cc: Annotated[tuple[str, ...], many(email_address, at_most=MAX_RECIPIENTS)] = ()
    bcc: Annotated[tuple[str, ...], many(email_address, at_most=MAX_RECIPIENTS)] = ()
    subject: Annotated[str | None, optional(line(MAX_SUBJECT))] = None
    body: Annotated[str | None, optional(words(MAX_MESSAGE))] = None

    @property
    def says(self) -> str:
        # RFC 6068, 5: a line break in a body is CR LF. A space is %20, as + stands for itself.
        headers = {
            "cc": _addresses(self.cc),
            "bcc": _addresses(self.bcc),
            "subject": quote(self.subject or "", safe=""),
            "body": quote((self.body or "").replace("\n", "\r\n"), safe=""),
        }
        query = "&".join(f"{name}={value}" for name, value in headers.items() if value)
        return f"mailto:{_addresses(self.to)}" + (f"?{query}" if query else "")


def _addresses(addresses: tuple[str, ...]) -> str:
    return ",".join(quote(address, safe="@") for address in addresses)


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone(Content):
    """A call (RFC 3966)."""

    type: ClassVar = "phone"

    phone: Annotated[str, phone_number]

    @property
    def says(self) -> str:
        return f"tel:{self.phone}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sms(Content):
    """A new text message.

    SMSTO:number:message, and not sms: of RFC 5724: the cameras of iOS and Android and ZXing all fill in its message,
    whereas that of sms: is lost on some, as older iPhones want it behind "&" and older Androids do not look for it.
    All behind the second colon is the message as it stands, so that it needs no escapes and a smaller symbol.
    """

    type: ClassVar = "sms"

    phone: Annotated[str, phone_number]
    message: Annotated[str | None, optional(words(MAX_MESSAGE))] = None

    @property
    def says(self) -> str:
        return f"SMSTO:{self.phone}:{self.message or ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatsApp(Content):
    """A chat, by WhatsApp's own links: https://faq.whatsapp.com/5913398998672934 (read November 2026)."""

    type: ClassVar = "whatsapp"

    phone: Annotated[str, international_number]
    message: Annotated[str | None, optional(words(MAX_MESSAGE))] = None

    @property
    def says(self) -> str:
        message = f"?text={quote(self.message, safe='')}" if self.message else ""
        return f"https://wa.me/{self.phone.removeprefix('+')}{message}"
