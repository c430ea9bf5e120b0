"""Each dialect is an island: the server does without any of them, and none is in another's way."""

import asyncio
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from server.app import create_app
from server.asgi import ASGIApp, Receive, Scope, Send
from server.dialects import dialects
from server.dialects.coverage import markdown
from server.dialects.dialect import Dialect, Kit
from server.dialects.mounts import mounted
from server.dialects.naming import chosen
from server.domain.design import plain
from server.parts import dialects_of
from server.requests import Requests
from server.settings import IllegalSetting, Settings
from server.wire import ByMethod
from tests.dialects.conversations import read

ROOT = Path(__file__).parents[2]
NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"

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


def asked(app: ASGIApp, *asked: tuple[str, str]) -> list[httpx.Response]:
    """What is answered at each of these hosts and paths."""

    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=cast("Any", app))
        async with httpx.AsyncClient(transport=transport) as client:
            return [await client.get(f"http://{host}{path}") for host, path in asked]

    return asyncio.run(ask())


@pytest.mark.parametrize("names", SETS)
def test_the_server_is_made_with_any_of_them(names: str, tmp_path: Path) -> None:
    """Each that is spoken refuses in its own shape; where the others would be there is nothing."""
    app = create_app(Settings(dialects=names, data_dir=tmp_path, database_url=NOWHERE))
    answers = asked(app, *(("here", f"/{each.name}{each.root}/nothing") for each in ALL))
    assert {each.status_code for each in answers} == {404}
    spoken = [name for name, each in zip(NAMES, answers, strict=True) if "json" in each.headers["content-type"]]
    assert spoken == chosen(names)


MADE = f"""
from pathlib import Path
from server.app import create_app
from server.dialects import dialects, key_formats
from server.settings import Settings
create_app(Settings(dialects="all", data_dir=Path("data"), database_url={NOWHERE!r}))
print(*dialects())
print(*key_formats())
"""


@pytest.mark.parametrize("gone", [*([name] for name in NAMES), NAMES], ids=[*NAMES, "all"])
def test_the_server_does_without_the_files_of_any_of_them(gone: list[str], tmp_path: Path) -> None:
    shutil.copytree(ROOT / "server", tmp_path / "server", ignore=shutil.ignore_patterns("__pycache__"))
    for package in ("fastcore", "migrations"):
        (tmp_path / package).symlink_to(ROOT / package)
    for name in gone:
        for path in (tmp_path / "server" / "dialects").glob(f"{name.replace('-', '_')}*"):
            if path.stem == name.replace("-", "_"):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    ran = subprocess.run(
        [sys.executable, "-c", MADE], cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, check=True, capture_output=True
    )
    spoken, formats = (line.split() for line in ran.stdout.decode().splitlines())
    left = {name for name in NAMES if name not in gone}
    assert (set(spoken), set(formats)) == (left, left)


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


def saying(dialect: Dialect) -> Dialect:
    """It has the dialect's paths, at which it says only which of them was found."""

    def route(path: str) -> Route:
        async def say(_: Request) -> Response:
            return PlainTextResponse(f"{dialect.name} {path}")

        return Route(path, ByMethod(GET=say))

    return replace(dialect, routes=lambda _: [route(each.path) for each in routes(dialect)])


def test_two_dialects_on_one_host_do_not_shadow_each_other() -> None:
    """Below its own name, each is found at every host, whichever is spoken there under its vendor's paths."""
    assert len(set(NAMES)) == len(NAMES)
    hosts = {f"{name}.test": name for name in NAMES}
    app = mounted(
        _nothing, map(saying, ALL), cast("Kit", SimpleNamespace(base_url="http://here")), Requests(), hosts=hosts
    )
    wanted = []
    for dialect in ALL:
        for route in routes(dialect):
            path = route.path.replace("{", "").replace("}", "")
            said = f"{dialect.name} {route.path}"
            wanted += [(host, f"/{dialect.name}{path}", said) for host in ("here", *hosts)]
            wanted.append((f"{dialect.name}.test", path, said))
            wanted.append(("here", path, "nothing"))
    answers = asked(app, *((host, path) for host, path, _ in wanted))
    found = [(host, path, answer.text) for (host, path, _), answer in zip(wanted, answers, strict=True)]
    assert found == wanted


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("nothing")(scope, receive, send)


def test_the_matrix_in_the_documents_is_drawn_from_the_modules() -> None:
    shown = ROOT.joinpath("docs", "dialects.md").read_text(encoding="utf-8")
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
