"""A shell in which `qredge` is called."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


class Shell:
    """A shell on a database."""

    def __init__(self, data_dir: Path, database_url: str) -> None:
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("QREDGE_")}
        self.environment |= {"QREDGE_DATA_DIR": str(data_dir), "QREDGE_DATABASE_URL": database_url}

    @staticmethod
    def command(*arguments: str) -> list[str]:
        return [sys.executable, "-m", "server", *arguments]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = self.command(*arguments)
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=60, check=False)

    def __call__(self, *arguments: str) -> list[str]:
        """The lines that a command which goes well answers."""
        done = self.run(*arguments)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return done.stdout.splitlines()

    def refused(self, *arguments: str) -> str:
        done = self.run(*arguments)
        assert (done.returncode, done.stdout) == (1, ""), done.stdout
        assert "Traceback" not in done.stderr
        return done.stderr


@pytest.fixture
def shell(tmp_path: Path, database_url: str) -> Shell:
    return Shell(tmp_path, database_url)
