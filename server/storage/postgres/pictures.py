"""Logos and photos of stored designs."""

from typing import TYPE_CHECKING

from server.domain.design import Design
from server.storage.postgres.pool import Database

if TYPE_CHECKING:
    from server.storage.postgres.pool import Connection

ADD = "INSERT INTO pictures (sha256, body) VALUES ($1, $2) ON CONFLICT (sha256) DO NOTHING"

GET = "SELECT body FROM pictures WHERE sha256 = $1"


class PostgresPictures:
    """`PictureStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, sha256: str) -> bytes | None:
        async with self._database.connection() as connection:
            body: bytes | None = await connection.fetchval(GET, bytes.fromhex(sha256))
        return body


async def add_pictures(connection: "Connection", design: Design) -> None:
    """Keep the pictures of a design, whose bytes it has."""
    for picture in design.pictures.values():
        assert picture.sha256 is not None, "the studio has completed the design"
        assert picture.data is not None, "it has"
        await connection.execute(ADD, bytes.fromhex(picture.sha256), picture.data)
