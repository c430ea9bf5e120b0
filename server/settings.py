"""The settings: the one place where the environment is read."""

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PREFIX = "QREDGE_"

#: A token, or nothing (RFC 9110, 5.6.2).
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]*")

#: Of a file, as 0660.
FILE_MODE = re.compile("0?[0-7]{3}")

BOOLEANS = {"true": True, "false": False}

#: What a setting is in a file of settings.
KIND_NAMES: dict[type, str] = {bool: "true or false", int: "a number", str: "a text"}

#: Names the file of settings; it is none of them, and so stands in no such file.
SETTINGS_FILE = f"{PREFIX}SETTINGS_FILE"

Networks = tuple[IPv4Network | IPv6Network, ...]


class IllegalSetting(Exception):
    """A setting has a value it cannot have."""


def setting(default: object, help: str) -> Any:  # noqa: ANN401 -- as dataclasses.field: any field's default
    return field(default=default, metadata={"help": help})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Each field is the variable QREDGE_<FIELD>, or QREDGE_<FIELD>_FILE, a file that holds the value; in a file of
    settings (TOML) it is <field>, or <field>_file."""

    host: str = setting("127.0.0.1", "The address to listen at; 0.0.0.0 for all.")
    port: int = setting(8000, "The port to listen at.")
    unix_socket: str = setting(
        "",
        "A file to listen at in place of host and port, for a proxy on this machine. Whoever may open it is a proxy to "
        "trust. QREDGE_PUBLIC_URL has to be set, too. Empty: none.",
    )
    unix_socket_mode: str = setting("0660", "Who may open it, in octal digits as chmod takes them.")
    tls_certificate: str = setting(
        "",
        "A file of the server's certificate and of those that vouch for it (PEM), to speak TLS without a proxy. Empty: "
        "plain HTTP.",
    )
    tls_key: str = setting("", "The file of its private key (PEM), without a password.")
    public_url: str = setting(
        "", "What printed codes begin with, as https://qr.example.com. Empty: http://HOST:PORT, or https with TLS."
    )
    uppercase_urls: bool = setting(
        True,
        "Whether symbols say scheme and host in upper case, which makes them smaller; the slug is so in any case.",
    )
    workers: int = setting(1, "Worker processes that redirect and answer the API.")
    data_dir: Path = setting(
        Path("data"), "Where the scan journals, the snapshot of the links and the embedded database lie."
    )
    database_url: str = setting(
        "",
        "A PostgreSQL to use, as postgresql://user:password@host/name. Empty: one is started in the data directory.",
    )
    max_links: int = setting(1_000_000, "Links that each worker holds in memory; others are asked for when scanned.")
    snapshot_interval_s: int = setting(
        60,
        "How often the links are written to the data directory, if any has changed, for a start without the database.",
    )
    journal_max_bytes: int = setting(
        1 << 30, "The most that one worker's journal may take on disk while the database is down."
    )
    journal_sync_ms: int = setting(
        100,
        "How often the journal is made to survive a power cut; a killed process loses nothing in any case.",
    )
    trusted_proxies: str = setting(
        "",
        "Networks of proxies whose word on the client's address is taken, as 10.0.0.0/8, 2001:db8::/32. Empty: none.",
    )
    client_addresses: str = setting(
        "truncated", "What the scan log keeps of a client's address: full, truncated (to /24 or /48) or none."
    )
    visitor_salt: str = setting(
        "daily", "How often visitors get other numbers, so that they cannot be told again: daily or never."
    )
    scan_retention_days: int = setting(
        0,
        "How long the scan log is kept, by whole months; what was counted stays. 0: for ever.",
    )
    deleted_codes_days: int = setting(
        30,
        "How long a deleted QR code can be restored; then it is removed, with pictures that no other has. 0: for ever.",
    )
    image_cache_bytes: int = setting(64 << 20, "The most memory that each worker keeps drawn images in; 0 for none.")
    image_cache_ttl_s: int = setting(86_400, "How long Redis keeps a drawn image.")
    redis_url: str = setting(
        "",
        "A Redis in which workers and servers share what is dear to draw, as redis://:password@host:6379/0, rediss:// "
        "or unix:///path. Empty: none.",
    )
    render_pixels: int = setting(
        100_000_000,
        "Pixels that each worker draws at a time; further pictures wait. A larger picture is drawn alone.",
    )
    fetch_http: bool = setting(
        False, "Whether logos and photos may be fetched, and webhooks be told, by http, too: true or false."
    )
    fetch_networks: str = setting(
        "",
        "Networks from which logos and photos may be fetched, and to which webhooks may lead, although they are not "
        "public, as 10.1.0.0/16. Empty: none.",
    )
    unknown_slugs_per_min: int = setting(
        300,
        "How many slugs that no link has one address may ask each worker for in a minute, before it is answered 429; 0 "
        "for any number. Links there are redirect in any case.",
    )
    country_header: str = setting(
        "",
        "A header in which a CDN says a visitor's country, as CF-IPCountry, for scans and for rules of links. Only "
        "where every request comes by way of the CDN: anybody else may say what they like. Empty: none.",
    )
    region_header: str = setting("", "The same for the region that scans come from, as CF-Region. Empty: none.")
    city_header: str = setting("", "The same for the city that scans come from, as CF-IPCity. Empty: none.")
    geo_database: str = setting(
        "",
        "A file that tells addresses' countries where no header does, and scans' regions, cities and kinds of network "
        "if it has them, in MaxMind's format (MMDB). Empty: that of geoip2fast, which is as old as its installed "
        "release (GeoLite2 by MaxMind).",
    )
    dialects: str = setting(
        "all", "The hosted services whose API is spoken, by name, as qrlogo, mask (docs/dialects.md); all or none."
    )
    dialect_hosts: str = setting(
        "",
        "Hosts at which a dialect has its vendor's own paths, as api.example.com=qrstudio, qr.example.com=mask. Empty: "
        "none.",
    )
    plans: str = setting(
        "",
        "Plans that accounts may have beside those of the server, as TOML (docs/api.md). QREDGE_PLANS_FILE names a "
        "file of them.",
    )
    request_log: bool = setting(
        True,
        "Whether standard output has a line of JSON for each request of the APIs, but for pictures: true or false.",
    )
    log_level: str = setting("info", "What is logged: debug, info, warning or error.")

    def __post_init__(self) -> None:
        _within("port", self.port, 1, 65_535)
        _within("workers", self.workers, 1, 256)
        _within("max_links", self.max_links, 1, 100_000_000)
        _within("snapshot_interval_s", self.snapshot_interval_s, 1, 86_400)
        _within("journal_max_bytes", self.journal_max_bytes, 16 << 20, 1 << 50)
        _within("journal_sync_ms", self.journal_sync_ms, 1, 60_000)
        _within("scan_retention_days", self.scan_retention_days, 0, 36_500)
        _within("deleted_codes_days", self.deleted_codes_days, 0, 36_500)
        _within("image_cache_bytes", self.image_cache_bytes, 0, 1 << 40)
        _within("render_pixels", self.render_pixels, 1_000_000, 1 << 40)
        _within("unknown_slugs_per_min", self.unknown_slugs_per_min, 0, 1_000_000)
        _within("image_cache_ttl_s", self.image_cache_ttl_s, 1, 366 * 86_400)
        if self.redis_url and not _is_redis_url(self.redis_url):
            # Not shown, as it may hold a password.
            raise IllegalSetting(f"{PREFIX}REDIS_URL is a redis, rediss or unix URL without query or fragment.")
        for name in ("country_header", "region_header", "city_header"):
            if not HEADER_NAME.fullmatch(getattr(self, name)):
                raise IllegalSetting(f"{PREFIX}{name.upper()} is the name of a header, not {getattr(self, name)!r}.")
        _one_of("log_level", self.log_level, "debug", "info", "warning", "error")
        _one_of("client_addresses", self.client_addresses, "full", "truncated", "none")
        _one_of("visitor_salt", self.visitor_salt, "daily", "never")
        if bool(self.tls_certificate) != bool(self.tls_key):
            raise IllegalSetting(f"{PREFIX}TLS_CERTIFICATE and {PREFIX}TLS_KEY are set together, or neither is.")
        if not FILE_MODE.fullmatch(self.unix_socket_mode):
            raise IllegalSetting(f"{PREFIX}UNIX_SOCKET_MODE is made of octal digits, not {self.unix_socket_mode!r}.")
        if self.unix_socket and not self.public_url:
            raise IllegalSetting(f"{PREFIX}UNIX_SOCKET needs {PREFIX}PUBLIC_URL: a file is no address to be printed.")
        if self.unix_socket and self.tls_certificate:
            raise IllegalSetting(f"{PREFIX}UNIX_SOCKET speaks plain HTTP, without {PREFIX}TLS_CERTIFICATE.")
        _ = self.proxies, self.outbound_networks
        if not _is_base_url(self.base_url):
            raise IllegalSetting(
                f"{PREFIX}PUBLIC_URL is an http or https URL of ASCII characters, without user, query or fragment, "
                f"not {self.public_url!r}."
            )

    @property
    def base_url(self) -> str:
        """What short URLs begin with, without a slash at its end."""
        return self.public_url.rstrip("/") or self.local_url

    @property
    def public_host(self) -> str:
        """The host in it, in lower case."""
        return urlsplit(self.base_url).hostname or ""

    @property
    def printed_base_url(self) -> str:
        """The same as symbols say it. Scheme and host mean the same in either case (RFC 3986, 6.2.2.1), a path does
        not."""
        if not self.uppercase_urls:
            return self.base_url
        scheme, _, rest = self.base_url.partition("://")
        host, slash, path = rest.partition("/")
        return f"{scheme.upper()}://{host.upper()}{slash}{path}"

    @property
    def local_url(self) -> str:
        """Where this machine itself reaches the server: one that listens at a file by way of its proxy alone."""
        if self.unix_socket:
            return self.base_url
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        scheme = "https" if self.tls_certificate else "http"
        return f"{scheme}://[{host}]:{self.port}" if ":" in host else f"{scheme}://{host}:{self.port}"

    @property
    def listens_at(self) -> str:
        """The same for people; a file has no URL."""
        return f"unix:{self.unix_socket}" if self.unix_socket else self.local_url

    @property
    def proxies(self) -> Networks:
        """The networks of the proxies to trust."""
        return _networks("trusted_proxies", self.trusted_proxies)

    @property
    def outbound_networks(self) -> Networks:
        """The networks that may be connected to although they are not public."""
        return _networks("fetch_networks", self.fetch_networks)

    @property
    def journal_dir(self) -> Path:
        return self.data_dir / "journal"

    @property
    def snapshot_path(self) -> Path:
        return self.data_dir / "links.snapshot"

    @property
    def metrics_dir(self) -> Path:
        return self.data_dir / "metrics"


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings as the environment has them, and what it leaves out as its file of settings does; raises
    IllegalSetting."""
    known = {PREFIX + each.name.upper(): each for each in fields(Settings)}
    for name in environ:
        if name.startswith(PREFIX) and name != SETTINGS_FILE and name.removesuffix("_FILE") not in known:
            raise IllegalSetting(f"There is no setting {name}. docs/settings.md lists all there are.")
    said = dict(environ)
    if path := environ.get(SETTINGS_FILE):
        for name, value in _in_file(path, known).items():
            whole = name.removesuffix("_FILE")
            if whole not in environ and f"{whole}_FILE" not in environ:
                said[name] = value
    given: dict[str, object] = {}
    for name, each in known.items():
        text = _text(said, name)
        if text is None:
            continue
        kind: Callable[[str], object] = BOOLEANS.__getitem__ if type(each.default) is bool else type(each.default)
        try:
            given[each.name] = kind(text)
        except KeyError as exc:
            raise IllegalSetting(f"{name} is true or false, not {text!r}.") from exc
        except ValueError as exc:
            raise IllegalSetting(f"{name} is a number, not {text!r}.") from exc
    return Settings(**given)  # type: ignore[arg-type]  # each value was made by the type of its field's default


def use(file: Path) -> None:
    """Has `load` take this file of settings, here and in the processes that are started from here."""
    os.environ[SETTINGS_FILE] = str(file)


def _in_file(path: str, known: Mapping[str, Field[object]]) -> dict[str, str]:
    """What a file of settings says, as the environment would."""
    try:
        said = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as exc:
        raise IllegalSetting(f"{SETTINGS_FILE} names a file that cannot be read: {exc}.") from exc
    except tomllib.TOMLDecodeError as exc:
        raise IllegalSetting(f"{path} is not TOML: {exc}.") from exc
    found = {}
    for key, value in said.items():
        name = PREFIX + key.upper()
        if key != key.lower() or name.removesuffix("_FILE") not in known:
            raise IllegalSetting(f"{path}: there is no setting {key}. docs/settings.md lists all there are.")
        default = known[name].default if name in known else ""
        kind = type(default) if isinstance(default, int) else str
        if type(value) is not kind:
            raise IllegalSetting(f"{path}: {key} is {KIND_NAMES[kind]}.")
        found[name] = str(value).lower() if kind is bool else str(value)
    return found


def _text(environ: Mapping[str, str], name: str) -> str | None:
    if path := environ.get(f"{name}_FILE"):
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as exc:
            raise IllegalSetting(f"{name}_FILE names a file that cannot be read: {exc}.") from exc
    return environ[name].strip() if name in environ else None


def _is_base_url(text: str) -> bool:
    """Whether text can stand before "/slug" on paper."""
    try:
        url = urlsplit(text)
        _ = url.port  # raises unless it is a number in [0, 65535]
    except ValueError:
        return False
    plain = text.isascii() and text.isprintable() and not set(text) & set(" ?#@\\")
    return plain and url.scheme in ("http", "https") and bool(url.hostname)


def _is_redis_url(text: str) -> bool:
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError:
        return False
    place = url.path if url.scheme == "unix" else url.hostname
    return url.scheme in ("redis", "rediss", "unix") and bool(place) and not url.query and not url.fragment


def _networks(name: str, text: str) -> Networks:
    try:
        return tuple(ip_network(each.strip()) for each in text.split(",") if each.strip())
    except ValueError as exc:
        raise IllegalSetting(f"{PREFIX}{name.upper()}: {exc}.") from exc


def _one_of(name: str, value: str, *choices: str) -> None:
    if value not in choices:
        either = f"{', '.join(choices[:-1])} or {choices[-1]}"
        raise IllegalSetting(f"{PREFIX}{name.upper()} is {either}, not {value!r}.")


def _within(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise IllegalSetting(f"{PREFIX}{name.upper()} lies between {least} and {most}; it is {value}.")
