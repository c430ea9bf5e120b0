"""Wi-Fi access."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar

from server.domain.content.fields import flag, one_of, optional, string, takes
from server.domain.content.kind import Content
from server.domain.content.lines import escaped
from server.domain.errors import InvalidValue
from server.domain.label import one_line

MAX_SSID_BYTES = 32  # IEEE 802.11-2020, 9.4.2.2
MAX_PASSWORD = 64

HEX = re.compile(r"[0-9A-Fa-f]+")
PRINTABLE = re.compile(r"[\x20-\x7e]+")

# Lengths of keys of 40, 104 and 128 bits, as characters and as hexadecimal digits.
WEP_CHARACTERS = (5, 13, 16)
WEP_DIGITS = (10, 26, 32)


@takes(type="string", minLength=1, maxLength=MAX_SSID_BYTES)
def network_name(given: object) -> str:
    # Neither this nor a password is stripped: a space at its end is a part of it.
    name = one_line(string(given), MAX_SSID_BYTES)
    if (size := len(name.encode())) > MAX_SSID_BYTES:
        raise InvalidValue("too_long", f"A network's name has at most {MAX_SSID_BYTES} bytes; this one has {size}.")
    return name


@takes(type="string", minLength=1, maxLength=MAX_PASSWORD)
def network_password(given: object) -> str:
    return one_line(string(given), MAX_PASSWORD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wifi(Content):
    """The way into a network: WIFI:, as ZXing defined it and iOS and Android read it
    (https://github.com/zxing/zxing/wiki/Barcode-Contents#wi-fi-network-config-android-ios-11)."""

    type: ClassVar = "wifi"

    ssid: Annotated[str, network_name]
    password: Annotated[str | None, optional(network_password)] = None
    #: WPA is also WPA2 and WPA3, of which phones and networks agree by themselves.
    auth: Annotated[str, one_of("WPA", "WEP", "nopass")] = "WPA"
    hidden: Annotated[bool, flag] = False

    def between(self) -> Iterator[InvalidValue]:
        password = self.password
        if self.auth == "nopass":
            if password is not None:
                yield InvalidValue("not_allowed", "A network of nopass has no password.", field="password")
        elif password is None:
            yield InvalidValue("required", f"A network of {self.auth} has a password.", field="password")
        elif self.auth == "WPA" and not _opens_wpa(password):
            yield InvalidValue(
                "invalid_password",
                "A WPA password has 8 to 63 printable ASCII characters, or is a key of 64 hexadecimal digits; "
                f"this one has {len(password)} characters.",
                field="password",
            )
        elif self.auth == "WEP" and not _opens_wep(password):
            yield InvalidValue(
                "invalid_password",
                "A WEP key has 5, 13 or 16 printable ASCII characters, or 10, 26 or 32 hexadecimal digits; "
                f"this one has {len(password)} characters.",
                field="password",
            )

    @property
    def says(self) -> str:
        # A name of hexadecimal digits would be read as the bytes they spell, were it not for the quotes. A password
        # cannot be mistaken: only the lengths of keys are read so, and a password of such a length is a key.
        ssid = f'"{self.ssid}"' if HEX.fullmatch(self.ssid) else _value(self.ssid)
        password = "" if self.password is None else f"P:{_value(self.password)};"
        hidden = "H:true;" if self.hidden else ""
        return f"WIFI:T:{self.auth};S:{ssid};{password}{hidden};"


def _value(text: str) -> str:
    return escaped(text, '\\;,:"')


def _opens_wpa(password: str) -> bool:
    """IEEE 802.11-2020, J.4: a passphrase, or the 256 bits themselves."""
    if len(password) == 64:
        return HEX.fullmatch(password) is not None
    return 8 <= len(password) <= 63 and PRINTABLE.fullmatch(password) is not None


def _opens_wep(password: str) -> bool:
    if len(password) in WEP_DIGITS and HEX.fullmatch(password):
        return True
    return len(password) in WEP_CHARACTERS and PRINTABLE.fullmatch(password) is not None
