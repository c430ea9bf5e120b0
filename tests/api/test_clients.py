"""Clients that others' generators make of the API's document: they compile, and they work."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import orjson
import pytest

from tests.support import ServerProcess

CLIENTS = Path(__file__).parents[1] / "clients"

#: Where `make test` installs what tests/clients/package.json names.
MODULES = Path(sys.prefix) / "clients" / "node_modules"


@pytest.fixture
def folder(server: ServerProcess, tmp_path: Path) -> Path:
    """With the document in it."""
    answer = httpx.get(f"{server.url}/openapi.json", verify=False)
    (tmp_path / "openapi.json").write_bytes(answer.content)
    return tmp_path


def run(folder: Path, *command: object) -> None:
    done = subprocess.run([str(each) for each in command], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def document(folder: Path) -> str:
    return (folder / "openapi.json").read_text()


def key_of(api: httpx.Client) -> str:
    return api.headers["authorization"].removeprefix("Bearer ")


def test_a_client_in_python_has_types_and_works(server: ServerProcess, api: httpx.Client, folder: Path) -> None:
    files = set(re.findall(r'"([a-z]+/[a-z+-]+)":\{"schema":\{"type":"string","format":"binary"', document(folder)))
    # This generator knows one type of files; what formats its code is of no use here.
    config = {"content_type_overrides": dict.fromkeys(files, "application/octet-stream"), "post_hooks": []}
    (folder / "config.json").write_bytes(orjson.dumps(config))
    shutil.copy(CLIENTS / "smoke.py", folder)
    run(
        folder,
        *(Path(sys.executable).with_name("openapi-python-client"), "generate", "--fail-on-warning"),
        *("--path", "openapi.json", "--config", "config.json", "--meta", "none", "--output-path", "qredge_client"),
    )
    run(folder, sys.executable, "-m", "mypy", "--cache-dir", folder / "cache", "-p", "qredge_client", "-m", "smoke")
    run(folder, sys.executable, "smoke.py", server.url, key_of(api))


def test_a_client_in_typescript_has_types_and_works(server: ServerProcess, api: httpx.Client, folder: Path) -> None:
    for name in ("package.json", "tsconfig.json", "smoke.ts"):
        shutil.copy(CLIENTS / name, folder)
    (folder / "node_modules").symlink_to(MODULES)
    # A field with a default may be left out.
    flag = "--default-non-nullable=false"
    run(folder, "node_modules/.bin/openapi-typescript", "openapi.json", flag, "--output", "api.d.ts")
    run(folder, "node_modules/.bin/tsc")
    run(folder, "node", "smoke.js", server.url, key_of(api))
