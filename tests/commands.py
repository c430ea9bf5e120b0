"""The command `qredge`, called in the tests' own process: to start one for each call takes longer than what it does."""

import io
import os
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from typing import NamedTuple
from unittest import mock

from server.__main__ import main


class Done(NamedTuple):
    """How a call has ended."""

    returncode: int
    stdout: bytes
    stderr: str


def called(*arguments: str, settings: Mapping[str, str]) -> Done:
    """With these settings in the environment, and no others."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("QREDGE_")}
    with (
        mock.patch.dict(os.environ, {**environment, **settings}, clear=True),
        mock.patch.object(sys, "argv", ["qredge", *arguments]),
        redirect_stdout(io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)) as out,
        redirect_stderr(io.StringIO()) as err,
    ):
        code = _code()
    return Done(code, out.buffer.getvalue(), err.getvalue())


def _code() -> int:
    """The exit code that a process would have."""
    try:
        main()
    except SystemExit as exc:
        if isinstance(exc.code, str):  # what Python prints at the end of a process
            print(exc.code, file=sys.stderr)
            return 1
        return exc.code or 0
    return 0
