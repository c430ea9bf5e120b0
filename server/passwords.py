"""Passwords of links as hashes: argon2id (RFC 9106), away from the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from server.domain.errors import Busy
from server.domain.password import Password

T = TypeVar("T")

# OWASP's password storage cheat sheet for argon2id: 19 MiB, two passes, one lane; some 20 ms. In one thread, so that
# a flood of passwords takes one core at most, and the memory of one hash.
HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
MAX_WAITING = 50


class Passwords:
    """`Hasher`, one hash at a time; raises Busy where about a second's worth of others waits already."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="password")
        self._waiting = 0

    async def hash(self, password: Password) -> str:
        return await self._run(lambda: HASHER.hash(password))

    async def matches(self, password_hash: str, password: str) -> bool:
        return await self._run(lambda: _matches(password_hash, password))

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= MAX_WAITING:
            raise Busy("Too many passwords are being checked. Try this again shortly.")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        self._thread.shutdown(cancel_futures=True)


def _matches(password_hash: str, password: str) -> bool:
    try:
        return HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):  # the latter was put in by SQL, and no password matches it
        return False
