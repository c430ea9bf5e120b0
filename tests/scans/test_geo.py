"""Countries of addresses, by a file of the operator's or by what is installed."""

from pathlib import Path
from typing import Any

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from server.scans import geo

PLACES: dict[str, dict[str, Any]] = {
    "203.0.113.0/24": {"country": {"iso_code": "CH"}},  # as MaxMind and DB-IP have it
    "198.51.100.0/25": {"country": "FR"},  # as IPinfo's samples have it
    "198.51.100.128/25": {"country_code": "IT"},  # as IPinfo Lite has it, beside the name
    "2001:db8::/32": {"country": {"iso_code": "DE"}},
    "192.0.2.0/25": {"continent": {"code": "EU"}},
    "192.0.2.128/26": {
        "country": {"iso_code": "CH"},
        "subdivisions": [{"iso_code": "GE", "names": {"de": "Genf", "en": "Geneva"}}],
        "city": {"names": {"de": "Genf", "en": "Geneva"}},
        "traits": {"connection_type": "Cable/DSL", "user_type": "cellular"},
    },
    # As IPinfo has regions, cities and networks.
    "192.0.2.192/26": {"country_code": "IT", "region": "Lazio", "city": "Rome\0" + "x" * 200, "asn": {"type": "isp"}},
    "2001:db9::/32": {"country": {"iso_code": "XX"}, "city": {"names": "?"}, "subdivisions": [], "traits": []},
    "2001:dba::/32": {"connection_type": "Satellite", "subdivisions": [{"iso_code": "ZH"}]},
    "2001:dbb::/32": {"is_hosting": True, "is_mobile": False, "as_type": "business", "subdivisions": ["Utah"]},
    "2001:dbc::/32": {"traits": {"user_type": "traveler", "connection_type": 7}, "region": 5},
}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type="Test-Country")
    for network, place in PLACES.items():
        writer.insert_network(IPSet([network]), place)
    path = tmp_path_factory.mktemp("geo") / "countries.mmdb"
    writer.to_db_file(str(path))
    return path


@pytest.mark.parametrize(
    ("address", "country"),
    [
        ("203.0.113.9", "CH"),
        ("198.51.100.1", "FR"),
        ("198.51.100.200", "IT"),
        ("2001:db8::1", "DE"),
        ("192.0.2.1", None),
        ("8.8.8.8", None),
        ("", None),
        ("unix:", None),
    ],
)
def test_countries_of_a_file(database: Path, address: str, country: str | None) -> None:
    assert geo.countries(database)(address) == country


@pytest.mark.parametrize(("address", "country"), [("8.8.8.8", "US"), ("81.63.1.2", "CH"), ("2a00:1450::1", "IE")])
def test_countries_that_are_installed(address: str, country: str) -> None:
    assert geo.countries(None)(address) == country


@pytest.mark.parametrize("address", ["", "10.0.0.1", "::1", "unix:"])
def test_what_is_nowhere_has_no_country(address: str) -> None:
    assert geo.countries(None)(address) is None


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("203.0.113.9", geo.Place("CH")),
        ("192.0.2.129", geo.Place("CH", "Geneva", "Geneva", "mobile")),
        ("192.0.2.200", geo.Place("IT", "Lazio", ("Rome" + "x" * 200)[: geo.MAX_NAME], "fixed")),
        ("2001:db9::1", geo.NOWHERE),
        ("2001:dba::1", geo.Place(region="ZH", network="satellite")),
        ("2001:dbb::1", geo.Place(region="Utah", network="hosting")),
        ("2001:dbc::1", geo.NOWHERE),
        ("8.8.8.8", geo.NOWHERE),
        ("nonsense", geo.NOWHERE),
    ],
)
def test_places_of_a_file(database: Path, address: str, place: geo.Place) -> None:
    assert geo.places(database)(address) == place


@pytest.mark.parametrize(
    ("country", "region", "city", "place"),
    [
        (b"CH", b"Zurich", b"Uster", geo.Place("CH", "Zurich", "Uster")),
        (b" ch", b"", b"", geo.Place("CH")),
        (b"T1", b"", b"", geo.NOWHERE),
        (b"BR", "São Paulo".encode(), b"S%C3%A3o Paulo", geo.Place("BR", "São Paulo", "São Paulo")),
        (b"BR", "São Paulo".encode("latin-1"), b"S%E3o Paulo", geo.Place("BR", "São Paulo", "São Paulo")),
        (b"", b"%00\x1f ", b"x" * 256, geo.Place(city="x" * geo.MAX_NAME)),
        (b"\xff", b"100%", b"", geo.Place(region="100%")),
    ],
)
def test_a_cdn_says_names_in_any_of_three_ways(country: bytes, region: bytes, city: bytes, place: geo.Place) -> None:
    assert geo.place_said(country, region, city) == place


@pytest.mark.parametrize(
    ("said", "place"),
    [
        (geo.Place("CH"), geo.Place("CH", "Geneva", "Carouge", "mobile")),
        (geo.Place("CH", city="Meyrin"), geo.Place("CH", "Geneva", "Meyrin", "mobile")),
        (geo.Place("FR"), geo.Place("FR", network="mobile")),
        (geo.Place("FR", "Ain", "Gex"), geo.Place("FR", "Ain", "Gex", "mobile")),
        (geo.NOWHERE, geo.Place("CH", "Geneva", "Carouge", "mobile")),
    ],
)
def test_what_a_cdn_does_not_say_the_address_tells_unless_it_is_elsewhere(said: geo.Place, place: geo.Place) -> None:
    assert said.or_else(geo.Place("CH", "Geneva", "Carouge", "mobile")) == place


def test_a_file_that_turns_out_to_be_broken_is_nowhere(monkeypatch: pytest.MonkeyPatch, database: Path) -> None:
    def broken(*_: object) -> None:
        raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")

    place = geo.places(database)
    assert place("203.0.113.9") != geo.NOWHERE
    monkeypatch.setattr(geo, "country_of", broken)
    assert place("203.0.113.9") == geo.NOWHERE


def test_without_its_file_the_installed_one_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    missing, broken = tmp_path / "none.mmdb", tmp_path / "broken.mmdb"
    broken.write_bytes(bytes(1000))
    for path in (missing, broken):
        assert geo.countries(path)("8.8.8.8") == "US"
        assert str(path) in caplog.text
