"""Use case: pictures of barcodes, which are not stored."""

from server.domain.barcode import BarcodeOrder
from server.domain.model import Hit, Image
from server.domain.ports import BarcodeArtist, ImageCache
from server.domain.studio import Shown


class Barcodes:
    """Draws barcodes."""

    def __init__(self, artist: BarcodeArtist, images: ImageCache) -> None:
        self._artist = artist
        self._images = images

    def show(self, order: BarcodeOrder) -> Shown:
        etag = self._artist.etag(order)

        async def draw() -> tuple[Image, Hit]:
            return await self._images.get(etag, lambda: self._artist.draw(order, etag))

        return Shown(etag, draw)
