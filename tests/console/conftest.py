"""A shell in which `qredge` is called."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import Done, called


class Shell:
    """A shell on a database."""

    def __init__(self, data_dir: Path, database_url: str) -> None:
        self.settings = {"QREDGE_DATA_DIR": str(data_dir), "QREDGE_DATABASE_URL": database_url}

    def process(self, *arguments: str, input: bytes | None = None) -> bytes:
        """What a process of its own answers, as people call it."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("QREDGE_")}
        command = [sys.executable, "-m", "server", *arguments]
        done = subprocess.run(command, env=environment | self.settings, input=input, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b""), done.stderr
        return done.stdout

    def run(self, *arguments: str) -> Done:
        return called(*arguments, settings=self.settings)

    def __call__(self, *arguments: str) -> list[str]:
        """The lines that a command which goes well answers."""
        done = self.run(*arguments)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return done.stdout.decode().splitlines()

    def refused(self, *arguments: str) -> str:
        done = self.run(*arguments)
        assert (done.returncode, done.stdout) == (1, b""), done.stdout
        assert "Traceback" not in done.stderr
        return done.stderr


@pytest.fixture
def shell(tmp_path: Path, database_url: str) -> Shell:
    return Shell(tmp_path, database_url)
