"""The unit, the image, the compose file and Caddy's file say what the server takes."""

import http.client
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from typer.testing import CliRunner

from server.__main__ import cli
from server.settings import PREFIX, SETTINGS_FILE, Settings, load
from tests.support import DEADLINE_S, ServerProcess, free_port, until

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNIT = DEPLOY / "qredge.service"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
CADDYFILE = (DEPLOY / "Caddyfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]

NAMES = {f"{PREFIX}{each.name.upper()}" for each in fields(Settings)}
#: ${NAME}, ${NAME:-default} and ${NAME:?message}, as compose has them.
VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*)|:\?[^}]*)?\}")


def instructions() -> list[tuple[str, str]]:
    """Of the Dockerfile: the word that each begins with, and the rest, in one line."""
    lines = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE)).splitlines()
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1]) for line in lines if line.strip()]


# --- the unit ------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/qredge/.venv/bin/qredge", sys.executable))
    checked = subprocess.run(["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_the_unit_tells_the_first_process_alone() -> None:
    said = dict(line.split("=", 1) for line in UNIT.read_text().splitlines() if re.match(r"\w+=", line))
    assert said["KillMode"] == "mixed"
    assert said["ExecReload"] == "/bin/kill -HUP $MAINPID"
    assert said["ExecStart"].split("/")[-1] == "qredge serve"
    assert set(re.findall(r"QREDGE_\w+", UNIT.read_text())) <= NAMES | {SETTINGS_FILE}


# --- the image -----------------------------------------------------------------------------------------------------


def test_the_image_has_what_the_package_is_made_of() -> None:
    copied = [word for name, rest in instructions() if name == "COPY" and "--from" not in rest for word in rest.split()]
    sources = {word for word in copied if not word.startswith("./") and word != "./"}
    assert all((ROOT / source).exists() for source in sources)
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    assert {line.removeprefix("!") for line in ignored if line.startswith("!")} == sources
    packages = re.findall(r"include = \[([^\]]*)\]", (ROOT / "pyproject.toml").read_text())[0]
    assert {name.strip('" *') for name in packages.split(",")} <= sources


def test_the_image_runs_a_command_that_there_is_with_settings_that_there_are() -> None:
    said = dict(instructions())
    assert json.loads(said["ENTRYPOINT"]) == ["qredge"]
    shown = CliRunner().invoke(cli, [*json.loads(said["CMD"]), "--help"])
    assert shown.exit_code == 0
    environment = dict(re.findall(r"(QREDGE_\w+)=(\S+)", said["ENV"]))
    assert load(environment).host == "0.0.0.0"
    assert str(load(environment).data_dir) == said["VOLUME"] == said["WORKDIR"]
    assert f":{load(environment).port}/livez" in said["HEALTHCHECK"]
    assert said["USER"] == "qredge"


# --- the compose file ----------------------------------------------------------------------------------------------


def filled(text: str) -> str:
    given = {"QREDGE_HOSTNAME": "qr.example.com", "POSTGRES_PASSWORD": "secret"}
    return VARIABLE.sub(lambda found: given.get(found[1], found[2]), text)


def test_both_servers_have_settings_that_are_taken_and_data_of_their_own() -> None:
    servers = [service for name, service in SERVICES.items() if name.startswith("qredge-")]
    assert len(servers) == 2
    settings = [load({name: filled(text) for name, text in each["environment"].items()}) for each in servers]
    assert settings[0] == settings[1]
    assert settings[0].database_url == "postgresql://qredge:secret@postgres/qredge"
    assert settings[0].redis_url == "redis://redis:6379/0"
    assert settings[0].base_url == "https://qr.example.com"
    subnet = COMPOSE["networks"]["inside"]["ipam"]["config"][0]["subnet"]
    assert [str(network) for network in settings[0].proxies] == [subnet]
    assert servers[0]["volumes"] != servers[1]["volumes"]
    for each in servers:
        assert set(each["depends_on"]) == {"postgres", "redis"} <= SERVICES.keys()
        assert (DEPLOY / each["build"]["context"]).resolve() == ROOT
        assert (ROOT / each["build"]["dockerfile"]).is_file()


def test_every_volume_and_network_is_there() -> None:
    for service in SERVICES.values():
        assert set(service["networks"]) <= COMPOSE["networks"].keys()
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in COMPOSE["volumes"] or (DEPLOY / source).is_file()


# --- Caddy ---------------------------------------------------------------------------------------------------------


def test_caddy_asks_both_servers() -> None:
    assert {f"{name}:8000" for name in SERVICES if name.startswith("qredge-")} <= set(CADDYFILE.split())


@pytest.mark.skipif(shutil.which("caddy") is None, reason="Caddy is not here")
def test_caddy_takes_its_file() -> None:
    command = ["caddy", "validate", "--adapter", "caddyfile", "--config", str(DEPLOY / "Caddyfile")]
    checked = subprocess.run(command, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr


@pytest.fixture
def caddy(server: ServerProcess, tmp_path: Path) -> Iterator[int]:
    """Caddy in front of the server, with certificates of its own; the port at which it speaks TLS."""
    plain, tls, inside = free_port(), free_port(), free_port()
    file = tmp_path / "Caddyfile"
    own = f"\tadmin off\n\tlocal_certs\n\tskip_install_trust\n\thttp_port {plain}\n\thttps_port {tls}\n"
    text = CADDYFILE.replace("{\n", "{\n" + own, 1).replace("127.0.0.1:8081", f"127.0.0.1:{inside}")
    file.write_text(text.replace("qredge-1:8000 qredge-2:8000", f"127.0.0.1:{server.port}"))
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    with (tmp_path / "caddy.log").open("wb") as log:
        command = ["caddy", "run", "--adapter", "caddyfile", "--config", str(file)]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        until(lambda: listens(tls) and listens(inside), what="Caddy")
        yield tls
    finally:
        process.terminate()
        process.wait(DEADLINE_S)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def by_caddy(port: int, host: str, path: str) -> tuple[int, bytes]:
    """The status and the body of what is answered to who asks for that host."""
    unchecked = ssl._create_unverified_context()
    with (
        socket.create_connection(("127.0.0.1", port), DEADLINE_S) as connection,
        unchecked.wrap_socket(connection, server_hostname=host) as secure,
    ):
        secure.sendall(f"GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n".encode())
        answer = http.client.HTTPResponse(secure)
        answer.begin()
        return answer.status, answer.read()


@pytest.mark.skipif(shutil.which("caddy") is None, reason="Caddy is not here")
def test_caddy_has_certificates_for_hosts_that_the_server_knows_and_for_no_others(caddy: int) -> None:
    status, body = by_caddy(caddy, "mask.pk", "/livez")
    assert (status, json.loads(body)) == (200, {"status": "alive"})
    for path in ("/metrics", "/tls/ask?domain=mask.pk"):
        assert by_caddy(caddy, "mask.pk", path)[0] == 404
    with pytest.raises(ssl.SSLError):
        by_caddy(caddy, "example.com", "/livez")


def asked(server: ServerProcess, host: str) -> int:
    return httpx.get(f"{server.url}/tls/ask", params={"domain": host}, verify=False).status_code


def test_certificates_are_for_hosts_that_are_set(server: ServerProcess) -> None:
    assert asked(server, "127.0.0.1") == 200, "what codes begin with"
    assert asked(server, "mask.pk") == asked(server, "MASK.pk.") == 200, "a dialect's"
    for host in ("", "example.com", "sub.mask.pk", "mask.pk:443", "mask.pk/", "127.0.0.1\r\nx: y"):
        assert asked(server, host) == 404
    assert httpx.get(f"{server.url}/tls/ask", verify=False).status_code == 404
