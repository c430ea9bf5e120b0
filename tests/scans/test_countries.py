"""Countries of addresses, as geoip2fast itself finds them."""

import random
from ipaddress import ip_address
from pathlib import Path

import pytest
from geoip2fast import GeoIP2Fast

from server.scans import countries
from server.scans.countries import FILE, Countries


def test_every_address_is_where_geoip2fast_says() -> None:
    """At the edges of networks, beside them, and anywhere."""
    theirs = GeoIP2Fast(geoip2fast_data_file=FILE.name)
    ours = Countries(str)
    dice = random.Random(20)
    spots = [*range(1 << 8), *(dice.getrandbits(32) for _ in range(5_000))]
    spots6 = [*(0x2000 << 112 | dice.getrandbits(125) for _ in range(2_000)), (1 << 128) - 1]
    networks = [ours._first4[at] for at in dice.sample(range(len(ours._first4)), 3_000)]
    networks6 = [
        ours._high6[at] << 64 | ours._low6[at]
        for at in [*dice.sample(range(250_000), 3_000), *(at for at, low in enumerate(ours._low6) if low)]
    ]
    spots += [each + beside for each in networks for beside in (-1, 0, 1, 255, 256)]
    spots6 += [each + beside for each in networks6 for beside in (-1, 0, 1, 1 << 64, 1 << 96)]
    addresses = [ip_address(number % (1 << 32)) for number in spots] + [
        ip_address(max(number, 1 << 40)) for number in spots6
    ]
    for address in map(str, addresses):
        found = theirs.lookup(address)
        code = "--" if found.is_private or found.country_code == "--" else found.country_code
        assert (_letters(ours.of(address)) or "--") == code, address


def _letters(code: str | None) -> str | None:
    """Numbers stand for networks that are nowhere."""
    return code if code and code.isalpha() else None


def test_what_is_no_address_is_refused() -> None:
    ours = Countries(str)
    for text in ("", "unix:", "999.1.1.1", "8.8.8.8:53"):
        with pytest.raises(OSError, match="illegal"):
            ours.of(text)


def test_a_file_of_another_format_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(countries, "VERSION", 121)
    with pytest.raises(ValueError, match="a format that is not known: 120"):
        Countries(str)
