"""A ZIP that is sent while it is made: of what is in it, one file is in memory at a time."""

import zipfile
from io import BytesIO


class Archive:
    """Files, stored as they are. Each has its size in front of it, as it is whole when it is added: so also those
    can read it who do not wait for the end (APPNOTE 6.3.10, 4.4.4)."""

    def __init__(self) -> None:
        self._window = _Window()
        self._zip = zipfile.ZipFile(self._window, "w", zipfile.ZIP_STORED)

    def add(self, name: str, body: bytes) -> bytes:
        """The next bytes of the archive. No file has a time of its own: the same files are the same archive."""
        self._zip.writestr(zipfile.ZipInfo(name), body)
        return self._window.take()

    def end(self) -> bytes:
        self._zip.close()
        return self._window.take()


class _Window(BytesIO):
    """A file of which only the end is still there. A ZIP goes back no further than to the head of its last file."""

    def __init__(self) -> None:
        super().__init__()
        self._taken = 0

    def take(self) -> bytes:
        data = self.getvalue()
        self._taken += len(data)
        super().seek(0)
        self.truncate()
        return data

    def tell(self) -> int:
        return self._taken + super().tell()

    def seek(self, position: int, whence: int = 0, /) -> int:
        assert whence == 0, "a ZIP is written from its beginning"
        return self._taken + super().seek(position - self._taken)
