"""The laws of the architecture hold; and each of them would be seen to be broken."""

from pathlib import Path
from textwrap import dedent

import pytest

from tests.architecture import layers

ROOT = Path(__file__).parents[2]

#: A small tree that keeps every law, with an import of each kind in it.
GOOD = {
    "server/__init__.py": "",
    "server/app.py": """
        from server.api import api
        from server.edge.redirect import redirect
        from server.render import image
        from server.settings import load
    """,
    "server/supervisor.py": """
        import os
        from server import app
        os.environ["QREDGE_DATABASE_URL"] = "x"
    """,
    "server/settings.py": "import os\nload = lambda: os.environ.get('X')\n",
    "server/wire.py": "from starlette.requests import Request\nfrom server.asgi import Scope\n",
    "server/asgi.py": "Scope = dict\n",
    "server/domain/__init__.py": "",
    "server/domain/slug.py": """
        from datetime import datetime
        import idna
        from server.domain.errors import Error
        def use(now):
            return now()
    """,
    "server/domain/errors.py": "class Error(Exception): ...\n",
    "server/api/__init__.py": "from server.api import links\napi = links\n",
    "server/api/links.py": "from server.wire import Request\nfrom server.domain.slug import use\n",
    "server/edge/redirect.py": "from server.asgi import Scope\nfrom server.domain import errors\n",
    "server/dialects/__init__.py": "from importlib import import_module\n",
    "server/dialects/dialect.py": "",
    "server/dialects/qrlogo.py": "from server.dialects.dialect import Dialect\nQr = Dialect\n",
    "server/render/image.py": "import fastcore\n",
    "server/scans/record.py": "from fastcore.frame import frame\n",
    "server/storage/postgres/stats.py": "from fastcore.sums import summed\n",
    "migrations/__init__.py": "from importlib import resources\n",
    "migrations/0001_first.sql": "",
    "migrations/0002_second.sql": "",
    "fastcore/__init__.py": "from fastcore._api import encode\n",
    "fastcore/_api.pyx": '''
        """Text in the docstring,
        from os import nothing
        """
        import zlib
        from fastcore cimport ecc, png as pngs  # from os import nothing
        from libc.stdint cimport (
            uint8_t,
            uint64_t,
        )
    ''',
    "fastcore/ecc.pyx": "from fastcore.types cimport Grid\n",
    "fastcore/ecc.pxd": "from fastcore.types cimport Grid\n",
    "fastcore/png.pyx": "",
    "fastcore/types.pxd": "from libc.stdint cimport uint8_t\n",
}


def grow(root: Path, files: dict[str, str]) -> Path:
    for name, source in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(source), encoding="utf-8")
    return root


def test_this_tree_keeps_the_laws() -> None:
    assert layers.broken(ROOT) == {}


def test_this_tree_has_been_read() -> None:
    """An empty tree would keep every law."""
    names = {module.name for module in layers.read(ROOT)}
    assert {"server.app", "server.domain", "server.edge.redirect", "server.storage.postgres.pool"} <= names
    assert {"migrations", "server.render.image"} <= names


def test_a_good_tree_keeps_the_laws(tmp_path: Path) -> None:
    assert layers.broken(grow(tmp_path, GOOD)) == {}


@pytest.mark.parametrize(
    ("law", "name", "source"),
    [
        ("rooms_have_no_doors", "server/api/links.py", "from server.edge import redirect"),
        ("rooms_have_no_doors", "server/api/links.py", "from server import edge"),
        ("rooms_have_no_doors", "server/api/links.py", "import server.edge.redirect"),
        ("rooms_have_no_doors", "server/api/links.py", "from ..edge.redirect import redirect"),
        ("rooms_have_no_doors", "server/api/__init__.py", "from ..edge.redirect import redirect"),
        ("rooms_have_no_doors", "server/api/links.py", "from .. import edge"),
        ("rooms_have_no_doors", "server/api/links.py", "def f():\n    from server.edge import redirect"),
        (
            "rooms_have_no_doors",
            "server/storage/redis/images.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from server.scans.journal import Journal",
        ),
        ("rooms_have_no_doors", "server/edge/redirect.py", "from server.settings import load"),
        ("rooms_have_no_doors", "server/edge/redirect.py", "there = 'server.api.links:use'"),
        ("rooms_have_no_doors", "server/storage/pool.py", "import migrations"),
        ("rooms_have_no_doors", "server/ops.py", "from server.scans.journal import Journal"),
        ("rooms_have_no_doors", "server/edge/redirect.py", "from server.ops import routes"),
        ("dialects_are_islands", "server/app.py", "from server.dialects import qrlogo"),
        ("dialects_are_islands", "server/dialects/mask.py", "from server.dialects.qrlogo import Qr"),
        ("only_roofs_know_rooms", "server/embedded.py", "from server.storage.postgres.pool import Database"),
        ("only_roofs_know_rooms", "server/settings.py", "from server.app import create_app"),
        ("every_folder_is_a_room", "server/helpers/text.py", ""),
        ("floor_stands_on_the_domain", "server/wire.py", "from server.api.problems import problem"),
        ("floor_stands_on_the_domain", "server/asgi.py", "from server.settings import load"),
        ("domain_stands_alone", "server/domain/slug.py", "from server.wire import cursor_of"),
        ("domain_stands_alone", "server/domain/slug.py", "from server import wire"),
        ("domain_stands_alone", "server/domain/slug.py", "from server.storage.postgres import links"),
        ("domain_stands_alone", "server/domain/slug.py", "import starlette"),
        ("domain_stands_alone", "server/domain/slug.py", "from asyncpg import Record"),
        ("domain_stands_alone", "server/domain/slug.py", "def f():\n    import http.client"),
        ("domain_stands_alone", "server/domain/slug.py", "from time import time"),
        ("domain_stands_alone", "server/domain/slug.py", "import time\ntime.time()"),
        ("domain_stands_alone", "server/domain/slug.py", "from datetime import datetime\ndatetime.now()"),
        ("domain_stands_alone", "server/domain/slug.py", "from datetime import datetime as dt\ndt.utcnow()"),
        ("domain_stands_alone", "server/domain/slug.py", "from datetime import date\nf = date.today"),
        ("domain_stands_alone", "server/domain/slug.py", "import datetime\ndatetime.datetime.now()"),
        ("domain_stands_alone", "server/domain/slug.py", "import datetime as d\nd.datetime.now()"),
        ("only_render_draws", "server/app.py", "import fastcore"),
        ("only_render_draws", "server/app.py", "from fastcore.frame import frame"),
        ("only_render_draws", "server/scans/record.py", "from fastcore.sums import summed"),
        ("only_render_draws", "server/scans/record.py", "from fastcore import encode"),
        ("only_render_draws", "server/domain/design.py", "from fastcore import Symbol"),
        ("only_render_draws", "server/api/links.py", "from fastcore.errors import DataTooLong"),
        ("fastcore_knows_only_numbers", "fastcore/errors.py", "from server.domain import errors"),
        ("fastcore_knows_only_numbers", "fastcore/errors.py", "from pathlib import Path"),
        ("fastcore_knows_only_numbers", "fastcore/__init__.pyi", "import os"),
        ("fastcore_knows_only_numbers", "fastcore/_api.pyx", "import os"),
        ("fastcore_knows_only_numbers", "fastcore/_api.pyx", "import zlib, os as system"),
        ("fastcore_knows_only_numbers", "fastcore/_api.pyx", "from server.domain.design import Design"),
        ("fastcore_knows_only_numbers", "fastcore/_api.pyx", "def f():\n    import time"),
        ("fastcore_knows_only_numbers", "fastcore/png.pyx", "from libc.stdio cimport fopen"),
        ("fastcore_knows_only_numbers", "fastcore/png.pyx", "from libc cimport (\n    stdint,\n    time as clock,\n)"),
        ("fastcore_knows_only_numbers", "fastcore/types.pxd", "cimport posix.unistd"),
        ("fastcore_knows_only_numbers", "fastcore/types.pxd", 'cdef extern from "<sys/socket.h>":\n    pass'),
        ("fastcore_knows_only_numbers", "fastcore/types.pxd", 'cdef extern from "time.h":\n    pass'),
        ("edge_is_hot", "server/edge/redirect.py", "from starlette.requests import Request"),
        ("edge_is_hot", "server/edge/redirect.py", "import orjson"),
        ("edge_is_hot", "server/edge/redirect.py", "def f():\n    import json"),
        ("edge_is_hot", "server/edge/redirect.py", "import logging.config"),
        ("edge_is_hot", "server/edge/redirect.py", "import pydantic"),
        ("edge_is_hot", "server/edge/redirect.py", "import asyncpg"),
        ("migrations_stand_alone", "migrations/__init__.py", "from server.settings import load"),
        ("environment_is_read_in_one_place", "server/app.py", "import os\nos.environ.get('X')"),
        ("environment_is_read_in_one_place", "server/app.py", "import os\nos.getenv('X')"),
        ("environment_is_read_in_one_place", "server/app.py", "from os import environ"),
        ("environment_is_read_in_one_place", "server/app.py", "import os\nos.environ['X'] = 'y'"),
        ("environment_is_read_in_one_place", "server/supervisor.py", "import os\nos.environ['X']"),
        (
            "environment_is_read_in_one_place",
            "server/supervisor.py",
            "import os\nos.environ['X'] = os.environ['Y'] = 'z'",
        ),
        ("no_import_is_hidden", "server/app.py", "import importlib\nimportlib.import_module('server.api')"),
        ("no_import_is_hidden", "server/app.py", "__import__('server.api')"),
        ("no_import_is_hidden", "server/app.py", "import pkgutil\npkgutil.resolve_name('server.api:api')"),
        ("no_import_is_hidden", "server/app.py", "from server.late import late\nlate(f'server.{name}:api')"),
        ("no_cycles", "server/domain/errors.py", "from server.domain.slug import use"),
        ("no_cycles", "server/api/links.py", "from server.api import api"),
        ("no_cycles", "server/asgi.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import server.wire"),
        ("no_cycles", "fastcore/types.pxd", "from fastcore.ecc cimport protect"),
        ("migrations_are_numbered", "migrations/0004_fourth.sql", ""),
        ("migrations_are_numbered", "migrations/0002_another.sql", ""),
        ("migrations_are_numbered", "migrations/3_third.sql", ""),
        ("migrations_are_numbered", "migrations/0003_Third.sql", ""),
    ],
)
def test_a_broken_law_is_seen(tmp_path: Path, law: str, name: str, source: str) -> None:
    assert law in layers.broken(grow(tmp_path, {**GOOD, name: source}))


def test_every_law_is_shown_to_break() -> None:
    """By the table above, of which each law needs a line."""
    shown = {case[0] for mark in test_a_broken_law_is_seen.pytestmark for case in mark.args[1]}  # type: ignore[attr-defined]
    assert shown == {law.__name__ for law in layers.LAWS}
