"""Each dialect is an island: the server does without any of them, and none is in another's way."""

from dataclasses import replace
from pathlib import Path

import pytest
from starlette.routing import Route

from server.app import create_app, dialects_of
from server.dialects import dialects
from server.dialects.coverage import markdown
from server.dialects.dialect import Dialect, Kit
from server.domain.design import plain
from server.settings import IllegalSetting, Settings
from server.wire import ByMethod
from tests.dialects.conversations import read

ALL = list(dialects().values())
NAMES = [each.name for each in ALL]
SETS = ["none", "all", *NAMES, *(",".join(name for name in NAMES if name != missing) or "none" for missing in NAMES)]


class Anything:
    """In place of the use cases: a route table is made of them, and asks them nothing."""

    def __getattr__(self, name: str) -> "Anything":
        return self


def routes(dialect: Dialect) -> list[Route]:
    anything: Kit = Anything()  # type: ignore[assignment]
    return dialect.routes(anything)


@pytest.mark.parametrize("names", SETS)
def test_the_server_is_made_with_any_of_them(names: str, tmp_path: Path) -> None:
    create_app(Settings(dialects=names, data_dir=tmp_path, database_url="postgresql://nobody@127.0.0.1:1/nothing"))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"dialects": "qrlogo,klingon"}, "QREDGE_DIALECTS: .*'klingon'"),
        ({"dialect_hosts": "qr.example.com=klingon"}, "QREDGE_DIALECT_HOSTS: .*'qr.example.com=klingon'"),
        ({"dialect_hosts": "=qrlogo"}, "QREDGE_DIALECT_HOSTS"),
        ({"dialects": "none", "dialect_hosts": "qr.example.com=qrlogo"}, "QREDGE_DIALECT_HOSTS"),
    ],
)
def test_a_dialect_that_is_not_known_is_told_at_the_start(settings: dict[str, str], said: str) -> None:
    with pytest.raises(IllegalSetting, match=said):
        dialects_of(replace(Settings(), **settings))  # type: ignore[arg-type]


@pytest.mark.parametrize("dialect", ALL, ids=NAMES)
def test_the_law_says_what_the_routes_are(dialect: Dialect) -> None:
    """Every endpoint that is said to be covered is there, and no other."""
    there = set()
    for route in routes(dialect):
        assert isinstance(route.endpoint, ByMethod)
        assert dialect.has(route.path)
        path = route.path.removeprefix(dialect.root).rstrip("/")
        there |= {(method, path) for method in route.endpoint.handlers if method != "HEAD"}
    said = {(each.method, each.path.rstrip("/")) for each in dialect.law.endpoints if each.state != "not covered"}
    assert said == there
    for each in dialect.law.endpoints:
        assert each.state == "covered" or each.why, f"{each.method} {each.path}: why?"


@pytest.mark.parametrize("dialect", ALL, ids=NAMES)
def test_every_style_is_a_design_of_its_own(dialect: Dialect) -> None:
    """What the vendor has two names for, looks like two things."""
    for field, designs in dialect.styles().items():
        drawn = {str(plain(design)) for design in designs.values()}
        assert len(drawn) == len(designs), field


def test_two_dialects_on_one_host_do_not_shadow_each_other() -> None:
    """Each stands below its own name, which is no slug, and no path of another begins with that."""
    assert len(set(NAMES)) == len(NAMES)
    for one in ALL:
        for other in ALL:
            if one is not other:
                paths = [f"/{other.name}{route.path}" for route in routes(other)]
                assert not any(path == f"/{one.name}" or path.startswith(f"/{one.name}/") for path in paths)


def test_the_matrix_in_the_documents_is_drawn_from_the_modules() -> None:
    shown = Path(__file__).parents[2].joinpath("docs", "dialects.md").read_text(encoding="utf-8")
    assert shown == markdown(), "draw it again: python -m server.dialects.coverage > docs/dialects.md"


@pytest.mark.parametrize("dialect", ALL, ids=NAMES)
def test_every_endpoint_is_in_a_conversation(dialect: Dialect) -> None:
    """So that none is only said to be covered."""
    folder = Path(__file__).with_name(dialect.name.replace("-", "_"))
    slash = "/" if dialect.slash_is_nothing else ""
    asked = {
        (exchange.method, exchange.path.partition("?")[0].removesuffix(slash))
        for path in folder.glob("*.http")
        for exchange in read(path)
    }
    for route in routes(dialect):
        assert isinstance(route.endpoint, ByMethod)
        for method in route.endpoint.handlers:
            assert method == "HEAD" or any(
                method == asked_method and route.path_regex.match(path) for asked_method, path in asked
            ), f"{method} {route.path}"
