"""The connection pool, and the wall at which driver errors become the domain's."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

import asyncpg

from server.domain.errors import StorageUnavailable

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection = PoolConnectionProxy[asyncpg.Record]

MAX_CONNECTIONS = 10
CONNECT_TIMEOUT_S = 5
ACQUIRE_TIMEOUT_S = 5
COMMAND_TIMEOUT_S = 30

#: What says that the database is not there, as against that it did not like the question.
UNAVAILABLE = (
    OSError,  # nobody listens; TimeoutError is one of these
    asyncpg.InterfaceError,  # the connection was closed under us
    asyncpg.InternalClientError,  # ... at the very moment when we asked: the driver is still ending it
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shutting down, starting up, crashed
    asyncpg.InsufficientResourcesError,  # too many connections, disk full, out of memory
    asyncpg.ReadOnlySQLTransactionError,  # a standby that is not promoted yet
)


class UnknownShape(Exception):
    """The database has not had, or has had with another text, a migration that this program counts on."""


class Undone(Exception):
    """Raised in a transaction, and caught behind it, where nothing of it is to stay."""


#: What keeps a connection from being made. Whatever the server says to a caller whom it does not let in is no answer
#: to a question of ours: the database takes no connections, is being restored, or has another password by now.
UNREACHABLE = (*UNAVAILABLE, asyncpg.PostgresError, UnknownShape)


class Row(Protocol):
    """A row of a result, by the names of its columns."""

    def __getitem__(self, column: str, /) -> Any: ...  # noqa: ANN401 -- what the column holds


def assignments(columns: Iterable[str], *, first: int) -> str:
    """What stands behind SET: "a = $3, b = $4". The columns are names of this program, never of a request."""
    return ", ".join(f"{column} = ${place}" for place, column in enumerate(columns, start=first))


def versioned(columns: Iterable[str], *, at: int, first: int) -> str:
    """The same with the time of the change, which is parameter `at`, and later than that of the change before, whatever
    the clocks say, as it tells the two apart."""
    changed = f"updated_at = greatest(${at}, updated_at + interval '1 microsecond')"
    return ", ".join(filter(None, [changed, assignments(columns, first=first)]))


@contextmanager
def translated(kinds: tuple[type[Exception], ...] = UNAVAILABLE) -> Iterator[None]:
    """Turns "the database is not there" into the domain's word for it."""
    try:
        yield
    except kinds as exc:
        raise StorageUnavailable from exc


class _Together:
    """One transaction for all that a request stores."""

    def __init__(self) -> None:
        #: None until something is stored, so that no connection waits for what is drawn and fetched before.
        self.connection: Connection | None = None
        self.stack = AsyncExitStack()
        self.ended = False
        #: What others are told once it is committed.
        self.later: list[Callable[[], Awaitable[None]]] = []


async def _as_it_is(_connection: "asyncpg.Connection | Connection") -> None:
    """A connection that is given back has nothing that would have to be undone, but a transaction that was broken off,
    which the pool does by itself. To be sure of it would be a round trip more for everything that is asked; so whoever
    sets or locks anything for longer than a transaction resets the connection."""


TOGETHER: ContextVar[_Together | None] = ContextVar("together", default=None)


class Database:
    """A pool that connects when first asked for a connection, so that it opens while the database is down."""

    def __init__(
        self, url: str, *, max_connections: int = MAX_CONNECTIONS, migrations: Mapping[str, str] | None = None
    ) -> None:
        """Every connection is asked whether the database has had the `migrations`, name and checksum: one that comes
        back from an outage may be older than this program, until somebody has brought it up to date."""
        self._url = url
        self._max_connections = max_connections
        self._migrations = (migrations or {}).items()
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None

    async def open(self) -> None:
        self._pool = await asyncpg.create_pool(
            self._url,
            min_size=0,
            max_size=self._max_connections,
            timeout=CONNECT_TIMEOUT_S,
            command_timeout=COMMAND_TIMEOUT_S,
            init=self._check_shape if self._migrations else None,
            reset=_as_it_is,
            server_settings={"timezone": "UTC", "jit": "off", "application_name": "qredge"},
        )

    @property
    def used(self) -> int:
        """Connections that somebody has now."""
        return 0 if self._pool is None else self._pool.get_size() - self._pool.get_idle_size()

    @property
    def idle(self) -> int:
        """Connections that wait for somebody."""
        return 0 if self._pool is None else self._pool.get_idle_size()

    async def _check_shape(self, connection: "asyncpg.Connection | Connection") -> None:
        applied = await connection.fetch("SELECT name, checksum FROM schema_migrations", timeout=CONNECT_TIMEOUT_S)
        if not self._migrations <= {tuple(row) for row in applied}:
            raise UnknownShape

    async def close(self) -> None:
        if self._pool is not None:
            self._pool.terminate()  # nothing is under way any more, and a dead database would not say good-bye

    @asynccontextmanager
    async def connection(self) -> AsyncIterator["Connection"]:
        """A connection from the pool; raises StorageUnavailable when the database cannot serve."""
        assert self._pool is not None, "open() comes first"
        with translated():
            async with AsyncExitStack() as stack:
                with translated(UNREACHABLE):
                    connection = await stack.enter_async_context(self._pool.acquire(timeout=ACQUIRE_TIMEOUT_S))
                yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["Connection"]:
        """Within `together`, a part of that, which is undone alone where it raises."""
        shared = TOGETHER.get()
        if shared is None or shared.ended:  # a task may outlive the request that has started it
            async with self._begun() as connection:
                yield connection
            return
        with translated():
            if shared.connection is None:
                shared.connection = await shared.stack.enter_async_context(self._begun())
            async with shared.connection.transaction():
                yield shared.connection

    def statement(self) -> AbstractAsyncContextManager["Connection"]:
        """A connection for one statement that stores something, which needs no transaction but that of `together`."""
        return self.connection() if TOGETHER.get() is None else self.transaction()

    @asynccontextmanager
    async def _begun(self) -> AsyncIterator["Connection"]:
        async with self.connection() as connection, connection.transaction():
            yield connection

    @asynccontextmanager
    async def together(self) -> AsyncIterator[None]:
        """Every `transaction` of this task within is committed at the end, or none is where it raises. Within another
        one it is a part of that."""
        outer = TOGETHER.get()
        if outer is not None and not outer.ended:
            yield
            return
        shared = _Together()
        token = TOGETHER.set(shared)
        try:
            async with shared.stack:
                yield
        finally:
            shared.ended = True
            TOGETHER.reset(token)
        for tell in shared.later:
            await tell()

    async def when_committed(self, tell: Callable[[], Awaitable[None]]) -> None:
        """Calls it now, or, within `together`, at the end."""
        shared = TOGETHER.get()
        if shared is None or shared.ended:
            await tell()
        else:
            shared.later.append(tell)
