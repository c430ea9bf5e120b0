"""POST /barcodes: pictures of barcodes, of which nothing is stored."""

from typing import Annotated

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.api.access import Access
from server.api.designs import ColourText
from server.api.fields import Body
from server.domain.barcode import (
    FORMATS,
    MATRICES,
    MAX_VALUE,
    MIN_SIDE_PX,
    Barcode,
    BarcodeFormat,
    BarcodeOrder,
    Symbology,
    default_extent,
)
from server.domain.barcodes import Barcodes
from server.domain.colour import BLACK, WHITE
from server.domain.errors import Busy
from server.domain.limits import Limits, allow_size
from server.domain.model import Account
from server.domain.order import MAX_DPI, MAX_SIZE_PX, MEDIA_TYPES, MIN_DPI
from server.images import image_answer
from server.openapi import File, operation, shown
from server.wire import ByMethod

PICTURE = File(*(MEDIA_TYPES[each] for each in FORMATS))

Side = Annotated[int, Field(ge=MIN_SIDE_PX, le=MAX_SIZE_PX)]


class BarcodeCreate(Body):
    model_config = shown({"symbology": "ean-13", "value": "590123412345", "width": 600, "height": 250})

    symbology: Symbology
    #: What it says. A check digit is computed where it is left out, and has to be right where it is there.
    value: Annotated[str, Field(max_length=MAX_VALUE)]
    format: BarcodeFormat = "png"
    #: In pixels, kept exactly; 400, if you do not say.
    width: Side | None = None
    #: In pixels, kept exactly; 200, if you do not say, and of square symbols the width.
    height: Side | None = None
    #: Whether the value stands below the bars, for people; if you do not say, it does, but not below matrix symbols.
    text: bool | None = None
    color: ColourText = BLACK
    background: ColourText = WHITE
    #: Pixels per inch: how large it is on paper.
    dpi: Annotated[float | None, Field(ge=MIN_DPI, le=MAX_DPI)] = None

    def order(self) -> BarcodeOrder:
        """Raises InvalidValue, which names the field."""
        extent = default_extent(self.symbology, self.width, self.height)
        return BarcodeOrder(
            barcode=Barcode.of(self.symbology, self.value),
            format=self.format,
            width_px=extent.width_px,
            height_px=extent.height_px,
            text=self.symbology not in MATRICES if self.text is None else self.text,
            color=self.color,
            background=self.background,
            dpi=self.dpi,
        )


def routes(barcodes: Barcodes, limits: Limits, access: Access) -> list[Route]:
    @operation(
        body=BarcodeCreate,
        takes=["If-None-Match"],
        answers={200: PICTURE, 304: None},
        sends=["ETag", "X-Cache", "X-Render-Ms"],
        refusals=[Busy],
    )
    async def draw_barcode(request: Request, account: Account) -> Response:
        """Draw a barcode, of which nothing is stored."""
        order = (await BarcodeCreate.of(request)).order()
        allow_size(account.plan, order.width_px, order.dpi, field="width")
        allow_size(account.plan, order.height_px, None, field="height")
        return await image_answer(request, barcodes.show(order), limits.renders(account))

    return [Route("/barcodes", ByMethod(POST=access("render", draw_barcode)))]
