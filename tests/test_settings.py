"""The environment, read once and checked whole."""

from dataclasses import fields
from pathlib import Path

import pytest

from server.settings import IllegalSetting, Settings, load


def test_without_any_variable_there_are_defaults() -> None:
    settings = load({})
    assert settings.base_url == "http://127.0.0.1:8000"
    assert settings.journal_dir == Path("data/journal")


def test_with_a_certificate_codes_lead_to_https() -> None:
    settings = load({"QREDGE_TLS_CERTIFICATE": "cert.pem", "QREDGE_TLS_KEY": "key.pem", "QREDGE_HOST": "::"})
    assert settings.base_url == "https://[::1]:8000"


def test_variables_become_values_of_their_kind() -> None:
    settings = load(
        {"QREDGE_PORT": "9000", "QREDGE_DATA_DIR": "/srv/qr", "QREDGE_PUBLIC_URL": " https://qr.example/\n"}
    )
    assert (settings.port, settings.data_dir, settings.base_url) == (9000, Path("/srv/qr"), "https://qr.example")


@pytest.mark.parametrize(("text", "value"), [("true", True), ("false", False)])
def test_a_choice_of_two_is_true_or_false(text: str, value: bool) -> None:
    assert load({"QREDGE_FETCH_HTTP": text}).fetch_http is value


@pytest.mark.parametrize(
    ("url", "upper", "printed"),
    [
        ("https://qr.example:8443", "true", "HTTPS://QR.EXAMPLE:8443"),
        ("https://qr.example/Scan/", "true", "HTTPS://QR.EXAMPLE/Scan"),
        ("https://qr.example/Scan", "false", "https://qr.example/Scan"),
    ],
)
def test_symbols_say_in_upper_case_what_means_the_same(url: str, upper: str, printed: str) -> None:
    settings = load({"QREDGE_PUBLIC_URL": url, "QREDGE_UPPERCASE_URLS": upper})
    assert settings.printed_base_url == printed


def test_proxies_are_networks_and_addresses() -> None:
    settings = load({"QREDGE_TRUSTED_PROXIES": "10.0.0.0/8, 2001:db8::/32,192.0.2.1"})
    assert [str(network) for network in settings.proxies] == ["10.0.0.0/8", "2001:db8::/32", "192.0.2.1/32"]


def test_a_secret_comes_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://user:secret@db/qr\n")
    settings = load({"QREDGE_DATABASE_URL_FILE": str(tmp_path / "url")})
    assert settings.database_url == "postgresql://user:secret@db/qr"


@pytest.mark.parametrize(
    "url",
    ["redis://127.0.0.1", "rediss://user:secret@redis.example:6380/3", "redis://[::1]:6379/0", "unix:///run/redis"],
)
def test_a_redis_is_where_redis_may_be(url: str) -> None:
    assert load({"QREDGE_REDIS_URL": url}).redis_url == url


def test_a_complaint_does_not_repeat_a_password() -> None:
    with pytest.raises(IllegalSetting) as refusal:
        load({"QREDGE_REDIS_URL": "reddis://:secret@redis.example"})
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({"QREDGE_PORT": "http"}, "QREDGE_PORT is a number, not 'http'"),
        ({"QREDGE_PORT": "0"}, "QREDGE_PORT lies between 1 and 65535; it is 0"),
        ({"QREDGE_WORKERS": "-1"}, "QREDGE_WORKERS lies between 1 and 256"),
        ({"QREDGE_FETCH_HTTP": "yes"}, "QREDGE_FETCH_HTTP is true or false, not 'yes'"),
        ({"QREDGE_LOG_LEVEL": "loud"}, "QREDGE_LOG_LEVEL is debug, info, warning or error"),
        ({"QREDGE_CLIENT_ADDRESSES": "some"}, "QREDGE_CLIENT_ADDRESSES is full, truncated or none"),
        ({"QREDGE_SCAN_RETENTION_DAYS": "-1"}, "QREDGE_SCAN_RETENTION_DAYS lies between 0 and 36500"),
        ({"QREDGE_VISITOR_SALT": "weekly"}, "QREDGE_VISITOR_SALT is daily or never"),
        ({"QREDGE_TRUSTED_PROXIES": "10.0.0.1/8"}, "QREDGE_TRUSTED_PROXIES: 10.0.0.1/8 has host bits set"),
        ({"QREDGE_TRUSTED_PROXIES": "proxy.local"}, "QREDGE_TRUSTED_PROXIES: 'proxy.local' does not appear to be"),
        *(
            ({"QREDGE_PUBLIC_URL": url}, "QREDGE_PUBLIC_URL is an http or https URL")
            for url in (
                "qr.example",
                "https://qr.example/?a=b",
                "http://[x",
                "https://qr example",
                "https://u:p@qr.example",
            )
        ),
        ({"QREDGE_PUBLIC_URL": "https://qr.example:99999"}, "QREDGE_PUBLIC_URL is an http or https URL"),
        *(
            ({"QREDGE_REDIS_URL": url}, "QREDGE_REDIS_URL is a redis, rediss or unix URL")
            for url in ("localhost:6379", "http://localhost", "redis://", "redis://h:x", "redis://h/0?foo=1", "unix://")
        ),
        ({"QREDGE_IMAGE_CACHE_BYTES": "-1"}, "QREDGE_IMAGE_CACHE_BYTES lies between 0 and"),
        ({"QREDGE_IMAGE_CACHE_TTL_S": "0"}, "QREDGE_IMAGE_CACHE_TTL_S lies between 1 and"),
        *(
            ({f"QREDGE_{kind}_HEADER": name}, f"QREDGE_{kind}_HEADER is the name of a header")
            for kind in ("COUNTRY", "REGION", "CITY")
            for name in ("CF IPCountry", "country:", "Länd")
        ),
        ({"QREDGE_TLS_KEY": "key.pem"}, "QREDGE_TLS_CERTIFICATE and QREDGE_TLS_KEY are set together"),
        ({"QREDGE_UNIX_SOCKET": "/run/qr.sock"}, "QREDGE_UNIX_SOCKET needs QREDGE_PUBLIC_URL"),
        (
            {
                "QREDGE_UNIX_SOCKET": "/run/qr.sock",
                "QREDGE_PUBLIC_URL": "https://qr.example",
                "QREDGE_TLS_CERTIFICATE": "cert.pem",
                "QREDGE_TLS_KEY": "key.pem",
            },
            "QREDGE_UNIX_SOCKET speaks plain HTTP",
        ),
        ({"QREDGE_UNIX_SOCKET_MODE": "rw"}, "QREDGE_UNIX_SOCKET_MODE is made of octal digits"),
        ({"QREDGE_PROT": "8000"}, "There is no setting QREDGE_PROT"),
        ({"QREDGE_DATABASE_URL_FILE": "/nowhere"}, "QREDGE_DATABASE_URL_FILE names a file that cannot be read"),
    ],
)
def test_an_illegal_setting_is_named(environment: dict[str, str], complaint: str) -> None:
    with pytest.raises(IllegalSetting, match=complaint.replace("?", r"\?")):
        load(environment)


def test_a_file_has_what_the_environment_leaves_out(tmp_path: Path) -> None:
    (tmp_path / "redis").write_text("redis://redis.example/1\n")
    file = tmp_path / "qredge.toml"
    file.write_text(
        f"""
        port = 9000
        workers = 3
        fetch_http = true
        data_dir = "/srv/qr"
        redis_url_file = "{tmp_path}/redis"
        database_url_file = "/nowhere"
        """
    )
    settings = load(
        {"QREDGE_SETTINGS_FILE": str(file), "QREDGE_PORT": "9001", "QREDGE_DATABASE_URL": "postgresql://db/qr"}
    )
    assert (settings.port, settings.workers, settings.fetch_http) == (9001, 3, True)
    assert (settings.data_dir, settings.redis_url) == (Path("/srv/qr"), "redis://redis.example/1")
    assert settings.database_url == "postgresql://db/qr"


def test_every_setting_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "qredge.toml"
    said = {each.name: each.default for each in fields(Settings)}
    file.write_text("".join(f"{name} = {_toml(value)}\n" for name, value in said.items()))
    assert load({"QREDGE_SETTINGS_FILE": str(file)}) == Settings()


def _toml(value: object) -> str:
    return str(value).lower() if isinstance(value, int) else f'"{value}"'


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("prot = 8000", "there is no setting prot"),
        ("PORT = 8000", "there is no setting PORT"),
        ("settings_file = 'other.toml'", "there is no setting settings_file"),
        ("[server]\nport = 8000", "there is no setting server"),
        ("port = '8000'", "port is a number"),
        ("port = true", "port is a number"),
        ("fetch_http = 1", "fetch_http is true or false"),
        ("unix_socket_mode = 0o660", "unix_socket_mode is a text"),
        ("trusted_proxies = ['10.0.0.0/8']", "trusted_proxies is a text"),
        ("port = 0", "QREDGE_PORT lies between 1 and 65535"),
        ("port: 8000", "is not TOML"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(text: str, complaint: str, tmp_path: Path) -> None:
    file = tmp_path / "qredge.toml"
    file.write_text(text)
    with pytest.raises(IllegalSetting, match=complaint):
        load({"QREDGE_SETTINGS_FILE": str(file)})


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(IllegalSetting, match="QREDGE_SETTINGS_FILE names a file that cannot be read"):
        load({"QREDGE_SETTINGS_FILE": "/nowhere"})


def test_what_listens_at_a_file_is_reached_at_its_public_address() -> None:
    settings = load({"QREDGE_UNIX_SOCKET": "/run/qr.sock", "QREDGE_PUBLIC_URL": "https://qr.example/"})
    assert (settings.local_url, settings.listens_at) == ("https://qr.example", "unix:/run/qr.sock")
