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
    "192.0.2.0/24": {"continent": {"code": "EU"}},
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
    assert geo.countries(None)(address) in ("", "--")


def test_without_its_file_the_installed_one_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    missing, broken = tmp_path / "none.mmdb", tmp_path / "broken.mmdb"
    broken.write_bytes(bytes(1000))
    for path in (missing, broken):
        assert geo.countries(path)("8.8.8.8") == "US"
        assert str(path) in caplog.text
