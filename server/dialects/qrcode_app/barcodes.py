"""qrcode-app: barcodes, of which nothing is stored: an id says what its picture shows."""

import base64
import binascii

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.dialects.access import Access
from server.dialects.dialect import Kit, url_of
from server.dialects.qrcode_app.errors import Refusal
from server.dialects.qrcode_app.wire import (
    MAX_SIZE,
    SYMBOLOGIES,
    Fields,
    choice_of,
    flag_of,
    integer_of,
    part_of,
    read_fields,
    text_of,
)
from server.domain.barcode import MATRICES, MIN_SIDE_PX, Barcode, BarcodeOrder, default_extent
from server.domain.errors import InvalidValue
from server.domain.limits import allow_size
from server.domain.model import Account, Caller
from server.domain.moment import to_the_second
from server.images import image_answer
from server.wire import ByMethod, json_response

PREFIX = "bc_"
OUTPUTS = ("png", "svg")
#: What an id says, as a request would.
SAID = ("format", "value", "output", "width", "height", "show_text")
EANS = frozenset(["EAN13", "EAN8", "UPCA"])

#: It stands in a URL.
MAX_VALUE = 1024

#: What an id says never changes.
CACHED = "public, max-age=86400, immutable"


def routes(kit: Kit, access: Access) -> list[Route]:
    async def generate(request: Request, caller: Caller) -> Response:
        fields = await read_fields(request)
        metadata = part_of(fields, "metadata")
        order = _order(fields)
        _allow(caller.account, order)
        async with kit.limits.renders(caller.account):
            await _drawn(kit, order, str(fields["format"]))
        barcode_id = _id(str(fields["format"]), order)
        data = {
            "barcode_id": barcode_id,
            "format": fields["format"],
            "value": order.barcode.value,
            "output": order.format,
            "width": order.width_px,
            "height": order.height_px,
            "image_url": url_of(request, f"/v1/barcodes/{barcode_id}/image"),
            "download_url": url_of(request, f"/v1/barcodes/{barcode_id}/download"),
            "metadata": metadata,
            "created_at": to_the_second(kit.now()),
        }
        return json_response({"success": True, "data": data})

    async def image(request: Request) -> Response:
        """For whoever has its URL, as the picture of a stored code."""
        return await image_answer(request, kit.barcodes.show(_asked(request)), None, cached=CACHED)

    async def download(request: Request, caller: Caller) -> Response:
        order = _asked(request)
        _allow(caller.account, order)
        name = f"{order.barcode.symbology}-barcode"
        return await image_answer(request, kit.barcodes.show(order), kit.limits.renders(caller.account), download=name)

    return [
        Route("/v1/barcodes/generate", ByMethod(POST=access("write", generate))),
        Route("/v1/barcodes/{barcode_id}/image", ByMethod(GET=image)),
        Route("/v1/barcodes/{barcode_id}/download", ByMethod(GET=access("read", download))),
    ]


def _order(fields: Fields) -> BarcodeOrder:
    name = fields.get("format")
    if not isinstance(name, str) or name not in SYMBOLOGIES:
        raise Refusal("INVALID_PARAMETER", f"format must be one of {', '.join(SYMBOLOGIES)}.")
    value = text_of(fields, "value")
    if value is None or len(value) > MAX_VALUE:
        raise Refusal("INVALID_PARAMETER", f"value is required, and has at most {MAX_VALUE} characters.")
    symbology = SYMBOLOGIES[name]
    given = [integer_of(fields, side, 0, MIN_SIDE_PX, MAX_SIZE) or None for side in ("width", "height")]
    width_px, height_px = default_extent(symbology, *given)
    output = choice_of(fields, "output", OUTPUTS, "png")
    try:
        return BarcodeOrder(
            barcode=Barcode.of(symbology, value),
            format="svg" if output == "svg" else "png",
            width_px=width_px,
            height_px=height_px,
            text=flag_of(fields, "show_text", default=True) and symbology not in MATRICES,
        )
    except InvalidValue as exc:
        raise _wrong(name, exc) from exc


def _wrong(name: str, exc: InvalidValue) -> Refusal:
    if name in EANS and exc.field == "value":
        return Refusal("INVALID_EAN", exc.detail)
    return Refusal("INVALID_PARAMETER", f"{exc.field}: {exc.detail}")


def _allow(account: Account, order: BarcodeOrder) -> None:
    """Raises PlanLimit."""
    allow_size(account.plan, order.width_px, None, field="width")
    allow_size(account.plan, order.height_px, None, field="height")


async def _drawn(kit: Kit, order: BarcodeOrder, name: str) -> None:
    """So that its URLs work, and are fast."""
    try:
        await kit.barcodes.show(order).draw()
    except InvalidValue as exc:
        raise _wrong(name, exc) from exc


def _id(name: str, order: BarcodeOrder) -> str:
    said = [name, order.barcode.value, order.format, order.width_px, order.height_px, order.text]
    return PREFIX + base64.urlsafe_b64encode(orjson.dumps(said)).decode().rstrip("=")


def _asked(request: Request) -> BarcodeOrder:
    """What the id in the path says."""
    barcode_id = str(request.path_params["barcode_id"])
    text = barcode_id.removeprefix(PREFIX)
    try:
        said = orjson.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
        fields = dict(zip(SAID, said, strict=True))
        order = _order(fields)
        if _id(fields["format"], order) != barcode_id:
            raise ValueError("it was written by somebody else")
    except (binascii.Error, ValueError, TypeError, Refusal) as exc:
        raise Refusal("NOT_FOUND", "There is no barcode with this id.") from exc
    return order
