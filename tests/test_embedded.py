"""The embedded PostgreSQL comes up again, whatever a kill has left behind."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.faults import PostgresServer
from tests.support import sql


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not pytest's own, into which PostgreSQL cannot look where it runs as somebody else.
    with tempfile.TemporaryDirectory(prefix="qredge-", ignore_cleanup_errors=True) as folder:
        yield Path(folder) / "postgres"


def test_it_starts_again_whatever_stands_in_the_file_of_a_postmaster_that_was_killed(folder: Path) -> None:
    postgres, file = PostgresServer(folder), folder / "postmaster.pid"

    def killed() -> list[str]:
        """The lines of its file."""
        postgres.kill()
        return file.read_text().splitlines()

    def starts() -> bool:
        postgres.start()
        return bool(sql(postgres.url, "SELECT 1"))

    try:
        postgres.start()
        killed()
        assert starts(), "while it may still be a zombie"
        _, *lines = killed()
        file.write_text("\n".join([str(os.getpid()), *lines, ""]))
        assert starts(), "with a number that is somebody else's by now, as after a boot"
        lines = killed()
        file.write_text("\n".join([*lines[:5], ""]))
        assert starts(), "killed while it wrote its file"
    finally:
        postgres.stop()


def test_it_is_set_for_batches_of_scans_unless_somebody_says_otherwise(folder: Path) -> None:
    postgres = PostgresServer(folder)
    ours = min(max(psutil.virtual_memory().total // 16 >> 20, 128), 512)

    def shows(name: str) -> str:
        [row] = sql(postgres.url, "SELECT current_setting($1)", name)
        return str(row[0])

    try:
        postgres.start()
        assert shows("shared_buffers") == f"{ours}MB"
        assert (shows("wal_writer_delay"), shows("max_wal_size")) == ("10ms", "2GB")
        sql(postgres.url, "ALTER SYSTEM SET shared_buffers = '64MB'")
        sql(postgres.url, "ALTER SYSTEM SET max_wal_size = '512MB'")
        postgres.stop()
        postgres.start()
        assert (shows("shared_buffers"), shows("max_wal_size")) == ("64MB", "512MB")
        assert (folder / "postgresql.conf").read_text().count("qredge.conf") == 1
    finally:
        postgres.stop()
