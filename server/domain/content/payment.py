"""Payments."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, ClassVar

from server.domain.content.fields import line, one_of, optional, string, takes
from server.domain.content.kind import Content
from server.domain.errors import InvalidValue

# Country -> how long its account numbers are (SWIFT, IBAN Registry, release 99).
IBAN_LENGTHS = {
    "AD": 24,
    "AE": 23,
    "AL": 28,
    "AT": 20,
    "AZ": 28,
    "BA": 20,
    "BE": 16,
    "BG": 22,
    "BH": 22,
    "BI": 27,
    "BR": 29,
    "BY": 28,
    "CH": 21,
    "CR": 22,
    "CY": 28,
    "CZ": 24,
    "DE": 22,
    "DJ": 27,
    "DK": 18,
    "DO": 28,
    "EE": 20,
    "EG": 29,
    "ES": 24,
    "FI": 18,
    "FK": 18,
    "FO": 18,
    "FR": 27,
    "GB": 22,
    "GE": 22,
    "GI": 23,
    "GL": 18,
    "GR": 27,
    "GT": 28,
    "HN": 28,
    "HR": 21,
    "HU": 28,
    "IE": 22,
    "IL": 23,
    "IQ": 23,
    "IS": 26,
    "IT": 27,
    "JO": 30,
    "KW": 30,
    "KZ": 20,
    "LB": 28,
    "LC": 32,
    "LI": 21,
    "LT": 20,
    "LU": 20,
    "LV": 21,
    "LY": 25,
    "MC": 27,
    "MD": 24,
    "ME": 22,
    "MK": 19,
    "MN": 20,
    "MR": 27,
    "MT": 31,
    "MU": 30,
    "NI": 28,
    "NL": 18,
    "NO": 15,
    "OM": 23,
    "PK": 24,
    "PL": 28,
    "PS": 29,
    "PT": 25,
    "QA": 29,
    "RO": 24,
    "RS": 22,
    "RU": 33,
    "SA": 24,
    "SC": 31,
    "SD": 18,
    "SE": 24,
    "SI": 19,
    "SK": 24,
    "SM": 27,
    "SO": 23,
    "ST": 25,
    "SV": 28,
    "TL": 23,
    "TN": 24,
    "TR": 26,
    "UA": 29,
    "VA": 22,
    "VG": 24,
    "XK": 20,
    "YE": 30,
}

MAX_AMOUNT = Decimal("999999999.99")
CENT = Decimal("0.01")

# What version 13 holds at level M (ISO/IEC 18004:2015, table 7), the largest symbol that EPC069-12 allows. Two bytes
# less where the text is not of ASCII, as the symbol then says that it is UTF-8.
MAX_BYTES = 331
UTF8_HEADER_BYTES = 2


@takes(type="string", minLength=15, examples=["BE71 0961 2345 6769"])
def account_number(given: object) -> str:
    """An account number with its check digits right (ISO 13616, ISO 7064 mod 97-10); spaces go."""
    number = re.sub(r"[\s-]", "", string(given)).upper()
    if not re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", number):
        raise InvalidValue(
            "invalid_iban",
            "An IBAN has two letters, two digits, and 11 to 30 letters and digits, as in BE71 0961 2345 6769.",
        )
    length = IBAN_LENGTHS.get(number[:2])
    if length is None:
        raise InvalidValue("invalid_iban", f"No country whose IBANs begin with {number[:2]} is known.")
    if len(number) != length:
        raise InvalidValue(
            "invalid_iban", f"An IBAN of {number[:2]} has {length} characters; this one has {len(number)}."
        )
    if not _checks_out(number):
        raise InvalidValue("invalid_iban", "The check digits of the IBAN do not match: it was mistyped.")
    return number


@takes(type="string", minLength=1, maxLength=35, examples=["RF18 5390 0754 7034"])
def creditor_reference(given: object) -> str:
    """A reference of at most 35 characters; one of ISO 11649, which begins with RF, has its check digits right."""
    reference = line(35)(given)
    if re.match(r"RF[0-9]{2}", reference, re.IGNORECASE):
        reference = re.sub(r"\s", "", reference).upper()
        if not re.fullmatch(r"RF[0-9]{2}[A-Z0-9]{1,21}", reference) or not _checks_out(reference):
            raise InvalidValue(
                "invalid_reference", "The check digits of the RF reference do not match (ISO 11649): it was mistyped."
            )
    return reference


def _checks_out(number: str) -> bool:
    """ISO 7064, mod 97-10, with the first four characters moved to the end and A to Z as 10 to 35."""
    return int("".join(str(int(character, 36)) for character in number[4:] + number[:4])) % 97 == 1


@takes(type="string", minLength=8, examples=["BPOTBEB1"])
def bank_code(given: object) -> str:
    code = string(given).strip().upper()
    if not re.fullmatch(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?", code):  # ISO 9362:2022
        raise InvalidValue("invalid_bic", "A BIC has 8 or 11 letters and digits, as in BPOTBEB1.")
    return code


@takes(type="string", minLength=1, examples=["CHAR"])
def purpose_code(given: object) -> str:
    code = string(given).strip().upper()
    if not re.fullmatch(r"[A-Z0-9]{1,4}", code):
        raise InvalidValue("invalid_purpose", "A purpose is a code of 1 to 4 letters and digits, as in CHAR.")
    return code


@takes(
    anyOf=[
        {"type": "string", "pattern": r"^[0-9]{1,12}(?:\.[0-9]{1,2})?$", "examples": ["12.50"]},
        {"type": "number", "minimum": float(CENT), "maximum": float(MAX_AMOUNT)},
    ]
)
def euros(given: object) -> str:
    """Euros and cents, given as a number or as text: "12.50"."""
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        raise InvalidValue("wrong_type", "This must be a number, or a string such as 12.50.")
    if isinstance(given, str) and not re.fullmatch(r"[0-9]{1,12}(?:\.[0-9]{1,2})?", given):
        raise InvalidValue("invalid_amount", "An amount is written as 12.50, without currency and thousands signs.")
    # A number by its shortest text, which is what was written: 0.1 and not the binary fraction next to it.
    value = Decimal(str(given)) if isinstance(given, str) or 0 < given < 1e10 else Decimal()
    if not CENT <= value <= MAX_AMOUNT:
        raise InvalidValue("out_of_range", f"An amount is from {CENT} to {MAX_AMOUNT}.")
    if value != value.quantize(CENT):
        raise InvalidValue("invalid_amount", "An amount has at most two digits behind its point.")
    return f"{value:.2f}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment(Content):
    """A SEPA credit transfer: EPC069-12, version 002 ("Quick Response Code: Guidelines to Enable Data Capture for the
    Initiation of a SEPA Credit Transfer"), known as GiroCode and "Zahlen mit Code"."""

    type: ClassVar = "payment"
    level: ClassVar = "M"  # EPC069-12, 2

    name: Annotated[str, line(70)]
    iban: Annotated[str, account_number]
    #: "12.50"; None leaves it to the payer, as for a donation.
    amount: Annotated[str | None, optional(euros)] = None
    currency: Annotated[str, one_of("EUR")] = "EUR"
    #: Only needed for banks outside the European Economic Area.
    bic: Annotated[str | None, optional(bank_code)] = None
    purpose: Annotated[str | None, optional(purpose_code)] = None
    reference: Annotated[str | None, optional(creditor_reference)] = None
    text: Annotated[str | None, optional(line(140))] = None

    def between(self) -> Iterator[InvalidValue]:
        if self.reference is not None and self.text is not None:
            yield InvalidValue("not_allowed", "A payment has a reference or a text, and not both.", field="text")
        said = self.says
        most = MAX_BYTES - (0 if said.isascii() else UTF8_HEADER_BYTES)
        if (size := len(said.encode())) > most:
            yield InvalidValue(
                "too_long", f"A payment has at most {most} bytes of UTF-8 in all (EPC069-12); this one takes {size}."
            )

    @property
    def says(self) -> str:
        elements = [
            "BCD",
            "002",
            "1",  # UTF-8
            "SCT",
            self.bic or "",
            self.name,
            self.iban,
            f"{self.currency}{self.amount}" if self.amount else "",
            self.purpose or "",
            self.reference or "",
            self.text or "",
        ]
        # Nothing follows the last element that has something in it.
        return "\n".join(elements).rstrip("\n")
