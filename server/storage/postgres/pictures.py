"""Logos and photos of stored designs."""

from typing import TYPE_CHECKING

from server.domain.design import Design
from server.domain.model import AccountId
from server.storage.postgres.caps import lock_account
from server.storage.postgres.pool import Database

if TYPE_CHECKING:
    from server.storage.postgres.pool import Connection

ADD = "INSERT INTO pictures (account_id, sha256, body) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"

GET = "SELECT body FROM pictures WHERE account_id = $1 AND sha256 = $2"

# As the indexes of migration 0005 have it.
DROP = """
    DELETE FROM pictures
    WHERE account_id = $1 AND sha256 = $2
        AND NOT EXISTS (SELECT FROM qr_codes WHERE account_id = $1 AND design #>> '{logo,image,sha256}' = $3)
        AND NOT EXISTS (SELECT FROM qr_codes WHERE account_id = $1 AND design #>> '{background,image,sha256}' = $3)
"""


class PostgresPictures:
    """`PictureStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, account: AccountId, sha256: str) -> bytes | None:
        async with self._database.connection() as connection:
            body: bytes | None = await connection.fetchval(GET, account, bytes.fromhex(sha256))
        return body


async def lock_pictures(connection: "Connection", account: AccountId) -> None:
    """For `add_pictures` and `drop_pictures`: while one of an account's codes gets or loses a picture, no other one
    does, or a picture could go in the moment in which another code takes it up."""
    await lock_account(connection, account)


async def add_pictures(connection: "Connection", account: AccountId, design: Design) -> None:
    """Keep the pictures of a design, whose bytes it has."""
    for picture in design.pictures.values():
        assert picture.sha256 is not None, "the studio has completed the design"
        assert picture.data is not None, "it has"
        await connection.execute(ADD, account, bytes.fromhex(picture.sha256), picture.data)


async def drop_pictures(connection: "Connection", account: AccountId, design: Design) -> None:
    """Drop the pictures of a design that no code has any more, unless other codes of the account have them."""
    for picture in design.pictures.values():
        assert picture.sha256 is not None, "it was stored"
        await connection.execute(DROP, account, bytes.fromhex(picture.sha256), picture.sha256)
